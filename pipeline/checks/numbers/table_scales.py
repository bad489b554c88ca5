"""Other readings of a source's numbers: "10.2m" is also 10.2 million, 10.2 in a table "in millions" too."""

import re
from collections.abc import Sequence

from pipeline.checks.numbers.models import PLAIN, NumberMention

_SCALES = (
    (re.compile(r"\bin (?:\S{1,12} )?(?:millions|million|mio)\b|\(\S{0,3}\$?m\)|\$m\b", re.IGNORECASE), 1e6),
    (re.compile(r"\bin (?:\S{1,12} )?(?:thousands|tausend|tsd|teur)\b", re.IGNORECASE), 1e3),
    (re.compile(r"\bin (?:\S{1,12} )?(?:billions|milliarden|mrd)\b|\$bn\b", re.IGNORECASE), 1e9),
)
"""How a text says that its tables leave out a scale."""


def scaled_readings(mentions: Sequence[NumberMention], text: str) -> list[NumberMention]:
    """Return the numbers that a reader may scale: metres that are millions, plain ones of such a table."""
    readings = [
        mention._replace(value=mention.value * 1e6, step=mention.step * 1e6, kind=PLAIN, unit="", bare=True)
        for mention in mentions
        if mention.unit == "metre" and text[mention.end - 2 : mention.end - 1].isdigit()
    ]
    for pattern, factor in _SCALES:
        if pattern.search(text):
            readings += [
                mention._replace(value=mention.value * factor, step=mention.step * factor, bare=True)
                for mention in mentions
                if mention.kind == PLAIN and not mention.spelled
            ]
    return readings
