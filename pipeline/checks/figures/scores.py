"""Results of games and votes, "2-1": two figures that only count together. Pure."""

from collections.abc import Sequence
from itertools import pairwise

from pipeline.checks.figures.records import PLAIN, Figure
from pipeline.checks.figures.tokens import HYPHENS

_MOST = 1000
"""Figures from here on stand for years and amounts, and a hyphen between them for a range."""

Score = frozenset[float]


def scores(figures: Sequence[Figure], text: str) -> dict[int, Score]:
    """Return the place of each figure of a result → the result, in whatever order it is told."""
    found: dict[int, Score] = {}
    for one, other in pairwise(figures):
        between = text[one.end : other.start].strip()
        if len(between) == 1 and between in HYPHENS and _counts(one) and _counts(other):
            found[one.start] = found[other.start] = frozenset((one.value, other.value))
    return found


def _counts(figure: Figure) -> bool:
    return figure.kind == PLAIN and not figure.spelled and figure.value < _MOST and figure.whole
