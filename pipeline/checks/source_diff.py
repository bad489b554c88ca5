"""What became of the places of a source that changed: a comparison by sentence, then by word. Pure."""

import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from functools import cached_property
from typing import NamedTuple

from pipeline.checks.tokens import TokenizedText
from pipeline.domain.sentence_diff import changed_sentences
from pipeline.domain.text import one_line

Span = tuple[int, int]

_TOKEN = re.compile(r"\d+(?:[.,:]\d+)*|[^\W\d_]+(?:['’][^\W\d_]+)*|\S")
_MARKS = str.maketrans(dict.fromkeys("“”„‟«»", '"') | dict.fromkeys("‘’‚", "'") | dict.fromkeys("–—", "-"))
_MAX_TOKENS = 2_000
"""Tokens of a sentence that are compared: its time grows with their square. Chosen, not measured."""


class Token(NamedTuple):
    """A figure, a word or a mark of a sentence; its span counts in the whole text."""

    start: int
    end: int
    text: str
    """As it is compared: without case and the form of marks."""

    @property
    def is_figure(self) -> bool:
        """Whether it has digits."""
        return self.text[0].isdigit()

    @property
    def is_word(self) -> bool:
        """Whether it is a word or figure, and no mark."""
        return self.text[0].isalnum()


class Counterpart(NamedTuple):
    """What stands in the new source in place of a changed part of the old one; spans are half-open."""

    old_sentence: Span
    new_sentence: Span | None
    """None: the sentence is gone."""
    old_words: Span
    """The changed part with a word before and after it."""
    new: Span | None = None
    """What stands in its place; None where nothing does."""
    new_words: Span | None = None
    """The same with a word before and after it."""


@dataclass(frozen=True, eq=False)
class SourceDiff:
    """An old and a new text of one source."""

    old: TokenizedText
    new: TokenizedText
    _comparisons: dict[int, tuple[list[Token], list[Token], "list[_Block]"]] = field(
        default_factory=dict, init=False, repr=False
    )

    @cached_property
    def _changed(self) -> dict[int, int | None]:
        """Number of each old sentence that changed → its new one, None where it is gone."""
        before, after = _sentence_texts(self.old), _sentence_texts(self.new)
        changes = changed_sentences(before, after)
        return {old: new for old, new in changes if old is not None}

    @cached_property
    def _starts(self) -> list[int]:
        return [start for start, _ in self.old.sentences]

    def counterpart(self, span: Span) -> Counterpart | None:
        """Return what became of the first part of a span of the old text that changed; None if none did."""
        first = bisect_right(self._starts, span[0]) - 1
        last = bisect_right(self._starts, max(span[0], span[1] - 1)) - 1
        parts = (self._counterpart(number, span) for number in range(max(first, 0), last + 1))
        return next((part for part in parts if part), None)

    def _counterpart(self, number: int, span: Span) -> Counterpart | None:
        if number not in self._changed:
            return None
        sentence, other = self.old.sentences[number], self._changed[number]
        if other is None:
            return Counterpart(sentence, None, span)
        before, after, blocks = self._compared(number, other)
        first, behind = _range(before, span)
        if first >= behind or not any(_touches(block, first, behind) for block in blocks):
            return None
        place = _place(blocks, before, after, first, behind)
        return _counterpart(sentence, self.new.sentences[other], (before, first, behind), (after, *place))

    def _compared(self, number: int, other: int) -> tuple[list[Token], list[Token], "list[_Block]"]:
        """Return the tokens of an old sentence and of its new one, and their blocks; computed once."""
        if number not in self._comparisons:
            before = _tokens(self.old.text, self.old.sentences[number])
            after = _tokens(self.new.text, self.new.sentences[other])
            self._comparisons[number] = before, after, _blocks(before, after)
        return self._comparisons[number]


class _Block(NamedTuple):
    """A block of tokens that are equal, replaced, deleted or inserted."""

    kind: str
    start: int
    end: int
    low: int
    high: int


def _sentence_texts(text: TokenizedText) -> list[str]:
    return [one_line(text.text[start:end]) for start, end in text.sentences]


def _tokens(text: str, sentence: Span) -> list[Token]:
    matches = (match for match, _ in zip(_TOKEN.finditer(text, *sentence), range(_MAX_TOKENS), strict=False))
    return [Token(*match.span(), match[0].casefold().translate(_MARKS)) for match in matches]


def _range(tokens: Sequence[Token], span: Span) -> tuple[int, int]:
    """Return the half-open range of the tokens that a span touches."""
    inside = [number for number, token in enumerate(tokens) if token.start < span[1] and span[0] < token.end]
    return (inside[0], inside[-1] + 1) if inside else (0, 0)


def _blocks(before: Sequence[Token], after: Sequence[Token]) -> list[_Block]:
    texts = [token.text for token in before], [token.text for token in after]
    codes = SequenceMatcher(None, *texts, autojunk=False).get_opcodes()
    return [_Block(*code) for code in codes]


def _touches(block: _Block, first: int, behind: int) -> bool:
    """Tell whether a block changes tokens of a range, or inserts some within it."""
    kind, start, end, _, _ = block
    if kind == "equal":
        return False
    return start < behind and first < end if start < end else first < start < behind


def _place(
    blocks: Sequence[_Block], before: Sequence[Token], after: Sequence[Token], first: int, behind: int
) -> tuple[int, int]:
    """Return the range of new tokens in place of a range of old ones; it may be empty."""
    starts, ends = [], []
    for block in blocks:
        kind, start, end, low, high = block
        if kind == "equal" and start < behind and first < end:
            starts.append(low + max(0, first - start))
            ends.append(high - max(0, end - behind))
        elif _touches(block, first, behind):
            inner = _within(block, before, after, first, behind)
            starts.append(inner[0])
            ends.append(inner[1])
    return min(starts), max(ends)


def _within(
    block: _Block, before: Sequence[Token], after: Sequence[Token], first: int, behind: int
) -> tuple[int, int]:
    """Return the part of a replaced block that stands in place of some of its old tokens."""
    _, start, end, low, high = block
    if start >= first and end <= behind:
        return _single_figure(before, after, start, end, low, high)
    if end - start == high - low:
        return low + max(0, first - start), high - max(0, end - behind)
    if any(token.is_figure for token in before[max(first, start) : min(behind, end)]):
        return _single_figure(before, after, max(first, start), min(behind, end), low, high)
    return low, high


def _single_figure(
    before: Sequence[Token], after: Sequence[Token], start: int, end: int, low: int, high: int
) -> tuple[int, int]:
    """Return the only figure of a new range where the old one is a figure; else the whole range."""
    is_figure = end - start == 1 and before[start].is_figure
    numbers = [number for number in range(low, high) if after[number].is_figure] if is_figure else []
    return (numbers[0], numbers[0] + 1) if len(numbers) == 1 else (low, high)


def _counterpart(
    sentence: Span,
    other: Span,
    old: tuple[Sequence[Token], int, int],
    new: tuple[Sequence[Token], int, int],
) -> Counterpart:
    tokens, low, high = new
    return Counterpart(
        sentence,
        other,
        _with_neighbours(*old),
        (tokens[low].start, tokens[high - 1].end) if low < high else None,
        _with_neighbours(*new),
    )


def _with_neighbours(tokens: Sequence[Token], first: int, behind: int) -> Span:
    """Return the span of tokens with a word before and after them, where no mark is between."""
    if first and tokens[first - 1].is_word:
        first -= 1
    if behind < len(tokens) and tokens[behind].is_word:
        behind += 1
    return (tokens[first].start, tokens[behind - 1].end) if first < behind else (0, 0)
