"""What the templates show of a draft. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from desk.context import DraftView
from desk.highlights import Highlight, highlight_line, highlight_markdown, highlight_text
from pipeline.articles.front_matter import loads
from pipeline.checks.tokens import SupportedClaim
from pipeline.domain.errors import OutputError
from pipeline.domain.reviews import Finding, Front, Place, Severity
from pipeline.services.draft_file import draft_front
from pipeline.storage import Acknowledgement

_PLACES: dict[Place, str] = {"title": "Title", "description": "Description"}
_PARTS: tuple[Place, ...] = ("front matter", "title", "description", "body")
"""In the order in which findings about them are listed."""
KINDS = {
    "figure": "Figure", "place": "Figure elsewhere", "date": "Date", "name": "Name", "quotation": "Quotation",
    "overlap": "Copied", "opinion": "Opinion", "form": "Form", "brief": "Placeholder",
    "injection": "Strange text", "story": "Same story", "source-updated": "Source changed",
    "redraft": "Redraft", "unchecked": "Not checked", "front-matter": "Front matter",
}  # fmt: skip
LEVELS = {"block": "blocks approval", "warn": "warning", "note": "note", "fine": "answered for"}
_ORDER = ("block", "warn", "fine", "note")
_TEXTS = ("title", "description", "category", "sentiment", "lang")
RIGHT_TO_LEFT = frozenset(("ar", "arc", "ckb", "dv", "fa", "he", "ps", "sd", "ug", "ur", "yi"))


class FindingView(NamedTuple):
    """A finding with its number on the page."""

    number: int
    finding: Finding
    level: str
    """block, warn, note, or fine where an editor answers for it."""
    answer: Acknowledgement | None
    quote: str
    """What the draft says there."""

    @property
    def kind(self) -> str:
        """What it is called."""
        return KINDS.get(self.finding.kind, self.finding.kind.capitalize())

    @property
    def where(self) -> str:
        """In what of the draft it is, where that is not the text."""
        return _PLACES.get(self.finding.field, "")

    @property
    def input(self) -> str:
        """The field of the editing form that has its place."""
        return self.finding.field if self.where else "body"

    @property
    def said(self) -> str:
        """What its level means."""
        return LEVELS[self.level]


class Cover(NamedTuple):
    """A draft's cover image."""

    url: str
    alt: str
    by: str


class DraftPage(NamedTuple):
    """A draft, ready to be shown."""

    seen: DraftView
    metadata: dict[str, Any]
    body: str
    trouble: str | None
    """Why the file cannot be shown or decided on."""
    findings: tuple[FindingView, ...]
    traces: tuple[SupportedClaim, ...] = ()
    """Claims that the source bears out, where no finding is about them."""
    described: str | None = None
    """The description that an editor's form was shown with; None: the one that stands."""

    @property
    def blocks(self) -> int:
        """How many findings block approval."""
        return sum(one.level == "block" for one in self.findings)

    @property
    def warns(self) -> int:
        """How many findings warn."""
        return sum(one.level == "warn" for one in self.findings)

    @property
    def title(self) -> str:
        """The draft's title, or the source's where it has none."""
        return str(self.metadata.get("title") or self.seen.row.title or "Untitled")

    @property
    def words(self) -> int:
        """Words of the body."""
        return len(self.body.split())

    @property
    def source_words(self) -> int:
        """Words of the source."""
        return len(self.seen.source.item.text.split())

    @property
    def direction(self) -> str:
        """Which way the draft's language is written."""
        return direction(str(self.metadata.get("lang") or self.seen.source.language))

    @property
    def rewritten(self) -> bool:
        """Tell whether a model wrote it."""
        ai = self.metadata.get("ai")
        return bool(isinstance(ai, dict) and ai.get("rewritten"))

    @property
    def model(self) -> str:
        """What wrote it."""
        ai = self.metadata.get("ai")
        return str(ai.get("model", "")) if isinstance(ai, dict) else ""

    @property
    def cover(self) -> Cover | None:
        """The cover image, where there is one that a browser can show."""
        told = self.metadata.get("coverImage")
        url = str(told.get("regular", "")) if isinstance(told, dict) else ""
        if not isinstance(told, dict) or not url.startswith(("http://", "https://")):
            return None
        credit = told.get("credit")
        by = str(credit.get("name") or "") if isinstance(credit, dict) else ""
        return Cover(url, str(told.get("alt") or ""), by)

    @property
    def draft_html(self) -> str:
        """The body with its marks, as HTML."""
        marks = self._marks("body")
        borne_out = [Highlight(number, *one.span, "fact", f"c{number}") for number, one in self._claims]
        return highlight_markdown(self.body, [*marks, *borne_out])

    @property
    def title_html(self) -> str:
        """The title with its marks, as HTML."""
        return highlight_line(self.title, self._marks("title"))

    @property
    def description_html(self) -> str:
        """The description with its marks, as HTML."""
        return highlight_line(str(self.metadata.get("description") or ""), self._marks("description"))

    def told(self, one: FindingView) -> str:
        """Return the words that a finding is about, as they stand."""
        told = self.metadata.get(one.finding.field) if one.where else self.body
        return str(told or "")[slice(*one.finding.span)] if one.finding.span else ""

    def _marks(self, field: Place) -> list[Highlight]:
        return [
            Highlight(one.number, *one.finding.span, one.level, f"c{one.number}")
            for one in self.findings
            if one.finding.span and one.finding.field == field
        ]

    @property
    def source_html(self) -> str:
        """The source's text with the places that findings speak of, as HTML."""
        marks = [
            Highlight(one.number, start, end, _beside(one), f"e{one.number}")
            for one in self.findings
            for start, end in one.finding.evidence
        ]
        grounds = [
            Highlight(number, start, end, "ground", f"e{number}")
            for number, one in self._claims
            for start, end in one.evidence
        ]
        return highlight_text(self.seen.source.item.text, [*marks, *grounds])

    @property
    def _claims(self) -> list[tuple[int, SupportedClaim]]:
        """Return what the source bears out, numbered behind the findings."""
        return list(enumerate(self.traces, start=len(self.findings) + 1))


def _beside(shown: FindingView) -> str:
    """Return how evidence is marked: what was copied as in the draft."""
    return shown.level if shown.finding.kind == "overlap" else "evidence"


def direction(language: str) -> str:
    """Return which way a language is written, as HTML calls it."""
    return "rtl" if language.lower().partition("-")[0] in RIGHT_TO_LEFT else "ltr"


def page_of(seen: DraftView) -> DraftPage:
    """Return what is shown of a draft."""
    metadata: dict[str, Any] = {}
    body, trouble = seen.text or "", None
    if seen.text is None:
        trouble = seen.unreadable
    else:
        try:
            metadata, body = loads(seen.text, seen.row.path)
        except OutputError as error:
            trouble = error.message
    front = Front(metadata=metadata)
    if metadata and seen.row.state == "drafted":  # as it would be approved
        front = draft_front(seen.row, metadata, body, seen.beat)
    found = numbered(seen.findings, seen.row.acknowledged, body, front)
    return DraftPage(seen, shaped(front.metadata), body, trouble, found)


def shaped(metadata: dict[str, Any]) -> dict[str, Any]:
    """Return front matter whose fields have the types that pages expect, whatever somebody wrote there."""
    words = {name: _text(metadata.get(name)) for name in _TEXTS}
    tags = metadata.get("tags")
    listed = [_text(tag) for tag in tags] if isinstance(tags, list) else [_text(tags)]
    weight = metadata.get("stickyWeight")
    return {**metadata, **words, "tags": [tag for tag in listed if tag], "stickyWeight": weight or 0}


def _text(value: object) -> str:
    """Return a scalar as text; what is none is shown as nothing."""
    return str(value) if isinstance(value, str | int | float) and not isinstance(value, bool) else ""


def with_traces(page: DraftPage, traces: Iterable[SupportedClaim]) -> DraftPage:
    """Return a page with the claims that the source bears out and that no finding is about."""
    taken = sorted(one.finding.body_span for one in page.findings if one.finding.body_span)
    free = [
        one for one in traces if not any(start < one.span[1] and one.span[0] < end for start, end in taken)
    ]
    return page._replace(traces=tuple(free))


def numbered(
    findings: Sequence[Finding], acknowledged: Sequence[Acknowledgement], body: str, front: Front
) -> tuple[FindingView, ...]:
    """Return findings as they are listed: what blocks first, in the order of the text."""
    answers = {one.key: one for one in acknowledged}
    levels = [(_level(one, answers), one) for one in findings]
    ordered = sorted(
        levels,
        key=lambda pair: (
            _ORDER.index(pair[0]),
            _PARTS.index(pair[1].field),
            pair[1].span or (-1, -1),
        ),
    )
    return tuple(
        FindingView(number, one, level, answers.get(one.key), _quote(one, front.text(one.field) or body))
        for number, (level, one) in enumerate(ordered, start=1)
    )


def _level(finding: Finding, answers: Mapping[str, Acknowledgement]) -> str:
    if finding.severity is not Severity.NOTE and not finding.firm and finding.key in answers:
        return "fine"
    return finding.severity.value


def _quote(finding: Finding, told: str) -> str:
    text = " ".join(told[slice(*finding.span)].split()) if finding.span else ""
    return text if len(text) <= 90 else text[:89] + "…"


def relative_time(moment: datetime, now: datetime) -> str:
    """Return how long ago something was, in the largest unit that fits."""
    seconds = max(0, int((now - moment).total_seconds()))
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return "now"
