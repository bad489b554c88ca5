"""The rows of a draft's page: each sentence beside the sentences of the source that it rests on. Pure.

Title, description, tags and the description of the cover are rows of the first section. A row has the
findings about its words. Sentences of the source that no row rests on follow the row before them.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from itertools import accumulate
from typing import NamedTuple

from desk.changes import Change
from desk.finding_views import FindingView
from desk.highlights import MAX_CHARS, Highlight, highlight_inline, highlight_line, highlight_markdown
from desk.row_sentences import (
    Places,
    RowKind,
    RowSentence,
    body_sentences,
    front_sentences,
    placed_changes,
    placed_findings,
    section_headings,
)
from desk.views import DraftPage
from pipeline.checks.pairs.sentence_pairs import PairedDraft, Span, sentence_at
from pipeline.checks.tokens import SupportedClaim


class Row(NamedTuple):
    """A sentence of a draft, or a line of its front matter, and what it rests on."""

    id: str
    """Number of the section and of the row in it, as `2-5`."""
    kind: RowKind
    field: str
    """The field that its words are in: title, description, body, alt, tags."""
    start: int
    end: int
    """Its span in that field's text."""
    raw: str
    """Its words as an editor edits them."""
    html: str
    lead: str
    """What begins a list item."""
    source_html: str
    """The sentences of the source; empty if it rests on none."""
    findings: tuple[FindingView, ...]
    begins: bool
    """Whether a paragraph, heading or list item begins with it."""
    unused: tuple[str, ...] = ()
    """The sentences of the source after its own that no row rests on, as HTML."""
    changes: tuple[Change, ...] = ()
    """What changed in it, or was removed beside it, since the editor last saw the draft."""


class SectionRows(NamedTuple):
    """A section with its rows; the first one has the front matter and no heading."""

    number: int
    heading: str
    is_opinion: bool
    rows: tuple[Row, ...]


class Rows(NamedTuple):
    """What a draft's page lists."""

    sections: tuple[SectionRows, ...]
    general: tuple[FindingView, ...]
    """Findings about the draft as a whole."""
    unused_first: tuple[str, ...]
    """Sentences at the beginning of the source that no row rests on."""

    @property
    def last(self) -> tuple[Row, ...]:
        """The rows of the front matter that are shown after the text."""
        return tuple(row for row in self.sections[0].rows if row.kind in ("tags", "alt"))


def rows_of(page: DraftPage, paired: PairedDraft, changes: Sequence[Change] = ()) -> Rows:
    """Return the rows of a draft; `changes` are those since the editor last saw it.

    A body is shown up to `MAX_CHARS`, as everywhere at the desk.
    """
    body = page.body[:MAX_CHARS]
    sentences = [*front_sentences(page, paired.pairs), *body_sentences(body, paired.pairs)]
    headings = ["", *section_headings(body)]
    titles = {heading.casefold() for heading in page.view.beat.headings[1:]}
    opinion = {number for number, heading in enumerate(headings) if heading.casefold() in titles}
    builder = _Builder(page, paired, sentences, opinion, changes)
    rows = builder.rows()
    listed = [
        SectionRows(number, heading, number in opinion, tuple(rows.get(number, ())))
        for number, heading in enumerate(headings)
    ]
    return Rows(tuple(each for each in listed if each.rows), builder.general, builder.unused_first)


class _Builder:
    """Makes the rows' HTML: the marks of findings and claims, cut to each sentence."""

    def __init__(
        self,
        page: DraftPage,
        paired: PairedDraft,
        sentences: Sequence[RowSentence],
        opinion: Collection[int],
        changes: Sequence[Change],
    ) -> None:
        places = Places(sentences)
        self._sentences, self._opinion = sentences, opinion
        self._placed = placed_findings(page.findings, places)
        self._changes = placed_changes(changes, places)
        self._marks, self._grounds = _row_marks(page, paired.claims, places)
        self._source = page.view.source.item.text
        self._all = paired.source_sentences
        self._positions = {sentence: at for at, sentence in enumerate(self._all)}
        self._sources = [self._sources_of(index) for index in range(len(sentences))]
        used = {source for sources in self._sources for source in sources}
        self._unused = _runs_after([each for each in self._all if each[1] <= MAX_CHARS], used)
        self._shown_after: set[Span] = set()
        self.unused_first = tuple(self._marked(each, ()) for each in self._unused.get(None, ()))
        placed = {shown.number for listed in self._placed.values() for shown in listed}
        self.general = tuple(shown for shown in page.findings if shown.number not in placed)

    def rows(self) -> dict[int, list[Row]]:
        """Return number of the section → its rows."""
        rows: dict[int, list[Row]] = {}
        for index, each in enumerate(self._sentences):
            of_section = rows.setdefault(each.section, [])
            of_section.append(self._row(f"{each.section}-{len(of_section)}", index))
        return rows

    def _row(self, name: str, index: int) -> Row:
        each = self._sentences[index]
        findings = tuple(self._placed.get(index, ()))
        return Row(
            name, each.kind, each.field, each.start, each.end, each.raw, self._html(index), each.lead,
            self._source_html(index, findings), findings, each.begins, self._unused_after(index),
            self._changes.get(index, ()),
        )  # fmt: skip

    def _html(self, index: int) -> str:
        each = self._sentences[index]
        marks = [_within(mark, each.start) for mark in self._marks.get(index, ())]
        if each.field != "body":
            return highlight_line(each.raw, marks)
        render = highlight_markdown if each.kind == "whole" else highlight_inline
        return render(each.raw, marks)

    def _sources_of(self, index: int) -> tuple[Span, ...]:
        """Return the sentences that a row rests on, and those with the evidence of its findings."""
        each = self._sentences[index]
        sources = set(each.sources) if self._needs_source(each) else set()
        for shown in self._placed.get(index, ()):
            if shown.finding.kind != "overlap":
                places = (sentence_at(self._all, start) for start, _ in shown.finding.evidence[:3])
                sources.update(place for place in places if place)
        return tuple(sorted(sources))

    def _needs_source(self, each: RowSentence) -> bool:
        return each.kind != "heading" and each.section not in self._opinion

    def _source_html(self, index: int, findings: Sequence[FindingView]) -> str:
        if not findings and not self._needs_source(self._sentences[index]):
            return ""
        marks = [
            Highlight(shown.number, *place, "evidence")
            for shown in findings
            for place in shown.finding.evidence
        ]
        html, last = "", -1
        for sentence in self._sources[index]:
            at = self._positions[sentence]
            gap = "" if not html else " " if at == last + 1 else " … "
            html += gap + self._marked(sentence, (*marks, *self._grounds.get(index, ())))
            last = at
        return html

    def _marked(self, sentence: Span, marks: Iterable[Highlight]) -> str:
        start, end = sentence
        inside = [_within(mark, start) for mark in marks if mark.start < end and start < mark.end]
        return highlight_line(self._source[start:end], inside)

    def _unused_after(self, index: int) -> tuple[str, ...]:
        """Return the unused sentences after a row's own, once on the page."""
        unused = []
        for source in self._sources[index]:
            if source not in self._shown_after and source in self._unused:
                self._shown_after.add(source)
                unused += [self._marked(each, ()) for each in self._unused[source]]
        return tuple(unused)


def _within(mark: Highlight, start: int) -> Highlight:
    """Return a mark with its span counted from `start`."""
    return mark._replace(start=mark.start - start, end=mark.end - start)


Marks = dict[int, list[Highlight]]
"""Row's index → the marks in it."""


def _row_marks(page: DraftPage, claims: Iterable[SupportedClaim], places: Places) -> tuple[Marks, Marks]:
    """Return the marks of findings and supported claims in the rows, and of the claims in the source."""
    marks, grounds = defaultdict[int, list[Highlight]](list), defaultdict[int, list[Highlight]](list)
    for shown in page.findings:
        for field, span in shown.finding.places:
            for index in places.rows_of(field, span):
                marks[index].append(Highlight(shown.number, *span, shown.level))
    for number, claim in _free_claims(page.findings, claims):
        at = places.row_at("body", claim.span[0])
        if at is not None:
            marks[at].append(Highlight(number, *claim.span, "fact"))
            grounds[at] += [Highlight(number, *place, "ground") for place in claim.evidence]
    return marks, grounds


def _free_claims(
    findings: Sequence[FindingView], claims: Iterable[SupportedClaim]
) -> list[tuple[int, SupportedClaim]]:
    """Return the supported claims that overlap no finding, numbered after the findings."""
    spans = sorted(shown.finding.body_span for shown in findings if shown.finding.body_span)
    reach = list(accumulate((end for _, end in spans), max))
    free = (claim for claim in claims if not _overlaps(claim.span, spans, reach))
    return list(enumerate(free, start=len(findings) + 1))


def _overlaps(span: Span, spans: Sequence[Span], reach: Sequence[int]) -> bool:
    """Tell whether a span overlaps one of `spans`, sorted; `reach` has the furthest end up to each."""
    before = bisect_left(spans, (span[1], 0))
    return before > 0 and reach[before - 1] > span[0]


def _runs_after(sentences: Sequence[Span], used: set[Span]) -> dict[Span | None, list[Span]]:
    """Return used sentence → the unused ones that follow it; None → those before the first used one."""
    runs: dict[Span | None, list[Span]] = {}
    last: Span | None = None
    for sentence in sentences:
        if sentence in used:
            last = sentence
        else:
            runs.setdefault(last, []).append(sentence)
    return runs
