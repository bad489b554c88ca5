"""Contradictions by a bound: the source has "more than 500", the draft has 500 as exact."""

from collections.abc import Iterator

from pipeline.checks.pairs.align import Pair, Sentence
from pipeline.checks.pairs.exchange import Number, numbers_of
from pipeline.checks.pairs.lexicon import PairLexicon
from pipeline.checks.pairs.models import Contradiction, PairTexts
from pipeline.checks.tokens import TokenizedText

_REACH = 4
"""Words around a figure of the draft in which any hedge excuses it. Chosen, not measured."""
_MIN_DIGITS = 3
"""Digits of a figure without a currency sign; a smaller one is mostly a time. Chosen, not measured."""
_SENTENCE_ENDS = '.!?"”’»)'
_CURRENCY = "$€£¥"


def find_dropped_bounds(texts: PairTexts, pair: Pair) -> Iterator[Contradiction]:
    """Yield the figures that the window has only with a bound before them, and the draft has as exact.

    A headline or heading, which may round, is not compared: it has no full stop.
    """
    lexicon = texts.lexicon
    if texts.draft.text[pair.draft.end - 1] not in _SENTENCE_ENDS:
        return
    for number in numbers_of(texts.draft, pair.draft):
        if not _is_large(texts.draft, number) or _is_hedged(texts.draft, number, pair.draft, lexicon):
            continue
        places = [
            (other, _bound(texts.source, other, sentence, lexicon))
            for sentence in pair.window
            for other in numbers_of(texts.source, sentence)
            if other.digits == number.digits
        ]
        if places and all(bound is not None for _, bound in places):
            other, bound = places[0]
            evidence = bound if bound is not None else other.first, other.behind
            message = f'The source does not give this as exact: "{texts.source_phrase(*evidence)}".'
            yield Contradiction((number.first, number.behind), evidence, message)


def _is_large(text: TokenizedText, number: Number) -> bool:
    start = text.words[number.first].start
    return len(number.digits) >= _MIN_DIGITS or (start > 0 and text.text[start - 1] in _CURRENCY)


def _is_hedged(text: TokenizedText, number: Number, sentence: Sentence, lexicon: PairLexicon) -> bool:
    """Tell whether a word near a figure of the draft makes it inexact."""
    first, behind = max(sentence.first, number.first - _REACH), min(sentence.behind, number.behind + _REACH)
    sign = text.text[text.words[number.behind - 1].end : text.words[number.behind - 1].end + 1]
    return sign == "+" or any(word in lexicon.hedges for word in text.folded[first:behind])


def _bound(text: TokenizedText, number: Number, sentence: Sentence, lexicon: PairLexicon) -> int | None:
    """Return the first word of the bound right before a figure, None without one."""
    before = text.folded[max(sentence.first, number.first - 2) : number.first]
    if before and before[-1] in lexicon.bounds:
        return number.first - 1
    return number.first - 2 if len(before) == 2 and " ".join(before) in lexicon.bounds else None
