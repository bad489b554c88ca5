"""Finds the figures of a text: digits and words, with scale, unit and hedge.

Results of games and votes, "2-1": two figures that only count together. Pure.

Shares that a text tells by two figures: "one in five", "7 of the 12".
"""

from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise

from pipeline.checks.numbers.lexicon import CODES, Lexicon, lexicon
from pipeline.checks.numbers.models import FRACTION, MONEY, ORDINAL, PERCENT, PLAIN, YEAR, NumberMention
from pipeline.checks.numbers.tokenize import (
    HYPHENS,
    VULGAR,
    Token,
    TokenStream,
    parse_number_words,
    token_value,
)
from pipeline.checks.numbers.units import following_unit, has_no_unit, hedge, with_unit

_FINEST = 10
"""Denominator of the finest fraction that texts write with a slash, tens and hundreds apart."""
_EXACT = 1e-6
"""Step of a fraction."""
_TO = frozenset(("-", "–", "—", "/", "to", "and", "or", "instead of", "bis", "und", "oder", "statt", "auf"))
"""What stands between the two ends of a range, or between two amounts that share a unit."""

Found = tuple[NumberMention, int]
"""A figure, and the place behind it."""


@lru_cache(maxsize=8)
def extract_numbers(text: str, language: str) -> tuple[NumberMention, ...]:
    """Return the figures of a text in their order; none where the language has no table."""
    words = lexicon(language)
    return tuple(_ranged(_all(TokenStream(text), words), text)) if words else ()


def _all(strip: TokenStream, words: Lexicon) -> list[NumberMention]:
    every: list[NumberMention] = []
    behind = 0
    for at in strip.places(words.starts, every=words.compounds):
        found = _at(strip, words, at) if at >= behind else None
        if found is None:
            continue
        figure, behind = found
        every.append(
            figure._replace(
                hedge=hedge(strip, words, at),
                bare=has_no_unit(strip, words, behind),
                later=following_unit(strip, words, behind),
            )
        )
        behind = max(behind, at + 1)
    return every


def _at(strip: TokenStream, words: Lexicon, at: int) -> Found | None:
    """Return the figure that begins at a place."""
    piece = strip[at]
    if piece.kind == "number":
        return _digits(strip, words, at)
    if piece.kind == "word":
        return _spelled(strip, words, at)
    if piece.text in VULGAR:
        part = NumberMention(piece.start, piece.end, VULGAR[piece.text], _EXACT, FRACTION)
        return with_unit(strip, words, part, at, at + 1)
    return None


def _digits(strip: TokenStream, words: Lexicon, at: int) -> Found | None:
    piece, before = strip[at], strip[at - 1]
    if _is_name(strip, at) or _is_clock(strip, words, at):
        return None
    if before.text and before.text in "'’" and strip.joined(at - 1) and len(piece.text) == 2:
        return NumberMention(before.start, piece.end, 1900 + float(piece.text), 1, YEAR), at + 1
    valued = token_value(piece.text, words.decimal)
    if valued is None:
        return None
    number = NumberMention(piece.start, piece.end, *valued)
    if strip[at + 1].text in VULGAR and number.value < 1000:
        mixed = number._replace(value=number.value + VULGAR[strip[at + 1].text], step=_EXACT)
        return with_unit(strip, words, mixed, at, at + 2)
    share = _divided(strip, at, number.value)
    if share:
        part = number._replace(value=share, step=_EXACT, kind=FRACTION)
        return with_unit(strip, words, part, at, at + 3)
    return with_unit(strip, words, number, at, at + 1)


def _is_name(strip: TokenStream, at: int) -> bool:
    """Tell whether digits belong to a name: U2, G20, F-16."""
    before = strip[at - 1]
    if before.text in HYPHENS and before.text and strip.joined(at - 1) and strip.joined(at - 2):
        return strip[at - 2].kind == "word" and strip[at - 2].upper
    return before.kind == "word" and strip.joined(at - 1) and before.text not in CODES | {"rs", "us"}


def _is_clock(strip: TokenStream, words: Lexicon, at: int) -> bool:
    """Tell whether digits belong to a time of day, a date, a version or an address."""
    if strip[at + 1].text in words.clock or (strip[at - 1].text in ("#", "@") and strip.joined(at - 1)):
        return True
    for first in (at, at - 2):
        sign, other = strip[first + 1], strip[first + 2]
        bound = (
            strip.joined(first) and strip.joined(first + 1) and strip[first].kind == other.kind == "number"
        )
        if bound and (sign.text in (":", "@", "#") or (sign.text == "/" and _is_date(strip[first], other))):
            return True
    return False


def _is_date(one: Token, other: Token) -> bool:
    """Tell whether two numbers with a slash between them are no fraction: 9/11, 2020/21."""
    if not (one.text.isdecimal() and other.text.isdecimal()):
        return True
    return int(one.text) >= int(other.text) or (int(other.text) > _FINEST and int(other.text) % 10 != 0)


def _divided(strip: TokenStream, at: int, value: float) -> float | None:
    """Return the value of a fraction such as 3/4 that begins at a place."""
    below = strip[at + 2]
    bound = strip[at + 1].text in ("/", "⁄") and strip.joined(at) and strip.joined(at + 1)
    if not bound or below.kind != "number" or not below.text.isdecimal() or strip[at + 3].text == "/":
        return None
    return value / int(below.text) if value < int(below.text) < 101 else None


def _spelled(strip: TokenStream, words: Lexicon, at: int) -> Found | None:
    glued = (strip[at - 1].kind == "number" and strip.joined(at - 1)) or (
        strip[at + 1].kind == "number" and strip.joined(at)
    )
    got = None if glued else parse_number_words(strip, at, words)  # glued: a name, such as Twenty20
    if got is None or (not got.kind and got.value == 1 and strip[at - 1].text in words.unnumbered):
        return None
    number = NumberMention(
        strip[at].start, strip[got.after - 1].end, got.value, got.step, got.kind, spelled=True
    )
    return with_unit(strip, words, number, at, got.after)


def _ranged(every: list[NumberMention], text: str) -> list[NumberMention]:
    """Let both ends of a range have the unit and the scale that one of them names."""
    for number, (_, other) in enumerate(pairwise(list(every))):
        one = every[number]
        if text[one.end : other.start].strip() not in _TO or one.kind in (YEAR, ORDINAL):
            continue
        factor = other.step if other.step >= 1000 and one.value < other.step else 1.0
        scaled = one._replace(value=one.value * factor, step=one.step * factor)
        if not one.kind and other.kind not in ("", YEAR, ORDINAL):
            every[number] = scaled._replace(kind=other.kind, unit=other.unit)
        elif one.kind == MONEY and not other.kind:
            every[number] = scaled
            every[number + 1] = other._replace(kind=one.kind, unit=one.unit)
    return every


_MOST = 1000
"""Figures from here on stand for years and amounts, and a hyphen between them for a range."""

Score = frozenset[float]


def scores(figures: Sequence[NumberMention], text: str) -> dict[int, Score]:
    """Return the place of each figure of a result → the result, in whatever order it is told."""
    found: dict[int, Score] = {}
    for one, other in pairwise(figures):
        between = text[one.end : other.start].strip()
        if len(between) == 1 and between in HYPHENS and _counts(one) and _counts(other):
            found[one.start] = found[other.start] = frozenset((one.value, other.value))
    return found


def _counts(figure: NumberMention) -> bool:
    return figure.kind == PLAIN and not figure.spelled and figure.value < _MOST and figure.whole


_BETWEEN = 24
"""Characters at most between the two."""


def shares(given: Sequence[NumberMention], text: str, language: str) -> list[NumberMention]:
    """Return a fraction for each pair of neighbours that tells one."""
    words = lexicon(language)
    found: list[NumberMention] = []
    for one, other in pairwise(given):
        between = text[one.end : other.start]
        if words is None or len(between) > _BETWEEN or not 0 < one.value < other.value:
            continue
        if {one.kind, other.kind} & {ORDINAL, PERCENT, YEAR, FRACTION}:
            continue
        if set(between.casefold().split()) & words.ratio:
            value = one.value / other.value
            found.append(NumberMention(one.start, other.end, value, 1e-6, FRACTION))
    return found
