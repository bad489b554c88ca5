"""The dates that a source names, and those that follow from its day of publication."""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from functools import cached_property

from pipeline.checks.dates.calendar_days import (
    QUARTER_MONTHS,
    YEAR_MONTHS,
    dateline,
    days_of,
    make_date,
    months_of_quarter,
    shifted,
    shifted_month,
)
from pipeline.checks.dates.extract import (
    CLOCK,
    DATE,
    QUARTER,
    RELATIVE,
    WEEKDAY,
    DateMention,
    ElapsedTime,
)

_NEAR_CHARS = 400
"""Distance in characters at which a span of time counts from a day named before it. Chosen, not measured."""
_BESIDE_CHARS = 40
"""Distance in characters at which a span of time counts from a day named after it. Chosen, not measured."""
_UTC_OFFSETS_H = (-10, 13)
"""Offsets from UTC of Hawaii and New Zealand, the outermost of many people. Source: IANA time zones."""
_FIRST_YEAR, _LAST_YEAR = 1500, 2099
"""Years of publication from which days can be reckoned. Chosen, not measured."""
_WEEK_DAYS = 7
_DAYS_PER_UNIT = {"day": 1, "week": 7}
HALF_DAY_MINUTES = 720


class SourceDates:
    """The dates that a source names, and those that follow from its day of publication.

    `published` at an offset of zero is of an unknown place: the days before and after may be its day as well.
    Without it, a full date at the beginning of the source takes its place.
    """

    def __init__(
        self,
        mentions: Sequence[DateMention],
        elapsed: Sequence[ElapsedTime] = (),
        published: datetime | None = None,
    ) -> None:
        self._mentions = mentions
        self._elapsed = elapsed
        if published and not _FIRST_YEAR <= published.year <= _LAST_YEAR:
            published = None
        self.reference_day = published.date() if published else dateline(mentions)
        """The day that relative dates count from."""
        self.published = published
        self._slack = 1 if published and not published.utcoffset() else 0

    def numbers(self, kind: str) -> set[int]:
        """Return the numbers of all mentions of one kind."""
        return self._numbers.get(kind, set())

    @cached_property
    def _numbers(self) -> dict[str, set[int]]:
        numbers: dict[str, set[int]] = {}
        for mention in self._mentions:
            numbers.setdefault(mention.kind, set()).add(mention.number)
        if nights := self._implied(WEEKDAY):
            numbers.setdefault(WEEKDAY, set()).update(nights)
        return numbers

    @cached_property
    def local_days(self) -> set[date]:
        """Return the days that it can be where the publisher is, at the time of publication."""
        if self.published is None or not self._slack:
            return {self.reference_day} if self.reference_day else set()
        west, east = _UTC_OFFSETS_H
        return {(self.published + timedelta(hours=hours)).date() for hours in (west, 0, east)}

    @cached_property
    def publication_days(self) -> set[date]:
        """Return the days that a draft may give as that of publication; none where it is unknown."""
        if self.reference_day is None:
            return set()
        return {self.reference_day + timedelta(days=off) for off in range(-self._slack, self._slack + 1)}

    @cached_property
    def days(self) -> set[tuple[int, int]]:
        """Return (month, day) of each day that the source names or implies."""
        named = {(month, day) for mention in self._mentions for month, day in days_of(mention)}
        named |= {divmod(number, 100) for number in self._implied("date")}
        return named | {(day.month, day.day) for day in self.resolved_days}

    @cached_property
    def months(self) -> set[int]:
        """Return the months that the source names or implies."""
        return self.certain_months | {mention.month for mention in self._mentions if mention.month}

    @cached_property
    def named_months(self) -> set[int]:
        """Return the months that the source names for sure."""
        return {mention.month for mention in self._mentions if mention.month and mention.certain}

    @cached_property
    def certain_months(self) -> set[int]:
        """Return the months without words such as "may" that are none for sure."""
        months = self.named_months | {month for month, _ in self.days}
        quarters = self.numbers(QUARTER) | self._quarters
        months |= {month for quarter in quarters for month in months_of_quarter(quarter)}
        months |= self._implied("month")
        if self.reference_day is None:
            return months
        steps = self.steps("month") | self.elapsed_steps("month")
        return months | {shifted_month(self.reference_day.month, step) for step in steps}

    def elapsed_steps(self, unit: str) -> set[int]:
        """Return the distances in a unit of "two months ago" and the like: -2."""
        return self._elapsed_by_unit.get(unit, set())

    @cached_property
    def _elapsed_by_unit(self) -> dict[str, set[int]]:
        by_unit: dict[str, set[int]] = {}
        for each in self._elapsed:
            if each.relation != "at":
                by_unit.setdefault(each.unit, set()).add(each.number)
        return by_unit

    @cached_property
    def years(self) -> set[int]:
        """Return the years that the source names or implies, its own year included."""
        return self._named_years | self._implied_years

    @cached_property
    def _named_years(self) -> set[int]:
        named = {mention.year for mention in self._mentions if mention.year}
        return named | {each.last for each in self._mentions if each.kind == DATE and each.last > 0}

    @cached_property
    def _implied_years(self) -> set[int]:
        """Return the source's own year, and those that a span of time or a month without a year implies."""
        if self.reference_day is None:
            return self.reckoned_years
        own_year, own_month = self.reference_day.year, self.reference_day.month
        years = self.reckoned_years | {day.year for day in self.resolved_days} | {own_year}
        undated = {each.month for each in self._mentions if each.month and not each.year and each.certain}
        years |= {own_year - 1 for month in undated if month > own_month}
        years |= {own_year + 1 for month in undated if month < own_month}
        return years

    @cached_property
    def reckoned_years(self) -> set[int]:
        """Return the years that lie a named span of time from another year or from publication."""
        years = {base + step for base, step in self._year_steps()}
        if self.reference_day is None:
            return years
        return years | {self.reference_day.year + number for number in self.steps("year") if number}

    def _year_steps(self) -> Iterator[tuple[int, int]]:
        """Yield (year, years from it) of each span of years, from publication or from a year named before."""
        for each in self._elapsed:
            step = {"year": 1, "decade": 10}.get(each.unit, 0) * each.number
            if step and self.reference_day and each.relation != "later":
                yield self.reference_day.year, step
            before = self._mention_before(each) if step and each.relation in ("earlier", "later") else None
            if before and before.year:
                yield before.year, step

    def _mention_before(self, elapsed: ElapsedTime) -> DateMention | None:
        """Return the last full or partial date before a span of time, if it is near."""
        at = bisect_left(self._dates, elapsed.start, key=lambda mention: mention.start) - 1
        near = at >= 0 and elapsed.start - self._dates[at].end < _NEAR_CHARS
        return self._dates[at] if near else None

    @cached_property
    def _dates(self) -> list[DateMention]:
        return [mention for mention in self._mentions if mention.kind in (DATE, WEEKDAY) and mention.certain]

    @cached_property
    def weekdays(self) -> set[int]:
        """Return the weekdays that the source names, and those of the days that it names or implies."""
        days = self.local_days | self.implied_days | self.full_dates
        return self.numbers(WEEKDAY) | {day.weekday() for day in days}

    def _implied(self, unit: str) -> set[int]:
        """Return the numbers of the words that imply a month, a day or an hour."""
        return {each.number for each in self._elapsed if each.relation == "at" and each.unit == unit}

    @cached_property
    def resolved_days(self) -> set[date]:
        """Return the days that the source implies, those of its publication included."""
        return self.publication_days | self.implied_days

    @cached_property
    def implied_days(self) -> set[date]:
        """Return the days that weekdays and words such as "yesterday" and "two days later" can mean."""
        near = {day for weekday in self.numbers(WEEKDAY) for day in self._days_of_weekday(weekday)}
        relative = {day for step in self.steps("day") for day in shifted(self.local_days, step)}
        counted = (*self._elapsed_days(near), *self._days_of_months(), *self._days_of_weeks())
        return near | relative | set(counted)

    def _days_of_weeks(self) -> Iterator[date]:
        """Yield the Sunday and Monday that weeks such as "next week" begin with: "the week of 15 May"."""
        for step in self.steps("week") - {0}:
            for day in shifted(self.local_days, step * _WEEK_DAYS):
                monday = day - timedelta(days=day.weekday())
                yield from (monday - timedelta(days=1), monday)

    def _days_of_months(self) -> Iterator[date]:
        """Yield the days that "the 1st of next month" and the like mean."""
        for number in self._implied("day of month") if self.reference_day else ():
            step, day = divmod(number, 100)
            month = self.reference_day.month - 1 + step if self.reference_day else 0
            year = self.reference_day.year + month // YEAR_MONTHS if self.reference_day else 0
            yield from (made for made in (make_date(year, month % YEAR_MONTHS + 1, day),) if made)

    def _days_of_weekday(self, weekday: int) -> set[date]:
        """Return the days of a weekday up to six days from publication; up to 13 with "next week"."""
        if self.reference_day is None:
            return set()
        weeks = self.steps("week")
        past = _WEEK_DAYS * (2 if -1 in weeks else 1) - 1 + self._slack
        future = _WEEK_DAYS * (2 if 1 in weeks else 1) - 1 + self._slack
        days = (self.reference_day + timedelta(days=offset) for offset in range(-past, future + 1))
        return {day for day in days if day.weekday() == weekday}

    def _elapsed_days(self, near: set[date]) -> Iterator[date]:
        """Yield the days that lie a named span of days or weeks from publication or from a day before it."""
        for each in self._elapsed:
            if each.unit not in _DAYS_PER_UNIT or each.relation == "at":
                continue
            bases = set() if each.relation == "later" else self.local_days
            before = self._mention_before(each) if each.relation in ("earlier", "later") else None
            if before and before.kind == WEEKDAY:
                bases = bases | {day for day in near if day.weekday() == before.number}
            elif before:
                bases = bases | set(self._dates_of(before))
            if each.relation in ("earlier", "later"):
                bases = bases | self._days_after(each)
            yield from shifted(bases, each.number * _DAYS_PER_UNIT[each.unit])

    def _days_after(self, elapsed: ElapsedTime) -> set[date]:
        """Return the days right after a span of time, as in "two days before Christmas"."""
        limit, days = elapsed.start + _BESIDE_CHARS, set[date]()
        at = bisect_left(self._dates, elapsed.start, key=lambda mention: mention.start)
        for mention in self._dates[at : at + 1]:
            if mention.start <= limit:
                days |= set(self._dates_of(mention))
        at = bisect_left(self._feasts, (elapsed.start, 0))
        for start, number in self._feasts[at : at + 1]:
            if start <= limit:
                days |= set(self.possible_dates(*divmod(number, 100)))
        return days

    @cached_property
    def _feasts(self) -> list[tuple[int, int]]:
        """Return (position, 100 times the month plus the day) of the words that imply a day of the year."""
        implied = (each for each in self._elapsed if each.unit == "date" and each.relation == "at")
        return sorted((each.start, each.number) for each in implied)

    @cached_property
    def full_dates(self) -> set[date]:
        """Return the days named with a month; those without a year where it follows from publication."""
        named = (each for each in self._mentions if each.year or self.reference_day)
        return {day for mention in named for day in self._dates_of(mention)}

    def _dates_of(self, mention: DateMention) -> Iterator[date]:
        for month, day in days_of(mention):
            yield from self.possible_dates(month, day, mention.year)

    def possible_dates(self, month: int, day: int, year: int = 0) -> list[date]:
        """Return the dates that a day of the year can be: without a year, the one nearest to publication.

        Without a day of publication, it is in one of the years that the source writes with that day.
        """
        if year:
            return [date for date in (make_date(year, month, day),) if date]
        if self.reference_day is None:
            years = self.years_written.get((month, day), set())
            return [made for each in years if (made := make_date(each, month, day))]
        around = (make_date(self.reference_day.year + step, month, day) for step in (-1, 0, 1))
        reference = self.reference_day
        dates = sorted((each for each in around if each), key=lambda each: abs(each - reference))
        return dates[:1]

    @property
    def _quarters(self) -> set[int]:
        """Return the quarters that "this", "last" and "next quarter" of the source mean."""
        if self.reference_day is None:
            return set()
        current = (self.reference_day.month - 1) // QUARTER_MONTHS
        return {(current + number) % 4 + 1 for number in self.steps("quarter")}

    def steps(self, unit: str) -> set[int]:
        """Return the offsets of the relative dates of a unit: -1 for "last week"."""
        return self._steps_by_unit.get(unit, set())

    @cached_property
    def _steps_by_unit(self) -> dict[str, set[int]]:
        by_unit: dict[str, set[int]] = {}
        for mention in self._mentions:
            if mention.kind == RELATIVE:
                by_unit.setdefault(mention.unit, set()).add(mention.number)
        return by_unit

    @cached_property
    def years_written(self) -> dict[tuple[int, int], set[int]]:
        """Return (month, day) → the years that the source writes with it, 0 for none; day 0 for any day."""
        years: dict[tuple[int, int], set[int]] = {}
        for mention in self._mentions:
            if mention.month and mention.certain:
                for place in ((mention.month, 0), *days_of(mention)):
                    years.setdefault(place, set()).add(mention.year)
        return years

    @cached_property
    def clocks(self) -> set[int]:
        """Return the minutes of the half day that the source names or implies."""
        mentions = [mention for mention in self._mentions if mention.kind == CLOCK]
        minutes = {each.number for each in mentions} | {each.last for each in mentions if each.last >= 0}
        minutes |= self._implied(CLOCK)
        return {minute % HALF_DAY_MINUTES for minute in minutes}
