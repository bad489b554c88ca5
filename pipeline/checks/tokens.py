"""A tokenized text: words and sentences with their character spans, computed once and used by every check."""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from types import MappingProxyType
from typing import NamedTuple
from unicodedata import normalize

from pipeline.domain.text import is_abbreviated

_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+|[\u0300-\u036f]+[^\W_]*)*")
_SENTENCE_END = re.compile(r"[.!?…。！？]+[\"'”’»)\]]*(?=\s|$)|\n\s*\n|\n(?=[#>*-])")


class Word(NamedTuple):
    """A run of letters and digits, apostrophes inside it included."""

    text: str
    start: int
    end: int

    @property
    def folded(self) -> str:
        """Return the form that is compared: case folded, composed, with straight apostrophes."""
        folded = self.text.casefold()
        return folded if folded.isascii() else normalize("NFC", folded).replace("’", "'")


@dataclass(frozen=True, eq=False)
class TokenizedText:
    """One text with cached tokens. Spans are half-open character offsets into `text`."""

    text: str

    @cached_property
    def words(self) -> tuple[Word, ...]:
        """Return the words in the order of the text."""
        return tuple(Word(match[0], *match.span()) for match in _WORD.finditer(self.text))

    @cached_property
    def folded(self) -> tuple[str, ...]:
        """Return the folded form of each word of `words`."""
        return tuple(word.folded for word in self.words)

    @cached_property
    def positions(self) -> Mapping[str, tuple[int, ...]]:
        """Return folded word → its indexes in `words`."""
        indexes: dict[str, list[int]] = {}
        for index, word in enumerate(self.folded):
            indexes.setdefault(word, []).append(index)
        return MappingProxyType({word: tuple(every) for word, every in indexes.items()})

    @cached_property
    def sentences(self) -> tuple[tuple[int, int], ...]:
        """Return the spans of the sentences. A heading and a list item are one sentence each."""
        spans, begin = [], 0
        for end in _SENTENCE_END.finditer(self.text):
            if end[0] == "." and is_abbreviated(self.text, end.start()):
                continue
            spans.append((begin, end.end()))
            begin = end.end()
        spans.append((begin, len(self.text)))
        return tuple((start, stop) for start, stop in map(self._stripped, spans) if start < stop)

    def between(self, start: int, end: int) -> tuple[int, int]:
        """Return the half-open range of the indexes of the words that a span touches."""
        return bisect_left(self._ends, start + 1), bisect_left(self._starts, end)

    def sentence_words(self, index: int) -> tuple[int, int]:
        """Return the half-open range of the indexes of the words in the sentence of one word."""
        if not 0 <= index < len(self.words):
            return index, index
        at = bisect_right(self._sentence_starts, self.words[index].start) - 1
        return self.between(*self.sentences[max(at, 0)])

    @cached_property
    def _starts(self) -> list[int]:
        return [word.start for word in self.words]

    @cached_property
    def _ends(self) -> list[int]:
        return [word.end for word in self.words]

    @cached_property
    def _sentence_starts(self) -> list[int]:
        return [start for start, _ in self.sentences]

    def _stripped(self, span: tuple[int, int]) -> tuple[int, int]:
        start, end = span
        text = self.text[start:end]
        return start + len(text) - len(text.lstrip()), end - len(text) + len(text.rstrip())


@dataclass(frozen=True, eq=False)
class CheckInput:
    """A draft and its source: the input of every check of claims."""

    draft: TokenizedText
    source: TokenizedText
    language: str = "en"
    published: datetime | None = None
    """When the source was published. Its relative dates count from that day."""


MAX_EVIDENCE = 3
"""Maximum number of source spans returned as evidence for one claim. Chosen, not measured."""


class SupportedClaim(NamedTuple):
    """A claim of a draft that the source contains, with the spans of its evidence in the source."""

    kind: str
    span: tuple[int, int]
    evidence: tuple[tuple[int, int], ...]
