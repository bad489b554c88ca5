"""What the rows of a draft's page are made of: its lines and sentences with their places. Pure.

A block whose markup goes over several sentences is one row.
"""

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from html import unescape
from itertools import pairwise
from typing import Literal, NamedTuple

from desk.blocks import Block, blocks_of
from desk.changes import Change
from desk.finding_views import FindingView
from desk.highlights import highlight_inline
from desk.views import DraftPage
from pipeline.articles.markdown import sections
from pipeline.checks.pairs.sentence_pairs import SentencePair, Span

RowKind = Literal["title", "description", "tags", "alt", "heading", "text", "item", "whole"]
_MARKUP = re.compile(r"[*_`~\[\]<\\]")
_TAG = re.compile(r"<[^>]*>")


class RowSentence(NamedTuple):
    """A row before its source is known."""

    section: int
    kind: RowKind
    field: str
    start: int
    end: int
    raw: str
    lead: str
    begins: bool
    sources: tuple[Span, ...]


def section_headings(body: str) -> list[str]:
    """Return the headings of the sections after the front matter; `Text` for text before the first one."""
    listed = sections(body)
    before = body[: listed[0].line] if listed else body
    return [*(["Text"] if before.strip() else []), *(section.heading for section in listed)]


def front_sentences(page: DraftPage, pairs: Iterable[SentencePair]) -> Iterator[RowSentence]:
    """Yield the lines of the front matter that readers see."""
    by_field: dict[str, set[Span]] = {}
    for pair in pairs:
        by_field.setdefault(pair.field, set()).update(pair.sources)
    fields: tuple[tuple[RowKind, str], ...] = (
        ("title", page.title),
        ("description", str(page.metadata.get("description") or "")),
        ("tags", ", ".join(map(str, page.metadata.get("tags") or ()))),
        ("alt", page.cover.alt if page.cover else ""),
    )
    for kind, text in fields:
        if text or (kind == "alt" and page.cover):
            yield RowSentence(
                0, kind, kind, 0, len(text), text, "", True, tuple(sorted(by_field.get(kind, ())))
            )


def body_sentences(body: str, pairs: Iterable[SentencePair]) -> Iterator[RowSentence]:
    """Yield the sentences, headings and list items of a body."""
    of_body = [pair for pair in pairs if pair.field == "body"]
    starts = [pair.span[0] for pair in of_body]
    lines = [section.line for section in sections(body)]
    first = 1 if body[: lines[0] if lines else len(body)].strip() else 0
    for block in blocks_of(body):
        inside = of_body[bisect_right(starts, block.start - 1) : bisect_right(starts, block.end - 1)]
        number = first + bisect_right(lines, block.start)
        for start, end, sources in _pieces(body, block, inside):
            kind: RowKind = block.kind
            lead = block.lead if start == block.start else ""
            yield RowSentence(
                number, kind, "body", start, end, body[start:end], lead, start == block.start, sources
            )


def _pieces(
    body: str, block: Block, pairs: Sequence[SentencePair]
) -> Iterator[tuple[int, int, tuple[Span, ...]]]:
    """Yield the sentences of a block: a block whose markup goes over several of them is one."""
    cuts = [block.start, *(pair.span[0] for pair in pairs[1:] if pair.span[0] > block.start), block.end]
    if block.kind != "whole" and len(cuts) > 2 and _is_separable(body, cuts):
        for number, (start, end) in enumerate(pairwise(cuts)):
            yield start, start + len(body[start:end].rstrip()), pairs[number].sources
        return
    yield block.start, block.end, tuple(sorted({source for pair in pairs for source in pair.sources}))


def _is_separable(body: str, cuts: Sequence[int]) -> bool:
    """Tell whether a block's sentences, each rendered alone, read as the block does."""
    whole = body[cuts[0] : cuts[-1]]
    if not _MARKUP.search(whole):
        return True
    alone = "".join(_visible(body[start:end]) for start, end in pairwise(cuts))
    return alone == _visible(whole)


def _visible(markdown: str) -> str:
    return "".join(unescape(_TAG.sub("", highlight_inline(markdown, ()))).split())


class Places:
    """Finds the rows of a place in a draft."""

    def __init__(self, sentences: Sequence[RowSentence]) -> None:
        self._sentences = sentences
        self._by_field: dict[str, list[int]] = {}
        for index, each in enumerate(sentences):
            self._by_field.setdefault(each.field, []).append(index)

    def row_at(self, field: str, at: int) -> int | None:
        """Return the index of the row that has a place, or of the one before it; None for another field."""
        of_field = self._by_field.get(field)
        if not of_field:
            return None
        return of_field[
            max(0, bisect_right(of_field, at, key=lambda index: self._sentences[index].start) - 1)
        ]

    def rows_of(self, field: str, span: Span) -> Iterator[int]:
        """Yield the indexes of the rows that have a part of a span."""
        of_field = self._by_field.get(field, [])
        first = bisect_right(of_field, span[0], key=lambda index: self._sentences[index].start) - 1
        for index in of_field[max(0, first) :]:
            if self._sentences[index].start >= span[1]:
                return
            if self._sentences[index].end > span[0]:
                yield index


def placed_findings(findings: Sequence[FindingView], places: Places) -> Mapping[int, list[FindingView]]:
    """Return row's index → the findings that begin in its words, in their order."""
    placed: dict[int, list[FindingView]] = {}
    for finding in findings:
        span = finding.finding.span
        index = places.row_at(finding.finding.field, span[0]) if span else None
        if index is not None:
            placed.setdefault(index, []).append(finding)
    for listed in placed.values():
        listed.sort(key=lambda each: each.finding.span or (0, 0))
    return placed


def placed_changes(changes: Iterable[Change], places: Places) -> Mapping[int, tuple[Change, ...]]:
    """Return row's index → the changes of its words; what is gone is at the row before its place."""
    placed: dict[int, tuple[Change, ...]] = {}
    for change in changes:
        index = places.row_at(change.field, change.span[0])
        if index is not None:
            placed[index] = (*placed.get(index, ()), change)
    return placed
