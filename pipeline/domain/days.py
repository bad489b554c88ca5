"""Calendar days of a time zone as ranges of UTC, for counts by day; lengths of time for people. Pure."""

from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import NamedTuple


class Day(NamedTuple):
    """A calendar day: half-open, of 23 to 25 hours where the clocks change."""

    date: date
    since: datetime
    until: datetime
    """Aware, in UTC."""


def last_days(now: datetime, count: int, zone: tzinfo) -> tuple[Day, ...]:
    """Return the last `count` calendar days in a time zone, today the last of them."""
    today = now.astimezone(zone).date()
    return tuple(day_of(today - timedelta(days=back), zone) for back in range(count - 1, -1, -1))


def day_of(day: date, zone: tzinfo) -> Day:
    """Return a calendar day in a time zone."""
    return Day(day, _midnight(day, zone), _midnight(day + timedelta(days=1), zone))


def _midnight(day: date, zone: tzinfo) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)


def duration(seconds: float) -> str:
    """Return a time span for people, in its largest two units."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{max(0.0, seconds):.1f} s" if seconds < 10 else f"{whole} s"
    for size, unit, smaller_size, smaller in _UNITS:
        if whole >= size:
            rest = whole % size // smaller_size
            return f"{whole // size} {unit} {rest} {smaller}" if rest else f"{whole // size} {unit}"
    raise AssertionError  # unreachable: the last unit is 60 s


_UNITS = ((86_400, "d", 3_600, "h"), (3_600, "h", 60, "min"), (60, "min", 1, "s"))
