"""What stands around a number: currency before it, scale and unit behind it, a hedge."""

from typing import NamedTuple

from pipeline.checks.numbers.lexicon import CODES, SYMBOLS, Lexicon
from pipeline.checks.numbers.models import (
    FRACTION,
    GROUP,
    MEASURE,
    MONEY,
    MULTIPLE,
    ORDINAL,
    PERCENT,
    PLAIN,
    POINTS,
    TIME,
    YEAR,
    NumberMention,
)
from pipeline.checks.numbers.tokenize import HYPHENS, Token, TokenStream

_ENDINGS = frozenset(("st", "nd", "rd", "th"))
_COUNTRIES = frozenset(("us", "a", "c", "hk", "nz", "s", "r"))
"""Letters before a dollar sign that say whose dollar it is."""
_HEDGED = 4
"""How many pieces before a figure its hedge may stand."""
_LATER = 4
"""How many pieces behind a figure its unit may stand."""
_MARKS = frozenset(".,;:!?()")


class Unit(NamedTuple):
    """A kind and a unit, and the place behind them."""

    kind: str
    name: str
    after: int


def with_unit(
    strip: TokenStream, words: Lexicon, figure: NumberMention, at: int, after: int
) -> tuple[NumberMention, int]:
    """Return a number's figure with scale, currency and unit, and the place behind it all.

    `at` is the place of the number's first piece, `after` that behind its last one.
    """
    if figure.kind in (ORDINAL, GROUP):
        return figure, after
    currency, start = _currency(strip, words, at)
    scale, after = _scale(strip, words, after, money=bool(currency))
    unit = _behind(strip, words, after)
    kind, name = (MONEY, currency) if currency else (unit.kind or figure.kind, unit.name)
    if kind == FRACTION and scale > 1:
        kind = PLAIN  # half a million
    if not kind and scale == 1 and unit.after == at + 1 and _is_year(strip[at].text):
        kind = YEAR
    scaled = figure._replace(
        start=start,
        end=strip[unit.after - 1].end,
        value=figure.value * scale,
        step=figure.step * scale,
        kind=kind,
        unit=name,
    )
    return scaled, unit.after


def _is_year(digits: str) -> bool:
    return len(digits) == 4 and digits.isdecimal() and 1500 <= int(digits) <= 2100


def _currency(strip: TokenStream, words: Lexicon, at: int) -> tuple[str, int]:
    """Return the currency before a number, and where the figure begins."""
    sign, start = strip[at - 1], strip[at].start
    if not sign.text or start - sign.end > 1:
        return "", start
    if sign.text in SYMBOLS:
        country = strip[at - 2]
        if strip.joined(at - 2) and country.text in _COUNTRIES:
            return SYMBOLS[sign.text] if country.text == "us" else f"{country.text}$", country.start
        return SYMBOLS[sign.text], sign.start
    if sign.text in CODES and strip.text[sign.start : sign.end].isupper():
        return words.currencies.get(sign.text, sign.text.upper()), sign.start
    return "", start


def _scale(strip: TokenStream, words: Lexicon, after: int, *, money: bool) -> tuple[float, int]:
    """Return the scale behind a number, and the place behind that: two for "hundred million"."""
    scale = 1.0
    for _ in range(2):
        place = strip.beyond_hyphen(after)
        known = words.scales.get(strip.word(place))
        if known is None or (len(strip[place].text) == 1 and not _letter(strip, place, money=money)):
            break
        scale, after = scale * known, place + 1
    return scale, after


def _letter(strip: TokenStream, at: int, *, money: bool) -> bool:
    """Tell whether a letter is a scale: "5M", "$5m", not "5 m" and "5m", which are metres."""
    piece = strip[at]
    return strip.joined(at - 1) and (piece.text not in "mt" or money or piece.upper)


def _behind(strip: TokenStream, words: Lexicon, after: int) -> Unit:
    """Return kind and unit that stand behind a number."""
    piece, nothing = strip[after], Unit("", "", after)
    if strip.joined(after - 1) and piece.text in _ENDINGS:
        return Unit(ORDINAL, "", after + 1)
    if strip.joined(after - 1) and piece.text == "s":
        return Unit(YEAR, "decade", after + 1)
    if piece.text in HYPHENS and piece.text:
        binds = strip.joined(after) or strip.word(after + 1) in words.time  # also "6 - month"
        return _named(strip, words, after + 1) or nothing if binds else nothing
    if piece.text == "." and strip.word(after - 1) in words.scales:
        return _named(strip, words, after + 1) or nothing  # an abbreviation: "Mrd. Euro"
    if strip.text[strip[after - 1].end : max(piece.start, 0)].strip():
        return nothing
    return _named(strip, words, after) or nothing


def _named(strip: TokenStream, words: Lexicon, at: int) -> Unit | None:
    """Return the unit that a word or sign at a place is."""
    text = strip[at].text
    both = f"{text} {strip.word(at + 1)}"
    if both in words.points or text in words.points:
        small = text in ("basis", "bp", "bps") or text.startswith("basispunkt")
        return Unit(POINTS, "bp" if small else "", at + 1 + (both in words.points))
    if both in words.percent:
        return Unit(PERCENT, "", at + 2)
    if text == "%" or text in words.percent:
        return Unit(PERCENT, "", at + 1)
    if text in SYMBOLS:
        return Unit(MONEY, SYMBOLS[text], at + 1)
    if text == "us" and strip.word(at + 1) in words.currencies:
        return Unit(MONEY, words.currencies[strip.word(at + 1)], at + 2)
    for kind, units in ((TIME, words.time), (MONEY, words.currencies), (MEASURE, words.measures)):
        if text in units:
            return Unit(kind, units[text], at + 1)
    return Unit(MULTIPLE, "", at + 1) if text in words.times else None


def hedge(strip: TokenStream, words: Lexicon, at: int) -> str:
    """Return the hedge before a figure at a place; empty without one."""
    for back in range(1, _HEDGED + 1):
        piece = strip[at - back]
        if piece.text in _MARKS - {",", "(", ")"} or piece.kind == "number":
            return ""
        if piece.text in words.hedges:
            return words.hedges[piece.text]
    return ""


def following_unit(strip: TokenStream, words: Lexicon, after: int) -> str:
    """Return the unit of time that stands a word or two behind a figure."""
    for at in range(after, after + _LATER):
        text = strip[at].text
        if not text or text in words.loose or text in _MARKS:
            return ""
        if text in words.time:
            return words.time[text]
    return ""


def has_no_unit(strip: TokenStream, words: Lexicon, after: int) -> bool:
    """Tell whether what stands behind a figure is no noun."""
    piece: Token = strip[after]
    if piece.kind == "word":
        return piece.text in words.loose
    return not piece.text or piece.text not in HYPHENS
