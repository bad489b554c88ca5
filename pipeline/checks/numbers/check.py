"""Kinds `figure` and `place`: figures that the source does not bear out, or has of something else."""

from collections.abc import Callable, Sequence
from functools import cached_property

from pipeline.checks.dates.extract import date_spans
from pipeline.checks.numbers.compare import Match, match_numbers
from pipeline.checks.numbers.context import (
    ContextIndex,
    SourceContexts,
    better_context,
    is_swapped,
    is_unambiguous,
)
from pipeline.checks.numbers.derive import Derivation, SourceNumbers, find_derivation
from pipeline.checks.numbers.extract import Score, extract_numbers, scores, shares
from pipeline.checks.numbers.lexicon import Lexicon, lexicon
from pipeline.checks.numbers.models import FRACTION, GROUP, MULTIPLE, ORDINAL, PLAIN, YEAR, NumberMention
from pipeline.checks.tokens import MAX_SUPPORTS, CheckInput, SupportedClaim
from pipeline.domain.models import Finding, Severity

KIND = "figure"
PLACE = "place"
_FEW = 3
"""So many, in words, a writer may have counted: a warning, no more."""


def check_numbers(case: CheckInput) -> list[Finding]:
    """Return findings about the figures of a draft.

    Block: the source has no such figure. Warn: it has it of something else, or not so exactly. Note: what can
    be worked out from it, with what from; what the writer counted.
    """
    words = lexicon(case.language)
    if words is None:
        said = f'Figures are not checked in the language "{case.language}".'
        return [Finding(kind=KIND, severity=Severity.NOTE, message=said)]
    return _Check(case, words).findings()


def trace_numbers(case: CheckInput) -> list[SupportedClaim]:
    """Return the figures of a draft that stand in the source, with the places where they do."""
    words = lexicon(case.language)
    return _Check(case, words).traced() if words else []


class _Check:
    def __init__(self, case: CheckInput, words: Lexicon) -> None:
        self._case = case
        self._words = words
        self._told = _undated(case.draft.text, case.language)
        given = _undated(case.source.text, case.language)
        self._given = SourceNumbers(given, shares(given, case.source.text, case.language))
        self._scene, source = ContextIndex(case.draft, words), ContextIndex(case.source, words)
        self._weigh = source.weigh
        self._places = SourceContexts(source, given)

    def findings(self) -> list[Finding]:
        return [found for told in self._told if (found := self._finding(told))]

    def traced(self) -> list[SupportedClaim]:
        """Return the figures that the source has, near ones first where there are several."""
        found = []
        for told in self._told:
            own = [] if told.kind == YEAR or _says_nothing(told) else self._given.like(told)
            places = [(given.start, given.end) for given in own if match_numbers(told, given)]
            if places:
                found.append(SupportedClaim(KIND, (told.start, told.end), tuple(places[:MAX_SUPPORTS])))
        return found

    @cached_property
    def _heads(self) -> set[tuple[float, str]]:
        return {(told.value, self._scene.setting(told).head) for told in self._told}

    def _text(self, told: NumberMention) -> str:
        return self._case.draft.text[told.start : told.end]

    def _finding(self, told: NumberMention) -> Finding | None:
        if told.kind in (YEAR, GROUP) or _says_nothing(told):
            return None
        score = self._scores[0].get(told.start)
        if score and self._scores[1]:
            return None if score in self._scores[1] else self._absent(told)
        bonds = [(given, found) for given in self._given.like(told) if (found := match_numbers(told, given))]
        if bonds:
            return self._placed(told, bonds)
        way = find_derivation(told, self._given, self._akin(told))
        if way:
            return self._derived(told, way)
        if told.spelled and self._counted(told):
            return self._found(
                Severity.NOTE, told, f"{self._text(told)}: counted by the writer, not the source."
            )
        return self._absent(told)

    def _absent(self, told: NumberMention) -> Finding:
        counts = told.spelled and told.kind == PLAIN and told.value <= _FEW
        severity = Severity.WARN if counts else Severity.BLOCK
        return self._found(severity, told, f"{self._text(told)} does not stand in the source.")

    @cached_property
    def _scores(self) -> tuple[dict[int, Score], set[Score]]:
        """Return the results in the draft, by place, and those in the source."""
        source = scores(self._given.own, self._case.source.text)
        return scores(self._told, self._case.draft.text), set(source.values())

    def _placed(self, told: NumberMention, bonds: Sequence[tuple[NumberMention, Match]]) -> Finding | None:
        own = [given for given, _ in bonds]
        exact = told.kind not in (FRACTION, MULTIPLE) and told.value >= 1000 * told.step
        if told.hedge and exact and not any(given.hedge for given in own):
            said = f'"{self._hedge(told)}" stands before {self._text(told)}, which the source gives as exact.'
            return self._found(Severity.WARN, told, said, own[0])
        if told.kind in (ORDINAL, FRACTION, MULTIPLE) or (told.kind == PLAIN and told.bare):
            return None
        here = self._scene.setting(told)
        mine = [self._places.of(each) for each in own]
        if is_unambiguous(here, mine, self._weigh):
            return None
        others = self._places.others(told, here, own)
        theirs = [self._places.of(each) for each in others]
        number = better_context(here, mine, theirs, self._weigh)
        if number is None:
            number = is_swapped(here, mine, list(zip(others, theirs, strict=True)), self._heads)
        if number is None:
            return None
        other = others[number]
        said = (
            f"The source has {self._text(told)} of something else; here it says "
            f"{self._case.source.text[other.start : other.end]}."
        )
        return self._found(Severity.WARN, told, said, other, own[0], kind=PLACE)

    def _hedge(self, told: NumberMention) -> str:
        before = self._case.draft.text[max(0, told.start - 30) : told.start].split()
        return next((word for word in reversed(before) if word.casefold() in self._words.hedges), told.hedge)

    def _akin(self, told: NumberMention) -> Callable[[NumberMention], bool]:
        here = self._scene.setting(told)
        if told.kind == PLAIN:
            return lambda given: bool(here.behind & self._places.of(given).near)
        return lambda given: bool(here.near & self._places.of(given).near)

    def _derived(self, told: NumberMention, way: Derivation) -> Finding:
        texts = [self._case.source.text[each.start : each.end] for each in way.operands]
        said = f"{self._text(told)} is worked out from the source: {way.said.format(*texts)}."
        return self._found(Severity.NOTE, told, said, *way.operands)

    def _counted(self, told: NumberMention) -> bool:
        """Tell whether the writer counted up what the source names: "two reasons"."""
        _, last = self._case.draft.between(told.start, told.end)
        following = self._case.draft.folded[last : last + 2]
        return told.value < 10 and any(word in self._words.counted for word in following)

    def _found(
        self, severity: Severity, told: NumberMention, said: str, *evidence: NumberMention, kind: str = KIND
    ) -> Finding:
        return Finding(
            kind=kind,
            severity=severity,
            message=said,
            span=(told.start, told.end),
            evidence=tuple((each.start, each.end) for each in evidence),
        )


def _undated(text: str, language: str) -> list[NumberMention]:
    """Return the figures of a text that are not a date's; years stay, since others are worked out of them."""
    spans = iter(date_spans(text, language))
    start, end = next(spans, (len(text), len(text)))
    left = []
    for figure in extract_numbers(text, language):
        while end <= figure.start:
            start, end = next(spans, (len(text), len(text) + 1))
        if figure.kind == YEAR or figure.end <= start:
            left.append(figure)
    return left


def _says_nothing(told: NumberMention) -> bool:
    """Tell whether a figure claims too little to be traced: "one of them"."""
    return told.value in (0, 1) and told.kind == PLAIN and told.spelled
