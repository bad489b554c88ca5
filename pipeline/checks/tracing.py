"""The other half of checking: which claims do stand in the source, and where an editor finds them there."""

from collections.abc import Iterator

from pipeline.checks.dates.find import mentions
from pipeline.checks.figures.check import trace_figures
from pipeline.checks.names.trace import trace_names
from pipeline.checks.page import Page
from pipeline.checks.quotations import trace_quotations
from pipeline.checks.reading import TRACED, Case, Reading, Trace
from pipeline.models import Beat, Source


def trace_claims(source: Source, body: str, beat: Beat) -> list[Trace]:
    """Return the figures, dates, names and quotations of a body that its source's text has, in their order.

    Spans are in characters of the body, evidence in those of the source's text. A claim that the checks let
    pass for another reason (it was worked out, or means the same in other words) is not among them.
    """
    page = Page(body, beat)
    case = Case(page.reading, Reading(source.item.text), source.language, source.item.published_at)
    every = (trace_figures, _trace_dates, trace_names, trace_quotations)
    found = [trace._replace(span=page.span(*trace.span)) for part in every for trace in part(case)]
    return _apart(sorted(found, key=lambda trace: (trace.span[0], -trace.span[1])))


def _apart(traces: list[Trace]) -> list[Trace]:
    """Return traces that do not overlap: what begins first, and is longer."""
    found: list[Trace] = []
    for trace in traces:
        if not found or trace.span[0] >= found[-1].span[1]:
            found.append(trace)
    return found


def _trace_dates(case: Case) -> Iterator[Trace]:
    """Yield the dates that stand in the source in the same words."""
    source = case.source.text.casefold()
    if len(source) != len(case.source.text):  # folded, a letter became two: no place would be right
        source = case.source.text
    for told in (one for one in mentions(case.draft.text, case.language) if one.sure):
        words = case.draft.text[told.start : told.end].casefold()
        places: list[tuple[int, int]] = []
        at = source.find(words)
        while at >= 0 and len(places) < TRACED:
            places.append((at, at + len(words)))
            at = source.find(words, at + len(words))
        if places:
            yield Trace("date", (told.start, told.end), tuple(places))
