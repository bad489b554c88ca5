"""Checks the dates of a draft: finding `date` is a day, month, year, weekday or hour without support.

Relative dates of the source ("last Tuesday") are resolved from the day it was published.
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
from pipeline.checks.language_tables import language_table
from pipeline.checks.tokens import CheckInput
from pipeline.domain.reviews import Finding, Severity

KIND = "date"
_DATELINE_CHARS = 200
"""Characters at the beginning of a source in which a full date is its day. Chosen, not measured."""
_WEEK_DAYS = 7
_AGO = re.compile(
    r"\b(\d{1,3}|one|two|three|four|five|six|seven|eight|nine|ten) years? (?:ago|before|earlier)\b"
)
_WORDS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_NUMBER_WORDS = {word: number for number, word in enumerate(_WORDS, 1)}


def check_dates(case: CheckInput) -> list[Finding]:
    """Return the findings about the dates of a draft.

    Block: a day, month, year, weekday or hour that the source neither names nor implies. Warn: the same for
    seasons and relative dates ("next month"). Without a time of publication, a full date at the beginning of
    the source takes its place.
    """
    if language_table(case.language, "dates") is None:
        message = f'Dates are not checked in the language "{case.language}".'
        return [Finding(kind=KIND, severity=Severity.NOTE, message=message)]
    claims = [claim for claim in extract_dates(case.draft.text, case.language) if claim.certain]
    if not claims:
        return []
    published = case.published.date() if case.published else None
    mentions = extract_dates(case.source.text, case.language)
    source_dates = SourceDates(mentions, published, _years_ago(case.source.text))
    return [_finding(case, claim) for claim in claims if not source_dates.supports(claim)]


def _years_ago(text: str) -> frozenset[int]:
    """Return each N of "N years ago" in a text."""
    numbers = _AGO.findall(text.casefold())
    return frozenset(_NUMBER_WORDS.get(number) or int(number) for number in numbers)


def _finding(case: CheckInput, claim: DateMention) -> Finding:
    severity = Severity.WARN if claim.kind in (SEASON, RELATIVE) else Severity.BLOCK
    message = f'"{case.draft.text[claim.start : claim.end]}" is not in the source.'
    return Finding(kind=KIND, severity=severity, message=message, span=(claim.start, claim.end))


class SourceDates:
    """The dates that a source names, and those that follow from its day of publication."""

    def __init__(self, mentions: Sequence[DateMention], published: date | None, ago: frozenset[int]) -> None:
        self._mentions = mentions
        self._years_ago = ago
        self.reference_day = published or _dateline(mentions)
        """The day that relative dates count from."""

    def numbers(self, kind: str) -> set[int]:
        """Return the numbers of all mentions of one kind."""
        return {mention.number for mention in self._mentions if mention.kind == kind}

    @cached_property
    def days(self) -> set[tuple[int, int]]:
        """Return (month, day) of each day that the source names or implies."""
        named = {(mention.month, day) for mention in self._mentions if mention.month for day in mention.days}
        return named | {(day.month, day.day) for day in self.resolved_days}

    @cached_property
    def months(self) -> set[int]:
        """Return the months that the source names or implies."""
        months = {mention.month for mention in self._mentions if mention.month}
        months |= {day.month for day in self.resolved_days}
        if self.reference_day is None:
            return months
        steps = {mention.number for mention in self._relative("month")}
        return months | {(self.reference_day.month - 1 + step) % 12 + 1 for step in steps}

    @cached_property
    def years(self) -> set[int]:
        """Return the years that the source names or implies, its own year included."""
        years = {mention.year for mention in self._mentions if mention.year}
        if self.reference_day is None:
            return years
        own_year = self.reference_day.year
        years |= {own_year + mention.number for mention in self._relative("year")}
        return years | {own_year - count for count in self._years_ago} | {own_year}

    @cached_property
    def weekdays(self) -> set[int]:
        """Return the weekdays that the source names, and those of the days that it names or implies."""
        return self.numbers(WEEKDAY) | {day.weekday() for day in self.resolved_days | self._full_dates}

    @cached_property
    def resolved_days(self) -> set[date]:
        """Return the days that weekdays and words such as "yesterday" can mean, up to six days off."""
        if self.reference_day is None:
            return set()
        near = {self.reference_day + timedelta(days=offset) for offset in range(1 - _WEEK_DAYS, _WEEK_DAYS)}
        weekdays = self.numbers(WEEKDAY)
        relative = {self.reference_day + timedelta(days=each.number) for each in self._relative("day")}
        return relative | {day for day in near if day.weekday() in weekdays}

    @cached_property
    def _full_dates(self) -> set[date]:
        """Return the days named with a month; without a year they are in the source's own."""
        year = self.reference_day.year if self.reference_day else 0
        named = (mention for mention in self._mentions if mention.month)
        dates = (_make_date(each.year or year, each.month, day) for each in named for day in each.days)
        return {day for day in dates if day}

    @property
    def _quarters(self) -> set[int]:
        """Return the quarters that "this", "last" and "next quarter" of the source mean."""
        if self.reference_day is None:
            return set()
        current = (self.reference_day.month - 1) // 3
        return {(current + mention.number) % 4 + 1 for mention in self._relative("quarter")}

    def _relative(self, unit: str) -> list[DateMention]:
        return [mention for mention in self._mentions if mention.kind == RELATIVE and mention.unit == unit]

    def supports(self, claim: DateMention) -> bool:
        """Tell whether the source names or implies a date of the draft."""
        if claim.kind == WEEKDAY:
            return claim.number in self.weekdays
        if claim.kind == DATE:
            return self._supports_date(claim)
        if claim.kind == CLOCK:
            return claim.number % 720 in {number % 720 for number in self.numbers(CLOCK)}
        if claim.kind == QUARTER and claim.number in self._quarters:
            return True
        if claim.kind == QUARTER and self.months & set(range(3 * claim.number - 2, 3 * claim.number + 1)):
            return not claim.year or claim.year in self.years
        if claim.kind in (QUARTER, SEASON):
            return claim.number in self.numbers(claim.kind) and (not claim.year or claim.year in self.years)
        if claim.kind == DECADE:
            return any(year // 10 == claim.year // 10 for year in self.years)
        return self._supports_relative(claim)

    def _supports_date(self, claim: DateMention) -> bool:
        if claim.year and claim.year not in self.years:
            return False
        if claim.days:
            return all((claim.month, day) in self.days for day in claim.days)
        return not claim.month or claim.month in self.months

    def _supports_relative(self, claim: DateMention) -> bool:
        if any(mention.number == claim.number for mention in self._relative(claim.unit)):
            return True
        if claim.number == 0 and claim.unit == "year":
            return True  # most news is about its own year without naming it
        if self.reference_day is None or claim.number not in (-1, 0, 1):
            return False
        if claim.unit == "day":
            day = self.reference_day + timedelta(days=claim.number)
            return day.weekday() in self.weekdays or (day.month, day.day) in self.days
        if claim.unit == "year":
            year = self.reference_day.year + claim.number
            return claim.number != 0 and any(mention.year == year for mention in self._mentions)
        if claim.unit == "month":
            month = (self.reference_day.month - 1 + claim.number) % 12 + 1
            return any(mention.month == month for mention in self._mentions)
        return False


def _dateline(mentions: Sequence[DateMention]) -> date | None:
    for mention in mentions:
        if mention.start > _DATELINE_CHARS:
            break
        if mention.kind == DATE and mention.year and mention.month and len(mention.days) == 1:
            return _make_date(mention.year, mention.month, mention.days[0])
    return None


def _make_date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None
