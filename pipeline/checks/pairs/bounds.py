"""Contradictions in the bound of a figure: "at least 9" where the source has "up to 9"."""

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import NamedTuple

from pipeline.checks.pairs.align import Pair, Sentence
from pipeline.checks.pairs.lexicon import PairLexicon
from pipeline.checks.pairs.marks import marks_of, within
from pipeline.checks.pairs.models import Contradiction, PairTexts
from pipeline.checks.tokens import TokenizedText

_REACH = 3
"""Words before and after a figure in which its bound is searched. Chosen, not measured."""
_CONTEXT = 8
"""Words on each side of a figure in which a shared stem is searched. Chosen, not measured."""
_CONTRARY = {
    "exact": ("lower", "upper", "near", "short"),
    "lower": ("upper", "short", "near"),
    "upper": ("lower", "near"),
    "short": ("lower",),
}
"""Bound of the draft → bounds of the source that contradict it. "about" may stand for each."""


class BoundedNumber(NamedTuple):
    """A figure with its bound: the word of the figure, and the half-open range of the bound's words."""

    at: int
    bound: str
    first: int
    behind: int


def find_bounds(texts: PairTexts, pair: Pair) -> Iterator[Contradiction]:
    """Yield the bounds of figures that contradict each bound that the window gives the same figure."""
    for own in _bounded(texts.draft, pair.draft, texts.lexicon):
        value, contrary = _value(texts.draft, own, texts.lexicon), _CONTRARY.get(own.bound, ())
        theirs = [
            each
            for sentence in (pair.window if contrary else ())
            for each in _bounded(texts.source, sentence, texts.lexicon)
            if _value(texts.source, each, texts.lexicon) == value
        ]
        if all(each.bound in contrary for each in theirs):
            same = (each for each in theirs if _share_context(texts, pair, own, each))
            yield from (_contradiction(texts, own, other) for other in islice(same, 1))


def _contradiction(texts: PairTexts, own: BoundedNumber, other: BoundedNumber) -> Contradiction:
    shown, text = texts.source_phrase(other.first, other.behind), texts.draft
    word = text.text[text.words[own.first].start : text.words[own.behind - 1].end]
    message = f'The source has "{shown}" where the text has "{word}".'
    replacement = shown if (own.first < own.at) == (other.first < other.at) else ""
    return Contradiction((own.first, own.behind), (other.first, other.behind), message, replacement)


def _value(text: TokenizedText, number: BoundedNumber, lexicon: PairLexicon) -> str:
    word = text.folded[number.at]
    return lexicon.numerals.get(word, word)


def _bounded(text: TokenizedText, sentence: Sentence, lexicon: PairLexicon) -> Iterator[BoundedNumber]:
    """Yield the figures of a sentence with a bound before or after them."""
    for at in within(marks_of(text, lexicon).digits, sentence.first, sentence.behind):
        if at > sentence.first and text.text[text.words[at - 1].end : text.words[at].start] in (",", "."):
            continue  # within a figure
        if text.text.startswith("+", text.words[at].end):
            continue  # "some 70+": a bound of its own
        nearby = text.folded[max(0, at - _REACH) : at + _REACH + 1]
        if lexicon.bound_words.isdisjoint(nearby):
            continue
        bounded = _before(text, at, sentence, lexicon) or _after(text, at, sentence, lexicon)
        if bounded:
            yield bounded


def _before(text: TokenizedText, at: int, sentence: Sentence, lexicon: PairLexicon) -> BoundedNumber | None:
    for length in range(min(_REACH, at - sentence.first), 0, -1):
        bound = _bound(text, at - length, at, lexicon.bounds_before)
        if bound:
            return BoundedNumber(at, bound, at - length, at)
    return None


def _after(text: TokenizedText, at: int, sentence: Sentence, lexicon: PairLexicon) -> BoundedNumber | None:
    """Return a bound like "or more" right after a figure or one more word."""
    for first in range(at + 1, min(at + 1 + _REACH, sentence.behind - 1)):
        bound = _bound(text, first, first + 2, lexicon.bounds_after)
        if bound:
            return BoundedNumber(at, bound, first, first + 2)
    return None


def _bound(text: TokenizedText, first: int, behind: int, bounds: Mapping[str, str]) -> str:
    """Return the bound that a range of words is, empty if it is none."""
    return bounds.get(" ".join(text.folded[first:behind]), "")


def _share_context(texts: PairTexts, pair: Pair, own: BoundedNumber, other: BoundedNumber) -> bool:
    """Tell whether a stem stands near both figures."""
    stems, others = texts.alignment.draft_stems, texts.alignment.source_stems
    first, behind = max(pair.draft.first, own.at - _CONTEXT), min(pair.draft.behind, own.at + _CONTEXT)
    near = {*stems[first : own.at], *stems[own.at + 1 : behind]}
    return not (near - {""}).isdisjoint(others[max(0, other.at - _CONTEXT) : other.at + _CONTEXT])
