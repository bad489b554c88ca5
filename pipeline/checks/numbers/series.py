"""Series of like numbers in a source, whose sum a writer may state: the costs of a list, of a sentence."""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import groupby

from pipeline.checks.numbers.list_sizes import bullet_lists
from pipeline.checks.numbers.models import FRACTION, ORDINAL, PERCENT, YEAR, NumberMention
from pipeline.checks.numbers.prepared_source import prepare_source
from pipeline.checks.source_texts import PREPARED
from pipeline.checks.tokens import TokenizedText

_MIN_COUNT, _MAX_COUNT = 3, 12
"""Numbers of a series; the sum of two is one step of arithmetic. Chosen, not measured."""
_NO_AMOUNTS = frozenset((YEAR, ORDINAL, FRACTION, PERCENT))


@lru_cache(maxsize=PREPARED)
def sums_of_series(source: TokenizedText, language: str) -> dict[float, tuple[NumberMention, ...]]:
    """Return the sum of each series of numbers of the same kind and unit → its numbers."""
    prepared = prepare_source(source, language)
    mentions = prepared.numbers.mentions if prepared else ()
    sums: dict[float, tuple[NumberMention, ...]] = {}
    for series in (*_of_lists(source.text, mentions), *_of_sentences(source, mentions)):
        alike = {(each.kind, each.unit) for each in series}
        if _MIN_COUNT <= len(series) <= _MAX_COUNT and len(alike) == 1 and series[0].kind not in _NO_AMOUNTS:
            sums.setdefault(round(sum(each.value for each in series), 6), tuple(series))
    return sums


def _of_lists(text: str, mentions: Sequence[NumberMention]) -> Iterator[list[NumberMention]]:
    """Yield the first number of each item of a list whose items all have one."""
    starts = [each.start for each in mentions]
    for items in bullet_lists(text):
        firsts = [mentions[at : at + 1] for at in (bisect_left(starts, start) for start, _ in items)]
        numbers = [
            first[0] for first, (_, end) in zip(firsts, items, strict=True) if first and first[0].start < end
        ]
        if len(numbers) == len(items):
            yield numbers


def _of_sentences(source: TokenizedText, mentions: Sequence[NumberMention]) -> Iterator[list[NumberMention]]:
    ends = [end for _, end in source.sentences]
    for _, group in groupby(mentions, lambda each: bisect_left(ends, each.start)):
        yield list(group)
