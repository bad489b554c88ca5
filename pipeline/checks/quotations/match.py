"""Looks up words of a quotation in a source, however their marks, dashes, spaces and capitals are set."""

import re
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from typing import NamedTuple

_TOKEN = re.compile(r"\d+(?:[.,]\d+)+|[^\W_]+|[$€£¥₿%]")
_GAP = re.compile(r"\[[^\[\]]{0,200}\]|\([.… ]{1,8}\)|…|\.{3,}|\. \. ?\.(?: ?\.)?")
"""What a writer puts in a quotation for words of his own or for words left out."""
_CAPITAL = re.compile(r"\[(\w)\](?=\w)")
"""A first letter changed to fit the sentence: [T]he."""
_TRIES = 50
_TELLING = 4
"""Letters of a word that tells one sentence from another."""
_APART = 120
"""Characters of the reporter's own between two stretches of one quotation: ", said the director, "."""


class QuoteFragment(NamedTuple):
    """A stretch of a quotation that stands between what its writer changed or left out."""

    text: str
    words: int
    cut_before: bool
    """It begins within a word, the rest of which was changed."""
    cut_behind: bool


class QuoteMatch(NamedTuple):
    """Where words stand in a source, in its characters, half-open."""

    start: int
    end: int


def quote_fragments(quoted: str) -> list[QuoteFragment]:
    """Return the stretches of a quotation that are to be found in the source, in their order."""
    plain = _CAPITAL.sub(r"\1", quoted)
    found, done, cut = [], 0, False
    for gap in (*_GAP.finditer(plain), None):
        end = gap.start() if gap else len(plain)
        words = _TOKEN.findall(plain[done:end].casefold())
        bracket = gap is not None and gap[0].startswith("[")
        joined = bracket and end > done and plain[end - 1].isalnum()
        if words:
            found.append(QuoteFragment("".join(words), len(words), cut, joined))
        if gap:
            done = gap.end()
            cut = bracket and plain[done : done + 1].isalnum()
    return found


class SourceWords:
    """Stretches of a source, run together, with the place of each word."""

    def __init__(self, text: str, stretches: Iterable[tuple[int, int]] | None = None) -> None:
        self._starts: list[int] = []
        self._tokens: list[str] = []
        self._places: list[tuple[int, int]] = []
        length = 0
        for start, end in stretches if stretches is not None else ((0, len(text)),):
            for found in _TOKEN.finditer(text, start, end):
                folded = found[0].casefold()
                self._starts.append(length)
                self._tokens.append(folded)
                self._places.append(found.span())
                length += len(folded)
        self._text = "".join(self._tokens)
        self._edges = {*self._starts, length}

    def places(self, parts: Sequence[QuoteFragment]) -> Iterator[QuoteMatch]:
        """Yield where the pieces of a quotation stand in their order; few times where there are many."""
        after = 0
        for _ in range(_TRIES):
            first = self._find(parts[0], after)
            last = first
            for part in parts[1:]:
                last = self._find(part, last[1]) if last else None
            if first is None or last is None:
                return
            yield QuoteMatch(self._place(first[0])[0], self._place(last[1] - 1)[1])
            after = first[0] + 1

    def joined(self, parts: Sequence[QuoteFragment]) -> QuoteMatch | None:
        """Return where the pieces stand with little between the stretches that they run over."""
        for place in self.places(parts):
            first = bisect_left(self._places, (place.start, 0))
            last = bisect_left(self._places, (place.end, 0)) - 1
            between = (self._places[at + 1][0] - self._places[at][1] for at in range(first, last))
            if len(parts) > 1 or max(between, default=0) <= _APART:
                return place
        return None

    def nearest(self, quoted: str) -> QuoteMatch | None:
        """Return where the source has most of these words in nearly this order; None where it has few."""
        told = _TOKEN.findall(quoted.casefold())[:200]
        votes: Counter[int] = Counter()
        for number, word in enumerate(told):
            for at in self._where.get(word, ())[:_TRIES]:
                votes.update((at - number - 1, at - number, at - number + 1))
        if not votes:
            return None
        at, most = max(votes.items(), key=lambda one: (one[1], -one[0]))
        if most < max(2, 0.5 * len(told)):
            return None
        shared = set(told)
        around = range(max(0, at - 2), min(len(self._tokens), at + len(told) + 2))
        same = [number for number in around if self._tokens[number] in shared]
        if not any(len(self._tokens[number]) >= _TELLING for number in same):
            return None
        return QuoteMatch(self._places[same[0]][0], self._places[same[-1]][1])

    @cached_property
    def _where(self) -> dict[str, list[int]]:
        found: dict[str, list[int]] = {}
        for number, word in enumerate(self._tokens):
            found.setdefault(word, []).append(number)
        return found

    def _find(self, part: QuoteFragment, after: int) -> tuple[int, int] | None:
        at = self._text.find(part.text, after)
        for _ in range(_TRIES):
            if at < 0:
                return None
            end = at + len(part.text)
            if (part.cut_before or at in self._edges) and (part.cut_behind or end in self._edges):
                return at, end
            at = self._text.find(part.text, at + 1)
        return None

    def _place(self, at: int) -> tuple[int, int]:
        return self._places[bisect_right(self._starts, at) - 1]
