"""Checks the quotations of a draft: finding `quotation` is altered, or attributed to another speaker."""

from bisect import bisect_right
from functools import cached_property, lru_cache

from pipeline.checks.quotations.extract import Quote, extract_quotes
from pipeline.checks.quotations.match import QuoteFragment, QuoteMatch, SourceWords, quote_fragments
from pipeline.checks.quotations.misattribution import SpeakerCheck
from pipeline.checks.quotations.speakers import AttributionLexicon, attribution_lexicon
from pipeline.checks.quotations.wording import (
    border_positions,
    differs_in_endings,
    proposed_text,
    source_wording,
)
from pipeline.checks.source_texts import PREPARED
from pipeline.checks.tokens import MAX_EVIDENCE, CheckInput, SupportedClaim, TokenizedText
from pipeline.domain.reviews import Finding, Severity

KIND = "quotation"
_MIN_WORDS = 2
"""Words of the shortest quotation: one word in quotation marks is a scare quote. Chosen, not measured."""
_MIN_BLOCK_WORDS = 3
"""Words from which on an absent quotation blocks; two may be a name or an idiom. Chosen, not measured."""
_MAX_QUOTES = 1000
"""Quotations that are checked: each may read the whole source. Chosen, not measured."""


def check_quotations(case: CheckInput) -> list[Finding]:
    """Return the findings about the quotations of a draft.

    Block: the words differ from the source, or the source names another speaker beside them. Warn: two words
    that the source does not have, and a speaker that is only likely to be another one. Words that the source
    has are a quotation of it, with or without quotation marks there.
    """
    quotes = _quotes(case)
    check = _Check(case) if quotes else None
    pairs = quotes[:_MAX_QUOTES]
    findings = [each for quote, parts in pairs if check and (each := check.finding(quote, parts))]
    if len(quotes) > _MAX_QUOTES:
        message = f"Only the first {_MAX_QUOTES:,} quotations were checked: compare the others yourself."
        span = quotes[_MAX_QUOTES][0][:2]
        findings.append(Finding(kind=KIND, severity=Severity.WARN, message=message, span=span))
    return findings


def trace_quotations(case: CheckInput) -> list[SupportedClaim]:
    """Return the quotations of a draft that are in the source word for word, with their spans."""
    quotes = _quotes(case)
    if not quotes:
        return []
    source_words = _words_of(case.source)
    supported = []
    for quote, fragments in quotes[:_MAX_QUOTES]:
        spans = tuple((match.start, match.end) for match in source_words.find_all(fragments))
        if spans:
            supported.append(SupportedClaim(KIND, (quote.start, quote.end), spans[:MAX_EVIDENCE]))
    return supported


def _quotes(case: CheckInput) -> list[tuple[Quote, list[QuoteFragment]]]:
    """Return the quotations of a draft that have enough words, with their fragments."""
    text = case.draft.text
    quotes = ((quote, quote_fragments(text[quote.start : quote.end])) for quote in extract_quotes(text))
    return [(quote, parts) for quote, parts in quotes if sum(each.word_count for each in parts) >= _MIN_WORDS]


@lru_cache(maxsize=PREPARED)
def _words_of(source: TokenizedText) -> SourceWords:
    return SourceWords(source.text)


class _Check:
    """The indexed source of one draft."""

    def __init__(self, case: CheckInput) -> None:
        self._case = case
        self._source_words = _words_of(case.source)

    def finding(self, quote: Quote, fragments: list[QuoteFragment]) -> Finding | None:
        """Return the finding about one quotation; None if the source has it, by the same speaker."""
        matches = list(self._source_words.find_all(fragments))
        joined = None if matches else self._quoted_words.find_joined(fragments)
        if not matches and joined is None:
            return self._altered(quote, sum(fragment.word_count for fragment in fragments))
        if quote.block or self._speakers is None:
            return None
        places = matches or ([joined] if joined else [])
        return self._speakers.finding(quote, [(match, self._quote_at(match)) for match in places])

    def _altered(self, quote: Quote, word_count: int) -> Finding:
        case, quoted = self._case, self._case.draft.text[quote.start : quote.end]
        alignment = self._source_words.find_nearest(quoted) or self._source_words.find_pair(quoted)
        severity = Severity.BLOCK if word_count >= _MIN_BLOCK_WORDS or alignment else Severity.WARN
        if alignment is None:
            message = "The source does not have this quotation: remove it."
            return Finding(kind=KIND, severity=severity, message=message, span=quote[:2])
        if self._lexicon and self._lexicon.nouns and differs_in_endings(self._source_words, alignment):
            severity = Severity.WARN
        nearest, is_whole = source_wording(
            self._source_words,
            alignment,
            quoted,
            self._borders,
            self._lexicon.negations if self._lexicon else frozenset(),
        )
        excerpt = " ".join(case.source.text[nearest.start : nearest.end].split())
        proposal = proposed_text(case.source.text, nearest, quoted) if is_whole and not quote.block else ""
        return Finding(
            kind=KIND,
            severity=severity,
            message=f'The source words this differently: "{excerpt[:200]}". Quote it exactly.',
            span=quote[:2],
            evidence=((nearest.start, nearest.end),),
            suggestion=proposal,
        )

    def _quote_at(self, match: QuoteMatch) -> Quote | None:
        """Return the quotation of the source in which a match begins."""
        at = bisect_right(self._source_quotes, (match.start, len(self._case.source.text) + 1)) - 1
        if at < 0 or self._source_quotes[at].end < match.start:
            return None
        return self._source_quotes[at] if match.start < self._source_quotes[at].end else None

    @cached_property
    def _lexicon(self) -> AttributionLexicon | None:
        return attribution_lexicon(self._case.language)

    @cached_property
    def _speakers(self) -> SpeakerCheck | None:
        return SpeakerCheck(self._case, self._lexicon) if self._lexicon else None

    @cached_property
    def _source_quotes(self) -> tuple[Quote, ...]:
        return extract_quotes(self._case.source.text)

    @cached_property
    def _borders(self) -> list[int]:
        return border_positions(self._case.source.sentences, self._source_quotes)

    @cached_property
    def _quoted_words(self) -> SourceWords:
        return SourceWords(self._case.source.text, [quote[:2] for quote in self._source_quotes])
