"""What a feed's `schedule` may say: a span of time, five fields of cron, or never. Pure."""

import re

JITTER_ADVICE = "write 30s or 5m, at most 60m"
SCHEDULE_ADVICE = "write 15m, 2h or 1d, a cron line in quotes such as '0 6 * * 1-5', or never"
_SPAN = re.compile(r"[1-9][0-9]{0,3}[mhd]")
_JITTER = re.compile(r"[0-9]{1,4}[sm]")
_PART = re.compile(r"(?:\*|([0-9]{1,2})(?:-([0-9]{1,2}))?)(?:/([1-9][0-9]?))?")
_RANGES = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))
"""Of minute, hour, day of the month, month and day of the week (0 and 7 are Sunday)."""


def is_jitter(text: str) -> bool:
    """Tell whether a text says how long a poll may be put off: seconds or minutes, an hour at most."""
    found = _JITTER.fullmatch(text)
    return found is not None and jitter_s(text) <= 3_600


def jitter_s(text: str) -> int:
    """Return the seconds of a jitter."""
    return int(text[:-1]) * {"s": 1, "m": 60}[text[-1]]


def is_schedule(text: str) -> bool:
    """Tell whether a text says when a feed is to be polled."""
    if text == "never" or _SPAN.fullmatch(text):
        return True
    fields = text.split()
    return len(fields) == len(_RANGES) and all(
        _is_part(part, *limits)
        for field, limits in zip(fields, _RANGES, strict=True)
        for part in field.split(",")
    )


def _is_part(part: str, least: int, most: int) -> bool:
    found = _PART.fullmatch(part)
    if found is None:
        return False
    numbers = [int(number) for number in found.group(1, 2) if number is not None]
    return all(least <= number <= most for number in numbers) and numbers == sorted(numbers)
