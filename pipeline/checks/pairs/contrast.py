"""Contradictions by one word: the draft has a word of one group where the source has one of its contrary."""

from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from pipeline.checks.pairs.align import Pair, Sentence
from pipeline.checks.pairs.lexicon import Contrast, PairLexicon, Side
from pipeline.checks.pairs.marks import marks_of, within
from pipeline.checks.pairs.models import Contradiction, PairTexts
from pipeline.checks.tokens import TokenizedText

_NEGATION_REACH = 4
"""Words before a word in which a negative changes its meaning. Chosen, not measured."""
_SAME_SHARE = 0.3
"""Share of the contrary's context with which a like word of the source excuses. Chosen, not measured."""
_OPEN_REACH = 8
"""Words before a word of the draft that may leave open what it says. Chosen, not measured."""
_MAX_SAME = 8
"""Words of one contrast that are compared in a sentence. Chosen, not measured."""


class _Place(NamedTuple):
    """A word of a contrast in a sentence."""

    at: int
    side: Side
    sentence: Sentence


def find_contrasts(texts: PairTexts, pair: Pair) -> Iterator[Contradiction]:
    """Yield the words of a draft sentence that contradict a word in its window."""
    own = list(_places(texts.draft, pair.draft, texts.lexicon))
    reported = [place for place in own if place.side.reported]
    theirs: dict[int, list[_Place]] = {}
    for sentence in pair.window if reported else ():
        for place in _source_places(texts.source, sentence, texts.lexicon):
            theirs.setdefault(place.side.contrast, []).append(place)
    for place in reported:
        same_contrast = theirs.get(place.side.contrast, [])
        if all(other.side.group == place.side.group for other in same_contrast) and not (
            same_contrast and _has_negative(texts, pair)
        ):
            continue
        contradiction = _contradiction(texts, place, own, same_contrast)
        if contradiction:
            yield contradiction


def _has_negative(texts: PairTexts, pair: Pair) -> bool:
    """Tell whether a draft sentence or its window has a negative."""
    sides = ((texts.draft, pair.draft), *((texts.source, sentence) for sentence in pair.window))
    return any(
        within(marks_of(text, texts.lexicon).negatives, sentence.first, sentence.behind)
        for text, sentence in sides
    )


def _source_places(text: TokenizedText, sentence: Sentence, lexicon: PairLexicon) -> list[_Place]:
    """Return the places of a source sentence, searched once for all windows that have it."""
    cache = _known_places(text, lexicon)
    places = cache.get(sentence.first)
    if places is None:
        places = cache[sentence.first] = list(_places(text, sentence, lexicon))
    return places


@lru_cache(maxsize=4)
def _known_places(text: TokenizedText, lexicon: PairLexicon) -> dict[int, list[_Place]]:
    """Return a store of first word of a sentence → its places, empty at first."""
    return {}


def _places(text: TokenizedText, sentence: Sentence, lexicon: PairLexicon) -> Iterator[_Place]:
    counts: dict[tuple[int, int], int] = {}
    for at in within(marks_of(text, lexicon).contrasts, sentence.first, sentence.behind):
        is_title = at > sentence.first and text.words[at].text[0].isupper()
        if _is_idiom(text, at, sentence, lexicon):
            continue
        for side in lexicon.sides_of(text.folded[at]):
            contrast = lexicon.contrasts[side.contrast]
            follows_figure = at > 0 and text.folded[at - 1][0].isdigit()
            if (is_title and not contrast.capital) or (contrast.vague and follows_figure):
                continue
            key = side.contrast, side.group
            counts[key] = counts.get(key, 0) + 1
            if counts[key] <= _MAX_SAME:
                yield _Place(at, side, sentence)


def _is_idiom(text: TokenizedText, at: int, sentence: Sentence, lexicon: PairLexicon) -> bool:
    """Tell whether a word has another meaning with the word before or after it."""
    pairs = range(max(sentence.first, at - 1), min(sentence.behind - 1, at + 1))
    return any(lexicon.is_idiom(text.folded[each], text.folded[each + 1]) for each in pairs)


def _contradiction(
    texts: PairTexts, place: _Place, own: list[_Place], theirs: list[_Place]
) -> Contradiction | None:
    """Return what contradicts a word of the draft; None where the source has a word of its own group too."""
    contrast = texts.lexicon.contrasts[place.side.contrast]
    before = texts.draft.folded[max(place.sentence.first, place.at - _OPEN_REACH) : place.at]
    if not contrast.open.isdisjoint(before):
        return None
    near = _near(texts.draft, texts.alignment.draft_stems, place.at, place.sentence, contrast, texts.lexicon)
    is_negated = _is_negated(texts.draft, place.at, place.sentence, texts.lexicon)
    best: tuple[float, _Place] | None = None
    same = 0.0
    for other in theirs:
        count, weight = _common_context(texts, near, other.at, other.sentence, contrast)
        if not count:
            continue
        is_same = is_negated == _is_negated(texts.source, other.at, other.sentence, texts.lexicon)
        alike = (other.side.group == place.side.group) == is_same
        if alike:
            same = max(same, weight + 0.01)
        elif (
            count >= contrast.shared
            and weight >= contrast.weight
            and (best is None or weight > best[0])
            and _is_same_subject(texts, place, other, contrast)
        ):
            best = weight, other
    if best is None or same >= best[0] * _SAME_SHARE or _explained(texts, place, own, *best, contrast):
        return None
    source_word = texts.source.words[best[1].at].text
    message = contrast.message.format(draft=texts.draft.words[place.at].text, source=source_word)
    return Contradiction((place.at, place.at + 1), (best[1].at, best[1].at + 1), message, source_word)


def _explained(
    texts: PairTexts, place: _Place, own: list[_Place], weight: float, other: _Place, contrast: Contrast
) -> bool:
    """Tell whether the draft itself has the source's word, about the same thing."""
    for each in own:
        if each.side.contrast == place.side.contrast and each.side.group == other.side.group:
            _, shared = shared_context(texts, each.at, each.sentence, other.at, other.sentence, contrast)
            if shared >= 0.5 * weight:
                return True
    return False


def shared_context(
    texts: PairTexts, at: int, sentence: Sentence, other: int, window: Sentence, contrast: Contrast
) -> tuple[int, float]:
    """Return number and weight of the stems that both words have around them."""
    near = _near(texts.draft, texts.alignment.draft_stems, at, sentence, contrast, texts.lexicon)
    return _common_context(texts, near, other, window, contrast)


def _common_context(
    texts: PairTexts, near: set[str], other: int, window: Sentence, contrast: Contrast
) -> tuple[int, float]:
    """Return number and weight of those stems near a word of the draft that a word of the source has too."""
    common = near & _near(texts.source, texts.alignment.source_stems, other, window, contrast, texts.lexicon)
    if contrast.digit and not any(stem[0].isdigit() for stem in common):
        return 0, 0.0
    return len(common), sum(texts.alignment.weights.get(stem, 0) for stem in common)


def _near(
    text: TokenizedText,
    stems: tuple[str, ...],
    at: int,
    sentence: Sentence,
    contrast: Contrast,
    lexicon: PairLexicon,
) -> set[str]:
    """Return the stems around a word, up to a conjunction that opposes another clause."""
    first = max(sentence.first, at - contrast.before)
    behind = min(sentence.behind, at + contrast.after + 1)
    if not lexicon.opposing.isdisjoint(text.folded[first:behind]):
        opposed = [index for index in range(first, behind) if text.folded[index] in lexicon.opposing]
        first = max((index for index in opposed if index < at), default=first)
        behind = min((index for index in opposed if index > at), default=behind)
    near = {*stems[first:at], *stems[at + 1 : behind]}
    return near - lexicon.periods - {""}


def _is_same_subject(texts: PairTexts, place: _Place, other: _Place, contrast: Contrast) -> bool:
    """Tell whether a word that follows the one word follows the other, where a contrast wants that."""
    if not contrast.next:
        return True
    if (
        contrast.figure
        and texts.draft.folded[min(place.at + 1, place.sentence.behind - 1)] in texts.lexicon.articles
    ):
        return False  # "over a five-year period"
    own = _following(texts.alignment.draft_stems, place.at, contrast.next)
    common = own & _following(texts.alignment.source_stems, other.at, contrast.next)
    return any(stem[0].isdigit() for stem in common) if contrast.figure else bool(common)


def _following(stems: tuple[str, ...], at: int, reach: int) -> set[str]:
    return {stem for stem in stems[at + 1 : at + 1 + reach] if stem}


def _is_negated(text: TokenizedText, at: int, sentence: Sentence, lexicon: PairLexicon) -> bool:
    """Tell whether an odd number of negatives stands before a word."""
    negatives = within(marks_of(text, lexicon).negatives, max(sentence.first, at - _NEGATION_REACH), at)
    return len(negatives) % 2 == 1
