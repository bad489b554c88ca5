"""The dates that a source names, and those that follow from its day of publication."""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta
from functools import cached_property

from pipeline.checks.dates.extract import (
    CLOCK,
    DATE,
    DECADE,
    QUARTER,
    RELATIVE,
    SEASON,
    WEEKDAY,
    DateMention,
    ElapsedTime,
)
from pipeline.checks.dates.lexicon import END_OF

_DATELINE_CHARS = 200
"""Characters at the beginning of a source in which a full date is its day. Chosen, not measured."""
_NEAR_CHARS = 400
"""Distance in characters at which a span of time counts from a day named before it. Chosen, not measured."""
_UTC_OFFSETS_H = (-10, 13)
"""Offsets from UTC of Hawaii and New Zealand, the outermost of many people. Source: IANA time zones."""
_WEEK_DAYS, _QUARTER_MONTHS, _YEAR_MONTHS = 7, 3, 12
_DAYS_PER_UNIT = {"day": 1, "week": 7, "month": 30.44, "year": 365.25, "decade": 3652.5}
_HALF_DAY_MINUTES = 720
_SEASON_MONTHS = ((2, 6), (5, 9), (8, 12), (11, 15))
"""First and last month of each season, a month of grace on either side; month 13 is January."""


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
        self.reference_day = published.date() if published else _dateline(mentions)
        """The day that relative dates count from."""
        self._published = published
        self._slack = 1 if published and not published.utcoffset() else 0

    def numbers(self, kind: str) -> set[int]:
        """Return the numbers of all mentions of one kind."""
        return {mention.number for mention in self._mentions if mention.kind == kind}

    @cached_property
    def local_days(self) -> set[date]:
        """Return the days that it can be where the publisher is, at the time of publication."""
        if self._published is None or not self._slack:
            return {self.reference_day} if self.reference_day else set()
        west, east = _UTC_OFFSETS_H
        return {(self._published + timedelta(hours=hours)).date() for hours in (west, 0, east)}

    @cached_property
    def publication_days(self) -> set[date]:
        """Return the days that a draft may give as that of publication; none where it is unknown."""
        if self.reference_day is None:
            return set()
        return {self.reference_day + timedelta(days=off) for off in range(-self._slack, self._slack + 1)}

    @cached_property
    def days(self) -> set[tuple[int, int]]:
        """Return (month, day) of each day that the source names or implies."""
        named = {(month, day) for mention in self._mentions for month, day in _days_of(mention)}
        return named | {(day.month, day.day) for day in self.resolved_days}

    @cached_property
    def months(self) -> set[int]:
        """Return the months that the source names or implies."""
        return self._certain_months | {mention.month for mention in self._mentions if mention.month}

    @cached_property
    def _certain_months(self) -> set[int]:
        """Return the months without words such as "may" that are none for sure."""
        months = {mention.month for mention in self._mentions if mention.month and mention.certain}
        months |= {month for month, _ in self.days}
        quarters = self.numbers(QUARTER) | self._quarters
        months |= {month for quarter in quarters for month in _months_of_quarter(quarter)}
        months |= {each.number for each in self._elapsed if (each.relation, each.unit) == ("at", "month")}
        if self.reference_day is None:
            return months
        steps = self._steps("month") | self._elapsed_months
        return months | {_shifted_month(self.reference_day.month, step) for step in steps}

    @property
    def _elapsed_months(self) -> set[int]:
        return {each.number for each in self._elapsed if each.unit == "month" and each.relation != "at"}

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
            return self._reckoned_years
        years, own_year, own_month = (
            set(self._reckoned_years),
            self.reference_day.year,
            self.reference_day.month,
        )
        undated = {each.month for each in self._mentions if each.month and not each.year and each.certain}
        years |= {own_year - 1 for month in undated if month > own_month}
        years |= {own_year + 1 for month in undated if month < own_month}
        return years | {day.year for day in self.resolved_days} | {own_year}

    @cached_property
    def _reckoned_years(self) -> set[int]:
        """Return the years that lie a named span of time from another year or from publication."""
        years = {base + step for base, step in self._year_steps()}
        if self.reference_day is None:
            return years
        return years | {self.reference_day.year + number for number in self._steps("year") if number}

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
        days = self.local_days | self._told_days | self._full_dates
        return self.numbers(WEEKDAY) | {day.weekday() for day in days}

    @cached_property
    def resolved_days(self) -> set[date]:
        """Return the days of publication, and those that weekdays and words such as "yesterday" can mean."""
        return self.publication_days | self._told_days

    @cached_property
    def _told_days(self) -> set[date]:
        near = {day for weekday in self.numbers(WEEKDAY) for day in self._days_of_weekday(weekday)}
        relative = {day for step in self._steps("day") for day in _shifted(self.local_days, step)}
        return near | relative | set(self._elapsed_days(near))

    def _days_of_weekday(self, weekday: int) -> set[date]:
        """Return the days of a weekday up to six days from publication; up to 13 with "next week"."""
        if self.reference_day is None:
            return set()
        weeks = self._steps("week")
        past = _WEEK_DAYS * (2 if -1 in weeks else 1) - 1 + self._slack
        future = _WEEK_DAYS * (2 if 1 in weeks else 1) - 1 + self._slack
        days = (self.reference_day + timedelta(days=offset) for offset in range(-past, future + 1))
        return {day for day in days if day.weekday() == weekday}

    def _elapsed_days(self, near: set[date]) -> Iterator[date]:
        """Yield the days that lie a named span of days or weeks from publication or from a day before it."""
        for each in self._elapsed:
            if each.unit not in ("day", "week") or each.relation == "at":
                continue
            bases = set() if each.relation == "later" else self.local_days
            before = self._mention_before(each) if each.relation in ("earlier", "later") else None
            if before and before.kind == WEEKDAY:
                bases = bases | {day for day in near if day.weekday() == before.number}
            elif before:
                bases = bases | set(self._dates_of(before))
            yield from _shifted(bases, each.number * int(_DAYS_PER_UNIT[each.unit]))

    @cached_property
    def _full_dates(self) -> set[date]:
        """Return the days named with a month; those without a year where it follows from publication."""
        named = (each for each in self._mentions if each.year or self.reference_day)
        return {day for mention in named for day in self._dates_of(mention)}

    def _dates_of(self, mention: DateMention) -> Iterator[date]:
        for month, day in _days_of(mention):
            yield from self.possible_dates(month, day, mention.year)

    def possible_dates(self, month: int, day: int, year: int = 0) -> list[date]:
        """Return the dates that a day of the year can be: without a year, the one nearest to publication.

        Without a day of publication, it is in one of the years that the source writes with that day.
        """
        if year:
            return [found for found in (_make_date(year, month, day),) if found]
        if self.reference_day is None:
            years = self._years_written.get((month, day), set())
            return [found for each in years if (found := _make_date(each, month, day))]
        around = (_make_date(self.reference_day.year + step, month, day) for step in (-1, 0, 1))
        reference = self.reference_day
        dates = sorted((each for each in around if each), key=lambda each: abs(each - reference))
        return dates[:1]

    @property
    def _quarters(self) -> set[int]:
        """Return the quarters that "this", "last" and "next quarter" of the source mean."""
        if self.reference_day is None:
            return set()
        current = (self.reference_day.month - 1) // _QUARTER_MONTHS
        return {(current + number) % 4 + 1 for number in self._steps("quarter")}

    def _steps(self, unit: str) -> set[int]:
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
    def _years_written(self) -> dict[tuple[int, int], set[int]]:
        """Return (month, day) → the years that the source writes with it, 0 for none; day 0 for any day."""
        years: dict[tuple[int, int], set[int]] = {}
        for mention in self._mentions:
            for place in ((mention.month, 0), *_days_of(mention)) if mention.month else ():
                years.setdefault(place, set()).add(mention.year)
        return years

    @cached_property
    def clocks(self) -> set[int]:
        """Return the minutes of the half day that the source names or implies."""
        mentions = [mention for mention in self._mentions if mention.kind == CLOCK]
        minutes = {each.number for each in mentions} | {each.last for each in mentions if each.last >= 0}
        minutes |= {each.number for each in self._elapsed if each.unit == "clock"}
        return {minute % _HALF_DAY_MINUTES for minute in minutes}

    def supports(self, claim: DateMention) -> bool:
        """Tell whether the source names or implies a date of the draft."""
        if claim.kind == WEEKDAY:
            return claim.number in self.weekdays
        if claim.kind == DATE:
            turned = claim._replace(days=(claim.month,), month=claim.days[0]) if claim.swappable else claim
            return self._supports_date(claim) or self._supports_date(turned)
        if claim.kind == CLOCK:
            minutes = (claim.number, claim.last) if claim.last >= 0 else (claim.number,)
            return all(minute % _HALF_DAY_MINUTES in self.clocks for minute in minutes)
        if claim.kind in (QUARTER, SEASON):
            return self._supports_period(claim) and (not claim.year or claim.year in self.years)
        if claim.kind == DECADE:
            return any(year // 10 == claim.year // 10 for year in self.years)
        return self._supports_relative(claim)

    def _supports_period(self, claim: DateMention) -> bool:
        if claim.number in self.numbers(claim.kind):
            return True
        if claim.kind == QUARTER:
            return bool(self._certain_months & set(_months_of_quarter(claim.number)))
        first, last = _SEASON_MONTHS[claim.number - 1]
        return bool(self._certain_months & {_shifted_month(month, 0) for month in range(first, last + 1)})

    def _supports_date(self, claim: DateMention) -> bool:
        if (claim.year and claim.year not in self.years) or (claim.last > 0 and claim.last not in self.years):
            return False
        if not claim.month:
            return True
        if claim.days:
            return all((claim.month, day) in self.days for day in claim.days) and self._year_agrees(claim)
        return claim.month in self.months and self._year_agrees(claim)

    def _year_agrees(self, claim: DateMention) -> bool:
        """Tell whether the year of a claim is no other than the source writes with that day or month."""
        if not claim.year or claim.year in self._reckoned_years:
            return True
        written = self._years_written.get((claim.month, claim.days[0] if claim.days else 0))
        if not written or 0 in written or claim.year in written:
            return True
        days = (day for day in self.resolved_days if (day.year, day.month) == (claim.year, claim.month))
        return any(not claim.days or day.day in claim.days for day in days)

    def _supports_relative(self, claim: DateMention) -> bool:
        steps = self._steps(claim.unit)
        if claim.number in steps:
            return True
        if claim.number == 0 and claim.unit == "year":
            return True  # most news is about its own year without naming it
        if claim.number == END_OF and claim.unit == "year":
            return _YEAR_MONTHS in self.months
        if self.reference_day is None or claim.number not in (-1, 0, 1):
            return False
        if claim.number == 0 and self._published and not steps:
            return True  # what is published now is about this week, month or season
        return self._is_in_unit(claim.unit, claim.number)

    def _is_in_unit(self, unit: str, step: int) -> bool:
        """Tell whether a day, month or year of the source is in the unit so many steps from publication."""
        if self.reference_day is None:
            return False
        if unit == "day":
            days = _shifted(self.local_days, step)
            return any(day.weekday() in self.weekdays or (day.month, day.day) in self.days for day in days)
        if unit == "year":
            return step != 0 and self.reference_day.year + step in self.years
        if unit == "month":
            named = {each.month for each in self._mentions} | {day.month for day in self._told_days}
            return step in self._elapsed_months or _shifted_month(self.reference_day.month, step) in named
        if unit in ("week", "weekend"):
            distances = {(day - self.reference_day).days for day in self._told_days | self._full_dates}
            return bool(distances & set(range(*_WEEK_RANGES[step])))
        if unit == "quarter":
            quarter = ((self.reference_day.month - 1) // _QUARTER_MONTHS + step) % 4 + 1
            return quarter in self.numbers(QUARTER)
        return False


_WEEK_RANGES = {-1: (-14, 0), 0: (-6, 7), 1: (1, 15)}
"""Half-open ranges of days from publication that can be in the week before, of and after it."""


def _days_of(mention: DateMention) -> Iterable[tuple[int, int]]:
    """Return (month, day) of the days of a mention, with those inside a range."""
    if not mention.month or not mention.days:
        return ()
    if mention.swappable:
        return ((mention.month, mention.days[0]), (mention.days[0], mention.month))
    days = range(mention.days[0], mention.days[-1] + 1) if mention.through else mention.days
    return ((mention.month, day) for day in days)


def _months_of_quarter(quarter: int) -> range:
    return range(_QUARTER_MONTHS * (quarter - 1) + 1, _QUARTER_MONTHS * quarter + 1)


def _shifted_month(month: int, step: int) -> int:
    return (month - 1 + step) % _YEAR_MONTHS + 1


def _shifted(days: Iterable[date], step: int) -> set[date]:
    """Return days so many days later; those outside the calendar are left out."""
    shifted = set()
    for day in days:
        try:
            shifted.add(day + timedelta(days=step))
        except OverflowError:
            continue
    return shifted


def _dateline(mentions: Sequence[DateMention]) -> date | None:
    """Return the first full date at the beginning of a source."""
    for mention in mentions:
        if mention.start > _DATELINE_CHARS:
            break
        is_day = mention.kind == DATE and mention.year and len(mention.days) == 1 and not mention.swappable
        if is_day and (day := _make_date(mention.year, mention.month, mention.days[0])):
            return day
    return None


def _make_date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None
