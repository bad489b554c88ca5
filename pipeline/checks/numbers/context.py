"""A figure in its place: one that the source has may still be another subject's there."""

import math
from collections import Counter
from collections.abc import Callable, Sequence, Set
from functools import cached_property, lru_cache
from typing import NamedTuple

from pipeline.checks.numbers.lexicon import Lexicon
from pipeline.checks.numbers.models import NumberMention
from pipeline.checks.tokens import TokenizedText

_WINDOW = 7
"""Words on either side of a figure that are near it."""
_LONGEST = 60
"""Words of a sentence on either side that are looked at."""
_MOST = 40
"""Figures with a word near that are looked at."""
_AHEAD = 2.5
"""By how much another figure's words must be more like the draft's: about three rare words in common."""

Weigh = Callable[[frozenset[str]], float]
_NONE = frozenset(("",))


class NumberContext(NamedTuple):
    """What stands around a figure, as stems."""

    sentence: frozenset[str]
    near: frozenset[str]
    behind: frozenset[str]
    """The figure's own words and the two behind it: mostly what is counted."""
    head: str = ""
    """The word right behind it."""


class ContextIndex:
    """A text's words as what they mean, in their order; empty for those that tell nothing."""

    def __init__(self, reading: TokenizedText, lexicon: Lexicon) -> None:
        self._reading = reading
        self._lexicon = lexicon

    @cached_property
    def meanings(self) -> list[str]:
        """Return what each word of the text means."""
        words = self._lexicon
        return [meaning(word, words) if _tells(word, words) else "" for word in self._reading.folded]

    @cached_property
    def counts(self) -> Counter[str]:
        """Return how often the text says each."""
        return Counter(self.meanings)

    def setting(self, figure: NumberMention) -> NumberContext:
        """Return what stands around a figure of the text."""
        first, last = self._reading.between(figure.start, figure.end)
        begin, end = self._reading.sentence_words(first)
        begin, end = max(begin, first - _LONGEST), min(end, last + _LONGEST)
        said = self.meanings
        before, behind = said[max(begin, first - _WINDOW) : first], said[last : min(end, last + _WINDOW)]
        following = [word for word in said[last : min(end, last + 5)] if word][:2]
        return NumberContext(
            frozenset((*said[begin:first], *said[last:end])) - _NONE,
            frozenset((*before, *behind)) - _NONE,
            frozenset((*following, *said[first:last])) - _NONE,
            said[last] if last < end else "",
        )

    def weigh(self, words: frozenset[str]) -> float:
        """Return how much words tell: rare ones more than those that are everywhere in this text."""
        return sum(1 / math.sqrt(self.counts[each]) for each in words if self.counts[each])


def _tells(word: str, lexicon: Lexicon) -> bool:
    return len(word) > 2 and word not in lexicon.stop and not word[0].isdigit()


def meaning(word: str, lexicon: Lexicon) -> str:
    """Return what stands for a word and those that mean the same: "killed", "died", "dead"."""
    said = stem(word)
    return lexicon.same.get(word) or lexicon.same.get(said, said)


@lru_cache(maxsize=20_000)
def stem(word: str) -> str:
    """Return a word without the endings of its forms, roughly."""
    word = word.removesuffix("'s").removesuffix("s'")
    for ending in ("ingly", "edly", "ing", "ies", "ied", "ers", "ed", "es", "er", "ly", "s", "e"):
        if len(word) - len(ending) >= 4 and word.endswith(ending):
            return word[: -len(ending)]
    return word


def similarity(told: NumberContext, given: NumberContext, weigh: Weigh) -> float:
    """Return how much what stands around two figures has in common."""
    shared = (told.sentence & given.sentence, told.near & given.near, told.behind & given.near)
    return sum(map(weigh, shared)) / 2


def is_unambiguous(told: NumberContext, own: Sequence[NumberContext], weigh: Weigh) -> bool:
    """Tell whether no other figure can be so much more like a draft's than its own, whatever it stands in."""
    most = sum(map(weigh, (told.sentence, told.near, told.behind))) / 2
    best = max((similarity(told, each, weigh) for each in own), default=0.0)
    return most - best < _AHEAD and told.head in {each.head for each in own}


def better_context(
    told: NumberContext, own: Sequence[NumberContext], others: Sequence[NumberContext], weigh: Weigh
) -> int | None:
    """Return the number of the other figure that the draft's words belong to, or None.

    `own` are the settings of the source's figures of the same value, `others` those of other values.
    """
    marks = [similarity(told, each, weigh) if told.behind & each.near else 0.0 for each in others]
    top = max(marks, default=0.0)
    if top < _AHEAD or top - max((similarity(told, each, weigh) for each in own), default=0.0) < _AHEAD:
        return None
    return marks.index(top)


def is_swapped(
    told: NumberContext,
    own: Sequence[NumberContext],
    others: Sequence[tuple[NumberMention, NumberContext]],
    draft: Set[tuple[float, str]],
) -> int | None:
    """Return the number of the other figure whose place a draft's figure took, while that took its own.

    `draft` holds the values of the draft's figures, each with the word behind it.
    """
    heads = {each.head for each in own} - {""}
    if told.head in heads:
        return None
    for number, (other, place) in enumerate(others):
        taken = any((other.value, head) in draft for head in heads)
        if told.head and place.head == told.head and taken:
            return number
    return None


class SourceContexts:
    """The settings of a source's figures, and which of them have a word near."""

    def __init__(self, source: ContextIndex, given: Sequence[NumberMention]) -> None:
        self._source = source
        self._given = given
        self._known: dict[int, NumberContext] = {}

    def of(self, given: NumberMention) -> NumberContext:
        """Return what stands around a figure of the source."""
        if given.start not in self._known:
            self._known[given.start] = self._source.setting(given)
        return self._known[given.start]

    def others(
        self, told: NumberMention, here: NumberContext, own: Sequence[NumberMention]
    ) -> list[NumberMention]:
        """Return the figures that could stand where a draft's does: of its kind and unit, and its words."""
        starts = {each.start for each in own}
        numbers = sorted({number for word in here.behind for number in self._having.get(word, ())[:_MOST]})
        return [
            each
            for each in (self._given[number] for number in numbers)
            if each.start not in starts and each.kind == told.kind and each.unit == told.unit
        ]

    @cached_property
    def _having(self) -> dict[str, list[int]]:
        found: dict[str, list[int]] = {}
        for number, each in enumerate(self._given):
            for word in self.of(each).near:
                found.setdefault(word, []).append(number)
        return found
