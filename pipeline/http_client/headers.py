"""Parses HTTP dates, Retry-After and cache headers. Pure.

Source: RFC 9110 §5.6.7 and §10.2.3, RFC 9111 §4.2.1.
"""

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from pipeline.domain.models import FrozenModel


def parse_http_date(value: str) -> datetime | None:
    """Return the time in a header, aware; None where it has none."""
    try:
        moment = parsedate_to_datetime(value)
    except (ValueError, OverflowError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def parse_retry_after(value: str | None, now: datetime) -> float | None:
    """Return the seconds of a Retry-After header, which has seconds or a date; None for anything else.

    `now` is aware. A date in the past gives 0.
    """
    try:
        seconds = float(value or "")
    except ValueError:
        moment = parse_http_date(value or "")
        # Timestamps, since the difference of two datetimes overflows for a date of the year 9999.
        seconds = moment.timestamp() - now.timestamp() if moment else math.nan
    return max(0.0, seconds) if math.isfinite(seconds) else None


def clock_offset(headers: Mapping[str, str], now: datetime) -> float | None:
    """Return the seconds by which `now` is ahead of the server that sent the headers, if they tell.

    `Age` is the time that the response was in caches: RFC 9111 §5.1.
    """
    sent = parse_http_date(headers.get("date", ""))
    age = headers.get("age", "0")
    if sent is None or not (age.isascii() and age.isdigit() and len(age) < 10):
        return None
    return now.timestamp() - sent.timestamp() - int(age)


_MAX_AGE = re.compile(r"(?:^|[\s,])max-age\s{0,9}=\s{0,9}\"?(\d{1,9})", re.IGNORECASE)
_UNCACHED = re.compile(r"(?:^|[\s,])no-(?:cache|store)\b", re.IGNORECASE)


class CacheHints(FrozenModel):
    """How long a response may be cached."""

    fresh_s: float | None = None
    """Seconds; None where the headers do not say."""
    expired: bool = False
    """`Expires: 0`: the validators of such servers are not reliable."""


def parse_cache_headers(headers: Mapping[str, str], now: datetime) -> CacheHints:
    """Return the cache hints of response headers, whose names are in lower case; `now` is aware UTC."""
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
