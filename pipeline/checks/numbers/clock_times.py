"""Times of day in a text, in digits and words, and how long a stay between two of them is."""

import re
from bisect import bisect_left
from collections.abc import Sequence
from typing import NamedTuple

from pipeline.checks.numbers.compare import is_rounded
from pipeline.checks.numbers.lexicon import NumberLexicon
from pipeline.checks.numbers.models import TIME, NumberMention

_MINUTES = {"second": 1 / 60, "minute": 1.0, "hour": 60.0}
"""Unit of time → minutes."""
_DAY = 24 * 60
_LOW = 0.9
"""Least length of a stay that a duration may tell, as a factor of the duration. Chosen, not measured."""
_MAX_STAYS = 60
"""Stays compared for one duration: keeps the work linear. Chosen, not measured."""
_MAX_NEIGHBOURS = 3
"""Times of day after one that a duration is computed to: keeps the work linear. Chosen, not measured."""
_DIGITS = re.compile(
    r"(?<![\d.,:])(\d{1,2})(?:[:.](\d{2})(?![\d:]|[.,]\d))?(?:[ \u00a0]?(am|pm|a\.m|p\.m|uhr)\b)?",
    re.IGNORECASE,
)
"""A time in digits, and digits that are none."""


class ClockTime(NamedTuple):
    """A time of day or a position in a recording; the character span is half-open."""

    start: int
    end: int
    minutes: int
    """Minutes since midnight."""
    has_suffix: bool
    """It is followed by am, pm or Uhr, so it is no position in a recording."""


def extract_clock_times(text: str) -> list[ClockTime]:
    """Return the times of day in digits, in order: "8:30am", "13:00", "15.10" before "und 15.35 Uhr"."""
    matches: list[tuple[re.Match[str], int]] = []
    for match in _DIGITS.finditer(text):
        hour, minute, suffix = int(match[1]), int(match[2] or 0), (match[3] or "").casefold()
        if (not match[2] and not suffix and not _has_suffix_after(match, text)) or hour > 24 or minute > 59:
            continue
        if suffix[:1] in ("a", "p") and hour <= 12:
            hour = hour % 12 + (12 if suffix[0] == "p" else 0)
        matches.append((match, hour * 60 + minute))
    return [
        ClockTime(*match.span(), minutes, bool(match[3]))
        for match, minutes in matches
        if match[3] or ":" in match[0] or _has_suffix_after(match, text)
    ]


def _has_suffix_after(match: re.Match[str], text: str) -> bool:
    """Tell whether a time such as "15.10" is the first of two: "15.10 und 15.35 Uhr"."""
    return (
        re.match(
            r"\s?(?:-|–|und|bis|and|to)\s?\d{1,2}(?:[.:]\d{2})? ?(?:Uhr|am|pm|a\.m|p\.m)\b",
            text[match.end() : match.end() + 20],
        )
        is not None
    )


def spoken_clock_spans(text: str, lexicon: NumberLexicon) -> list[tuple[int, int]]:
    """Return the spans of times of day in words: "half past ten", "Viertel nach zehn"."""
    return [match.span() for match in lexicon.spoken_clock.finditer(text)]


class Stays:
    """How long it is between the times of a text, by length, for the durations that a draft states."""

    def __init__(self, times: Sequence[ClockTime]) -> None:
        is_recording = any(not each.has_suffix and each.minutes < 60 for each in times)
        stays: list[tuple[float, tuple[ClockTime, ...]]] = []
        for index, first in enumerate(times):
            if is_recording and not first.has_suffix:
                stays.append((first.minutes / 60, (first,)))  # minutes and seconds
            others = [*times[index + 1 : index + 1 + _MAX_NEIGHBOURS], *(times[-1:] if index == 0 else ())]
            stays += [((second.minutes - first.minutes) % _DAY, (first, second)) for second in others]
        self._stays = sorted(stay for stay in stays if stay[0])

    def find(self, claim: NumberMention) -> tuple[ClockTime, ...]:
        """Return the two times that a duration lies between, or the position in a recording that it tells.

        Empty where no such times are in the source.
        """
        if claim.kind != TIME or claim.unit not in _MINUTES:
            return ()
        minutes = claim.value * _MINUTES[claim.unit]
        first = bisect_left(self._stays, (minutes * _LOW,))
        for length, times in self._stays[first : first + _MAX_STAYS]:
            if _is_duration(claim, length):
                return times
        return ()


def _is_duration(claim: NumberMention, minutes: float) -> bool:
    value = minutes / _MINUTES[claim.unit]
    return abs(value - claim.value) < 1e-6 or is_rounded(claim, value, claim.step * 1e-6)
