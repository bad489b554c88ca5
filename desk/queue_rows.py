"""View models of the queue: what a row says of its draft. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple, Protocol

from desk.finding_views import kind_label
from pipeline.articles.front_matter import FrontMatterHandler, loads
from pipeline.domain.errors import OutputError
from pipeline.domain.review_time import as_minutes, review_seconds
from pipeline.domain.reviews import LINES, Finding, Place, Severity
from pipeline.storage import QueueDetails, QueueRow

_MAX_PHRASES = 3
"""Findings that a row names. Chosen, not measured."""
_MAX_CHARS = 40
"""Characters of a draft's or a source's words in a row. Chosen, not measured."""
_HOUR = 60
"""Minutes."""


class Holder(Protocol):
    """An editor who has a draft open."""

    @property
    def name(self) -> str:
        """The editor's name."""


class RowView(NamedTuple):
    """A row of the queue as the template shows it."""

    row: QueueRow
    findings: tuple[str, ...]
    """Its first findings, in few words each."""
    more: int
    """How many others there are."""
    minutes: int
    """What an editor needs for it."""
    holders: tuple[str, ...]
    """Names of other editors who have it open."""
    rewritten: bool
    """A rewrite came that this editor has not opened."""
    viewed: bool
    """This editor opened this text."""

    @property
    def is_live(self) -> bool:
        """Whether it is a published article whose source changed."""
        return self.row.state == "approved"

    @property
    def ticked_as(self) -> str:
        """The value of its tick: the draft and the hash of the text that the row is about."""
        return f"{self.row.external_id}:{self.row.sha256}"

    @property
    def summary(self) -> str:
        """Its findings on one line."""
        return " · ".join((*self.findings, f"{self.more} more") if self.more else self.findings)


def row_view(row: QueueRow, details: QueueDetails, holders: Sequence[str] = ()) -> RowView:
    """Return a row as an editor sees it."""
    phrases = _phrases(details)
    return RowView(
        row=row,
        findings=phrases[:_MAX_PHRASES],
        more=len(phrases[_MAX_PHRASES:]),
        minutes=as_minutes(review_seconds(row.words, row.blocks, row.warns)),
        holders=tuple(holders),
        rewritten=row.cause in ("redraft", "repair") and row.version > 1 and not details.viewed,
        viewed=details.viewed,
    )


def holders_of(holders: Mapping[str, Sequence[Holder]], ref: str, editor: str) -> tuple[str, ...]:
    """Return the names of the other editors who have a draft open."""
    return tuple(holder.name for holder in holders.get(ref, ()) if holder.name != editor)


def duration(minutes: int) -> str:
    """Return minutes of work, from 100 minutes on in hours."""
    return f"{minutes} min" if minutes < 100 else f"{round(minutes / _HOUR)} h"


def _phrases(details: QueueDetails) -> tuple[str, ...]:
    """Return the open findings in few words, those that block first, equal ones once."""
    ordered = sorted(details.findings, key=lambda finding: finding.severity is not Severity.BLOCK)
    texts = _Texts(details.text)
    return tuple(dict.fromkeys(_phrase(finding, texts, details.source) for finding in ordered))


class _Texts:
    """The texts that findings count in; front matter is read only where a finding is about it."""

    def __init__(self, text: str) -> None:
        self._text = text

    def words(self, finding: Finding) -> str:
        """Return the words of a finding's first place that can be read, on one line."""
        places = sorted(finding.places, key=lambda place: place[0] != "body")
        return next(filter(None, (_short(self._field(field)[slice(*span)]) for field, span in places)), "")

    def _field(self, field: Place) -> str:
        try:
            if field == "body":
                return FrontMatterHandler().split(self._text)[1]
            value = loads(self._text)[0].get(field) if field in LINES else ""
        except OutputError:
            return ""
        return value if isinstance(value, str) else ""


def _phrase(finding: Finding, texts: _Texts, source: str) -> str:
    words, kind = texts.words(finding), kind_label(finding.kind)
    if words and finding.removal:
        return f"cut “{words}”"
    if words and finding.suggestion:
        return f"{words} → {_short(finding.suggestion)}"
    evidence = next(_evidence(finding, source), "") if finding.kind == "pair" else ""
    if words and evidence:
        return f"{words} ⇄ {evidence}"
    return f"{kind}: {words}" if words else kind


def _evidence(finding: Finding, source: str) -> Iterator[str]:
    return filter(None, (_short(source[start:end]) for start, end in finding.evidence))


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _MAX_CHARS else line[: _MAX_CHARS - 1].rstrip() + "…"
