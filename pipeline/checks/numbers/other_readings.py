"""Other readings of numbers: "10.2m" as millions, 10.2 in a table "in millions", "1 200", "1h30"."""

import re
from collections.abc import Sequence
from itertools import pairwise

from pipeline.checks.language_tables import Phrases
from pipeline.checks.numbers.models import FRACTION, ORDINAL, PLAIN, TIME, NumberMention

_SCALES = tuple(
    (Phrases(re.compile(rf"\bin (?:\S{{1,12}} )?(?:{words})\b", re.IGNORECASE), ["in"]), signs, factor)
    for words, signs, factor in (
        ("millions|million|mio", re.compile(r"\(\S{0,3}\$?[mM]\)|\$[mM]\b"), 1e6),
        ("thousands|tausend|tsd|teur", None, 1e3),
        ("billions|milliarden|mrd", re.compile(r"\$[bB][nN]\b"), 1e9),
    )
)
"""How a text says that its tables leave out a scale."""


_HOURS = Phrases(
    re.compile(r"(?<![\w.,:])(\d{1,2}) ?h(?:rs?|ours?)? ?(\d{1,2})(?: ?m(?:ins?|inutes)?)?(?!\w)"), ["0"]
)
"""A duration in hours and minutes: 1h30, 2h 14m."""

_EVERY = re.compile(r"\b(?:jede[rsnm]?|every|cada)\s+$", re.IGNORECASE)
"""What makes an ordinal a share: "every fourth", "jedes vierte"."""
_AND = ("", "and", "und", "y")
_PARTS = {("year", "month"): 12, ("hour", "minute"): 60, ("minute", "second"): 60, ("day", "hour"): 24}
"""Unit of time and a smaller one that may follow it → how many make it."""
_ADDED_TIME = Phrases(re.compile(r"(?<![\w.,:+])(45|90|105|120)['’′]?\s?\+\s?(\d{1,2})(?!\w)"), ["0"])
"""A minute of added time in a match: 90+3."""


def as_millions(mention: NumberMention, text: str) -> NumberMention | None:
    """Return the other reading of "1.2m", which is extracted as metres; None where there is none."""
    if mention.unit != "metre" or not text[mention.end - 2 : mention.end - 1].isdigit():
        return None
    return mention._replace(
        value=mention.value * 1e6, step=mention.step * 1e6, kind=PLAIN, unit="", bare=True
    )


def other_readings(mentions: Sequence[NumberMention], text: str) -> list[NumberMention]:
    """Return the numbers of a source that it may have beside those that are extracted."""
    readings = [reading for mention in mentions if (reading := as_millions(mention, text))]
    readings += [
        second._replace(start=first.start, value=first.value * 1000 + second.value)
        for first, second in pairwise(mentions)
        if _is_group_before(first, second, text)
    ]
    for match in _HOURS.finditer(text):
        minutes = int(match[1]) * 60.0 + int(match[2])
        readings.append(NumberMention(*match.span(), minutes, 1, TIME, "minute"))
    readings += [
        mention._replace(value=1 / mention.value, step=1e-6, kind=FRACTION, unit="")
        for mention in mentions
        if mention.kind == ORDINAL and mention.value > 1 and _EVERY.search(text[: mention.start][-10:])
    ]
    readings += [
        first._replace(end=second.end, value=first.value + second.value / _PARTS[first.unit, second.unit])
        for first, second in pairwise(mentions)
        if (first.unit, second.unit) in _PARTS and text[first.end : second.start].strip(" ,") in _AND
    ]
    for match in _ADDED_TIME.finditer(text):
        minute = float(match[1]) + float(match[2])
        readings.append(NumberMention(*match.span(), minute, 1, PLAIN, bare=True))
    for phrases, signs, factor in _SCALES:
        if any(phrases.finditer(text)) or (signs and signs.search(text)):
            readings += [
                mention._replace(value=mention.value * factor, step=mention.step * factor, bare=True)
                for mention in mentions
                if mention.kind == PLAIN and not mention.spelled
            ]
    return readings


def _is_group_before(first: NumberMention, second: NumberMention, text: str) -> bool:
    """Tell whether two numbers may be one with a space between its thousands: "1 200"."""
    digits = text[first.start : first.end]
    return (
        text[first.end : second.start] == " "
        and digits.isdecimal()
        and len(digits) <= 3
        and text[second.start : second.start + 3].isdecimal()
        and not text[second.start : second.start + 4].isdecimal()
        and second.value < 1000
    )
