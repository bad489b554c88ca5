"""Contradictions by exchange: two figures of a sentence changed places, or the parts of two names."""

from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

from pipeline.checks.pairs.align import Pair, Sentence
from pipeline.checks.pairs.lexicon import PairLexicon
from pipeline.checks.pairs.marks import marks_of, within
from pipeline.checks.pairs.models import Contradiction, PairTexts
from pipeline.checks.pairs.names import names_of
from pipeline.checks.tokens import TokenizedText

_REACH = 6
"""Words before the first and after the second figure that belong to them. Chosen, not measured."""
_MAX_NUMBERS = 12
"""Figures of a sentence that are compared. Chosen, not measured."""


class Number(NamedTuple):
    """A figure in a sentence: a half-open range of word indexes, and its digits."""

    first: int
    behind: int
    digits: str


class Surroundings(NamedTuple):
    """The stems around two figures."""

    lead: frozenset[str]
    between: frozenset[str]
    trail: frozenset[str]


def find_exchanged_numbers(texts: PairTexts, pair: Pair) -> Iterator[Contradiction]:
    """Yield two neighbouring figures whose subjects the source has the other way round."""
    own = [each for each in numbers_of(texts.draft, pair.draft, texts.lexicon) if not _is_day(texts, each)]
    places = [
        (sentence, {figure.digits: figure for figure in numbers_of(texts.source, sentence, texts.lexicon)})
        for sentence in (pair.window if len(own) > 1 else ())
    ]
    for first, second in pairwise(own):
        if first.digits == second.digits:
            continue
        for sentence, numbers in places:
            if first.digits not in numbers or second.digits not in numbers:
                continue
            around = _surroundings(texts, texts.alignment.draft_stems, (first, second), pair.draft)
            theirs = sorted((numbers[first.digits], numbers[second.digits]))
            others = _surroundings(texts, texts.alignment.source_stems, (theirs[0], theirs[1]), sentence)
            if _are_exchanged(
                around, others, texts.lexicon.periods, in_order=theirs[0].digits == first.digits
            ):
                evidence = theirs[0].first, theirs[1].behind
                message = (
                    f'The source has these figures the other way round: "{texts.source_phrase(*evidence)}".'
                )
                yield Contradiction((first.first, second.behind), evidence, message)
                break


def numbers_of(text: TokenizedText, sentence: Sentence, lexicon: PairLexicon) -> list[Number]:
    """Return the figures in digits of a sentence, at most `_MAX_NUMBERS`."""
    numbers: list[Number] = []
    for at in within(marks_of(text, lexicon).digits, sentence.first, sentence.behind):
        word = text.folded[at]
        if not word[0].isdigit():
            continue
        gap = text.text[text.words[at - 1].end : text.words[at].start] if at else ""
        if numbers and numbers[-1].behind == at and gap in (".", ","):
            numbers[-1] = Number(numbers[-1].first, at + 1, f"{numbers[-1].digits}{gap.strip(',')}{word}")
        elif len(numbers) < _MAX_NUMBERS:
            numbers.append(Number(at, at + 1, word))
    return numbers


def _is_day(texts: PairTexts, number: Number) -> bool:
    """Tell whether a figure is the day of a month: "10 March", "March 10"."""
    beside = texts.draft.folded[max(0, number.first - 1) : number.behind + 1]
    return len(number.digits) < 3 and any(word in texts.lexicon.times for word in beside)


def _surroundings(
    texts: PairTexts, stems: tuple[str, ...], numbers: tuple[Number, Number], sentence: Sentence
) -> Surroundings:
    first, second = numbers
    ranges = (
        (max(sentence.first, first.first - _REACH), first.first),
        (first.behind, second.first),
        (second.behind, min(sentence.behind, second.behind + _REACH)),
    )
    parts = [frozenset(stem for stem in stems[start:end] if stem.isalpha()) for start, end in ranges]
    units = (parts[0] & parts[1]) | (parts[1] & parts[2]) | (parts[0] & parts[2])
    return Surroundings(*(part - units for part in parts))


def _are_exchanged(
    own: Surroundings, others: Surroundings, periods: frozenset[str], *, in_order: bool
) -> bool:
    """Tell whether subjects before two figures ("A 5, B 7") or after them ("5 A, 7 B") are exchanged."""
    before = _crossing((own.lead, own.between), (others.lead, others.between), periods, in_order=in_order)
    after = _crossing((own.between, own.trail), (others.between, others.trail), periods, in_order=in_order)
    return not before[0] and not after[0] and (before[1] or after[1])


Subjects = tuple[frozenset[str], frozenset[str]]


def _crossing(
    own: Subjects, others: Subjects, periods: frozenset[str], *, in_order: bool
) -> tuple[bool, bool]:
    """Tell whether a stem belongs to the same figure in both texts, and whether both figures lost theirs."""
    first, second = own[0] - own[1], own[1] - own[0]
    others = others if in_order else (others[1], others[0])
    their_first, their_second = others[0] - others[1], others[1] - others[0]
    same = bool((first & their_first | second & their_second) - periods)
    return same, bool(first & their_second and second & their_first)


def find_mixed_names(texts: PairTexts, pair: Pair) -> Iterator[Contradiction]:
    """Yield a first name and a surname that the source has of two people and never together."""
    for run in names_of(texts.draft, pair.draft, texts.lexicon):
        if run.behind - run.first != 2:
            continue
        first, last = texts.draft.folded[run.first], texts.draft.folded[run.first + 1].removesuffix("'s")
        surname, forename = texts.names.surnames.get(first), texts.names.forenames.get(last)
        if surname is None or forename is None or surname[:4] == last[:4] or forename[:4] == first[:4]:
            continue
        at = texts.source.positions[first][0]
        shown = texts.source_phrase(at, min(at + 2, len(texts.source.words)))
        yield Contradiction((run.first, run.behind), (at, at + 2), f"The source has {shown}.", shown)
