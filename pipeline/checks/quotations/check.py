"""Checks the quotations of a draft: finding `quotation` is altered, or attributed to another speaker."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from functools import cached_property

from pipeline.checks.quotations.extract import (
    AttributionLexicon,
    Quote,
    attribution_lexicon,
    extract_quotes,
    speaker_of,
)
from pipeline.checks.quotations.match import QuoteFragment, QuoteMatch, SourceWords, quote_fragments
from pipeline.checks.tokens import MAX_EVIDENCE, CheckInput, SupportedClaim, TokenizedText
from pipeline.domain.reviews import Finding, Severity

KIND = "quotation"
_MIN_WORDS = 2
"""Words of the shortest quotation: one word in quotation marks is a scare quote. Chosen, not measured."""
_MIN_BLOCK_WORDS = 3
"""Words from which on an absent quotation blocks; two may be a name or an idiom. Chosen, not measured."""
_MIN_SPEECH_WORDS = 5
"""Words from which on the source's own words in quotation marks read as speech. Chosen, not measured."""
_MAX_QUOTES = 1000
"""Quotations that are checked: each may read the whole source. Chosen, not measured."""
_MAX_WORDS_BETWEEN = 6
"""Words between a speaker and an organisation in one sentence of the source. Chosen, not measured."""
_MAX_POSITIONS = 20
"""Positions of a name that are compared, in a sentence and in the source. Chosen, not measured."""


def check_quotations(case: CheckInput) -> list[Finding]:
    """Return the findings about the quotations of a draft.

    Block: the words differ from the source, or another speaker said them. Warn: the source has the words but
    not as a quotation.
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
    source_words = SourceWords(case.source.text)
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


class _Check:
    """The indexed source of one draft."""

    def __init__(self, case: CheckInput) -> None:
        self._case = case
        self._lexicon = attribution_lexicon(case.language)
        self._source_words = SourceWords(case.source.text)

    def finding(self, quote: Quote, fragments: list[QuoteFragment]) -> Finding | None:
        word_count = sum(fragment.word_count for fragment in fragments)
        matches = list(self._source_words.find_all(fragments))
        quoted = next((match for match in matches if self._quote_at(match)), None)
        match = quoted or next(iter(matches), None) or self._quoted_words.find_joined(fragments)
        if match is None:
            return self._altered(quote, word_count)
        if quote.block:
            return None
        if quoted is None and word_count >= _MIN_SPEECH_WORDS and not self._is_quoted(match):
            message = "The source has these words, but not as a quotation: remove the quotation marks."
            return _finding(Severity.WARN, message, quote, [match])
        return self._misattributed(quote, match)

    def _altered(self, quote: Quote, word_count: int) -> Finding:
        nearest = self._source_words.find_nearest(self._case.draft.text[quote.start : quote.end])
        severity = Severity.BLOCK if word_count >= _MIN_BLOCK_WORDS or nearest else Severity.WARN
        if nearest is None:
            return _finding(severity, "The source does not have this quotation: remove it.", quote, ())
        excerpt = " ".join(self._case.source.text[nearest.start : nearest.end].split())
        message = f'The source words this differently: "{excerpt[:200]}". Quote it exactly.'
        return _finding(severity, message, quote, [nearest])

    def _misattributed(self, quote: Quote, match: QuoteMatch) -> Finding | None:
        source_quote = self._quote_at(match)
        if self._lexicon is None or source_quote is None:
            return None
        draft_speaker = speaker_of(self._case.draft.text, quote, self._lexicon)
        source_speaker = speaker_of(self._case.source.text, source_quote, self._lexicon)
        if not draft_speaker or not source_speaker or set(draft_speaker) & set(source_speaker):
            return None
        if self._is_same_party(draft_speaker, source_speaker, self._lexicon):
            return None
        names = " ".join(source_speaker).title()
        message = f"The source attributes this to another speaker ({names}): name that speaker."
        return _finding(Severity.BLOCK, message, quote, [match])

    def _is_same_party(
        self, draft_speaker: Iterable[str], source_speaker: Iterable[str], lexicon: AttributionLexicon
    ) -> bool:
        """Tell whether the source names both next to each other, as a company and its spokesperson."""
        source = self._case.source
        separators = lexicon.verbs | lexicon.between
        others = sorted(at for name in source_speaker for at in _positions(source, name))
        for at in (at for name in draft_speaker for at in _positions(source, name)):
            first, end = source.sentence_words(at)
            for other in others[bisect_left(others, first) : bisect_left(others, end)][:_MAX_POSITIONS]:
                between = source.folded[min(at, other) + 1 : max(at, other)]
                if len(between) <= _MAX_WORDS_BETWEEN and not separators & set(between):
                    return True
        return False

    def _quote_at(self, match: QuoteMatch) -> Quote | None:
        """Return the quotation of the source in which a match begins."""
        at = bisect_right(self._source_quotes, (match.start, len(self._case.source.text) + 1)) - 1
        if at < 0 or self._source_quotes[at].end < match.start:
            return None
        return self._source_quotes[at] if match.start < self._source_quotes[at].end else None

    def _is_quoted(self, match: QuoteMatch) -> bool:
        """Tell whether any part of a match is quoted in the source."""
        at = bisect_right(self._source_quotes, (match.end, -1)) - 1
        return at >= 0 and self._source_quotes[at].end > match.start

    @cached_property
    def _source_quotes(self) -> tuple[Quote, ...]:
        return extract_quotes(self._case.source.text)

    @cached_property
    def _quoted_words(self) -> SourceWords:
        return SourceWords(self._case.source.text, [quote[:2] for quote in self._source_quotes])


def _finding(severity: Severity, message: str, quote: Quote, evidence: Iterable[QuoteMatch]) -> Finding:
    spans = tuple((match.start, match.end) for match in evidence)
    return Finding(kind=KIND, severity=severity, message=message, span=quote[:2], evidence=spans)


def _positions(source: TokenizedText, name: str) -> tuple[int, ...]:
    forms = (name, f"{name}'s")
    return tuple(at for form in forms for at in source.positions.get(form, ())[:_MAX_POSITIONS])
