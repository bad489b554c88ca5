"""What objections are confirmed against: a source with its metadata, and what is no evidence in it."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from pipeline.checks.dates import check_dates
from pipeline.checks.injection.instructions import source_instructions
from pipeline.checks.names import check_names
from pipeline.checks.names.lexicon import name_lexicon
from pipeline.checks.numbers import check_numbers
from pipeline.checks.numbers.lexicon import number_lexicon
from pipeline.checks.quotations.match import QuoteFragment, SourceWords, quote_fragments
from pipeline.checks.source_texts import source_tokens
from pipeline.checks.tokens import CheckInput, TokenizedText
from pipeline.domain.models import Source
from pipeline.domain.reviews import Severity
from pipeline.rewrite.prompt import describe_item
from pipeline.verifier.source_windows import shown_source

_MIN_QUOTED_WORDS = 2
"""Words of the shortest quotation, unless it is a figure. Chosen, not measured."""
MIN_CONTENT_CHARS = 4
"""Letters of a word that tells where a statement comes from. Chosen, not measured."""


class Quotation(NamedTuple):
    """Words of the source as it has them."""

    text: str
    spans: tuple[tuple[int, int], ...]
    """Half-open ranges in the source's text; none where the words are in its title or its other metadata."""
    is_instruction: bool = False
    """They stand in a sentence that tells a model what to answer."""


@dataclass(frozen=True, eq=False)
class SourceEvidence:
    """A source, and the windows of its text that the second reader was shown."""

    source: Source
    windows: tuple[tuple[int, int], ...]

    def quotation(self, quoted: str) -> Quotation | None:
        """Return a quotation in the source's own characters, None where the source does not have it.

        Punctuation, dashes, spaces and capitals do not count. "…" and brackets stand for words left out.
        """
        fragments = quote_fragments(quoted)
        words = sum(fragment.word_count for fragment in fragments)
        if words < _MIN_QUOTED_WORDS and not any(char.isdigit() for char in quoted):
            return None
        text = self.source.item.text
        if spans := find_pieces(self._text_words, fragments):
            return Quotation(shown_pieces(text, spans), spans, _any_overlap(spans, self._instructions))
        if spans := find_pieces(SourceWords(self._metadata), fragments):
            is_instruction = _any_overlap(spans, _orders(self._metadata))
            return Quotation(shown_pieces(self._metadata, spans), (), is_instruction)
        return None

    def brings_new_fact(self, sentence: str, start: int, end: int) -> bool:
        """Tell whether a span of a sentence has a figure, date or name that the source has in no form."""
        language = self.source.language
        case = CheckInput(TokenizedText(sentence), self._tokens, language, self.source.item.published_local)
        findings = (*check_numbers(case), *check_dates(case), *check_names(case))
        if any(
            finding.severity is not Severity.NOTE and finding.span and _overlap(finding.span, (start, end))
            for finding in findings
        ):
            return True
        if number_lexicon(language) and name_lexicon(language):
            return False
        words = (word.text for word in TokenizedText(sentence[start:end]).words)
        return any(self._is_unknown(word) for word in words)

    def is_left_out(self, words: str) -> bool:
        """Tell whether only the part of the source that was not shown has all content words of these."""
        content = {word.folded for word in TokenizedText(words).words if len(word.text) >= MIN_CONTENT_CHARS}
        return bool(content) and content <= self._hidden_words and not content <= self._shown_words

    def _is_unknown(self, word: str) -> bool:
        """Tell whether the source lacks a word with a digit or a capital; for languages without tables."""
        folded = TokenizedText(word).folded
        is_checked = any(char.isdigit() or char.isupper() for char in word)
        return is_checked and not any(form in self._tokens.positions for form in folded)

    @property
    def _tokens(self) -> TokenizedText:
        return source_tokens(self.source)

    @cached_property
    def _metadata(self) -> str:
        """The source without its text, as the second reader is shown it."""
        return describe_item(shown_source(self.source, ""))

    @cached_property
    def _text_words(self) -> SourceWords:
        return SourceWords(self.source.item.text)

    @cached_property
    def _instructions(self) -> tuple[tuple[int, int], ...]:
        return _orders(self.source.item.text)

    @cached_property
    def _shown_words(self) -> frozenset[str]:
        shown = (TokenizedText(self.source.item.text[slice(*window)]) for window in self.windows)
        return frozenset(word for text in shown for word in text.folded)

    @cached_property
    def _hidden_words(self) -> frozenset[str]:
        text = self.source.item.text
        ends = [0, *(position for window in self.windows for position in window), len(text)]
        gaps = (text[start:end] for start, end in zip(ends[::2], ends[1::2], strict=True))
        return frozenset(word for gap in gaps for word in TokenizedText(gap).folded)


def find_pieces(words: SourceWords, fragments: list[QuoteFragment]) -> tuple[tuple[int, int], ...]:
    """Return the spans of the pieces of a quotation in order; none where one of them is missing."""
    spans: list[tuple[int, int]] = []
    for fragment in fragments:
        after = spans[-1][1] if spans else 0
        match = next((each for each in words.find_all([fragment]) if each.start >= after), None)
        if match is None:
            return ()
        spans.append((match.start, match.end))
    return tuple(spans)


def _orders(text: str) -> tuple[tuple[int, int], ...]:
    """Return the spans of the sentences that tell a model what to answer."""
    instructions = source_instructions(text)
    sentences = TokenizedText(text).sentences if instructions else ()
    return tuple(span for span in sentences if _any_overlap((span,), instructions))


def shown_pieces(text: str, spans: Iterable[tuple[int, int]]) -> str:
    """Return the words of a quotation's pieces, as it is shown and stored."""
    return " … ".join(text[slice(*span)] for span in spans)


def _any_overlap(spans: tuple[tuple[int, int], ...], others: tuple[tuple[int, int], ...]) -> bool:
    return any(_overlap(span, other) for span in spans for other in others)


def _overlap(span: tuple[int, int], other: tuple[int, int]) -> bool:
    return span[0] < other[1] and other[0] < span[1]
