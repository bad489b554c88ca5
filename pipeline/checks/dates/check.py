"""Checks the dates of a draft: finding `date` is a day, month, year, weekday or hour without support.

Relative dates of the source ("last Tuesday") are resolved from the day it was published.
"""

import re
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from functools import cached_property, lru_cache
from itertools import pairwise

from pipeline.checks.dates.alternative import Alternative, Alternatives
from pipeline.checks.dates.compared_years import ComparedYears
from pipeline.checks.dates.extract import (
    CLOCK,
    DATE,
    DECADE,
    QUARTER,
    RELATIVE,
    SEASON,
    WEEKDAY,
    DateMention,
    extract_dates,
    extract_durations,
    extract_elapsed,
)
from pipeline.checks.dates.lexicon import date_lexicon
from pipeline.checks.dates.source_dates import SourceDates
from pipeline.checks.dates.support import DateSupport
from pipeline.checks.dates.worked_out import WorkedOutDates
from pipeline.checks.language_tables import language_table
from pipeline.checks.source_texts import PREPARED
from pipeline.checks.tokens import CheckInput, TokenizedText
from pipeline.domain.reviews import Finding, Severity

KIND = "date"
_APPOSITION = re.compile(r"(?:,\s?|\s\(|\s)(?:(?:the|dem|den|der|el|a|an|ein)\s)?", re.IGNORECASE)
"""What stands between a weekday and the date that it is of."""
_MAX_APPOSITION = 8
_ZONE = re.compile(r"[ (]{1,2}(?:[A-Z]{2,4}T?|UTC[+-]\d+|local time|Ortszeit|hora local)\b")
_SHORT_YEAR = re.compile(r"(?:\bFY|['’]|\b[QH][1-4] ?|\b[1-4]Q)(\d\d)\b")
"""FY25, Q3'25, 3Q25: a year of this century."""
_FOUR_DIGITS = re.compile(r"(?<!\d)([1-9])[.,'’\u202f\xa0 ]?(\d{3})(?!\d)")


def check_dates(case: CheckInput) -> list[Finding]:
    """Return the findings about the dates of a draft.

    Block: a day, month, year, weekday or hour that the source neither names nor implies, and a weekday that
    is not that of the date beside it. Warn: the same for seasons and relative dates ("next month"), for an
    hour with a time zone, which may be converted, and for an hour, quarter or decade where the source has no
    other. Note: an hour, day or year that follows from another one and a span of time beside it; a warning
    where a year may stand for another one of the source. The suggestion is the one date of the source
    that differs in a single part.
    """
    if language_table(case.language, "dates") is None:
        message = f'Dates are not checked in the language "{case.language}".'
        return [Finding(kind=KIND, severity=Severity.NOTE, message=message)]
    claims = [claim for claim in extract_dates(case.draft.text, case.language) if claim.certain]
    return list(_Comparison(case, claims).findings()) if claims else []


class _PreparedDates:
    """The dates of a source, and what is reckoned from them when a draft needs it."""

    def __init__(self, source: TokenizedText, language: str, published: datetime | None) -> None:
        self._text, self._language = source.text, language
        self._lexicon = date_lexicon(language)
        self._mentions = extract_dates(source.text, language)
        self._elapsed = extract_elapsed(source.text, language)
        self.source = SourceDates(self._mentions, self._elapsed, published)
        self.alternatives = Alternatives(self._mentions, source.text, self._lexicon)

    @cached_property
    def worked_out(self) -> WorkedOutDates:
        durations = extract_durations(self._text, self._language)
        return WorkedOutDates(self.source, self._mentions, self._elapsed, durations)

    @cached_property
    def compared_years(self) -> ComparedYears | None:
        lexicon = self._lexicon
        return ComparedYears(self.source, self._mentions, self._text, lexicon) if lexicon else None

    @cached_property
    def numbers(self) -> set[int]:
        """Return the numbers of four digits: a year of the draft may be one of them."""
        numbers = {int("".join(digits)) for digits in _FOUR_DIGITS.findall(self._text)}
        return numbers | {2000 + int(digits) for digits in _SHORT_YEAR.findall(self._text)}

    @cached_property
    def appositions(self) -> set[tuple[int, int, tuple[int, ...]]]:
        pairs = _appositions(self._mentions, self._text)
        return {(weekday.number, date.month, date.days) for weekday, date in pairs}


@lru_cache(maxsize=PREPARED)
def _prepare(
    source: TokenizedText, language: str, published: datetime | None, _offset: timedelta | None
) -> _PreparedDates:
    """Return the dates of a source. The offset is part of the key: equal times may be of two days."""
    return _PreparedDates(source, language, published)


class _Comparison:
    """The dates of one draft beside those of its source."""

    def __init__(self, case: CheckInput, claims: Sequence[DateMention]) -> None:
        self._case = case
        self._claims = claims
        offset = case.published.utcoffset() if case.published else None
        self._dates = _prepare(case.source, case.language, case.published, offset)
        self._source = self._dates.source
        self._support = DateSupport(self._source)
        self._alternatives = self._dates.alternatives

    def findings(self) -> Iterator[Finding]:
        """Yield the findings in the order of the draft."""
        dated = {
            weekday: date
            for weekday, date in _appositions(self._claims, self._case.draft.text)
            if self._support.supports(date)
        }
        for claim in self._claims:
            if claim in dated:
                yield from self._weekday_of(claim, dated[claim])
            elif not self._is_supported(claim):
                yield self._finding(claim)

    def _is_supported(self, claim: DateMention) -> bool:
        if self._support.supports(claim):
            return True
        lexicon = date_lexicon(self._case.language)
        if lexicon and self._dates.worked_out.is_rounded(claim, self._case.draft.text, lexicon):
            return True
        is_year = claim.kind == DATE and not claim.month and claim.last < 0
        return is_year and claim.year in self._dates.numbers

    def _weekday_of(self, weekday: DateMention, date: DateMention) -> Iterator[Finding]:
        """Yield a finding where a weekday is not that of the supported date beside it."""
        possible = self._source.possible_dates(date.month, date.days[0], date.year)
        numbers = {day.weekday() for day in possible}
        if weekday.number in numbers or (not numbers and self._support.supports(weekday)):
            return
        if (weekday.number, date.month, date.days) in self._dates.appositions:
            return
        phrase, day = (self._case.draft.text[each.start : each.end] for each in (weekday, date))
        text = self._alternatives.weekday(phrase, weekday, numbers.pop()) if len(numbers) == 1 else ""
        message = f'"{phrase}" is not the weekday of "{day}".'
        yield self._block(weekday, message, Alternative(text, ()))

    def _finding(self, claim: DateMention) -> Finding:
        text = self._case.draft.text
        message = f'"{text[claim.start : claim.end]}" is not in the source.'
        alternative = self._alternatives.of(claim, text[claim.start : claim.end])
        if (evidence := self._dates.worked_out.evidence(claim)) is not None:
            return self._worked_out_finding(claim, alternative, evidence)
        compared = self._dates.compared_years
        if compared and (evidence := compared.evidence(claim)) is not None:
            is_compared = compared.is_compared(claim, text)
            return self._worked_out_finding(
                claim, Alternative("", ()) if is_compared else alternative, evidence
            )
        finding = self._block(claim, message, alternative)
        is_converted = claim.kind == CLOCK and _ZONE.match(text, claim.end)
        is_alone = claim.kind in (CLOCK, QUARTER, DECADE) and not self._source.numbers(claim.kind)
        if claim.kind in (SEASON, RELATIVE) or is_converted or is_alone:
            return finding.model_copy(update={"severity": Severity.WARN})
        return finding

    def _worked_out_finding(
        self, claim: DateMention, alternative: Alternative, evidence: tuple[tuple[int, int], ...]
    ) -> Finding:
        """Return a note; a warning for a year that may stand for another one of the source."""
        message = f'"{self._case.draft.text[claim.start : claim.end]}" is worked out: check it.'
        is_doubtful = claim.kind == DATE and not claim.days and bool(alternative.text)
        severity = Severity.WARN if is_doubtful else Severity.NOTE
        finding = self._block(claim, message, alternative if is_doubtful else Alternative("", evidence))
        return finding.model_copy(update={"severity": severity})

    def _block(self, claim: DateMention, message: str, alternative: Alternative) -> Finding:
        return Finding(
            kind=KIND,
            severity=Severity.BLOCK,
            message=message,
            span=(claim.start, claim.end),
            evidence=alternative.evidence,
            suggestion=alternative.text,
        )


def _appositions(mentions: Sequence[DateMention], text: str) -> Iterator[tuple[DateMention, DateMention]]:
    """Yield each weekday that stands beside a day of a month, with that day."""
    for first, second in pairwise(mentions):
        if second.start - first.end > _MAX_APPOSITION or {first.kind, second.kind} != {WEEKDAY, DATE}:
            continue
        weekday, date = (first, second) if first.kind == WEEKDAY else (second, first)
        gap = text[first.end : second.start]
        beside = _APPOSITION.fullmatch(gap) and (first is weekday or gap.strip() or date.year)
        if beside and len(date.days) == 1 and not date.swappable:
            yield weekday, date
