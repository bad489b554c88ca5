"""Contradictions in what is asserted: denied against affirmed, planned against done."""

from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

from pipeline.checks.pairs.align import Pair, Sentence
from pipeline.checks.pairs.lexicon import PairLexicon
from pipeline.checks.pairs.marks import marks_of, within
from pipeline.checks.pairs.models import Contradiction, PairTexts
from pipeline.checks.pairs.prefix import differ_by_prefix
from pipeline.checks.tokens import TokenizedText

_SCOPE = 5
"""Words after a negative that it may deny. Chosen, not measured."""
_CLEAR_BEFORE, _CLEAR_AFTER = 14, 4
"""Words around an affirmed word in which no other negative element may stand. Chosen, not measured."""
_CONTEXT = 8
"""Words on each side in which shared stems are searched. Chosen, not measured."""
_MIN_SHARED = 2
"""Stems beside the word itself that both must have around them. Chosen, not measured."""
_OPEN_REACH = 8
"""Words before a verb in which a draft may leave it open. Chosen, not measured."""
_PLAN_REACH = 3
"""Words between a plan and its verb. Chosen, not measured."""


class Denied(NamedTuple):
    """A word that a negative denies; both are indexes of words."""

    negative: int
    word: int


def find_negations(texts: PairTexts, pair: Pair) -> Iterator[Contradiction]:
    """Yield the words that only one of draft and source denies."""
    own_stems, their_stems = texts.alignment.draft_stems, texts.alignment.source_stems
    reported = -1
    for sentence in pair.window:
        for denied in _denied(texts.source, their_stems, sentence, texts.lexicon):
            stem = their_stems[denied.word] if denied.negative != reported else ""
            for at in _affirmed(texts.draft, own_stems, pair.draft, stem, texts.lexicon):
                if _same_event(texts, at, pair.draft, denied.word, sentence) and not differ_by_prefix(
                    texts, pair.draft, sentence
                ):
                    reported = denied.negative
                    yield _negation(texts, at, denied)
                    break
    for denied in _denied(texts.draft, own_stems, pair.draft, texts.lexicon):
        if any(differ_by_prefix(texts, pair.draft, sentence) for sentence in pair.window):
            return
        stem = own_stems[denied.word]
        places = [(at, sentence) for sentence in pair.window for at in _places(their_stems, sentence, stem)]
        if all(_is_clear(texts.source, at, each, texts.lexicon) for at, each in places):
            same = (at for at, each in places if _same_event(texts, denied.word, pair.draft, at, each))
            yield from (_denial(texts, denied, at) for at in islice(same, 1))


def _negation(texts: PairTexts, at: int, denied: Denied) -> Contradiction:
    message = f'The source denies this: "{texts.source_phrase(denied.negative, denied.word + 1)}".'
    return Contradiction((at, at + 1), (denied.negative, denied.word + 1), message)


def _denial(texts: PairTexts, denied: Denied, at: int) -> Contradiction:
    word = texts.source.words[at].text
    message = f'The text denies what the source affirms: "{word}".'
    return Contradiction((denied.negative, denied.word + 1), (at, at + 1), message)


def _denied(
    text: TokenizedText, stems: tuple[str, ...], sentence: Sentence, lexicon: PairLexicon
) -> Iterator[Denied]:
    """Yield what each "not" of a sentence denies, if no other negative element is near it."""
    for at in within(marks_of(text, lexicon).deniers, sentence.first, sentence.behind):
        if _is_single(text, at, sentence, lexicon):
            is_first = True
            for word in _reach(text, at, sentence, lexicon):
                if not stems[word] or text.folded[word].endswith(lexicon.adverb):
                    continue
                if is_first or text.folded[word - 1] == lexicon.link:
                    yield Denied(at, word)
                is_first = False


def _reach(text: TokenizedText, at: int, sentence: Sentence, lexicon: PairLexicon) -> Iterator[int]:
    """Yield the words that a negative may deny: those after it in its clause, without names and figures."""
    for word in range(at + 1, min(at + 1 + _SCOPE, sentence.behind)):
        between = text.text[text.words[word - 1].end : text.words[word].start]
        folded = text.folded[word]
        if (
            between.strip(" \n'’")
            or folded in lexicon.borders
            or (word == at + 1 and folded in lexicon.unreal)
        ):
            return
        if not text.words[word].text[0].islower() and folded not in lexicon.stop:
            return
        yield word


def _is_single(text: TokenizedText, at: int, sentence: Sentence, lexicon: PairLexicon) -> bool:
    """Tell whether no second negative element stands near a negative."""
    nearby = range(max(sentence.first, at - _SCOPE), min(sentence.behind, at + _SCOPE + 2))
    return not any(
        other != at and (lexicon.is_negative(text.folded[other]) or text.folded[other] in lexicon.uncertain)
        for other in nearby
    )


def _affirmed(
    text: TokenizedText, stems: tuple[str, ...], sentence: Sentence, stem: str, lexicon: PairLexicon
) -> list[int]:
    """Return the places of a stem in a sentence, none if a negative element is near one of them."""
    places = _places(stems, sentence, stem) if stem else []
    return places if all(_is_clear(text, at, sentence, lexicon) for at in places) else []


def _places(stems: tuple[str, ...], sentence: Sentence, stem: str) -> list[int]:
    return [at for at in range(sentence.first, sentence.behind) if stems[at] == stem]


def _is_clear(text: TokenizedText, at: int, sentence: Sentence, lexicon: PairLexicon) -> bool:
    """Tell whether no negative element stands near a word."""
    first, behind = _clause_start(text, at, sentence), min(sentence.behind, at + _CLEAR_AFTER)
    return not any(
        lexicon.is_negative(word) or word in lexicon.uncertain for word in text.folded[first:behind]
    )


def _clause_start(text: TokenizedText, at: int, sentence: Sentence) -> int:
    """Return the first of `_CLEAR_BEFORE` words before a word, none before a semicolon or colon."""
    first = max(sentence.first, at - _CLEAR_BEFORE)
    for word in range(at, first, -1):
        if any(mark in ";:" for mark in text.text[text.words[word - 1].end : text.words[word].start]):
            return word
    return first


def _same_event(texts: PairTexts, at: int, sentence: Sentence, other: int, window: Sentence) -> bool:
    """Tell whether enough stems stand near both words."""
    near = _near(texts.alignment.draft_stems, at, sentence)
    common = near & _near(texts.alignment.source_stems, other, window)
    return len(common) >= _MIN_SHARED


def _near(stems: tuple[str, ...], at: int, sentence: Sentence) -> set[str]:
    first, behind = max(sentence.first, at - _CONTEXT), min(sentence.behind, at + _CONTEXT + 1)
    return {stem for stem in stems[first:behind] if stem and stem != stems[at]}


def find_plans_as_done(texts: PairTexts, pair: Pair) -> Iterator[Contradiction]:
    """Yield the verbs of a draft that tell as done what the source has as a plan or a possibility."""
    for at in _done(texts, pair.draft):
        stem = texts.alignment.draft_stems[at]
        places = [
            (place, sentence)
            for sentence in pair.window
            for place in _places(texts.alignment.source_stems, sentence, stem)
        ]
        plans = [_plan_of(texts, place, sentence) for place, sentence in places]
        if not places or None in plans:
            continue
        for (place, sentence), plan in zip(places, plans, strict=True):
            if (
                plan is not None
                and _is_clear(texts.source, place, sentence, texts.lexicon)
                and _same_event(texts, at, pair.draft, place, sentence)
            ):
                phrase = texts.source_phrase(plan, place + 1)
                message = f'The source has this as a plan or a possibility: "{phrase}".'
                yield Contradiction((at, at + 1), (plan, place + 1), message)
                break


def _done(texts: PairTexts, sentence: Sentence) -> Iterator[int]:
    """Yield the words of a sentence that stand in the past."""
    folded, lexicon = texts.draft.folded, texts.lexicon
    for at in within(marks_of(texts.draft, lexicon).past, sentence.first, sentence.behind):
        if not texts.alignment.draft_stems[at]:
            continue
        before = folded[max(sentence.first, at - _OPEN_REACH) : at]
        if any(word in lexicon.open or word in lexicon.plans for word in before):
            continue
        if any(word in lexicon.done for word in before[-2:]) or lexicon.stem(folded[at]) != folded[at]:
            yield at


def _plan_of(texts: PairTexts, at: int, sentence: Sentence) -> int | None:
    """Return the word before a verb of the source that makes it a plan, None if there is none."""
    for each in range(at - 1, max(sentence.first, at - _PLAN_REACH) - 1, -1):
        word = texts.source.folded[each]
        if word in texts.lexicon.plans:
            return each
        if word not in texts.lexicon.between:
            return None
    return None
