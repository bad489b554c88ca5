"""The numbers close to a number of the draft: in its sentences, and in the source sentences they rest on."""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from datetime import date
from functools import cached_property
from itertools import combinations

from pipeline.checks.dates.extract import DateMention, extract_dates
from pipeline.checks.numbers.models import PLAIN, TIME, YEAR, NumberMention
from pipeline.checks.pairs.align import align
from pipeline.checks.tokens import CheckInput

_DAYS = {"day": 1.0, "week": 7.0, "month": 30.44, "year": 365.25}
_SLACK = {"day": 1.0, "week": 3.5, "month": 16.0, "year": 100.0}
"""Days that a distance may differ from that of two dates: the first day may count. Chosen, not measured."""
_REACH = 2
"""Sentences of the draft on either side that are close, headings included. Chosen, not measured."""
_MAX_COMPARED_CHARS = 60
"""Characters between two amounts of which one is compared with the other. Chosen, not measured."""
_MAX_BETWEEN = 3
"""Numbers among which the compared amount is the first of its kind. Chosen, not measured."""
_ANY_YEAR = 2001
"""The year in which months without one are compared."""
_MAX_DATES = 12
"""Dates compared for one distance: keeps the work linear. Chosen, not measured."""


class Windows:
    """Finds what is close to a number of one draft, in the draft and in its source."""

    def __init__(
        self, case: CheckInput, claims: Sequence[NumberMention], source: Sequence[NumberMention]
    ) -> None:
        self._case = case
        self._claims = claims
        self._source = source

    def operands(
        self,
        claim: NumberMention,
        match: Callable[[NumberMention], Sequence[NumberMention]],
        *,
        is_wide: bool = False,
    ) -> list[NumberMention]:
        """Return the numbers of the source close to a claim, each value once.

        `match` returns the numbers of the source that a number of the draft repeats. `is_wide` adds the
        sentences a little further off in the draft, and those beside the windows in the source.
        """
        operands = self._repeated(claim, self._near(claim, _REACH + 2 * is_wide), match)
        for first, last in self.spans(claim):
            operands += _inside(self._source, first, last)
        if is_wide:
            for span in self._spans_of(self._sentence_at(claim)):
                operands += _inside(self._source, *self._with_neighbours(span))
        return list({(each.value, each.kind, each.unit): each for each in reversed(operands)}.values())[::-1]

    def own_operands(
        self, claim: NumberMention, match: Callable[[NumberMention], Sequence[NumberMention]]
    ) -> list[NumberMention]:
        """Return those in the sentence of a claim and beside it, and those in what it rests on."""
        span = self._near(claim, 1)
        return [*self._repeated(claim, span, match), *self.own(claim)]

    def _repeated(
        self,
        claim: NumberMention,
        span: tuple[int, int],
        match: Callable[[NumberMention], Sequence[NumberMention]],
    ) -> list[NumberMention]:
        """Return the numbers of the source that the draft repeats in a span, with the draft's units.

        Beside each of them is what the source compares it with: "to $1.5bn from $1.6bn".
        """
        repeated = [
            (each, found)
            for each in _inside(self._claims, *span)
            if each.start != claim.start
            for found in match(each)[:1]
        ]
        return [
            *(_as_drafted(each, found) for each, found in repeated),
            *(other for _, found in repeated for other in self._compared(found)),
        ]

    def _compared(self, mention: NumberMention) -> list[NumberMention]:
        """Return the numbers of the same kind right before and after one of the source."""
        at = bisect_left(self._source, mention.start, key=lambda each: each.start)
        sides = (
            self._source[max(0, at - _MAX_BETWEEN) : at][::-1],
            self._source[at + 1 : at + 1 + _MAX_BETWEEN],
        )
        alike = (
            next((each for each in side if (each.kind, each.unit) == (mention.kind, mention.unit)), None)
            for side in sides
        )
        return [
            each
            for each in alike
            if each is not None
            and mention.kind != PLAIN
            and max(each.start - mention.end, mention.start - each.end) <= _MAX_COMPARED_CHARS
        ]

    def own(self, claim: NumberMention) -> list[NumberMention]:
        """Return the numbers of the source sentences that the sentence of a claim rests on."""
        at = self._sentence_at(claim)
        is_heading = self._case.draft.text.startswith("#", self._case.draft.sentences[at][0])
        spans = [*self._spans_of(at), *(self._spans_of(at + 1) if is_heading else ())]
        return [each for span in spans for each in _inside(self._source, *span)]

    def spans(self, claim: NumberMention) -> list[tuple[int, int]]:
        """Return the source sentences that the sentence of a claim and its neighbours rest on, own first."""
        at = self._sentence_at(claim)
        return list(dict.fromkeys(span for each in (at, at - 1, at + 1) for span in self._spans_of(each)))

    def find_dates(self, claim: NumberMention) -> tuple[DateMention, ...]:
        """Return two close dates of the source that are as far apart as a time of the draft."""
        if claim.kind != TIME or claim.unit not in _DAYS:
            return ()
        days = claim.value * _DAYS[claim.unit]
        dates = self._dates(claim)
        for (first, day), (second, other) in combinations(dates, 2):
            apart = abs((day - other).days) + _last_month(first, second)
            if abs(apart - days) <= self._slack(claim, days):
                return tuple(each for each in (first, second) if each is not None)
        return ()

    def find_half_of_year(self, number: float) -> tuple[DateMention, ...]:
        """Return the first and the last month of a half of a year, where the source names both."""
        months = {each.month: each for each in reversed(self._source_dates) if not each.days}
        edges = (1, 6) if number == 1 else (7, 12)
        return tuple(months[month] for month in edges) if all(month in months for month in edges) else ()

    @staticmethod
    def _slack(claim: NumberMention, days: float) -> float:
        """Return the days that a distance may differ from that of two dates."""
        if claim.unit in ("day", "week") and not claim.hedge:
            return 1.0
        return min(_SLACK[claim.unit], max(1.0, 0.12 * days))

    def _dates(self, claim: NumberMention) -> list[tuple[DateMention | None, date]]:
        """Return the dates of the source close to a claim, those the draft has there too, and its own day."""
        start, end = self._near(claim)
        near = [each for each in self._draft_dates if start <= each.start < end]
        days = {(each.month, day) for each in near for day in each.days}
        spans = self.spans(claim)
        published = self._case.published
        mentions = [
            each
            for each in self._source_dates
            if any(first <= each.start < last for first, last in spans)
            or any((each.month, day) in days for day in each.days)
        ]
        year = published.year if published else next((each.year for each in mentions if each.year), _ANY_YEAR)
        dates: list[tuple[DateMention | None, date]] = []
        for mention in mentions[:_MAX_DATES]:
            dates += [(mention, day) for day in _days_of(mention, year)]
        return [*dates, (None, published.date())] if published else dates

    @cached_property
    def _draft_dates(self) -> list[DateMention]:
        return [each for each in extract_dates(self._case.draft.text, self._case.language) if each.month]

    @cached_property
    def _source_dates(self) -> list[DateMention]:
        return [each for each in extract_dates(self._case.source.text, self._case.language) if each.month]

    def _with_neighbours(self, span: tuple[int, int]) -> tuple[int, int]:
        """Return a sentence of the source with two before and after it."""
        sentences = self._case.source.sentences
        at = bisect_left(sentences, span)
        return sentences[max(0, at - 2)][0], sentences[min(len(sentences) - 1, at + 2)][1]

    def _near(self, claim: NumberMention, reach: int = _REACH) -> tuple[int, int]:
        """Return the span of the sentence of a claim with so many on either side."""
        sentences, at = self._case.draft.sentences, self._sentence_at(claim)
        return sentences[max(0, at - reach)][0], sentences[min(len(sentences) - 1, at + reach)][1]

    def _sentence_at(self, claim: NumberMention) -> int:
        return max(0, bisect_right(self._sentence_starts, claim.start) - 1)

    @cached_property
    def _sentence_starts(self) -> list[int]:
        return [start for start, _ in self._case.draft.sentences]

    def _spans_of(self, at: int) -> list[tuple[int, int]]:
        sentences = self._case.draft.sentences
        return self._aligned.get(sentences[at][0], []) if 0 <= at < len(sentences) else []

    @cached_property
    def _aligned(self) -> dict[int, list[tuple[int, int]]]:
        alignment = align(self._case.draft, self._case.source, self._case.language)
        pairs = alignment.pairs if alignment else ()
        return {pair.draft.start: [(each.start, each.end) for each in pair.window] for pair in pairs}


def _last_month(first: DateMention | None, second: DateMention | None) -> float:
    """Return the days of a month for two months without a day: both belong to what they are the ends of."""
    return _DAYS["month"] if first and second and not first.days and not second.days else 0.0


def _days_of(mention: DateMention, year: int) -> list[date]:
    """Return the days of a date; the middle of a month without a day."""
    days = mention.days or (15,)
    try:
        return [date(mention.year or year, mention.month, day) for day in days]
    except ValueError:
        return []


def _inside(mentions: Sequence[NumberMention], start: int, end: int) -> list[NumberMention]:
    """Return the numbers of a sorted list within a span, years excluded."""
    first = bisect_left(mentions, start, key=lambda each: each.start)
    inside = []
    for mention in mentions[first:]:
        if mention.start >= end:
            break
        if mention.kind != YEAR:
            inside.append(mention)
    return inside


def _as_drafted(mention: NumberMention, repeated: NumberMention) -> NumberMention:
    """Return a number of the source with the value and unit that the draft gives it."""
    if mention.kind in (repeated.kind, PLAIN):
        return repeated
    return mention._replace(start=repeated.start, end=repeated.end)
