"""Finds the figures of a text: digits and words, with scale, unit and hedge."""

from functools import lru_cache

from pipeline.checks.figures.lexicon import CODES, SYMBOLS, Lexicon, lexicon
from pipeline.checks.figures.records import (
    FRACTION,
    MEASURE,
    MONEY,
    MULTIPLE,
    ORDINAL,
    PERCENT,
    POINTS,
    TIME,
    YEAR,
    Figure,
)
from pipeline.checks.figures.spelled import Spelled, spelled
from pipeline.checks.figures.tokens import HYPHENS, VULGAR, Token, tokens, worth

_LETTERS = {"k": 1e3, "m": 1e6, "b": 1e9, "t": 1e12}
_ENDINGS = frozenset(("st", "nd", "rd", "th"))
_HEDGE_WORDS = 3
"""How far before a figure its hedge may stand, in words."""


@lru_cache(maxsize=64)
def figures(text: str, language: str) -> tuple[Figure, ...]:
    """Return the figures of a text in their order; none where the language has no table."""
    words = lexicon(language)
    return tuple(_Finder(text, words).found()) if words else ()


class _Finder:
    """Goes once through the pieces of a text."""

    def __init__(self, text: str, words: Lexicon) -> None:
        self._text = text
        self._pieces = tokens(text)
        self._words = words

    def found(self) -> list[Figure]:
        """Return every figure."""
        every: list[Figure] = []
        at = 0
        while at < len(self._pieces):
            piece = self._pieces[at]
            got = None
            if piece.kind == "number":
                got = self._digits(at)
            elif piece.kind == "word":
                got = self._spelled(at)
            elif piece.text in VULGAR:
                got = self._unit(at, at + 1, VULGAR[piece.text], 1e-6, FRACTION)
            if got is None:
                at += 1
                continue
            figure, after = got
            every.append(figure._replace(hedge=self._hedge(at), first=at, last=after))
            at = max(after, at + 1)
        return _ranged(every, self._text)

    def _piece(self, at: int) -> Token | None:
        return self._pieces[at] if 0 <= at < len(self._pieces) else None

    def _joined(self, left: int, right: int) -> bool:
        """Tell whether nothing stands between two neighbours."""
        one, other = self._piece(left), self._piece(right)
        return bool(one and other and one.end == other.start)

    def _digits(self, at: int) -> tuple[Figure, int] | None:
        piece, before = self._pieces[at], self._piece(at - 1)
        if before and before.kind == "word" and before.end == piece.start and before.text not in CODES | {"rs", "us"}:
            return None  # a name: U2, G20
        if self._clock(at):
            return None
        valued = worth(piece.text, self._words.decimal)
        if valued is None:
            return None
        value, step = valued
        after = at + 1
        fraction = self._piece(after)
        if fraction and fraction.text in VULGAR and value < 1000:
            return self._unit(at, after + 1, value + VULGAR[fraction.text], 1e-6, "")
        divided = self._divided(at, value)
        if divided:
            return divided
        return self._unit(at, after, value, step, "")

    def _clock(self, at: int) -> bool:
        """Tell whether digits belong to a time of day, a version or an address."""
        for mark, other in ((at + 1, at + 2), (at - 1, at - 2)):
            sign, number = self._piece(mark), self._piece(other)
            if sign and number and sign.text in ":/@#" and number.kind == "number":
                joined = self._joined(min(at, mark), max(at, mark)) and self._joined(
                    min(mark, other), max(mark, other)
                )
                if joined and (sign.text != "/" or len(number.text) == 4):
                    return True
        before = self._piece(at - 1)
        return bool(before and before.text in "#@" and before.end == self._pieces[at].start)

    def _divided(self, at: int, value: float) -> tuple[Figure, int] | None:
        slash, below = self._piece(at + 1), self._piece(at + 2)
        if not (slash and below and slash.text in "/⁄" and below.kind == "number" and below.text.isdecimal()):
            return None
        if not (self._joined(at, at + 1) and self._joined(at + 1, at + 2)) or not value < int(below.text) < 100:
            return None
        again = self._piece(at + 3)
        if again and again.text == "/":
            return None  # a date
        return self._unit(at, at + 3, value / int(below.text), 1e-6, FRACTION)

    def _spelled(self, at: int) -> tuple[Figure, int] | None:
        before = self._piece(at - 1)
        if before and before.kind == "number" and before.end == self._pieces[at].start:
            return None
        got: Spelled | None = spelled(self._pieces, at, self._words)
        if got is None:
            return None
        if got.after == at + 1 and before and before.text in self._words.unnumbered and got.value == 1:
            return None
        figure, after = self._unit(at, got.after, got.value, got.step, got.kind)
        return figure._replace(spelled=True), after

    def _unit(self, at: int, after: int, value: float, step: float, kind: str) -> tuple[Figure, int]:
        """Return the figure of a number with what stands around it: scale, currency, percent, unit."""
        currency, start = self._before(at)
        scale, after, letter = self._scale(after, bool(currency))
        value, step = value * scale, step * scale
        got_kind, unit, after = self._behind(after, letter)
        if currency:
            kind, unit = MONEY, currency
        elif got_kind:
            kind, unit = (got_kind, unit) if kind != ORDINAL else (kind, unit)
        elif not kind and scale == 1 and self._is_year(at, after, value):
            kind = YEAR
        end = self._pieces[after - 1].end
        return Figure(start, end, value, step, kind, unit), after

    def _is_year(self, at: int, after: int, value: float) -> bool:
        return after == at + 1 and len(self._pieces[at].text) == 4 and 1500 <= value <= 2100

    def _before(self, at: int) -> tuple[str, int]:
        """Return the currency before a number, and where the figure begins."""
        piece, start = self._piece(at - 1), self._pieces[at].start
        if piece is None or start - piece.end > 1:
            return "", start
        if piece.text in SYMBOLS:
            letters = self._piece(at - 2)
            if letters and letters.end == piece.start and letters.text in ("us", "a", "c", "hk", "nz", "s", "r"):
                return SYMBOLS[piece.text] if letters.text == "us" else f"{letters.text}$", letters.start
            return SYMBOLS[piece.text], piece.start
        if piece.text in CODES and piece.upper:
            return self._words.currencies.get(piece.text, piece.text.upper()), piece.start
        return "", start

    def _scale(self, after: int, money: bool) -> tuple[float, int, str]:
        """Return the scale behind a number, what follows it, and a letter that was no scale."""
        scale, letter = 1.0, ""
        for _ in range(2):  # hundred million
            piece = self._piece(after)
            if piece is None or piece.kind != "word":
                hyphen = self._piece(after + 1)
                if not (piece and piece.text in HYPHENS and hyphen and hyphen.text in self._words.scales):
                    break
                after, piece = after + 1, hyphen
            joined = self._joined(after - 1, after)
            known = self._words.scales.get(piece.text)
            if len(piece.text) == 1 and known is not None:
                if not joined or (piece.text == "m" and not (money or piece.upper)) or (piece.text == "t" and not money):
                    break
            if known is None or (not joined and len(piece.text) < 2):
                break
            scale, after = scale * known, after + 1
        return scale, after, letter

    def _behind(self, after: int, _letter: str) -> tuple[str, str, int]:
        """Return kind and unit behind a number, and what follows them."""
        piece = self._piece(after)
        if piece is None:
            return "", "", after
        joined = self._joined(after - 1, after)
        if joined and piece.text in _ENDINGS:
            return ORDINAL, "", after + 1
        if joined and piece.text == "s":
            return YEAR, "decade", after + 1
        if piece.text in HYPHENS and self._joined(after, after + 1):
            after += 1
            piece = self._piece(after)
            if piece is None:
                return "", "", after
        elif self._text[self._pieces[after - 1].end : piece.start].strip(" \u00a0\u202f\n\t"):
            return "", "", after
        return self._named(piece, after)

    def _named(self, piece: Token, after: int) -> tuple[str, str, int]:
        words = self._words
        following = self._piece(after + 1)
        two = f"{piece.text} {following.text}" if following else ""
        if two in words.points:
            return POINTS, "bp" if piece.text == "basis" else "", after + 2
        if piece.text in words.points:
            return POINTS, "bp", after + 1
        if two in words.percent:
            return PERCENT, "", after + 2
        if piece.text == "%" or piece.text in words.percent:
            return PERCENT, "", after + 1
        if piece.text in SYMBOLS:
            return MONEY, SYMBOLS[piece.text], after + 1
        if piece.text == "us" and following and following.text in words.currencies:
            return MONEY, words.currencies[following.text], after + 2
        for kind, units in ((TIME, words.time), (MONEY, words.currencies), (MEASURE, words.measures)):
            if piece.text in units:
                return kind, units[piece.text], after + 1
        if piece.text in words.times:
            return MULTIPLE, "", after + 1
        before = self._pieces[after - 1]
        return "", "", after - 1 if before.text in HYPHENS else after

    def _hedge(self, at: int) -> str:
        """Return the hedge before a figure."""
        for back in range(1, _HEDGE_WORDS + 2):
            piece = self._piece(at - back)
            if piece is None or piece.text in ".!?;:" or piece.kind == "number":
                return ""
            if piece.text in self._words.hedges:
                return self._words.hedges[piece.text]
        return ""


def _ranged(every: list[Figure], text: str) -> list[Figure]:
    """Let both ends of a range have the unit and the scale that one of them names."""
    for number in range(len(every) - 1):
        one, other = every[number], every[number + 1]
        between = text[one.end : other.start].strip()
        if between not in ("-", "–", "—", "to", "and", "or", "bis", "und", "/") or one.kind in (YEAR, ORDINAL):
            continue
        if not one.kind and other.kind and other.kind != YEAR:
            factor = other.step if one.value < other.step and other.step >= 1000 else 1.0
            every[number] = one._replace(
                kind=other.kind, unit=other.unit, value=one.value * factor, step=one.step * factor
            )
        elif one.kind == MONEY and not other.kind:
            factor = other.step if other.step >= 1000 > one.value else 1.0
            every[number + 1] = other._replace(kind=one.kind, unit=one.unit)
            every[number] = one._replace(value=one.value * factor, step=one.step * factor)
    return every
