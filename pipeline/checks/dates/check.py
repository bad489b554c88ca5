"""What a source says of time, and what follows from the day it was published. Pure.

Kind `date`: days, months, years and hours that the source does not bear out.
"""

import re
from collections.abc import Sequence
from datetime import date, timedelta
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
    extract_dates,
)
from pipeline.checks.languages import language_table
from pipeline.checks.tokens import CheckInput
from pipeline.domain.models import Finding, Severity

_DATELINE = 200
"""Characters at the beginning of a source in which a whole date stands for the day of the text."""
_WEEK = 7


class SourceDates:
    """The times of a source."""

    def __init__(self, every: Sequence[DateMention], published: date | None, ago: frozenset[int]) -> None:
        self._every = every
        self._ago = ago
        self.day = published or _dateline(every)
        """The day that relative dates count from."""

    def of(self, kind: str) -> set[int]:
        """Return the numbers of a kind of date that the source tells."""
        return {one.number for one in self._every if one.kind == kind}

    @cached_property
    def days(self) -> set[tuple[int, int]]:
        """Return (month, day) of each day that the source names, or means by another word."""
        told = {(one.month, day) for one in self._every if one.month for day in one.days}
        return told | {(day.month, day.day) for day in self.meant}

    @cached_property
    def months(self) -> set[int]:
        """Return the months that it names or means."""
        told = {one.month for one in self._every if one.month} | {day.month for day in self.meant}
        if self.day is None:
            return told
        steps = {one.number for one in self._relative("month")}
        return told | {(self.day.month - 1 + step) % 12 + 1 for step in steps}

    @cached_property
    def years(self) -> set[int]:
        """Return the years that it names or means."""
        told = {one.year for one in self._every if one.year}
        if self.day is None:
            return told
        steps = {one.number for one in self._relative("year")}
        return (
            told
            | {self.day.year + step for step in steps}
            | {self.day.year - off for off in self._ago}
            | {self.day.year}
        )

    @cached_property
    def weekdays(self) -> set[int]:
        """Return the days of the week that it names, or on which the days fall that it names."""
        return (
            self.of(WEEKDAY) | {day.weekday() for day in self.meant} | {day.weekday() for day in self._whole}
        )

    @cached_property
    def meant(self) -> set[date]:
        """Return the days that weekdays and words such as "yesterday" stand for: before and after today."""
        if self.day is None:
            return set()
        near = {self.day + timedelta(days=off) for off in range(1 - _WEEK, _WEEK)}
        weekdays = self.of(WEEKDAY)
        offsets = {one.number for one in self._relative("day")}
        return {day for day in near if day.weekday() in weekdays} | {
            self.day + timedelta(days=off) for off in offsets
        }

    @cached_property
    def _whole(self) -> set[date]:
        """Return the days that are told with month and year, or without one but in the text's own."""
        year = self.day.year if self.day else 0
        found = (
            _made(one.year or year, one.month, day) for one in self._every if one.month for day in one.days
        )
        return {day for day in found if day}

    @property
    def _quarters(self) -> set[int]:
        """Return the quarters that it means by "this", "last" or "next"."""
        if self.day is None:
            return set()
        return {((self.day.month - 1) // 3 + one.number) % 4 + 1 for one in self._relative("quarter")}

    def _relative(self, unit: str) -> list[DateMention]:
        return [one for one in self._every if one.kind == RELATIVE and one.unit == unit]

    def supports(self, told: DateMention) -> bool:
        """Tell whether the source bears a draft's date out."""
        if told.kind == WEEKDAY:
            return told.number in self.weekdays
        if told.kind == DATE:
            return self._says_date(told)
        if told.kind == CLOCK:
            return told.number % 720 in {number % 720 for number in self.of(CLOCK)}
        if told.kind == QUARTER and told.number in self._quarters:
            return True
        if told.kind == QUARTER and self.months & set(range(3 * told.number - 2, 3 * told.number + 1)):
            return not told.year or told.year in self.years
        if told.kind in (QUARTER, SEASON):
            return told.number in self.of(told.kind) and (not told.year or told.year in self.years)
        if told.kind == DECADE:
            return any(year // 10 == told.year // 10 for year in self.years)
        return self._says_relative(told)

    def _says_date(self, told: DateMention) -> bool:
        if told.year and told.year not in self.years:
            return False
        if told.days:
            return all((told.month, day) in self.days for day in told.days)
        return not told.month or told.month in self.months

    def _says_relative(self, told: DateMention) -> bool:
        if any(one.number == told.number for one in self._relative(told.unit)):
            return True
        if told.number == 0 and told.unit == "year":
            return True  # most news is of this year, and does not say so
        if self.day is None or told.number not in (-1, 0, 1):
            return False
        if told.unit == "day":
            day = self.day + timedelta(days=told.number)
            return day.weekday() in self.weekdays or (day.month, day.day) in self.days
        if told.unit == "year":
            return told.number != 0 and self.day.year + told.number in {one.year for one in self._every}
        if told.unit == "month":
            return (self.day.month - 1 + told.number) % 12 + 1 in {one.month for one in self._every}
        return False


def _dateline(every: Sequence[DateMention]) -> date | None:
    for one in every:
        if one.start > _DATELINE:
            break
        if one.kind == DATE and one.year and one.month and len(one.days) == 1:
            return _made(one.year, one.month, one.days[0])
    return None


def _made(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


KIND = "date"
_AGO = re.compile(
    r"\b(\d{1,3}|one|two|three|four|five|six|seven|eight|nine|ten) years? (?:ago|before|earlier)\b"
)
_WORDS = {
    "one": 1,
    "two": 2,
    "three": 3,
    "four": 4,
    "five": 5,
    "six": 6,
    "seven": 7,
    "eight": 8,
    "nine": 9,
    "ten": 10,
}


def check_dates(case: CheckInput) -> list[Finding]:
    """Return findings about the dates of a draft.

    Block: a day, month, year, weekday or hour that the source does not tell, nor means by another word.
    Warn: the same of seasons and of what counts from today ("next month"). Without the time of publication,
    a whole date at the beginning of the source stands for it.
    """
    if language_table(case.language, "dates") is None:
        said = f'Dates are not checked in the language "{case.language}".'
        return [Finding(kind=KIND, severity=Severity.NOTE, message=said)]
    told = [one for one in extract_dates(case.draft.text, case.language) if one.certain]
    if not told:
        return []
    published = case.published.date() if case.published else None
    known = SourceDates(extract_dates(case.source.text, case.language), published, _ago(case.source.text))
    return [_finding(case, one) for one in told if not known.supports(one)]


def _ago(text: str) -> frozenset[int]:
    """Return how many years ago the source says that things happened."""
    found = _AGO.findall(text.casefold())
    return frozenset(_WORDS.get(number) or int(number) for number in found)


def _finding(case: CheckInput, told: DateMention) -> Finding:
    severity = Severity.WARN if told.kind in (SEASON, RELATIVE) else Severity.BLOCK
    said = f'"{case.draft.text[told.start : told.end]}" does not stand in the source.'
    return Finding(kind=KIND, severity=severity, message=said, span=(told.start, told.end))
