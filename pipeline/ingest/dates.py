"""A feed's dates, in whatever spelling, to aware UTC."""

import calendar
import re
import time
from datetime import UTC, datetime, timedelta
from typing import Any

_EARLIEST = datetime(1995, 1, 1, tzinfo=UTC)
_ISO = re.compile(r"\d{4}-?\d\d-?\d\d[T ]\d\d:?\d\d")
_DIGIT = re.compile(r"\d")


class DateReader:
    """Reads the dates of one feed; `now` is aware UTC.

    The reader of last resort takes tenths of a second for a string that is no date, so a feed may waste
    only a few of them.
    """

    def __init__(self, now: datetime, patience: int = 5) -> None:
        self._now = now
        self._patience = patience
        self._seen: dict[str, datetime | None] = {}

    def read(self, raw: str | None, parsed: time.struct_time | None = None) -> datetime | None:
        """Return a date between 1995 and tomorrow, or None.

        `raw` is the date as written, `parsed` feedparser's UTC tuple of it. ISO dates are read from
        `raw`, because feedparser takes the half hour of `+0530` for zero.
        """
        raw = (raw or "").strip()
        if raw not in self._seen or parsed is not None:
            moment = _from_iso(raw) or _from_tuple(parsed)
            self._seen[raw] = moment or self._guessed(raw)
        found = self._seen[raw]
        if found is None or not _EARLIEST <= found <= self._now + timedelta(days=1):
            return None
        return found

    def _guessed(self, raw: str) -> datetime | None:
        if not 6 <= len(raw) <= 80 or not _DIGIT.search(raw) or self._patience == 0:
            return None
        moment = _from_words(raw)
        if moment is None:
            self._patience -= 1
        return moment


def _from_iso(raw: str) -> datetime | None:
    if len(raw) > 40 or not _ISO.match(raw):
        return None
    try:
        moment = datetime.fromisoformat(raw)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _from_tuple(parsed: time.struct_time | None) -> datetime | None:
    if parsed is None:
        return None
    try:
        return datetime.fromtimestamp(calendar.timegm(parsed), UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _from_words(raw: str) -> datetime | None:
    import dateparser  # half a second to import, and few feeds need it

    settings: Any = {
        "TIMEZONE": "UTC",
        "TO_TIMEZONE": "UTC",
        "RETURN_AS_TIMEZONE_AWARE": True,
        "REQUIRE_PARTS": ["day", "month", "year"],
        "PARSERS": ["absolute-time"],
    }
    try:
        moment: datetime | None = dateparser.parse(raw, settings=settings)
    except (ValueError, OverflowError, RecursionError, TypeError, AttributeError, KeyError, IndexError):
        return None
    return moment.astimezone(UTC) if moment else None
