"""Aligns each sentence of a draft with the few sentences of its source that it rests on.

Sentences are compared by the stems that they share, weighted by their rarity in the source.
"""

from collections.abc import Iterable
from functools import lru_cache
from math import log
from typing import NamedTuple

from pipeline.checks.pairs.lexicon import PairLexicon, pair_lexicon
from pipeline.checks.tokens import TokenizedText

_MAX_POSTINGS = 40
"""Stems in more sentences of the source than this find no candidates. Chosen, not measured."""
_MAX_SENTENCES = 3
"""Sentences in a window, neighbours included. Chosen, not measured."""
_MIN_GAIN = 0.12
"""Share of a draft sentence's weight that one more sentence must explain. Chosen, not measured."""
_BESIDE = 1.2
"""Factor by which a sentence beside one of the window counts more. Chosen, not measured."""
_MAX_WORDS = 120
"""Words of a sentence that are compared; what has more is no sentence. Chosen, not measured."""


class Sentence(NamedTuple):
    """A sentence: its span in characters, and the half-open range of its words."""

    start: int
    end: int
    first: int
    behind: int


class Pair(NamedTuple):
    """A sentence of a draft, and the window of source sentences that it rests on."""

    draft: Sentence
    window: tuple[Sentence, ...]
    """Best first."""
    score: float
    """Share of the weight of the draft sentence's stems that the window has, 0 to 1."""


class Alignment(NamedTuple):
    """A draft and a source with their stems, and the pairs of sentences."""

    draft_stems: tuple[str, ...]
    """The stem of each word of the draft; empty for a stop word."""
    source_stems: tuple[str, ...]
    weights: dict[str, float]
    """Weight of a stem of the source."""
    pairs: tuple[Pair, ...]
    """In the order of the draft. A sentence that shares nothing with the source has none."""


class SourceSentences(NamedTuple):
    """A source as the alignment searches it."""

    sentences: tuple[Sentence, ...]
    stems: tuple[str, ...]
    sets: tuple[frozenset[str], ...]
    """The stems of each sentence."""
    postings: dict[str, list[int]]
    """Stem → the sentences that have it."""
    weights: dict[str, float]


def align(draft: TokenizedText, source: TokenizedText, language: str) -> Alignment | None:
    """Return a draft's sentences with those of its source, None where the language has no table.

    The last results are kept: the checks, the desk and a second reader ask for the same texts.
    """
    return _aligned(draft, source, language)


@lru_cache(maxsize=4)
def _aligned(draft: TokenizedText, source: TokenizedText, language: str) -> Alignment | None:
    lexicon = pair_lexicon(language)
    if lexicon is None:
        return None
    index = index_source(source, language)
    stems = stems_of(draft, lexicon)
    aligned = (_pair(sentence, stems, index) for sentence in sentences_of(draft))
    return Alignment(stems, index.stems, index.weights, tuple(pair for pair in aligned if pair))


@lru_cache(maxsize=4)
def index_source(source: TokenizedText, language: str) -> SourceSentences:
    """Return the index of a source; the body, the title and the description of a draft share it."""
    lexicon = pair_lexicon(language)
    stems = stems_of(source, lexicon) if lexicon else ()
    sentences = sentences_of(source)
    sets = tuple(frozenset(stems[each.first : each.behind]) - {""} for each in sentences)
    postings: dict[str, list[int]] = {}
    for number, every in enumerate(sets):
        for stem in every:
            postings.setdefault(stem, []).append(number)
    rarities = {count: _rarity(len(sentences) / count) for count in set(map(len, postings.values()))}
    weights = {stem: rarities[len(places)] for stem, places in postings.items()}
    return SourceSentences(sentences, stems, sets, postings, weights)


def _rarity(ratio: float) -> float:
    """Return a weight in steps of 1/1024, so that sums do not depend on the order of the stems."""
    return round(1024 * log(1 + ratio)) / 1024


def stems_of(text: TokenizedText, lexicon: PairLexicon) -> tuple[str, ...]:
    """Return the stem of each word of a text, empty for a stop word."""
    return tuple(map(lexicon.content_stem, text.folded))


def sentences_of(text: TokenizedText) -> tuple[Sentence, ...]:
    """Return the sentences of a text that have words, cut at `_MAX_WORDS`."""
    ranges = ((start, end, *text.between(start, end)) for start, end in text.sentences)
    return tuple(
        Sentence(start, end, first, min(behind, first + _MAX_WORDS))
        for start, end, first, behind in ranges
        if first < behind
    )


def _pair(sentence: Sentence, stems: tuple[str, ...], index: SourceSentences) -> Pair | None:
    """Return a draft sentence with its window: greedily the sentences that explain most of the rest."""
    stem_set = {stem for stem in stems[sentence.first : sentence.behind] if stem in index.weights}
    whole = _weight(stem_set, index)
    if not stem_set or not whole:
        return None
    gains = _gains(stem_set, index)
    candidates = sorted(gains, key=lambda number: (-gains[number], number))[: 4 * _MAX_SENTENCES]
    are_gains_whole = all(len(index.postings[stem]) <= _MAX_POSTINGS for stem in stem_set)
    window = candidates[:1] if are_gains_whole else []
    candidates = candidates[len(window) :]
    left = stem_set.difference(*(index.sets[number] for number in window))
    while candidates and len(window) < _MAX_SENTENCES:
        if window and _weight(left, index) < _MIN_GAIN * whole:
            break
        explained = {number: _weight(left & index.sets[number], index) for number in candidates}
        beside = {number + step for number in window for step in (-1, 1)}
        best = max(candidates, key=lambda number: explained[number] * (_BESIDE if number in beside else 1))
        if window and explained[best] < _MIN_GAIN * whole:
            break
        window.append(best)
        left -= index.sets[best]
        candidates.remove(best)
    if not window:
        return None
    score = 1 - _weight(left, index) / whole
    return Pair(sentence, tuple(index.sentences[number] for number in window), score)


def _gains(stem_set: Iterable[str], index: SourceSentences) -> dict[int, float]:
    """Return the weight of these stems in each source sentence that has one."""
    gains: dict[int, float] = {}
    for stem in stem_set:
        places = index.postings[stem]
        if len(places) <= _MAX_POSTINGS:
            for number in places:
                gains[number] = gains.get(number, 0) + index.weights[stem]
    return gains


def _weight(stems: Iterable[str], index: SourceSentences) -> float:
    return sum(map(index.weights.__getitem__, stems))
