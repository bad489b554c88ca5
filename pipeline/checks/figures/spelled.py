"""Reads figures that are written in words, from a list of pieces."""

import math
from collections.abc import Sequence
from typing import NamedTuple

from pipeline.checks.figures.lexicon import Lexicon
from pipeline.checks.figures.records import FRACTION, MULTIPLE, ORDINAL
from pipeline.checks.figures.tokens import HYPHENS, Token


class Spelled(NamedTuple):
    """A figure in words."""

    value: float
    step: float
    kind: str
    after: int
    """Number of the piece behind it."""


def spelled(pieces: Sequence[Token], at: int, words: Lexicon) -> Spelled | None:
    """Return the figure that begins at a piece, or None."""
    text = pieces[at].text
    if text in words.articles or text in words.fractions:
        got = _article(pieces, at, words) if text in words.articles else _half(pieces, at, words)
        if got:
            return got
    if text in words.units or (words.compounds and _together(text, words) is not None):
        return _cardinal(pieces, at, words)
    if text in words.ordinals:
        return Spelled(words.ordinals[text], 1, ORDINAL, at + 1)
    if text in words.multiples:
        return Spelled(words.multiples[text], 1e-6, MULTIPLE, at + 1)
    return None


def _next(pieces: Sequence[Token], at: int) -> int:
    """Return the number of the next word, beyond a hyphen."""
    if at < len(pieces) and pieces[at].text in HYPHENS and at + 1 < len(pieces):
        return at + 1 if pieces[at + 1].start == pieces[at].end else len(pieces)
    return at


def _text(pieces: Sequence[Token], at: int) -> str:
    return pieces[at].text if at < len(pieces) and pieces[at].kind == "word" else ""


def _article(pieces: Sequence[Token], at: int, words: Lexicon) -> Spelled | None:
    """Read "a hundred", "a dozen", "a third of", "a half"."""
    following = _text(pieces, at + 1)
    if len(following) > 2 and following in words.scales:
        return _scaled(pieces, at + 1, 1.0, words)
    if following in words.fractions and (
        following not in words.ordinals or _text(pieces, at + 2) in words.times | words.joiners | {"of", "der", "aller"}
    ):
        if following in words.ordinals or words.fractions[following] in (0.5, 0.25):
            return Spelled(words.fractions[following], 1e-6, FRACTION, at + 2)
    return None


def _half(pieces: Sequence[Token], at: int, words: Lexicon) -> Spelled | None:
    """Read "half", "half a million"."""
    value = words.fractions[pieces[at].text]
    if value != 0.5:
        return None
    if _text(pieces, at + 1) in words.articles:
        scale = words.scales.get(_text(pieces, at + 2), 0)
        if scale and len(_text(pieces, at + 2)) > 2:
            return Spelled(value * scale, value * scale, "", at + 3)
    return Spelled(value, 1e-6, FRACTION, at + 1)


def _cardinal(pieces: Sequence[Token], at: int, words: Lexicon) -> Spelled | None:
    """Read "twenty-one", "two hundred and fifty thousand", "three quarters", "twenty-first"."""
    total, current, after = 0.0, 0.0, at
    while after < len(pieces):
        place = _next(pieces, after) if after > at else after
        text = _text(pieces, place)
        value = words.units.get(text)
        if value is None and words.compounds:
            value = _together(text, words)
        if value is not None and _fits(current, value, fresh=after == at or _scale_before(pieces, after, words)):
            current, after = current + value, place + 1
        elif text in words.scales and len(text) > 2 and current:
            scale = words.scales[text]
            if scale == 100:
                current *= 100
            else:
                total, current = total + current * scale, 0.0
            after = place + 1
        elif text in words.joiners and _goes_on(pieces, place, words, total + current):
            after = place + 1
        else:
            break
    value = total + current
    return _ended(pieces, after, value, words)


def _scale_before(pieces: Sequence[Token], after: int, words: Lexicon) -> bool:
    before = _text(pieces, after - 1)
    return before in words.scales or before in words.joiners


def _fits(current: float, value: float, *, fresh: bool) -> bool:
    """Tell whether a unit may follow what was read: "twenty" "one", not "one" "two"."""
    if fresh and (current % 100 == 0):
        return True
    return 1 <= value < 10 and current % 100 >= 20 and current % 10 == 0


def _goes_on(pieces: Sequence[Token], at: int, words: Lexicon, value: float) -> bool:
    """Tell whether an "and" belongs to the figure: behind hundreds alone, before a unit."""
    following = _text(pieces, at + 1)
    return value >= 100 and value % 100 == 0 and following in words.units and words.units[following] > 0


def _ended(pieces: Sequence[Token], after: int, value: float, words: Lexicon) -> Spelled:
    """Look at what follows a cardinal: a fraction, an ordinal, "and a half"."""
    place = _next(pieces, after)
    text = _text(pieces, place)
    if text in words.fractions and 1 <= value < 20 and not (text in words.ordinals and value == 1 and place == after):
        plural = text.endswith("s") or value == 1
        if plural or words.fractions[text] == 0.5:
            return Spelled(value * words.fractions[text], 1e-6, FRACTION, place + 1)
    if text in words.ordinals and place > after and value >= 20:
        return Spelled(value + words.ordinals[text], 1, ORDINAL, place + 1)
    three = [_text(pieces, after + number) for number in range(3)]
    if three[0] in words.joiners and three[1] in words.articles and words.fractions.get(three[2]) in (0.5, 0.25):
        half = words.fractions[three[2]]
        scale = words.scales.get(_text(pieces, after + 3), 1.0)
        return Spelled((value + half) * scale, half * scale, "", after + (4 if scale > 1 else 3))
    if text in words.times and value != int(value):
        return Spelled(value, 1e-6, MULTIPLE, place + 1)
    return Spelled(value, _step(value), "", after)


def _scaled(pieces: Sequence[Token], at: int, value: float, words: Lexicon) -> Spelled:
    """Read a scale word, or two ("hundred million")."""
    after = at
    while len(_text(pieces, after)) > 2 and _text(pieces, after) in words.scales:
        value, after = value * words.scales[_text(pieces, after)], after + 1
    return Spelled(value, _step(value), "", after)


def _step(value: float) -> float:
    if value < 100 or value != int(value):
        return 1.0
    zeros = len(str(int(value))) - len(str(int(value)).rstrip("0"))
    return math.pow(10, zeros)


def _together(text: str, words: Lexicon) -> float | None:
    """Return the value of a number word written together: "zweihundertfünfzig"; at most a few steps."""
    value = words.units.get(text)
    if value is not None or len(text) > 60:
        return value
    for word, scale in (("tausend", 1000.0), ("hundert", 100.0)):
        head, found, tail = text.partition(word)
        if found:
            front = _together(head, words) if head else 1.0
            back = _together(tail.removeprefix("und"), words) if tail else 0.0
            return None if front is None or back is None else front * scale + back
    unit, found, ten = text.partition("und")
    small, tens = words.units.get(unit), words.units.get(ten)
    return small + tens if found and small and tens and small < 10 <= tens else None
