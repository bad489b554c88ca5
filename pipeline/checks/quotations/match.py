"""Finds the words of a quotation in a source, regardless of punctuation, dashes, spaces and capitals."""

import re
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from itertools import accumulate
from typing import NamedTuple
from unicodedata import normalize

_TOKEN = re.compile(r"\d+(?:[.,]\d+)+|[^\W_]++(?:[\u0300-\u036f]++[^\W_]*+)*+|[$€£¥₿%]")
_COMBINING = re.compile("[\u0300-\u036f]")
_GAP = re.compile(r"\[[^\[\]]{0,200}\]|\([.… ]{1,8}\)|…|\.{3,}|\. \. ?\.(?: ?\.)?")
"""An insertion or an omission in a quotation: "[the bank]", "…", "(...)"."""
_CHANGED_LETTER = re.compile(r"\[(\w)\](?=\w)")
"""A first letter that was changed to fit the sentence: "[T]he"."""
_MAX_TRIES = 50
"""Occurrences of a fragment or word that are tried: keeps the work linear. Chosen, not measured."""
_MIN_DISTINCTIVE_CHARS = 4
"""Letters of the shortest word that distinguishes a sentence from others. Chosen, not measured."""
_MIN_RARE_CHARS = 7
"""Letters of a word that makes two words a quotation of a place. Chosen, not measured."""
_MAX_RARE_PLACES = 2
"""Places of such a word in the source. Chosen, not measured."""
_MAX_SHIFT = 4
"""Tokens by which the next shared token may be further on in a quotation. Chosen, not measured."""
_MAX_GAP_CHARS = 120
"""Characters between two spans of one quotation: ", said the director, ". Chosen, not measured."""


class QuoteFragment(NamedTuple):
    """A part of a quotation between insertions and omissions, as its folded tokens joined together."""

    text: str
    word_count: int
    cut_before: bool
    """It begins within a word whose beginning was changed."""
    cut_after: bool
    """It ends within a word whose ending was changed."""


class QuoteMatch(NamedTuple):
    """The half-open character span of a quotation in the source."""

    start: int
    end: int


class Alignment(NamedTuple):
    """A quotation beside the tokens of the source that it shares."""

    query: tuple[str, ...]
    """The folded tokens of the quotation."""
    matching: tuple[int, ...]
    """The indexes of the shared tokens in the source, in order."""


def quote_fragments(quoted: str) -> list[QuoteFragment]:
    """Return the parts of a quotation that the source must have, in order."""
    plain = _CHANGED_LETTER.sub(r"\1", quoted)
    fragments, done, cut_before = [], 0, False
    for gap in (*_GAP.finditer(plain), None):
        end = gap.start() if gap else len(plain)
        tokens = [_folded(token) for token in _TOKEN.findall(plain[done:end])]
        bracket = gap is not None and gap[0].startswith("[")
        cut_after = bracket and end > done and plain[end - 1].isalnum()
        if tokens:
            fragments.append(QuoteFragment("".join(tokens), len(tokens), cut_before, cut_after))
        if gap:
            done = gap.end()
            cut_before = bracket and plain[done : done + 1].isalnum()
    return fragments


def _folded(token: str) -> str:
    """Return a token with case folded and accents composed, so that both ways to write `é` are one."""
    return token.casefold() if token.isascii() else normalize("NFC", token).casefold()


def _same_length_folded(text: str) -> str:
    """Return a text with all cases folded at once, if that keeps positions; else the text itself."""
    folded = text.casefold()
    return text if len(folded) != len(text) or _COMBINING.search(text) else folded


class SourceWords:
    """The tokens of a source, joined without separators, with the span of each.

    `spans` limits them to parts of the source, such as its quotations.
    """

    def __init__(self, text: str, spans: Iterable[tuple[int, int]] | None = None) -> None:
        folded_text = _same_length_folded(text)
        parts = spans if spans is not None else ((0, len(text)),)
        matches = [match for start, end in parts for match in _TOKEN.finditer(folded_text, start, end)]
        self._spans = [match.span() for match in matches]
        tokens = [match[0] for match in matches]
        self._tokens = tokens if folded_text is not text else list(map(_folded, tokens))
        self._text = "".join(self._tokens)
        self._starts = list(accumulate(map(len, self._tokens), initial=0))
        """Where each token begins in the joined text, and where the text ends."""
        self._edges = frozenset(self._starts)

    def find_all(self, fragments: Sequence[QuoteFragment]) -> Iterator[QuoteMatch]:
        """Yield the spans in which all fragments occur in order, at most `_MAX_TRIES` of them."""
        after = 0
        for _ in range(_MAX_TRIES):
            first = self._find(fragments[0], after)
            last = first
            for fragment in fragments[1:]:
                last = self._find(fragment, last[1]) if last else None
            if first is None or last is None:
                return
            yield QuoteMatch(self._span_at(first[0])[0], self._span_at(last[1] - 1)[1])
            after = first[0] + 1

    def find_joined(self, fragments: Sequence[QuoteFragment]) -> QuoteMatch | None:
        """Return the first match that continues over several spans with short gaps; None without one."""
        for match in self.find_all(fragments):
            first = bisect_left(self._spans, (match.start, 0))
            last = bisect_left(self._spans, (match.end, 0)) - 1
            gaps = (self._spans[index + 1][0] - self._spans[index][1] for index in range(first, last))
            if len(fragments) > 1 or max(gaps, default=0) <= _MAX_GAP_CHARS:
                return match
        return None

    def find_nearest(self, quoted: str) -> Alignment | None:
        """Return where the source has at least half of a quotation's words nearly in order; None without one.

        Each shared word votes for an offset of the quotation in the source. Reads 200 words at most.
        """
        query = tuple(map(_folded, _TOKEN.findall(quoted)))[:200]
        votes: Counter[int] = Counter()
        for index, word in enumerate(query):
            for at in self._positions.get(word, ())[:_MAX_TRIES]:
                votes.update((at - index - 1, at - index, at - index + 1))
        if not votes:
            return None
        at, count = max(votes.items(), key=lambda vote: (vote[1], -vote[0]))
        if count < max(2, 0.5 * len(query)):
            return None
        window = range(max(0, at - 2), min(len(self._tokens), at + len(query) + 2))
        matching = tuple(self._in_order(query, window))
        if not any(len(self._tokens[index]) >= _MIN_DISTINCTIVE_CHARS for index in matching):
            return None
        return Alignment(query, matching)

    def find_pair(self, quoted: str) -> Alignment | None:
        """Return where the source has a rare word of a quotation of two lower-case words beside another one.

        None without such a word: the two may then be a name or an idiom.
        """
        shown = _TOKEN.findall(quoted)
        if len(shown) != 2 or not shown[1].islower():
            return None
        query = tuple(map(_folded, shown))
        for place, word in enumerate(query):
            indexes = self._positions.get(word, ())
            if len(word) >= _MIN_RARE_CHARS and 1 <= len(indexes) <= _MAX_RARE_PLACES:
                beside = indexes[0] + (-1 if place else 1)
                is_word = self.token(beside).isalpha() and len(self.token(beside)) > 1
                return Alignment(query, (indexes[0],)) if is_word else None
        return None

    def _in_order(self, query: Sequence[str], window: range) -> Iterator[int]:
        """Yield the indexes of tokens that a quotation has in the same order, each of its tokens once."""
        places: dict[str, list[int]] = {}
        for place, word in enumerate(query):
            places.setdefault(word, []).append(place)
        last_place, last_index = -1, window.start - 1
        for index in window:
            later = places.get(self._tokens[index], ())
            next_at = bisect_right(later, last_place)
            if next_at < len(later) and later[next_at] - last_place <= index - last_index + _MAX_SHIFT:
                last_place, last_index = later[next_at], index
                yield index

    def token(self, index: int) -> str:
        """Return a folded token; empty outside the source."""
        return self._tokens[index] if 0 <= index < len(self._tokens) else ""

    def span(self, index: int) -> tuple[int, int]:
        """Return the characters of a token."""
        return self._spans[index]

    def __len__(self) -> int:
        return len(self._tokens)

    @cached_property
    def _positions(self) -> dict[str, list[int]]:
        positions: dict[str, list[int]] = {}
        for index, word in enumerate(self._tokens):
            positions.setdefault(word, []).append(index)
        return positions

    def _find(self, fragment: QuoteFragment, after: int) -> tuple[int, int] | None:
        """Return the half-open span of a fragment in the joined tokens, at word boundaries."""
        at = self._text.find(fragment.text, after)
        for _ in range(_MAX_TRIES):
            if at < 0:
                return None
            end = at + len(fragment.text)
            if (fragment.cut_before or at in self._edges) and (fragment.cut_after or end in self._edges):
                return at, end
            at = self._text.find(fragment.text, at + 1)
        return None

    def _span_at(self, at: int) -> tuple[int, int]:
        """Return the source span of the token at a position of the joined tokens."""
        return self._spans[bisect_right(self._starts, at) - 1]
