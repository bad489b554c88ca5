"""Kind `quotation`: words between quotation marks that the source does not have so, or from somebody else."""

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
from pipeline.domain.models import Finding, Severity

KIND = "quotation"
_MIN_WORDS = 2
"""Words: a single one in quotation marks is the writer's distance, not anybody's speech."""
_MIN_BLOCK_WORDS = 3
"""Words from which on what the source does not have blocks; two may be a name or a figure of speech."""
_MIN_SPEECH_WORDS = 5
"""Words from which on a source's sentence in quotation marks passes for somebody's speech."""
_MAX_QUOTES = 1000
"""Quotations that are looked up: each may read the whole source."""
_MAX_WORDS_BETWEEN = 6
"""Words between a speaker and his company in a sentence of the source."""
_MAX_POSITIONS = 20
"""Places of names that are compared in one sentence, and in the whole source."""


def check_quotations(case: CheckInput) -> list[Finding]:
    """Return findings about quotations: block where words differ or somebody else said them.

    A sentence of the source that it does not have from anybody is warned of where it is quoted.
    """
    quotes = [
        (quote, fragments)
        for quote in extract_quotes(case.draft.text)
        if (fragments := _fragments(case, quote))
    ]
    check = _Check(case) if quotes else None
    findings = [
        finding
        for quote, fragments in quotes[:_MAX_QUOTES]
        if check and (finding := check.finding(quote, fragments))
    ]
    if len(quotes) > _MAX_QUOTES:
        message = f"Only the first {_MAX_QUOTES:,} quotations were checked: compare the others yourself."
        findings.append(
            Finding(kind=KIND, severity=Severity.WARN, message=message, span=quotes[_MAX_QUOTES][0][:2])
        )
    return findings


def trace_quotations(case: CheckInput) -> list[SupportedClaim]:
    """Return the quotations of a draft that stand in the source word for word, with their places."""
    quotes = [
        (quote, fragments)
        for quote in extract_quotes(case.draft.text)
        if (fragments := _fragments(case, quote))
    ]
    source_words = SourceWords(case.source.text) if quotes else None
    supported = []
    for quote, fragments in quotes[:_MAX_QUOTES]:
        places = (
            tuple((place.start, place.end) for place in source_words.find_all(fragments))
            if source_words
            else ()
        )
        if places:
            supported.append(SupportedClaim(KIND, (quote.start, quote.end), places[:MAX_EVIDENCE]))
    return supported


def _fragments(case: CheckInput, quote: Quote) -> list[QuoteFragment]:
    fragments = quote_fragments(case.draft.text[quote.start : quote.end])
    return fragments if sum(fragment.word_count for fragment in fragments) >= _MIN_WORDS else []


class _Check:
    """One source, looked up for every quotation."""

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
            message = (
                "The source has these words, but quotes nobody with them: take the quotation marks away."
            )
            return _finding(Severity.WARN, message, quote, [match])
        return self._misattributed(quote, match)

    def _altered(self, quote: Quote, word_count: int) -> Finding:
        nearest = self._source_words.find_nearest(self._case.draft.text[quote.start : quote.end])
        severity = Severity.BLOCK if word_count >= _MIN_BLOCK_WORDS or nearest else Severity.WARN
        if nearest is None:
            return _finding(severity, "The source does not have this quotation: remove it.", quote, ())
        excerpt = " ".join(self._case.source.text[nearest.start : nearest.end].split())
        message = f'The source has this in other words: "{excerpt[:200]}". Quote it as it stands there.'
        return _finding(severity, message, quote, [nearest])

    def _misattributed(self, quote: Quote, match: QuoteMatch) -> Finding | None:
        source_quote = self._quote_at(match)
        if self._lexicon is None or source_quote is None:
            return None
        draft_speaker = speaker_of(self._case.draft.text, quote, self._lexicon)
        source_speaker = speaker_of(self._case.source.text, source_quote, self._lexicon)
        if (
            not draft_speaker
            or not source_speaker
            or set(draft_speaker) & set(source_speaker)
            or self._is_same_party(draft_speaker, source_speaker, self._lexicon)
        ):
            return None
        names = " ".join(source_speaker).title()
        message = f"The source has this said by somebody else ({names}): name the speaker that it names."
        return _finding(Severity.BLOCK, message, quote, [match])

    def _is_same_party(
        self, draft_speaker: Iterable[str], source_speaker: Iterable[str], lexicon: AttributionLexicon
    ) -> bool:
        """Tell whether the source names the two side by side, as it does a company and who speaks for it."""
        source = self._case.source
        source_positions = sorted(at for name in source_speaker for at in _positions(source, name))
        for at in (at for name in draft_speaker for at in _positions(source, name)):
            first, end = source.sentence_words(at)
            for other in source_positions[
                bisect_left(source_positions, first) : bisect_left(source_positions, end)
            ][:_MAX_POSITIONS]:
                between = source.folded[min(at, other) + 1 : max(at, other)]
                if len(between) <= _MAX_WORDS_BETWEEN and not lexicon.verbs.union(lexicon.between) & set(
                    between
                ):
                    return True
        return False

    def _quote_at(self, match: QuoteMatch) -> Quote | None:
        """Return the source's quotation that a place stands in."""
        at = bisect_right(self._source_quotes, (match.start, len(self._case.source.text) + 1)) - 1
        if at < 0 or self._source_quotes[at].end < match.start:
            return None
        return self._source_quotes[at] if match.start < self._source_quotes[at].end else None

    def _is_quoted(self, match: QuoteMatch) -> bool:
        """Tell whether the source quotes any of a place."""
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
    return (
        *source.positions.get(name, ())[:_MAX_POSITIONS],
        *source.positions.get(f"{name}'s", ())[:_MAX_POSITIONS],
    )
