"""Tells whether a source names or implies a date of the draft."""

from functools import cached_property

from pipeline.checks.dates.calendar_days import (
    QUARTER_MONTHS,
    YEAR_MONTHS,
    months_of_quarter,
    shifted,
    shifted_month,
)
from pipeline.checks.dates.extract import CLOCK, DATE, DECADE, QUARTER, SEASON, WEEKDAY, DateMention
from pipeline.checks.dates.lexicon import END_OF
from pipeline.checks.dates.source_dates import HALF_DAY_MINUTES, SourceDates

_SEASON_MONTHS = ((3, 5), (6, 9), (9, 11), (12, 14))
"""First and last month of each season of the northern half of the world; month 13 is January."""
_WEEK_RANGES = {-1: (-14, 0), 0: (-6, 7), 1: (1, 15)}
"""Half-open ranges of days from publication that can be in the week before, of and after it."""


class DateSupport:
    """The rules by which the dates of a source support those of a draft."""

    def __init__(self, source: SourceDates) -> None:
        self._source = source

    def supports(self, claim: DateMention) -> bool:
        """Tell whether the source names or implies a date of the draft."""
        source = self._source
        if claim.kind == WEEKDAY:
            return claim.number in source.weekdays
        if claim.kind == DATE:
            turned = claim._replace(days=(claim.month,), month=claim.days[0]) if claim.swappable else claim
            return self._supports_date(claim) or self._supports_date(turned)
        if claim.kind == CLOCK:
            minutes = (claim.number, claim.last) if claim.last >= 0 else (claim.number,)
            return all(minute % HALF_DAY_MINUTES in source.clocks for minute in minutes)
        if claim.kind in (QUARTER, SEASON):
            return self._supports_period(claim) and (not claim.year or claim.year in source.years)
        if claim.kind == DECADE:
            # A decade without its century may be of any.
            forms = {claim.year // 10, claim.year % 100 // 10}
            return any(year // 10 in forms for year in source.years)
        return self._supports_relative(claim)

    def _supports_period(self, claim: DateMention) -> bool:
        if claim.number in self._source.numbers(claim.kind):
            return True
        if claim.kind == QUARTER:
            return bool(self._source.certain_months & set(months_of_quarter(claim.number)))
        # "next spring" is not that of publication.
        own = set() if claim.unit else {day.month for day in self._source.publication_days}
        first, last = _SEASON_MONTHS[claim.number - 1]
        return bool(
            (self._months_of_words | own) & {shifted_month(month, 0) for month in range(first, last + 1)}
        )

    def _supports_date(self, claim: DateMention) -> bool:
        years = self._source.years
        if (claim.year and claim.year not in years) or (claim.last > 0 and claim.last not in years):
            return False
        if not claim.month:
            return True
        if claim.days:
            named = all((claim.month, day) in self._source.days for day in claim.days)
            return named and self._year_agrees(claim)
        return claim.month in self._source.months and self._year_agrees(claim)

    def _year_agrees(self, claim: DateMention) -> bool:
        """Tell whether the year of a claim is no other than the source writes with that day or month."""
        if not claim.year or claim.year in self._source.reckoned_years:
            return True
        day = claim.days[0] if claim.days else 0
        written = self._source.years_written.get((claim.month, day))
        if not written or 0 in written or claim.year in written:
            return True
        return (claim.year, claim.month, day) in self._resolved

    @cached_property
    def _resolved(self) -> set[tuple[int, int, int]]:
        """Return (year, month, day) of the days that the source implies, and with day 0 their months."""
        days = self._source.resolved_days
        return {(day.year, day.month, number) for day in days for number in (0, day.day)}

    def _supports_relative(self, claim: DateMention) -> bool:
        steps = self._source.steps(claim.unit)
        if claim.number in steps or claim.number in self._source.elapsed_steps(claim.unit):
            return True
        if claim.number == 0 and claim.unit == "year":
            return True  # most news is about its own year without naming it
        if claim.number == END_OF and claim.unit == "year":
            return YEAR_MONTHS in self._source.months
        if claim.number not in (-1, 0, 1):
            return False
        if claim.number == 0 and self._source.published and not steps:
            return True  # what is published now is about this week, month or season
        return self._is_in_unit(claim.unit, claim.number)

    def _is_in_unit(self, unit: str, step: int) -> bool:
        """Tell whether a day, month or year of the source is in the unit so many steps from publication."""
        source, reference = self._source, self._source.reference_day
        if reference is None:
            return False
        if unit == "day":
            days = shifted(source.local_days, step)
            return any(
                day.weekday() in source.weekdays or (day.month, day.day) in source.days for day in days
            )
        if unit == "year":
            return step != 0 and reference.year + step in source.years
        if unit == "month":
            return shifted_month(reference.month, step) in self._months_of_words
        if unit in ("week", "weekend"):
            return bool(self._distances & set(range(*_WEEK_RANGES[step])))
        quarter = ((reference.month - 1) // QUARTER_MONTHS + step) % 4 + 1
        return unit == "quarter" and quarter in source.numbers(QUARTER)

    @cached_property
    def _months_of_words(self) -> set[int]:
        """Return the months of the source's own words, without that of publication."""
        return self._source.named_months | {day.month for day in self._source.implied_days}

    @cached_property
    def _distances(self) -> set[int]:
        """Return the distances in days from publication of the days of the source's own words."""
        reference = self._source.reference_day
        days = self._source.implied_days | self._source.full_dates
        return {(day - reference).days for day in days} if reference else set()
