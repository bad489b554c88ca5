"""The rows of a draft's page: each sentence beside the sentences of the source that it rests on. Pure.

Title, description, tags and the description of the cover are rows of the first section. A row has the
findings about its words. Sentences of the source that no row rests on follow the row before them.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from desk.changes import Change
from desk.finding_views import FindingView
from desk.highlights import Highlight, highlight_inline, highlight_line, highlight_markdown
from desk.row_sentences import (
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
    """Return the rows of a draft; `changes` are those since the editor last saw it."""
    sentences = [*front_sentences(page, paired.pairs), *body_sentences(page.body, paired.pairs)]
    placed = placed_findings(page.findings, sentences)
    headings = ["", *section_headings(page.body)]
    titles = {heading.casefold() for heading in page.view.beat.headings[1:]}
    opinion = {number for number, heading in enumerate(headings) if heading.casefold() in titles}
    builder = _Builder(page, paired, sentences, placed, opinion, changes)
    listed = [
        SectionRows(number, heading, number in opinion, builder.rows(number))
        for number, heading in enumerate(headings)
    ]
    general = tuple(
        each for each in page.findings if not any(each in findings for findings in placed.values())
    )
    return Rows(tuple(each for each in listed if each.rows), general, builder.unused_first)


class _Builder:
    """Makes the rows' HTML: the marks of findings and claims, cut to each sentence."""

    def __init__(
        self,
        page: DraftPage,
        paired: PairedDraft,
        sentences: Sequence[RowSentence],
        placed: Mapping[int, list[FindingView]],
        opinion: Collection[int],
        changes: Sequence[Change],
    ) -> None:
        self._page, self._sentences, self._placed, self._opinion = page, sentences, placed, opinion
        self._source = page.view.source.item.text
        self._changes = placed_changes(changes, sentences)
        self._all = paired.source_sentences
        self._positions = {sentence: at for at, sentence in enumerate(self._all)}
        self._claims = _free_claims(page.findings, paired.claims)
        self._sources = [self._sources_of(index) for index in range(len(sentences))]
        used = {source for sources in self._sources for source in sources}
        self._unused = _runs_after(self._all, used)
        self._shown_after: set[Span] = set()
        self.unused_first = tuple(self._plain(each) for each in self._unused.get(None, ()))

    def rows(self, section: int) -> tuple[Row, ...]:
        """Return the rows of a section."""
        numbered = [index for index, each in enumerate(self._sentences) if each.section == section]
        return tuple(self._row(f"{section}-{place}", index) for place, index in enumerate(numbered))

    def _row(self, name: str, index: int) -> Row:
        each = self._sentences[index]
        findings = tuple(self._placed.get(index, ()))
        return Row(
            name, each.kind, each.field, each.start, each.end, each.raw, self._html(each), each.lead,
            self._source_html(index, findings), findings, each.begins, self._unused_after(index),
            self._changes.get(index, ()),
        )  # fmt: skip

    def _html(self, each: RowSentence) -> str:
        marks = [
            Highlight(shown.number, start - each.start, end - each.start, shown.level, f"c{shown.number}")
            for shown in self._page.findings
            for start, end in _spans(shown, each.field)
            if start < each.end and each.start < end
        ]
        if each.field != "body":
            return highlight_line(each.raw, marks)
        marks += [
            Highlight(number, claim.span[0] - each.start, claim.span[1] - each.start, "fact", f"c{number}")
            for number, claim in self._claims
            if each.start <= claim.span[0] < each.end
        ]
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
        each = self._sentences[index]
        if not findings and not self._needs_source(each):
            return ""
        marks = [
            Highlight(shown.number, *place, "evidence", f"e{shown.number}")
            for shown in findings
            for place in shown.finding.evidence
        ]
        marks += [
            Highlight(number, *place, "ground", f"e{number}")
            for number, claim in self._claims
            if each.field == "body" and each.start <= claim.span[0] < each.end
            for place in claim.evidence
        ]
        html, last = "", -1
        for sentence in self._sources[index]:
            at = self._positions[sentence]
            html += ("" if not html else " " if at == last + 1 else " … ") + self._marked(sentence, marks)
            last = at
        return html

    def _marked(self, sentence: Span, marks: Iterable[Highlight]) -> str:
        start, end = sentence
        inside = [
            mark._replace(start=mark.start - start, end=mark.end - start)
            for mark in marks
            if mark.start < end and start < mark.end
        ]
        return highlight_line(self._source[start:end], inside)

    def _plain(self, sentence: Span) -> str:
        return self._marked(sentence, ())

    def _unused_after(self, index: int) -> tuple[str, ...]:
        """Return the unused sentences after a row's own, once on the page."""
        unused = []
        for source in self._sources[index]:
            if source not in self._shown_after and source in self._unused:
                self._shown_after.add(source)
                unused += [self._plain(each) for each in self._unused[source]]
        return tuple(unused)


def _spans(shown: FindingView, field: str) -> tuple[Span, ...]:
    return tuple(span for place, span in shown.finding.places if place == field)


def _free_claims(
    findings: Sequence[FindingView], claims: Iterable[SupportedClaim]
) -> list[tuple[int, SupportedClaim]]:
    """Return the supported claims that overlap no finding, numbered after the findings."""
    spans = [shown.finding.body_span for shown in findings if shown.finding.body_span]
    free = (
        claim
        for claim in claims
        if not any(start < claim.span[1] and claim.span[0] < end for start, end in spans)
    )
    return list(enumerate(free, start=len(findings) + 1))


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
