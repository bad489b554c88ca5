"""Times as HTTP headers give them (RFC 9110 §5.6.7 and §10.2.3). Pure; imports nothing of ours.

What an answer says about how long it stays fresh (RFC 9111 §4.2.1). Pure.
"""

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from pipeline.domain.models import FrozenModel


def parse_http_date(value: str) -> datetime | None:
    """Return the moment that a header names, aware; None where it names none."""
    try:
        moment = parsedate_to_datetime(value)
    except (ValueError, OverflowError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def parse_retry_after(value: str | None, now: datetime) -> float | None:
    """Return the seconds that a Retry-After header asks for, given as seconds or as a date; None if neither.

    `now` is aware. A moment that has passed asks for nothing.
    """
    try:
        seconds = float(value or "")
    except ValueError:
        moment = parse_http_date(value or "")
        # Not their difference: a date of the year 9999 is farther off than a timedelta between zones may be.
        seconds = moment.timestamp() - now.timestamp() if moment else math.nan
    return max(0.0, seconds) if math.isfinite(seconds) else None


_MAX_AGE = re.compile(r"(?:^|[\s,])max-age\s{0,9}=\s{0,9}\"?(\d{1,9})", re.IGNORECASE)
_UNCACHED = re.compile(r"(?:^|[\s,])no-(?:cache|store)\b", re.IGNORECASE)


class CacheHints(FrozenModel):
    """How long a feed's server wants it to be kept."""

    fresh_s: float | None = None
    """Seconds; None where it does not say."""
    expired: bool = False
    """`Expires: 0`: servers that say so are not to be trusted with validators."""


def parse_cache_headers(headers: Mapping[str, str], now: datetime) -> CacheHints:
    """Return the hints of an answer's headers, their names in lower case; `now` is aware UTC."""
    control = headers.get("cache-control", "")
    expires = headers.get("expires", "").strip()
    age = _MAX_AGE.search(control)
    expired = expires in {"0", "-1"} and age is None
    if _UNCACHED.search(control):
        return CacheHints(expired=expired)
    if age is not None:
        return CacheHints(fresh_s=float(age[1]))
    moment, base = parse_http_date(expires), parse_http_date(headers.get("date", "")) or now
    fresh = (moment - base).total_seconds() if moment else None
    return CacheHints(fresh_s=fresh if fresh and fresh > 0 else None, expired=expired)
