"""View models of a draft: what the templates show. Pure."""

from datetime import datetime
from typing import Any, NamedTuple

from desk.context import DraftView
from desk.finding_views import FindingView, numbered
from desk.highlights import Highlight, highlight_text
from pipeline.articles.front_matter import loads
from pipeline.covers import CoverFacts, cover_facts
from pipeline.domain.errors import OutputError
from pipeline.domain.reviews import Front
from pipeline.services.draft_file import draft_front

_TEXT_FIELDS = ("title", "description", "category", "sentiment", "lang")
RIGHT_TO_LEFT = frozenset(("ar", "arc", "ckb", "dv", "fa", "he", "ps", "sd", "ug", "ur", "yi"))


class DraftPage(NamedTuple):
    """A draft as the templates show it."""

    view: DraftView
    metadata: dict[str, Any]
    body: str
    error: str | None
    """Why the file cannot be read; None if it can."""
    findings: tuple[FindingView, ...]
    front: Front
    """The front matter as an approval would write it."""
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

    def first(self, level: str) -> int:
        """Return the number of the first finding of a level in the order of the page; 0 without one."""
        return min((shown.number for shown in self.findings if shown.level == level), default=0)

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
    def cover(self) -> CoverFacts | None:
        """The cover image; None without an http(s) URL."""
        return cover_facts(self.metadata, self.view.source.item)

    def flagged_text(self, shown: FindingView) -> str:
        """Return the text in a finding's span; empty without a span."""
        text = Front(metadata=self.metadata).text(shown.finding.field) if shown.field_label else self.body
        return text[slice(*shown.finding.span)] if shown.finding.span else ""

    @property
    def source_html(self) -> str:
        """The source's text with the evidence of findings marked, as HTML."""
        marks = [
            Highlight(shown.number, start, end, _evidence_level(shown), f"e{shown.number}")
            for shown in self.findings
            for start, end in shown.finding.evidence
        ]
        return highlight_text(self.view.source.item.text, marks)


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
    return DraftPage(view, coerce_types(front.metadata), body, problem, findings, front)


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


def relative_time(moment: datetime, now: datetime) -> str:
    """Return the age of a moment in the largest unit that fits, as `2 h`; `now` below a minute."""
    seconds = max(0, int((now - moment).total_seconds()))
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return "now"
