"""What an answer says about how long it stays fresh (RFC 9111 §4.2.1). Pure."""

import re
from collections.abc import Mapping
from datetime import datetime

from pipeline.httptime import http_date
from pipeline.models import Record

_MAX_AGE = re.compile(r"(?:^|[\s,])max-age\s{0,9}=\s{0,9}\"?(\d{1,9})", re.IGNORECASE)
_UNCACHED = re.compile(r"(?:^|[\s,])no-(?:cache|store)\b", re.IGNORECASE)


class Hints(Record):
    """How long a feed's server wants it to be kept."""

    fresh_s: float | None = None
    """Seconds; None where it does not say."""
    expired: bool = False
    """`Expires: 0`: servers that say so are not to be trusted with validators."""


def read_hints(headers: Mapping[str, str], now: datetime) -> Hints:
    """Return the hints of an answer's headers, their names in lower case; `now` is aware UTC."""
    control = headers.get("cache-control", "")
    expires = headers.get("expires", "").strip()
    age = _MAX_AGE.search(control)
    expired = expires in {"0", "-1"} and age is None
    if _UNCACHED.search(control):
        return Hints(expired=expired)
    if age is not None:
        return Hints(fresh_s=float(age[1]))
    moment, base = http_date(expires), http_date(headers.get("date", "")) or now
    fresh = (moment - base).total_seconds() if moment else None
    return Hints(fresh_s=fresh if fresh and fresh > 0 else None, expired=expired)
