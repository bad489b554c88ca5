"""How long a model server asks to be left alone: headers, fields of the error, or words. Pure."""

import math
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

from pipeline.http_client.headers import parse_http_date
from pipeline.llm.error_body import ServerError

RATE_LIMITED = 429
LONGEST_WAIT_S = 366 * 86_400.0
"""Longer waits are taken for this one: nobody means them. Chosen, not measured."""
_UNITS = (
    (r"milliseconds?|msecs?|ms", 0.001),
    (r"seconds?|secs?|s", 1.0),
    (r"minutes?|mins?|m", 60.0),
    (r"hours?|hrs?|h", 3600.0),
    (r"days?|d", 86_400.0),
)
_UNIT = "|".join(names for names, _ in _UNITS)
_PART = re.compile(rf"(\d{{1,12}}(?:\.\d{{1,12}})?)\s?({_UNIT})(?![a-z])", re.IGNORECASE)
_DURATION = rf"(?:\d{{1,12}}(?:\.\d{{1,12}})?\s?(?:{_UNIT})(?![a-z]),?\s?){{1,5}}"
_WHOLE = re.compile(rf"\s*{_DURATION}\s*", re.IGNORECASE)
_PAUSE = re.compile(
    rf"(?:try|retry|wait|available|reset)[\w ]{{0,30}}?(?:\s(?:in|after|for|about))?\s({_DURATION})",
    re.IGNORECASE,
)
"""Source: the messages of OpenAI, Groq, Azure, Gemini and Moonshot."""
_WINDOW = re.compile(rf"\bin ({_DURATION})", re.IGNORECASE)
"""A pause in other words, or the window of a limit, such as `10 requests in 1 minute`."""
_RESET = re.compile(r"(.*rate-?limit.*)reset(.*)")
_EPOCH_S, _EPOCH_MS = 1e9, 1e11
"""Numbers from which a reset is a time since 1970, in seconds or in milliseconds, not a duration."""


def parse_duration(text: str) -> float | None:
    """Return the seconds of a duration such as `20`, `3s`, `1m2.5s`, `340ms` or `2 minutes`; else None."""
    try:
        seconds = float(text)
    except ValueError:
        if not _WHOLE.fullmatch(text):
            return None
        seconds = sum(float(number) * _factor(unit) for number, unit in _PART.findall(text))
    return min(max(0.0, seconds), LONGEST_WAIT_S) if math.isfinite(seconds) else None


def _factor(unit: str) -> float:
    return next(factor for names, factor in _UNITS if re.fullmatch(names, unit, re.IGNORECASE))


def requested_wait(headers: Mapping[str, str], error: ServerError, now: datetime) -> float | None:
    """Return the seconds that a server asks to wait, at most LONGEST_WAIT_S; None where it names none.

    Header names are in lower case, `now` is aware. A time in the past gives 0.
    """
    fields = {**error.waits, **headers}
    for seconds in _candidates(fields, error, now):
        if seconds is not None:
            return min(seconds, LONGEST_WAIT_S)
    return None


def _candidates(fields: Mapping[str, str], error: ServerError, now: datetime) -> Iterator[float | None]:
    """Yield the waits that a server names, the most exact first."""
    for name in ("retry-after-ms", "retry_after_ms"):
        yield parse_duration(f"{fields[name]}ms") if name in fields else None
    for name in ("retry-after", "retry_after", "retry_after_seconds", "retryafter", "retrydelay"):
        yield _seconds_until(fields.get(name, ""), now)
    yield _in_words(_PAUSE, error.message)
    if error.status == RATE_LIMITED:  # other errors of OpenAI have these headers, too
        yield _reset(fields, now)
    yield _in_words(_WINDOW, error.message)


def _in_words(pattern: re.Pattern[str], message: str) -> float | None:
    match = pattern.search(message)
    return parse_duration(match[1]) if match else None


def _reset(fields: Mapping[str, str], now: datetime) -> float | None:
    """Return the seconds until every limit that is used up is reset; where none says so, until the first."""
    resets: list[float] = []
    used_up: list[float] = []
    for name, value in fields.items():
        if not (match := _RESET.fullmatch(name)) or (seconds := _seconds_until(value, now)) is None:
            continue
        remaining = fields.get(f"{match[1]}remaining{match[2]}") or fields.get(
            f"{match[1]}{match[2]}remaining"
        )
        if remaining is None:
            resets.append(seconds)
        elif parse_duration(remaining) == 0:
            used_up.append(seconds)
    return max(used_up) if used_up else min(resets, default=None)


def _seconds_until(value: str, now: datetime) -> float | None:
    """Return the seconds of a duration, or until a time: since 1970, an HTTP date or as in RFC 3339."""
    try:
        number = float(value)
    except ValueError:
        moment = _iso_time(value) or parse_http_date(value)
        return parse_duration(value) if moment is None else max(0.0, moment.timestamp() - now.timestamp())
    if number < _EPOCH_S:
        return parse_duration(value)
    seconds = number / 1000 if number >= _EPOCH_MS else number
    return max(0.0, seconds - now.timestamp()) if math.isfinite(seconds) else None


def _iso_time(value: str) -> datetime | None:
    """Return a time as in RFC 3339, which Anthropic sends."""
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
