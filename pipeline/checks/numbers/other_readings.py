"""Other readings of numbers: "10.2m" as millions, 10.2 in a table "in millions", "1 200", "1h30"."""

import re
from collections.abc import Iterator, Sequence
from itertools import chain, pairwise

from pipeline.checks.language_tables import Phrases
from pipeline.checks.numbers.lexicon import NumberLexicon
from pipeline.checks.numbers.models import FRACTION, MULTIPLE, ORDINAL, PLAIN, POINTS, TIME, NumberMention
from pipeline.checks.numbers.tokenize import decimal_sign, either_reading

_SCALES = tuple(
    (Phrases(re.compile(rf"\bin (?:\S{{1,12}} )?(?:{words})\b", re.IGNORECASE), ["in"]), signs, factor)
    for words, signs, factor in (
        ("millions|million|mio|millones", re.compile(r"\(\S{0,3}\$?[mM]\)|\$[mM]\b"), 1e6),
        ("thousands|tausend|tsd|teur|miles", None, 1e3),
        ("billions|milliarden|mrd", re.compile(r"\$[bB][nN]\b"), 1e9),
    )
)
"""How a text says that its tables leave out a scale."""


_HOURS = Phrases(
    re.compile(r"(?<![\w.,:])(\d{1,2}) ?h(?:rs?|ours?)? ?(\d{1,2})(?: ?m(?:ins?|inutes)?)?(?!\w)"), ["0"]
)
"""A duration in hours and minutes: 1h30, 2h 14m."""
_CLOCK_LIKE = Phrases(
    re.compile(
        r"(?<![\w.,:])(\d{1,2}):([0-5]\d)(?=\s?(?:h|hrs?|hours?|std|stunden?|horas?)\b)", re.IGNORECASE
    ),
    ["0"],
)
"""The same as a clock shows it: "2:43 hours"."""
_ORDERS = ("first", "second", "third", "fourth", "latter", "last")
_PERIODS = (
    (Phrases(re.compile(rf"\b(?:{'|'.join(_ORDERS)}) half\b(?! hour)", re.IGNORECASE), _ORDERS), 6.0),
    (Phrases(re.compile(rf"\b(?:{'|'.join(_ORDERS)}) quarter\b", re.IGNORECASE), _ORDERS), 3.0),
    (re.compile(r"\bH[12]\b|[Hh]albjahr|[Ss]emestre"), 6.0),
    (re.compile(r"\bQ[1-4]\b|[Qq]uartal|[Tt]rimestre"), 3.0),
)
"""Parts of a year, and how many months they have."""
_BEFORE_ORDINAL = re.compile(
    r"\b(?:d(?:er|ie|as|em|en|es)|zu[mr]|[ia]m|sein\w{0,2}|ihr\w{0,2}) $", re.IGNORECASE
)
"""What stands before an ordinal in figures, as German writes it: "seinen 77. Titel"."""
_MIN_RECIPROCAL = 3
"""From this multiple on, "ten times lighter" is told as "a tenth". Chosen, not measured."""

_EVERY = re.compile(r"\b(?:jede[rsnm]?|every|cada)\s+$", re.IGNORECASE)
"""What makes an ordinal a share: "every fourth", "jedes vierte"."""
_AND = ("", "and", "und", "y")
_PARTS = {("year", "month"): 12, ("hour", "minute"): 60, ("minute", "second"): 60, ("day", "hour"): 24}
"""Unit of time and a smaller one that may follow it → how many make it."""
_ADDED_TIME = Phrases(re.compile(r"(?<![\w.,:+])(45|90|105|120)['’′]?\s?\+\s?(\d{1,2})(?!\w)"), ["0"])
"""A minute of added time in a match: 90+3."""
_LABEL = re.compile(r"(?<![\w&#])#(\d{1,6})(?![\w.])")
"""A number that names one of a series: "#151"."""


def as_millions(mention: NumberMention, text: str) -> NumberMention | None:
    """Return the other reading of "1.2m", which is extracted as metres; None where there is none."""
    if mention.unit != "metre" or not text[mention.end - 2 : mention.end - 1].isdigit():
        return None
    return mention._replace(
        value=mention.value * 1e6, step=mention.step * 1e6, kind=PLAIN, unit="", bare=True
    )


def other_decimals(
    mentions: Sequence[NumberMention], text: str, lexicon: NumberLexicon
) -> list[NumberMention]:
    """Return the other readings of "1.234" where the decimal sign differs between a language's countries."""
    if not lexicon.either_decimal:
        return []
    decimal = decimal_sign(text, lexicon.decimal)
    readings = (_in_other_decimals(mention, text, decimal) for mention in mentions)
    return [reading for reading in readings if reading]


def _in_other_decimals(mention: NumberMention, text: str, decimal: str) -> NumberMention | None:
    """Return the reading of "1.234" with the sign read the other way; None where there is none.

    `decimal` is the decimal sign that the text uses.
    """
    factor = either_reading(text[mention.start : mention.end], decimal)
    if factor is None:
        return None
    return mention._replace(value=mention.value * factor, step=mention.step * factor)


def other_readings(mentions: Sequence[NumberMention], text: str) -> list[NumberMention]:
    """Return the numbers of a source that it may have beside those that are extracted."""
    return [
        *chain.from_iterable(_of_mention(mention, text) for mention in mentions),
        *chain.from_iterable(_of_neighbours(*pair, text) for pair in pairwise(mentions)),
        *_durations(text),
        *_labels(text),
        *_scaled(mentions, text),
    ]


def _of_mention(mention: NumberMention, text: str) -> Iterator[NumberMention]:
    """Yield the other readings of one number."""
    if reading := as_millions(mention, text):
        yield reading
    if mention.unit == "decade" and mention.value < 100:  # "30s"
        yield mention._replace(kind=TIME, unit="second")
    is_dotted = mention.kind == PLAIN and text.startswith(". ", mention.end)
    if is_dotted and _BEFORE_ORDINAL.search(text[: mention.start][-8:]):
        yield mention._replace(kind=ORDINAL)
    if mention.kind == ORDINAL and mention.value > 1 and _EVERY.search(text[: mention.start][-10:]):
        yield mention._replace(value=1 / mention.value, step=1e-6, kind=FRACTION, unit="")
    if mention.kind == MULTIPLE and mention.value >= _MIN_RECIPROCAL:
        yield mention._replace(value=1 / mention.value, step=1e-6, kind=FRACTION)
    if mention.kind == POINTS and mention.step == 0.1 and mention.value < 1 and mention.value != 0.5:
        yield mention._replace(kind=FRACTION, unit="")  # three tenths of a point


def _of_neighbours(first: NumberMention, second: NumberMention, text: str) -> Iterator[NumberMention]:
    """Yield the numbers that two neighbours may be together: "1 200", "2 hours 30 minutes"."""
    if _is_group_before(first, second, text):
        yield second._replace(start=first.start, value=first.value * 1000 + second.value)
    parts = _PARTS.get((first.unit, second.unit))
    if parts and text[first.end : second.start].strip(" ,") in _AND:
        yield first._replace(end=second.end, value=first.value + second.value / parts)


def _labels(text: str) -> Iterator[NumberMention]:
    """Yield the months of parts of a year, labels such as "#151", and minutes of added time."""
    for pattern, months in _PERIODS:
        yield from (
            NumberMention(*match.span(), months, 1, TIME, "month") for match in pattern.finditer(text)
        )
    for match in _LABEL.finditer(text):
        yield NumberMention(*match.span(1), float(match[1]), 1, PLAIN, bare=True)
    for match in _ADDED_TIME.finditer(text):
        yield NumberMention(*match.span(), float(match[1]) + float(match[2]), 1, PLAIN, bare=True)


def _scaled(mentions: Sequence[NumberMention], text: str) -> Iterator[NumberMention]:
    """Yield the plain numbers of a text that leaves out a scale, with that scale."""
    for phrases, signs, factor in _SCALES:
        if any(phrases.finditer(text)) or (signs and signs.search(text)):
            for mention in mentions:
                if mention.kind == PLAIN and not mention.spelled:
                    value, step = mention.value * factor, mention.step * factor
                    yield mention._replace(value=value, step=step, bare=True)


def _durations(text: str) -> Iterator[NumberMention]:
    """Yield the durations in hours and minutes: in minutes, and the two parts by themselves."""
    for match in chain(_HOURS.finditer(text), _CLOCK_LIKE.finditer(text)):
        hours, minutes = float(match[1]), float(match[2])
        yield NumberMention(*match.span(), hours * 60 + minutes, 1, TIME, "minute")
        yield NumberMention(*match.span(1), hours, 1, TIME, "hour")
        yield NumberMention(*match.span(2), minutes, 1, TIME, "minute")


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
