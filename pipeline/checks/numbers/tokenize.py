"""The pieces of a text that figures are made of: numbers, words and signs.

Reads figures that are written in words, from the pieces of a text.
"""

import math
import re
from collections.abc import Iterator, Set
from typing import NamedTuple

from pipeline.checks.numbers.lexicon import Lexicon
from pipeline.checks.numbers.models import FRACTION, GROUP, MULTIPLE, ORDINAL

_TOKEN = re.compile(
    r"(?P<number>\d{1,3}(?:[\u00a0\u202f\u2009]\d{3})+(?!\d)|\d+(?:[.,'’]\d+)*)"
    r"|(?P<word>[^\W\d_]+(?:['’][^\W\d_]+)*)"
    r"|(?P<sign>[^\w\s])"
)
VULGAR = {"½": 0.5, "⅓": 1 / 3, "⅔": 2 / 3, "¼": 0.25, "¾": 0.75, "⅕": 0.2, "⅛": 0.125}
HYPHENS = "-‐‑–—−"


class Token(NamedTuple):
    """A piece, and where it stands."""

    kind: str
    """number, word or sign."""
    text: str
    """Case folded."""
    start: int
    end: int
    upper: bool = False
    """Begins with a capital."""


_NOTHING = Token("", "", -1, -1)


class TokenStream:
    """The pieces of a text in their order; beyond its ends there is an empty one."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._found = list(_TOKEN.finditer(text))
        self._made: dict[int, Token] = {}

    def __len__(self) -> int:
        return len(self._found)

    def __getitem__(self, at: int) -> Token:
        made = self._made.get(at)
        if made is None:
            if not 0 <= at < len(self._found):
                return _NOTHING
            found = self._found[at]
            text = found[0]
            made = Token(found.lastgroup or "", text.casefold(), *found.span(), text[0].isupper())
            self._made[at] = made
        return made

    def places(self, words: Set[str], *, every: bool) -> Iterator[int]:
        """Yield the places at which a figure may begin: of numbers and those words, or of `every` word."""
        for at, found in enumerate(self._found):
            kind, text = found.lastgroup, found[0]
            if kind == "word":
                begins = every or text.casefold() in words
            else:
                begins = kind == "number" or text in VULGAR
            if begins:
                yield at

    def joined(self, at: int) -> bool:
        """Tell whether nothing stands between a piece and the one behind it."""
        return self[at].end == self[at + 1].start >= 0

    def word(self, at: int) -> str:
        """Return the word at a place, case folded; empty where there is none."""
        piece = self[at]
        return piece.text if piece.kind == "word" else ""

    def beyond_hyphen(self, at: int) -> int:
        """Return the place of the word that a hyphen at a place binds; the place itself without one."""
        return at + 1 if self[at].text in HYPHENS and self[at].text and self.joined(at) else at


def token_value(digits: str, decimal: str) -> tuple[float, float] | None:
    """Return the value of digits with their separators, and its step; None for what is no one number.

    `decimal` is the language's own sign; where that makes no sense, the other one is tried.
    """
    bare = re.sub("[\u00a0\u202f\u2009'’]", "", digits)
    group = "," if decimal == "." else "."
    for mark, parting in ((decimal, group), (group, decimal)):
        whole, _, part = bare.partition(mark)
        groups = whole.split(parting)
        fits = len(groups) == 1 or (
            1 <= len(groups[0]) <= 3 and groups[0] != "0" and all(len(each) == 3 for each in groups[1:])
        )
        if fits and (part.isdecimal() or mark not in bare) and all(each.isdecimal() for each in groups):
            return _worth("".join(groups), part)
    return None


def _worth(whole: str, part: str) -> tuple[float, float] | None:
    if len(whole) > 18:
        return None
    value = float(f"{whole}.{part or 0}")
    if part:
        return value, 10.0 ** -min(len(part), 12)
    zeros = len(whole) - len(whole.rstrip("0"))
    return value, 10.0 ** (zeros if value else 0)


class NumberWords(NamedTuple):
    """A figure in words."""

    value: float
    step: float
    kind: str
    after: int
    """Number of the piece behind it."""


def parse_number_words(strip: TokenStream, at: int, words: Lexicon) -> NumberWords | None:
    """Return the figure that begins at a piece, or None."""
    text = strip[at].text
    if text in words.articles or text in words.fractions:
        got = _article(strip, at, words) if text in words.articles else _half(strip, at, words)
        if got:
            return got
    if text in words.units or (words.compounds and _together(text, words) is not None):
        return _cardinal(strip, at, words)
    if text in words.ordinals:
        return NumberWords(words.ordinals[text], 1, ORDINAL, at + 1)
    if text in words.groups:
        return NumberWords(words.groups[text], 1, GROUP, at + 1)
    if text in words.multiples:
        return NumberWords(words.multiples[text], 1e-6, MULTIPLE, at + 1)
    return None


def _article(strip: TokenStream, at: int, words: Lexicon) -> NumberWords | None:
    """Read "a hundred", "a dozen", "a third of", "a half"."""
    following = strip.word(at + 1)
    if following in words.time and following not in words.ordinals:
        return NumberWords(1, 1, "", at + 1)
    if len(following) > 2 and following in words.scales:
        return _scaled(strip, at + 1, 1.0, words)
    share = words.fractions.get(following)
    if share is None or (following in words.ordinals and strip.word(at + 2) not in words.times | words.ratio):
        return None
    return NumberWords(share, 1e-6, FRACTION, at + 2)


def _half(strip: TokenStream, at: int, words: Lexicon) -> NumberWords | None:
    """Read "half", "half a million"."""
    value = words.fractions[strip[at].text]
    if value != 0.5:
        return None
    if strip.word(at + 1) in words.articles:
        scale = words.scales.get(strip.word(at + 2), 0)
        if scale and len(strip.word(at + 2)) > 2:
            return NumberWords(value * scale, value * scale, "", at + 3)
        if strip.word(at + 2) not in words.time:
            return None  # half an answer
        return NumberWords(value, 1e-6, "", at + 2)
    return NumberWords(value, 1e-6, FRACTION, at + 1)


def _cardinal(strip: TokenStream, at: int, words: Lexicon) -> NumberWords | None:
    """Read "twenty-one", "two hundred and fifty thousand", "three quarters", "twenty-first"."""
    total, current, after = 0.0, 0.0, at
    while after < len(strip):
        place = strip.beyond_hyphen(after) if after > at else after
        text = strip.word(place)
        value = words.units.get(text)
        if value is None and words.compounds:
            value = _together(text, words)
        if value is not None and _fits(
            current, value, fresh=after == at or _scale_before(strip, after, words)
        ):
            current, after = current + value, place + 1
        elif text in words.scales and len(text) > 2 and current:
            scale = words.scales[text]
            if scale == 100:
                current *= 100
            else:
                total, current = total + current * scale, 0.0
            after = place + 1
        elif text in words.joiners and _goes_on(strip, place, words, total + current):
            after = place + 1
        else:
            break
    value = total + current
    return _ended(strip, after, value, words)


def _scale_before(strip: TokenStream, after: int, words: Lexicon) -> bool:
    before = strip.word(after - 1)
    return before in words.scales or before in words.joiners


def _fits(current: float, value: float, *, fresh: bool) -> bool:
    """Tell whether a unit may follow what was read: "twenty" "one", not "one" "two"."""
    if fresh and (current % 100 == 0):
        return True
    return 1 <= value < 10 and current % 100 >= 20 and current % 10 == 0


def _goes_on(strip: TokenStream, at: int, words: Lexicon, value: float) -> bool:
    """Tell whether an "and" belongs to the figure: behind hundreds alone, before a unit."""
    following = strip.word(at + 1)
    return value >= 100 and value % 100 == 0 and following in words.units and words.units[following] > 0


def _ended(strip: TokenStream, after: int, value: float, words: Lexicon) -> NumberWords:
    """Look at what follows a cardinal: a fraction, an ordinal, "and a half"."""
    place = strip.beyond_hyphen(after)
    text = strip.word(place)
    if (
        text in words.fractions
        and 1 <= value < 20
        and not (text in words.ordinals and value == 1 and place == after)
    ):
        plural = text.endswith("s") or value == 1 or text not in words.ordinals
        if plural or words.fractions[text] == 0.5:
            return NumberWords(value * words.fractions[text], 1e-6, FRACTION, place + 1)
    if text in words.ordinals and place > after and value >= 20:
        return NumberWords(value + words.ordinals[text], 1, ORDINAL, place + 1)
    three, end = _three(strip, after)
    if (
        three[0] in words.joiners
        and three[1] in words.articles
        and words.fractions.get(three[2]) in (0.5, 0.25)
    ):
        half = words.fractions[three[2]]
        scale = words.scales.get(strip.word(end), 1.0)
        return NumberWords((value + half) * scale, half * scale, "", end + (scale > 1))
    if text in words.times and value != int(value):
        return NumberWords(value, 1e-6, MULTIPLE, place + 1)
    return NumberWords(value, _step(value), "", after)


def _three(strip: TokenStream, after: int) -> tuple[list[str], int]:
    """Return the next three words, hyphens or none between them, and the number of the piece behind."""
    texts = []
    for _ in range(3):
        place = strip.beyond_hyphen(after)
        texts.append(strip.word(place))
        after = place + 1
    return texts, after


def _scaled(strip: TokenStream, at: int, value: float, words: Lexicon) -> NumberWords:
    """Read a scale word, or two ("hundred million")."""
    after = at
    while len(strip.word(after)) > 2 and strip.word(after) in words.scales:
        value, after = value * words.scales[strip.word(after)], after + 1
    return NumberWords(value, _step(value), "", after)


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
