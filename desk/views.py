"""View models of a draft: what the templates show. Pure."""

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
from pipeline.services.fixes import has_fix
from pipeline.storage import Acknowledgement

_FIELD_LABELS: dict[Place, str] = {"title": "Title", "description": "Description"}
_FIELDS: tuple[Place, ...] = ("front matter", "title", "description", "body")
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
LEVELS = {"block": "blocks approval", "warn": "warning", "note": "note", "fine": "dismissed"}
_LEVEL_ORDER = ("block", "warn", "fine", "note")
_TEXT_FIELDS = ("title", "description", "category", "sentiment", "lang")
RIGHT_TO_LEFT = frozenset(("ar", "arc", "ckb", "dv", "fa", "he", "ps", "sd", "ug", "ur", "yi"))


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
        return KINDS.get(self.finding.kind, self.finding.kind.capitalize())

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
    def level_label(self) -> str:
        """The label of its level."""
        return LEVELS[self.level]


class Cover(NamedTuple):
    """A draft's cover image."""

    url: str
    alt: str
    by: str


class DraftPage(NamedTuple):
    """A draft as the templates show it."""

    view: DraftView
    metadata: dict[str, Any]
    body: str
    error: str | None
    """Why the file cannot be read; None if it can."""
    findings: tuple[FindingView, ...]
    supported_claims: tuple[SupportedClaim, ...] = ()
    """Claims that the source supports and that no finding is about."""
    described: str | None = None
    """The description that the editor's form was rendered with; None: the one in `metadata`."""

    @property
    def blocks(self) -> int:
        """Number of findings that block approval."""
        return sum(shown.level == "block" for shown in self.findings)

    @property
    def warns(self) -> int:
        """Number of findings that warn."""
        return sum(shown.level == "warn" for shown in self.findings)

    @property
    def title(self) -> str:
        """The draft's title, or the title of its row if it has none."""
        return str(self.metadata.get("title") or self.view.row.title or "Untitled")

    @property
    def words(self) -> int:
        """Number of words in the body."""
        return len(self.body.split())

    @property
    def source_words(self) -> int:
        """Number of words in the source."""
        return len(self.view.source.item.text.split())

    @property
    def direction(self) -> str:
        """The writing direction of the draft's language: ltr or rtl."""
        return direction(str(self.metadata.get("lang") or self.view.source.language))

    @property
    def rewritten(self) -> bool:
        """Whether a model wrote it; an offline brief has no model."""
        ai = self.metadata.get("ai")
        return bool(isinstance(ai, dict) and ai.get("rewritten"))

    @property
    def model(self) -> str:
        """Name of the model that wrote it; empty if unknown."""
        ai = self.metadata.get("ai")
        return str(ai.get("model", "")) if isinstance(ai, dict) else ""

    @property
    def cover(self) -> Cover | None:
        """The cover image; None without an http(s) URL."""
        cover = self.metadata.get("coverImage")
        url = str(cover.get("regular", "")) if isinstance(cover, dict) else ""
        if not isinstance(cover, dict) or not url.startswith(("http://", "https://")):
            return None
        credit = cover.get("credit")
        by = str(credit.get("name") or "") if isinstance(credit, dict) else ""
        return Cover(url, str(cover.get("alt") or ""), by)

    @property
    def draft_html(self) -> str:
        """The body with its marks, as HTML."""
        marks = self._marks("body")
        claims = [
            Highlight(number, *claim.span, "fact", f"c{number}") for number, claim in self._numbered_claims
        ]
        return highlight_markdown(self.body, [*marks, *claims])

    @property
    def title_html(self) -> str:
        """The title with its marks, as HTML."""
        return highlight_line(self.title, self._marks("title"))

    @property
    def description_html(self) -> str:
        """The description with its marks, as HTML."""
        return highlight_line(str(self.metadata.get("description") or ""), self._marks("description"))

    def flagged_text(self, shown: FindingView) -> str:
        """Return the text in a finding's span; empty without a span."""
        text = self.metadata.get(shown.finding.field) if shown.field_label else self.body
        return str(text or "")[slice(*shown.finding.span)] if shown.finding.span else ""

    def _marks(self, field: Place) -> list[Highlight]:
        return [
            Highlight(shown.number, *span, shown.level, f"c{shown.number}{_suffix(shown, field)}")
            for shown in self.findings
            for span in shown.finding.spans_in(field)
        ]

    @property
    def source_html(self) -> str:
        """The source's text with the evidence of findings and claims marked, as HTML."""
        marks = [
            Highlight(shown.number, start, end, _evidence_level(shown), f"e{shown.number}")
            for shown in self.findings
            for start, end in shown.finding.evidence
        ]
        grounds = [
            Highlight(number, start, end, "ground", f"e{number}")
            for number, claim in self._numbered_claims
            for start, end in claim.evidence
        ]
        return highlight_text(self.view.source.item.text, [*marks, *grounds])

    @property
    def _numbered_claims(self) -> list[tuple[int, SupportedClaim]]:
        """The supported claims, numbered after the findings."""
        return list(enumerate(self.supported_claims, start=len(self.findings) + 1))


def _suffix(shown: FindingView, field: Place) -> str:
    """Return what makes the id of a mark in another field of the same finding unique."""
    return "" if shown.finding.field == field else f"-{field}"


def _evidence_level(shown: FindingView) -> str:
    """Return the level of evidence marks: copied text has that of its finding."""
    return shown.level if shown.finding.kind == "overlap" else "evidence"


def direction(language: str) -> str:
    """Return the writing direction of a language tag: ltr or rtl."""
    return "rtl" if language.lower().partition("-")[0] in RIGHT_TO_LEFT else "ltr"


def page_of(view: DraftView) -> DraftPage:
    """Return the view model of a draft."""
    metadata: dict[str, Any] = {}
    body, problem = view.text or "", None
    if view.text is None:
        problem = view.unreadable
    else:
        try:
            metadata, body = loads(view.text, view.row.path)
        except OutputError as error:
            problem = error.message
    front = Front(metadata=metadata)
    if metadata and view.row.state == "drafted":  # as an approval would write it
        front = draft_front(view.row, metadata, body, view.beat)
    findings = numbered(view.findings, view.row.acknowledged, body, front)
    return DraftPage(view, coerce_types(front.metadata), body, problem, findings)


def coerce_types(metadata: dict[str, Any]) -> dict[str, Any]:
    """Return front matter whose fields have the types that the templates expect."""
    texts = {name: _text(metadata.get(name)) for name in _TEXT_FIELDS}
    tags = metadata.get("tags")
    listed = [_text(tag) for tag in tags] if isinstance(tags, list) else [_text(tags)]
    weight = metadata.get("stickyWeight")
    return {**metadata, **texts, "tags": [tag for tag in listed if tag], "stickyWeight": weight or 0}


def _text(value: object) -> str:
    """Return a string or number as text; anything else as an empty string."""
    return str(value) if isinstance(value, str | int | float) and not isinstance(value, bool) else ""


def with_supported_claims(page: DraftPage, claims: Iterable[SupportedClaim]) -> DraftPage:
    """Return a page with those supported claims that overlap no finding."""
    spans = [shown.finding.body_span for shown in page.findings if shown.finding.body_span]
    free = [
        claim
        for claim in claims
        if not any(start < claim.span[1] and claim.span[0] < end for start, end in spans)
    ]
    return page._replace(supported_claims=tuple(free))


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


def relative_time(moment: datetime, now: datetime) -> str:
    """Return the age of a moment in the largest unit that fits, as `2 h`; `now` below a minute."""
    seconds = max(0, int((now - moment).total_seconds()))
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return "now"
