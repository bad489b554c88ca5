"""The pieces of a text that figures are made of: numbers, words and signs."""

import re
from collections.abc import Iterator, Set
from typing import NamedTuple

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


class Strip:
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


def worth(digits: str, decimal: str) -> tuple[float, float] | None:
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
