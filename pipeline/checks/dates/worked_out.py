"""Tells whether a date of the draft is worked out of a date of the source and a span of time beside it."""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from datetime import timedelta
from functools import cached_property

from pipeline.checks.dates.extract import CLOCK, DATE, DateMention, Duration, ElapsedTime
from pipeline.checks.dates.lexicon import DateLexicon
from pipeline.checks.dates.source_dates import HALF_DAY_MINUTES, SourceDates

_NEAR_CHARS = 600
"""Characters between a date and a span of time that may be reckoned together. Chosen, not measured."""
_BESIDE_CHARS = 150
"""The same for a day, which has more near it by chance. Chosen, not measured."""
_MAX_BASES = 8
"""Dates beside a span of time that it may be reckoned from. Chosen, not measured."""
_ROUGH_MINUTES = 20
"""Minutes between an hour told as a rough one and the real one. Chosen, not measured."""
_MAX_AGE_YEARS = 1
"""Years by which the year of a birth may differ from the difference. A birthday is within the year."""
_CONTEXT_CHARS = 24
Evidence = tuple[tuple[int, int], ...]


class WorkedOutDates:
    """The hours, days and years that follow from the dates and the spans of time of a source."""

    def __init__(
        self,
        source: SourceDates,
        mentions: Sequence[DateMention],
        elapsed: Sequence[ElapsedTime],
        durations: Sequence[Duration],
    ) -> None:
        self._source = source
        self._dates = [each for each in mentions if each.kind == DATE and each.certain]
        clocks = [
            (each.start, each.number, (each.start, each.end)) for each in mentions if each.kind == CLOCK
        ]
        implied = [(each.start, each.number, None) for each in elapsed if each.unit == CLOCK]
        self._clocks = sorted([*clocks, *implied], key=lambda clock: clock[0])
        self._durations = durations

    def evidence(self, claim: DateMention) -> Evidence | None:
        """Return the places that a date is worked out of; None where it does not follow from any."""
        if claim.kind == CLOCK and claim.last < 0:
            return self._minutes.get(claim.number % HALF_DAY_MINUTES)
        if claim.kind != DATE or claim.last > 0:
            return None
        if claim.days:
            days = [(claim.month, day) for day in claim.days]
            places = [self._days.get(day) for day in days if day not in self._source.days]
            is_worked_out = bool(places) and all(places)
            return tuple(place for each in places for place in each or ()) if is_worked_out else None
        return None if claim.month else self._years.get(claim.year)

    def is_rounded(self, claim: DateMention, text: str, lexicon: DateLexicon) -> bool:
        """Tell whether a draft calls an hour a rough one that is near a real one: "shortly after 8 p.m."."""
        if claim.kind != CLOCK:
            return False
        before = text[max(0, claim.start - _CONTEXT_CHARS) : claim.start].lower()
        rough = range(1, _ROUGH_MINUTES + 1)
        steps: list[int] = [*rough] if lexicon.after.search(before) else []
        steps += [-step for step in rough] if lexicon.before.search(before) else []
        steps += [*rough, *(-step for step in rough)] if lexicon.about.search(before) else []
        real = self._source.clocks | self._minutes.keys()
        return any((claim.number + step) % HALF_DAY_MINUTES in real for step in steps)

    @cached_property
    def _minutes(self) -> dict[int, Evidence]:
        """Return minutes of the half day that are a span from an hour near it → the evidence."""
        starts = [start for start, _, _ in self._clocks]
        minutes: dict[int, Evidence] = {}
        for span in (each for each in self._durations if each.unit == "minute"):
            for at in _near(starts, span.start):
                _, number, place = self._clocks[at]
                evidence = ((span.start, span.end), *((place,) if place else ()))
                for minute in (number + span.number, number - span.number):
                    minutes.setdefault(minute % HALF_DAY_MINUTES, evidence)
        return minutes

    @cached_property
    def _days(self) -> dict[tuple[int, int], Evidence]:
        """Return (month, day) that is a span from a day near it, or the last day of it → the evidence."""
        days: dict[tuple[int, int], Evidence] = {}
        for span, mention in self._pairs("day"):
            if not mention.month or not mention.days or abs(mention.start - span.start) > _BESIDE_CHARS:
                continue
            for day in (mention.days[0], mention.days[-1]):
                for base in self._source.possible_dates(mention.month, day, mention.year):
                    for step in (span.number, span.number - 1, -span.number, 1 - span.number):
                        moved = base + timedelta(days=step)
                        days.setdefault((moved.month, moved.day), _places(span, mention))
        return days

    @cached_property
    def _years(self) -> dict[int, Evidence]:
        """Return years that are a span from a year near it, or before publication → the evidence."""
        years: dict[int, Evidence] = {}
        for span in (each for each in self._durations if each.unit == "year"):
            if self._source.reference_day:
                year = self._source.reference_day.year - span.number
                for back in range(_MAX_AGE_YEARS + 1):
                    years.setdefault(year - back, ((span.start, span.end),))
        for span, mention in self._pairs("year"):
            for year in (mention.year + span.number, mention.year - span.number) if mention.year else ():
                years.setdefault(year, _places(span, mention))
        return years

    def _pairs(self, unit: str) -> Iterator[tuple[Duration, DateMention]]:
        starts = [mention.start for mention in self._dates]
        for span in self._durations:
            if span.unit == unit:
                yield from ((span, self._dates[at]) for at in _near(starts, span.start))


def _near(starts: Sequence[int], position: int) -> range:
    """Return the indexes of the nearest positions on either side."""
    at = bisect_left(starts, position)
    first, last = at, at
    while first > 0 and at - first < _MAX_BASES and position - starts[first - 1] <= _NEAR_CHARS:
        first -= 1
    while last < len(starts) and last - at < _MAX_BASES and starts[last] - position <= _NEAR_CHARS:
        last += 1
    return range(first, last)


def _places(span: Duration, mention: DateMention) -> Evidence:
    return (span.start, span.end), (mention.start, mention.end)
