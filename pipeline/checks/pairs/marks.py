"""The words of a text that the rules look at, found once for all sentences and rules."""

from bisect import bisect_left
from functools import lru_cache
from typing import NamedTuple

from pipeline.checks.pairs.lexicon import PairLexicon
from pipeline.checks.tokens import TokenizedText


class Marks(NamedTuple):
    """Indexes of the words of a text by what they may be, each in the order of the text."""

    contrasts: tuple[int, ...]
    """Members of a contrast's groups."""
    deniers: tuple[int, ...]
    prefixed: tuple[int, ...]
    """Words with a negative prefix."""
    past: tuple[int, ...]
    digits: tuple[int, ...]
    """Words that begin with a digit, and words for figures."""
    speech: tuple[int, ...]
    weekdays: tuple[int, ...]
    negatives: tuple[int, ...]
    capitals: tuple[int, ...]
    """Words with a capital first letter that are no stop words."""


def within(indexes: tuple[int, ...], first: int, behind: int) -> tuple[int, ...]:
    """Return the indexes of a half-open range."""
    return indexes[bisect_left(indexes, first) : bisect_left(indexes, behind)]


@lru_cache(maxsize=8)
def marks_of(text: TokenizedText, lexicon: PairLexicon) -> Marks:
    """Return the marked words of a text; the rules skip all others."""
    indexes: tuple[list[int], ...] = ([], [], [], [], [], [], [], [])
    stop = lexicon.stop
    folded = text.folded
    for at, marks in enumerate(map(lexicon.marks, folded)):
        for mark in marks:
            indexes[mark].append(at)
    capitals = tuple(
        at for at, word in enumerate(text.words) if word[0][0].isupper() and folded[at] not in stop
    )
    contrasts, deniers, prefixed, past, digits, speech, weekdays, negatives = map(tuple, indexes)
    return Marks(contrasts, deniers, prefixed, past, digits, speech, weekdays, negatives, capitals)
