"""Shares that a text tells by two figures: "one in five", "7 of the 12"."""

from collections.abc import Sequence
from itertools import pairwise

from pipeline.checks.figures.lexicon import lexicon
from pipeline.checks.figures.records import FRACTION, ORDINAL, PERCENT, YEAR, Figure

_BETWEEN = 24
"""Characters at most between the two."""


def shares(given: Sequence[Figure], text: str, language: str) -> list[Figure]:
    """Return a fraction for each pair of neighbours that tells one."""
    words = lexicon(language)
    found: list[Figure] = []
    for one, other in pairwise(given):
        between = text[one.end : other.start]
        if words is None or len(between) > _BETWEEN or not 0 < one.value < other.value:
            continue
        if {one.kind, other.kind} & {ORDINAL, PERCENT, YEAR, FRACTION}:
            continue
        if set(between.casefold().split()) & words.ratio:
            value = one.value / other.value
            found.append(Figure(one.start, other.end, value, 1e-6, FRACTION))
    return found
