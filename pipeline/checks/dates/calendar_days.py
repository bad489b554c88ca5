"""Days, months and quarters of the calendar, and those of a date in a text."""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta

from pipeline.checks.dates.extract import DATE, DateMention

QUARTER_MONTHS, YEAR_MONTHS = 3, 12
_DATELINE_CHARS = 200
"""Characters at the beginning of a source in which a full date is its day. Chosen, not measured."""


def days_of(mention: DateMention) -> Iterable[tuple[int, int]]:
    """Return (month, day) of the days of a mention, with those inside a range."""
    if not mention.month or not mention.days:
        return ()
    if mention.swappable:
        return ((mention.month, mention.days[0]), (mention.days[0], mention.month))
    days = range(mention.days[0], mention.days[-1] + 1) if mention.through else mention.days
    return ((mention.month, day) for day in days)


def months_of_quarter(quarter: int) -> range:
    """Return the months of a quarter, from 1 to 12."""
    return range(QUARTER_MONTHS * (quarter - 1) + 1, QUARTER_MONTHS * quarter + 1)


def shifted_month(month: int, step: int) -> int:
    """Return the month so many months later, from 1 to 12."""
    return (month - 1 + step) % YEAR_MONTHS + 1


def shifted(days: Iterable[date], step: int) -> set[date]:
    """Return days so many days later; those outside the calendar are left out."""
    shifted = set()
    for day in days:
        try:
            shifted.add(day + timedelta(days=step))
        except OverflowError:
            continue
    return shifted


def dateline(mentions: Sequence[DateMention]) -> date | None:
    """Return the first full date at the beginning of a source."""
    for mention in mentions:
        if mention.start > _DATELINE_CHARS:
            break
        is_day = mention.kind == DATE and mention.year and len(mention.days) == 1 and not mention.swappable
        if is_day and (day := make_date(mention.year, mention.month, mention.days[0])):
            return day
    return None


def make_date(year: int, month: int, day: int) -> date | None:
    """Return a day; None where the calendar has none."""
    try:
        return date(year, month, day)
    except ValueError:
        return None
