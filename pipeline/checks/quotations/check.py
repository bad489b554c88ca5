"""Kind `quotation`: words between quotation marks that the source does not have so, or from somebody else."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from functools import cached_property

from pipeline.checks.quotations.extract import Attribution, Quote, attributions, extract_quotes, speaker_of
from pipeline.checks.quotations.match import QuoteFragment, QuoteMatch, SourceWords, quote_fragments
from pipeline.checks.tokens import MAX_SUPPORTS, CheckInput, SupportedClaim, TokenizedText
from pipeline.domain.models import Finding, Severity

KIND = "quotation"
_LEAST = 2
"""Words: a single one in quotation marks is the writer's distance, not anybody's speech."""
_SURE = 3
"""Words from which on what the source does not have blocks; two may be a name or a figure of speech."""
_SPOKEN = 5
"""Words from which on a source's sentence in quotation marks passes for somebody's speech."""
_MOST = 1000
"""Quotations that are looked up: each may read the whole source."""
_NEAR = 6
"""Words between a speaker and his company in a sentence of the source."""
_FEW = 20
"""Places of names that are compared in one sentence, and in the whole source."""


def check_quotations(case: CheckInput) -> list[Finding]:
    """Return findings about quotations: block where words differ or somebody else said them.

    A sentence of the source that it does not have from anybody is warned of where it is quoted.
    """
    told = [(quote, parts) for quote in extract_quotes(case.draft.text) if (parts := _parts(case, quote))]
    check = _Check(case) if told else None
    found = [one for quote, parts in told[:_MOST] if check and (one := check.finding(quote, parts))]
    if len(told) > _MOST:
        said = f"Only the first {_MOST:,} quotations were checked: compare the others yourself."
        found.append(Finding(kind=KIND, severity=Severity.WARN, message=said, span=told[_MOST][0][:2]))
    return found


def trace_quotations(case: CheckInput) -> list[SupportedClaim]:
    """Return the quotations of a draft that stand in the source word for word, with their places."""
    told = [(quote, parts) for quote in extract_quotes(case.draft.text) if (parts := _parts(case, quote))]
    words = SourceWords(case.source.text) if told else None
    found = []
    for quote, parts in told[:_MOST]:
        places = tuple((place.start, place.end) for place in words.places(parts)) if words else ()
        if places:
            found.append(SupportedClaim(KIND, (quote.start, quote.end), places[:MAX_SUPPORTS]))
    return found


def _parts(case: CheckInput, quote: Quote) -> list[QuoteFragment]:
    parts = quote_fragments(case.draft.text[quote.start : quote.end])
    return parts if sum(part.words for part in parts) >= _LEAST else []


class _Check:
    """One source, looked up for every quotation."""

    def __init__(self, case: CheckInput) -> None:
        self._case = case
        self._speech = attributions(case.language)
        self._words = SourceWords(case.source.text)

    def finding(self, quote: Quote, parts: list[QuoteFragment]) -> Finding | None:
        words = sum(part.words for part in parts)
        places = list(self._words.places(parts))
        spoken = next((place for place in places if self._quote_at(place)), None)
        place = spoken or next(iter(places), None) or self._spoken.joined(parts)
        if place is None:
            return self._altered(quote, words)
        if quote.block:
            return None
        if spoken is None and words >= _SPOKEN and not self._is_quoted(place):
            said = "The source has these words, but quotes nobody with them: take the quotation marks away."
            return _finding(Severity.WARN, said, quote, [place])
        return self._misattributed(quote, place)

    def _altered(self, quote: Quote, words: int) -> Finding:
        near = self._words.nearest(self._case.draft.text[quote.start : quote.end])
        severity = Severity.BLOCK if words >= _SURE or near else Severity.WARN
        if near is None:
            return _finding(severity, "The source does not have this quotation: remove it.", quote, ())
        shown = " ".join(self._case.source.text[near.start : near.end].split())
        said = f'The source has this in other words: "{shown[:200]}". Quote it as it stands there.'
        return _finding(severity, said, quote, [near])

    def _misattributed(self, quote: Quote, place: QuoteMatch) -> Finding | None:
        theirs = self._quote_at(place)
        if self._speech is None or theirs is None:
            return None
        told = speaker_of(self._case.draft.text, quote, self._speech)
        given = speaker_of(self._case.source.text, theirs, self._speech)
        if not told or not given or set(told) & set(given) or self._belong(told, given, self._speech):
            return None
        names = " ".join(given).title()
        said = f"The source has this said by somebody else ({names}): name the speaker that it names."
        return _finding(Severity.BLOCK, said, quote, [place])

    def _belong(self, told: Iterable[str], given: Iterable[str], words: Attribution) -> bool:
        """Tell whether the source names the two side by side, as it does a company and who speaks for it."""
        source = self._case.source
        own = sorted(at for name in given for at in _where(source, name))
        for at in (at for name in told for at in _where(source, name)):
            first, behind = source.sentence_words(at)
            for other in own[bisect_left(own, first) : bisect_left(own, behind)][:_FEW]:
                between = source.folded[min(at, other) + 1 : max(at, other)]
                if len(between) <= _NEAR and not words.verbs.union(words.between) & set(between):
                    return True
        return False

    def _quote_at(self, place: QuoteMatch) -> Quote | None:
        """Return the source's quotation that a place stands in."""
        at = bisect_right(self._quoted, (place.start, len(self._case.source.text) + 1)) - 1
        if at < 0 or self._quoted[at].end < place.start:
            return None
        return self._quoted[at] if place.start < self._quoted[at].end else None

    def _is_quoted(self, place: QuoteMatch) -> bool:
        """Tell whether the source quotes any of a place."""
        at = bisect_right(self._quoted, (place.end, -1)) - 1
        return at >= 0 and self._quoted[at].end > place.start

    @cached_property
    def _quoted(self) -> tuple[Quote, ...]:
        return extract_quotes(self._case.source.text)

    @cached_property
    def _spoken(self) -> SourceWords:
        return SourceWords(self._case.source.text, [quote[:2] for quote in self._quoted])


def _finding(severity: Severity, said: str, quote: Quote, evidence: Iterable[QuoteMatch]) -> Finding:
    places = tuple((place.start, place.end) for place in evidence)
    return Finding(kind=KIND, severity=severity, message=said, span=quote[:2], evidence=places)


def _where(source: TokenizedText, name: str) -> tuple[int, ...]:
    return (*source.where.get(name, ())[:_FEW], *source.where.get(f"{name}'s", ())[:_FEW])
