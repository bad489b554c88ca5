"""Findings as the desk shows them: class, words, fix, dismissal. Pure."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from pipeline.domain.reviews import Finding, Front, Place, Severity
from pipeline.services.fixes import has_fix
from pipeline.storage import Acknowledgement

_FIELD_LABELS: dict[Place, str] = {"title": "Title", "description": "Description", "alt": "Image description"}
_FIELDS: tuple[Place, ...] = ("front matter", "title", "description", "alt", "body")
"""In the order in which their findings are listed."""
KINDS = {
    "figure": "Figure", "place": "Figure elsewhere", "date": "Date", "name": "Name", "quotation": "Quotation",
    "pair": "Contradiction", "sense": "Second reader",
    "overlap": "Copied", "opinion": "Opinion", "form": "Form", "brief": "Placeholder",
    "injection": "Suspicious text", "story": "Same story", "source-updated": "Source changed",
    "source-claim": "Changed in the source",
    "source-withdrawn": "Source withdrawn", "source-missing": "Source missing",
    "redraft": "Rewrite", "unchecked": "Not checked", "front-matter": "Front matter",
}  # fmt: skip
CLASSES = {"block": "must", "warn": "look", "note": "note", "fine": "dismissed"}
"""A finding that is a *must* blocks approval; a *look* has to have been on screen."""
_LEVEL_ORDER = ("block", "warn", "fine", "note")


class FindingView(NamedTuple):
    """A finding with its number on the page."""

    number: int
    finding: Finding
    level: str
    """block, warn, note, or fine if an editor dismissed it."""
    acknowledgement: Acknowledgement | None
    quote: str
    """The draft's words in its span, on one line."""

    @property
    def kind(self) -> str:
        """The label of its kind."""
        return kind_label(self.finding.kind)

    @property
    def fix(self) -> bool:
        """Whether it blocks or warns, and offers what its words should be."""
        return self.level in ("block", "warn") and bool(self.finding.key) and has_fix(self.finding)

    @property
    def place(self) -> str:
        """Where the draft has it, for forms."""
        return place_of(self.finding)

    @property
    def field_label(self) -> str:
        """The label of the field that it is about; empty for the text."""
        return _FIELD_LABELS.get(self.finding.field, "")

    @property
    def also_label(self) -> str:
        """The labels of the other fields with the same error; empty if there are none."""
        fields = dict.fromkeys(_FIELD_LABELS.get(field, "Text") for field, _ in self.finding.also)
        return ", ".join(fields)

    @property
    def input(self) -> str:
        """The id of the form field that holds its span."""
        return self.finding.field if self.field_label else "body"

    @property
    def offer(self) -> bool:
        """Whether it offers other words, or none, in place of those that it is about."""
        return bool(self.quote) and has_fix(self.finding)

    @property
    def class_label(self) -> str:
        """How it counts: must, look, note, or that it is dismissed."""
        return CLASSES[self.level]


def numbered(
    findings: Sequence[Finding], acknowledged: Sequence[Acknowledgement], body: str, front: Front
) -> tuple[FindingView, ...]:
    """Return findings numbered in the order of the list: by level, then field, then position."""
    dismissals = {acknowledgement.key: acknowledgement for acknowledgement in acknowledged}
    levels = [(_level(finding, dismissals), finding) for finding in findings]
    ordered = sorted(
        levels,
        key=lambda pair: (
            _LEVEL_ORDER.index(pair[0]),
            _FIELDS.index(pair[1].field),
            pair[1].span or (-1, -1),
        ),
    )
    return tuple(
        FindingView(
            number,
            finding,
            level,
            dismissals.get(finding.key),
            _quote(finding, front.text(finding.field) or body),
        )
        for number, (level, finding) in enumerate(ordered, start=1)
    )


def kind_label(kind: str) -> str:
    """Return the label of a kind of finding."""
    return KINDS.get(kind, kind.capitalize())


def place_of(finding: Finding) -> str:
    """Return where a draft has a finding, as `title 0 4`; empty without a span."""
    return " ".join(map(str, (finding.field, *finding.span))) if finding.span else ""


def _level(finding: Finding, dismissals: Mapping[str, Acknowledgement]) -> str:
    if finding.severity is not Severity.NOTE and not finding.firm and finding.key in dismissals:
        return "fine"
    return finding.severity.value


def _quote(finding: Finding, text: str) -> str:
    quote = " ".join(text[slice(*finding.span)].split()) if finding.span else ""
    return quote if len(quote) <= 90 else quote[:89] + "…"
