"""Times as HTTP headers give them (RFC 9110 §5.6.7 and §10.2.3). Pure; imports nothing of ours."""

import math
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime


def http_date(value: str) -> datetime | None:
    """Return the moment that a header names, aware; None where it names none."""
    try:
        moment = parsedate_to_datetime(value)
    except (ValueError, OverflowError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def retry_after(value: str | None, now: datetime) -> float | None:
    """Return the seconds that a Retry-After header asks for, given as seconds or as a date; None if neither.

    `now` is aware. A moment that has passed asks for nothing.
    """
    try:
        seconds = float(value or "")
    except ValueError:
        moment = http_date(value or "")
        # Not their difference: a date of the year 9999 is farther off than a timedelta between zones may be.
        seconds = moment.timestamp() - now.timestamp() if moment else math.nan
    return max(0.0, seconds) if math.isfinite(seconds) else None
