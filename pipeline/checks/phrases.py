"""Expressions made of phrases, so that lists of them can be read."""

import re


def any_of(*phrases: str, flags: int = 0) -> re.Pattern[str]:
    """Return what finds any of these phrases as whole words, whatever their case; a space is any white space.

    Phrases are expressions, whose repeats are to be bounded: time has to grow with the text alone.
    """
    spaced = "|".join(phrase.replace(" ", r"\s{1,3}") for phrase in phrases)
    return re.compile(rf"(?<!\w)(?:{spaced})(?!\w)", re.IGNORECASE | flags)


W = r"(?:\w{1,20} )"
"""A word and the space behind it."""
A = r"(?:\S{1,20} )"
"""The same, of any characters."""
