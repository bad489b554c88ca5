"""A figure in its place: one that the source has may still be another subject's there."""

import math
from collections import Counter
from collections.abc import Callable, Sequence, Set
from functools import cached_property, lru_cache
from typing import NamedTuple

from pipeline.checks.numbers.lexicon import NumberLexicon
from pipeline.checks.numbers.models import NumberMention
from pipeline.checks.tokens import TokenizedText

_WINDOW = 7
"""Words on either side of a figure that are near it."""
_MAX_SENTENCE_WORDS = 60
"""Words of a sentence on either side that are looked at."""
_MAX_CANDIDATES = 40
"""Figures with a word near that are looked at."""
_MIN_LEAD = 2.5
"""By how much another figure's words must be more like the draft's: about three rare words in common."""

Weigh = Callable[[frozenset[str]], float]
_EMPTY = frozenset(("",))


class NumberContext(NamedTuple):
    """What stands around a figure, as stems."""

    sentence: frozenset[str]
    near: frozenset[str]
    following: frozenset[str]
    """The figure's own words and the two behind it: mostly what is counted."""
    head: str = ""
    """The word right behind it."""


class ContextIndex:
    """A text's words as what they mean, in their order; empty for those that tell nothing."""

    def __init__(self, tokenized: TokenizedText, lexicon: NumberLexicon) -> None:
        self._tokenized = tokenized
        self._lexicon = lexicon

    @cached_property
    def stems(self) -> list[str]:
        """Return what each word of the text means."""
        lexicon = self._lexicon
        return [
            normalized_stem(word, lexicon) if _is_content_word(word, lexicon) else ""
            for word in self._tokenized.folded
        ]

    @cached_property
    def counts(self) -> Counter[str]:
        """Return how often the text says each."""
        return Counter(self.stems)

    def context_of(self, mention: NumberMention) -> NumberContext:
        """Return what stands around a figure of the text."""
        first, last = self._tokenized.between(mention.start, mention.end)
        begin, end = self._tokenized.sentence_words(first)
        begin, end = max(begin, first - _MAX_SENTENCE_WORDS), min(end, last + _MAX_SENTENCE_WORDS)
        stems = self.stems
        before, behind = stems[max(begin, first - _WINDOW) : first], stems[last : min(end, last + _WINDOW)]
        following = [word for word in stems[last : min(end, last + 5)] if word][:2]
        return NumberContext(
            frozenset((*stems[begin:first], *stems[last:end])) - _EMPTY,
            frozenset((*before, *behind)) - _EMPTY,
            frozenset((*following, *stems[first:last])) - _EMPTY,
            stems[last] if last < end else "",
        )

    def weigh(self, stems: frozenset[str]) -> float:
        """Return how much words tell: rare ones more than those that are everywhere in this text."""
        return sum(1 / math.sqrt(self.counts[stem]) for stem in stems if self.counts[stem])


def _is_content_word(word: str, lexicon: NumberLexicon) -> bool:
    return len(word) > 2 and word not in lexicon.stop and not word[0].isdigit()


def normalized_stem(word: str, lexicon: NumberLexicon) -> str:
    """Return what stands for a word and those that mean the same: "killed", "died", "dead"."""
    stemmed = stem(word)
    return lexicon.same.get(word) or lexicon.same.get(stemmed, stemmed)


@lru_cache(maxsize=20_000)
def stem(word: str) -> str:
    """Return a word without the endings of its forms, roughly."""
    word = word.removesuffix("'s").removesuffix("s'")
    for ending in ("ingly", "edly", "ing", "ies", "ied", "ers", "ed", "es", "er", "ly", "s", "e"):
        if len(word) - len(ending) >= 4 and word.endswith(ending):
            return word[: -len(ending)]
    return word


def similarity(claim: NumberContext, candidate: NumberContext, weigh: Weigh) -> float:
    """Return how much what stands around two figures has in common."""
    shared = (
        claim.sentence & candidate.sentence,
        claim.near & candidate.near,
        claim.following & candidate.near,
    )
    return sum(map(weigh, shared)) / 2


def is_unambiguous(claim: NumberContext, own: Sequence[NumberContext], weigh: Weigh) -> bool:
    """Tell whether no other figure can be so much more like a draft's than its own, whatever it stands in."""
    maximum = sum(map(weigh, (claim.sentence, claim.near, claim.following))) / 2
    best = max((similarity(claim, each, weigh) for each in own), default=0.0)
    return maximum - best < _MIN_LEAD and claim.head in {each.head for each in own}


def better_context(
    claim: NumberContext, own: Sequence[NumberContext], others: Sequence[NumberContext], weigh: Weigh
) -> int | None:
    """Return the number of the other figure that the draft's words belong to, or None.

    `own` are the settings of the source's figures of the same value, `others` those of other values.
    """
    scores = [similarity(claim, each, weigh) if claim.following & each.near else 0.0 for each in others]
    best = max(scores, default=0.0)
    if (
        best < _MIN_LEAD
        or best - max((similarity(claim, each, weigh) for each in own), default=0.0) < _MIN_LEAD
    ):
        return None
    return scores.index(best)


def is_swapped(
    claim: NumberContext,
    own: Sequence[NumberContext],
    others: Sequence[tuple[NumberMention, NumberContext]],
    draft_heads: Set[tuple[float, str]],
) -> int | None:
    """Return the number of the other figure whose place a draft's figure took, while that took its own.

    `draft` holds the values of the draft's figures, each with the word behind it.
    """
    heads = {each.head for each in own} - {""}
    if claim.head in heads:
        return None
    for index, (other, context) in enumerate(others):
        taken = any((other.value, head) in draft_heads for head in heads)
        if claim.head and context.head == claim.head and taken:
            return index
    return None


class SourceContexts:
    """The settings of a source's figures, and which of them have a word near."""

    def __init__(self, source: ContextIndex, mentions: Sequence[NumberMention]) -> None:
        self._source = source
        self._mentions = mentions
        self._contexts: dict[int, NumberContext] = {}

    def context_of(self, mention: NumberMention) -> NumberContext:
        """Return what stands around a figure of the source."""
        if mention.start not in self._contexts:
            self._contexts[mention.start] = self._source.context_of(mention)
        return self._contexts[mention.start]

    def alternatives(
        self, claim: NumberMention, context: NumberContext, own: Sequence[NumberMention]
    ) -> list[NumberMention]:
        """Return the figures that could stand where a draft's does: of its kind and unit, and its words."""
        starts = {mention.start for mention in own}
        indexes = sorted(
            {index for stem in context.following for index in self._by_stem.get(stem, ())[:_MAX_CANDIDATES]}
        )
        return [
            mention
            for mention in (self._mentions[index] for index in indexes)
            if mention.start not in starts and mention.kind == claim.kind and mention.unit == claim.unit
        ]

    @cached_property
    def _by_stem(self) -> dict[str, list[int]]:
        indexes: dict[str, list[int]] = {}
        for index, mention in enumerate(self._mentions):
            for stem in self.context_of(mention).near:
                indexes.setdefault(stem, []).append(index)
        return indexes
