"""Compares the words around numbers: a number of the source may be about another subject there."""

import math
from collections import Counter
from collections.abc import Callable, Sequence, Set
from functools import cached_property
from itertools import islice
from typing import NamedTuple

from pipeline.checks.numbers.lexicon import NumberLexicon
from pipeline.checks.numbers.models import MONEY, ORDINAL, NumberMention
from pipeline.checks.tokens import TokenizedText

_WINDOW = 7
"""Words on either side of a number that count as near. Chosen, not measured."""
_MAX_SENTENCE_WORDS = 60
"""Words of the sentence read on either side: keeps the work linear. Chosen, not measured."""
_MAX_CANDIDATES = 40
"""Numbers compared for one context word: keeps the work linear. Chosen, not measured."""
_MIN_LEAD = 2.5
"""Lead in similarity that another number needs: about three rare words. Chosen, not measured."""

_HEAD_WEIGHT = 1.0
"""Weight of the same word directly after both numbers. Chosen, not measured."""
_MIN_SIMILARITY = 0.7
"""Similarity from which two numbers have one context: about two rare words. Chosen, not measured."""
_MAX_REPLACEABLE = 60
"""Numbers compared for the suggestion of one: keeps the work linear. Chosen, not measured."""
_MAX_SLIP = 2.5
"""Factor between a figure and a slip of it, scales excepted. Chosen, not measured."""
_SCALES = (1e-9, 1e-6, 1e-3, 1e3, 1e6, 1e9)
_MIN_COUNT_SIMILARITY = 2.5
"""The same for small counts: the counted noun and about two other words. Chosen, not measured."""
_MIN_COUNTERPART_LEAD = 0.3
"""Lead over the next number of that context: one rare word in the sentence. Chosen, not measured."""

Weigh = Callable[[frozenset[str]], float]
_EMPTY = frozenset(("",))


class NumberContext(NamedTuple):
    """The stems of the words around a number."""

    sentence: frozenset[str]
    near: frozenset[str]
    following: frozenset[str]
    """Stems of the number's own words and of the next two content words: mostly the counted noun."""
    head: str = ""
    """Stem of the word directly after the number."""


class ContextIndex:
    """The stems of a text's words, for the context of each of its numbers."""

    def __init__(self, tokenized: TokenizedText, lexicon: NumberLexicon) -> None:
        self._tokenized = tokenized
        self._lexicon = lexicon
        self._contexts: dict[tuple[int, int], NumberContext] = {}

    @cached_property
    def stems(self) -> list[str]:
        """Return the normalized stem of each word, in order; empty for stop words and digits."""
        return list(map(self._lexicon.content_stem, self._tokenized.folded))

    @cached_property
    def _weights(self) -> dict[str, float]:
        return {stem: 1 / math.sqrt(count) for stem, count in Counter(self.stems).items()}

    def context_of(self, mention: NumberMention) -> NumberContext:
        """Return the context of a number of this text."""
        place = mention.start, mention.end
        context = self._contexts.get(place)
        if context is None:
            context = self._contexts[place] = self._context_at(*place)
        return context

    def _context_at(self, start: int, stop: int) -> NumberContext:
        first, last = self._tokenized.between(start, stop)
        begin, end = self._tokenized.sentence_words(first)
        begin, end = max(begin, first - _MAX_SENTENCE_WORDS), min(end, last + _MAX_SENTENCE_WORDS)
        stems = self.stems
        before, after = stems[max(begin, first - _WINDOW) : first], stems[last : min(end, last + _WINDOW)]
        following = [stem for stem in stems[last : min(end, last + 5)] if stem][:2]
        return NumberContext(
            frozenset((*stems[begin:first], *stems[last:end])) - _EMPTY,
            frozenset((*before, *after)) - _EMPTY,
            frozenset((*following, *stems[first:last])) - _EMPTY,
            stems[last] if last < end else "",
        )

    def weigh(self, stems: frozenset[str]) -> float:
        """Return the total weight of stems, each 1/√(its count in this text): rare stems weigh more."""
        weights = self._weights
        return sum([weights[stem] for stem in stems if stem in weights])


def similarity(claim: NumberContext, candidate: NumberContext, weigh: Weigh) -> float:
    """Return the weight of what two contexts have in common."""
    near = (claim.near & candidate.near, claim.following & candidate.near)
    return sum(map(weigh, (claim.sentence & candidate.sentence, *near))) / 2


def is_unambiguous(claim: NumberContext, own: Sequence[NumberContext], weigh: Weigh) -> bool:
    """Tell whether no other number can reach a similarity that leads its `own` contexts by `_MIN_LEAD`."""
    maximum = sum(map(weigh, (claim.sentence, claim.near, claim.following))) / 2
    best = max((similarity(claim, each, weigh) for each in own), default=0.0)
    return maximum - best < _MIN_LEAD and claim.head in {each.head for each in own}


def better_context(
    claim: NumberContext, own: Sequence[NumberContext], others: Sequence[NumberContext], weigh: Weigh
) -> int | None:
    """Return the index in `others` of the context that fits the claim clearly better than its own, or None.

    `own` are the contexts of the source's numbers of the same value, `others` those of other values.
    """
    scores = [similarity(claim, each, weigh) if claim.following & each.near else 0.0 for each in others]
    best = max(scores, default=0.0)
    own_best = max((similarity(claim, each, weigh) for each in own), default=0.0)
    return scores.index(best) if best - own_best >= _MIN_LEAD else None


def find_swapped(
    claim: NumberContext,
    own: Sequence[NumberContext],
    others: Sequence[tuple[NumberMention, NumberContext]],
    draft_heads: Set[tuple[float, str]],
) -> int | None:
    """Return the index in `others` of the number that was swapped with the claim in the draft, or None.

    `draft_heads` holds the value of each number of the draft with the head of its context.
    """
    heads = {each.head for each in own} - {""}
    if claim.head in heads:
        return None
    for index, (other, context) in enumerate(others):
        taken = any((other.value, head) in draft_heads for head in heads)
        if claim.head and context.head == claim.head and taken:
            return index
    return None


def find_counterpart(
    claim: NumberContext,
    others: Sequence[tuple[NumberMention, NumberContext]],
    weigh: Weigh,
    *,
    is_count: bool,
    any_near: bool,
) -> int | None:
    """Return the index in `others` of the one number that the source has in the claim's context, or None.

    It has the claim's counted noun near it, and leads every other such number. For a claim that is a small
    count (`is_count`) more of the sentence has to be the same. With `any_near` another word near it suffices.
    """
    scores = [
        similarity(claim, context, weigh) + _HEAD_WEIGHT * (claim.head != "" and claim.head == context.head)
        if claim.following & context.near
        or claim.near & context.following
        or (any_near and claim.near & context.near)
        else 0.0
        for _, context in others
    ]
    best = max(scores, default=0.0)
    if best < (_MIN_COUNT_SIMILARITY if is_count else _MIN_SIMILARITY):
        return None
    index = scores.index(best)
    rivals = [
        score
        for (other, _), score in zip(others, scores, strict=True)
        if other.value != others[index][0].value
    ]
    return index if best - max(rivals, default=0.0) >= _MIN_COUNTERPART_LEAD else None


def _may_be_slip(claim: NumberMention, mention: NumberMention) -> bool:
    """Tell whether a number may be what a claim should be: near its value, another scale, or another unit."""
    if mention.value == claim.value:
        return ORDINAL not in (mention.kind, claim.kind)
    if mention.kind != claim.kind or (mention.unit != claim.unit and claim.kind != MONEY):
        return False
    ratio = mention.value / claim.value if claim.value else 0.0
    return 1 / _MAX_SLIP <= ratio <= _MAX_SLIP or ratio in _SCALES


class SourceContexts:
    """The contexts of a source's numbers, with an index from stem to the numbers near it."""

    def __init__(self, source: ContextIndex, mentions: Sequence[NumberMention]) -> None:
        self._source = source
        self.weigh = source.weigh
        self._mentions = mentions
        self._contexts: dict[int, NumberContext] = {}

    def context_of(self, mention: NumberMention) -> NumberContext:
        """Return the context of a number of the source."""
        if mention.start not in self._contexts:
            self._contexts[mention.start] = self._source.context_of(mention)
        return self._contexts[mention.start]

    def alternatives(
        self, claim: NumberMention, context: NumberContext, own: Sequence[NumberMention]
    ) -> list[NumberMention]:
        """Return the other numbers of the claim's kind and unit that share a following word with it."""
        starts = {mention.start for mention in own}
        return [
            mention
            for mention in self._sharing(context.following)
            if mention.start not in starts and mention.kind == claim.kind and mention.unit == claim.unit
        ]

    def replaceable(
        self, claim: NumberMention, context: NumberContext
    ) -> list[tuple[NumberMention, NumberContext]]:
        """Return the numbers that the claim may be a slip of: another value, or another unit of one value."""
        return [
            (mention, self.context_of(mention))
            for mention in self._sharing(context.following | context.near, _MAX_REPLACEABLE)
            if _may_be_slip(claim, mention)
        ]

    def _sharing(self, stems: frozenset[str], maximum: int | None = None) -> list[NumberMention]:
        """Return the numbers near one of the stems, `maximum` of those near the rarest."""
        groups = sorted((self._by_stem.get(stem, [])[:_MAX_CANDIDATES] for stem in stems), key=len)
        indexes = dict.fromkeys(index for group in groups for index in group)
        return [self._mentions[index] for index in sorted(islice(indexes, maximum))]

    @cached_property
    def _by_stem(self) -> dict[str, list[int]]:
        indexes: dict[str, list[int]] = {}
        for index, mention in enumerate(self._mentions):
            for stem in self.context_of(mention).near:
                indexes.setdefault(stem, []).append(index)
        return indexes
