"""Parses days, time ranges, poll schedules and jitter as operators write them. Pure."""

import re
from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

from pipeline.domain.errors import ConfigError
from pipeline.domain.models import Window

MAX_CHARS = 40
"""Characters of the longest date and time that is parsed; `fromisoformat` takes any number of decimals."""


def timezone_of(name: str) -> tzinfo:
    """Return the time zone called `name` (IANA, such as `Europe/Paris`).

    Raises ValueError where this machine knows no such zone.
    """
    if name == "UTC":  # needs no time zone database
        return UTC
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise ValueError(f"no time zone is called {name!r}") from error


def parse_day(text: str, timezone: str = "UTC") -> datetime:
    """Return a day or time as an aware datetime in UTC.

    `text` is `YYYY-MM-DD`, which means the start of that day in `timezone`, or an ISO 8601 date and time,
    in `timezone` unless it has its own offset. Raises ConfigError for anything else.
    """
    try:
        if len(text) > MAX_CHARS:
            raise ValueError("too long")
        moment = datetime.fromisoformat(text.strip())
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=timezone_of(timezone))
        return moment.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise ConfigError(
            f"{text[:40]!r} is not a day in time zone {timezone}; "
            "write it as 2026-01-31 or 2026-01-31T18:00, in a zone such as UTC or Europe/Paris",
            value=text,
        ) from error


def parse_span(since: str | None, until: str | None, timezone: str = "UTC") -> Window:
    """Return the half-open window of two days or times, each as in `parse_day`; None is no bound.

    Raises ConfigError for an invalid day, and for an empty window.
    """
    start = parse_day(since, timezone) if since else None
    end = parse_day(until, timezone) if until else None
    return span(start, end, shown=f"--since {since} is not before --until {until}")


def span(since: datetime | None, until: datetime | None, *, shown: str | None = None) -> Window:
    """Return the window [since, until) of aware times. Raises ConfigError where it is empty."""
    if since is not None and until is not None and since >= until:
        message = shown or f"since {since.isoformat()} is not before until {until.isoformat()}"
        raise ConfigError(
            f"{message}, so nothing is between them: the end is not included; write a later one"
        )
    return since, until


def _midnight(moment: datetime, timezone: str) -> datetime:
    local = moment.astimezone(timezone_of(timezone))
    return local.replace(hour=0, minute=0, second=0, microsecond=0)


def day_start(moment: datetime, timezone: str = "UTC") -> datetime:
    """Return when the calendar day of `moment` (aware) began in `timezone`, aware and in UTC."""
    return _midnight(moment, timezone).astimezone(UTC)


def month_start(moment: datetime, timezone: str = "UTC") -> datetime:
    """Return when the calendar month of `moment` (aware) began in `timezone`, aware and in UTC."""
    return _midnight(moment, timezone).replace(day=1).astimezone(UTC)


def day_end(moment: datetime, timezone: str = "UTC") -> datetime:
    """Return when the calendar day of `moment` (aware) ends, in `timezone`."""
    # Of the calendar: a day on which the clock changes has 23 or 25 hours.
    return _midnight(moment, timezone) + timedelta(days=1)


def month_end(moment: datetime, timezone: str = "UTC") -> datetime:
    """Return when the calendar month of `moment` (aware) ends, in `timezone`."""
    return (_midnight(moment, timezone).replace(day=1) + timedelta(days=31)).replace(day=1)


JITTER_ADVICE = "write 30s or 5m, at most 60m"
NEVER = "never"
"""The schedule of a feed that is polled only if it is named."""
SCHEDULE_ADVICE = "write 15m, 2h or 1d, a cron line in quotes such as '0 6 * * 1-5', or never"
_SPAN = re.compile(r"[1-9][0-9]{0,3}[mhd]")
_JITTER = re.compile(r"[0-9]{1,4}[sm]")
_CRON_PART = re.compile(r"(?:\*|([0-9]{1,2})(?:-([0-9]{1,2}))?)(?:/([1-9][0-9]?))?")
_CRON_RANGES = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))
"""Of minute, hour, day of the month, month and day of the week (0 and 7 are Sunday)."""


def is_jitter(text: str) -> bool:
    """Tell whether a text is a valid jitter: seconds or minutes, at most an hour."""
    match = _JITTER.fullmatch(text)
    return match is not None and jitter_s(text) <= 3_600


def jitter_s(text: str) -> int:
    """Return a valid jitter in seconds."""
    return int(text[:-1]) * {"s": 1, "m": 60}[text[-1]]


def is_schedule(text: str) -> bool:
    """Tell whether a text is a valid schedule: an interval, five fields of cron, or `never`."""
    if text == NEVER or _SPAN.fullmatch(text):
        return True
    fields = text.split()
    return len(fields) == len(_CRON_RANGES) and all(
        _is_part(part, *limits)
        for field, limits in zip(fields, _CRON_RANGES, strict=True)
        for part in field.split(",")
    )


def _is_part(part: str, minimum: int, maximum: int) -> bool:
    match = _CRON_PART.fullmatch(part)
    if match is None:
        return False
    numbers = [int(number) for number in match.group(1, 2) if number is not None]
    return all(minimum <= number <= maximum for number in numbers) and numbers == sorted(numbers)
