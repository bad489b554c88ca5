"""Checks the numbers of a draft: `figure` is not in the source, `place` is about something else there."""

from collections.abc import Sequence
from functools import cached_property

from pipeline.checks.dates.extract import extract_dates
from pipeline.checks.numbers.calculate import Calculator
from pipeline.checks.numbers.calculation import Calculation, Operand
from pipeline.checks.numbers.compare import have_other_rates, match_numbers
from pipeline.checks.numbers.context import (
    better_context,
    find_counterpart,
    find_swapped,
    is_unambiguous,
)
from pipeline.checks.numbers.draft_numbers import DraftNumbers
from pipeline.checks.numbers.lexicon import NumberLexicon, number_lexicon
from pipeline.checks.numbers.list_sizes import list_sizes
from pipeline.checks.numbers.models import (
    FRACTION,
    GROUP,
    MONEY,
    MULTIPLE,
    ORDINAL,
    PLAIN,
    YEAR,
    NumberMention,
)
from pipeline.checks.numbers.other_readings import as_millions, other_decimals
from pipeline.checks.numbers.prepared_source import PreparedSource, prepare_source
from pipeline.checks.numbers.results import Score, extract_scores
from pipeline.checks.numbers.severity import Absence, absent_severity, is_small_count
from pipeline.checks.tokens import MAX_EVIDENCE, CheckInput, SupportedClaim
from pipeline.domain.reviews import Finding, Severity

KIND = "figure"
CONTEXT_KIND = "place"


def check_numbers(case: CheckInput) -> list[Finding]:
    """Return the findings about the numbers of a draft.

    Block: the number is not in the source. Warn: the source has it about something else or without the
    hedge, or a number in words is not there. Note: it follows from two numbers of the source (the evidence),
    or the writer counted. Where the source has one other number in the same context, it is the suggestion.
    """
    lexicon, source = number_lexicon(case.language), prepare_source(case.source, case.language)
    if lexicon is None or source is None:
        message = f'Figures are not checked in the language "{case.language}".'
        return [Finding(kind=KIND, severity=Severity.NOTE, message=message)]
    return _Check(case, lexicon, source).findings()


def trace_numbers(case: CheckInput) -> list[SupportedClaim]:
    """Return the numbers of a draft that are in the source, with their spans there."""
    lexicon, source = number_lexicon(case.language), prepare_source(case.source, case.language)
    return _Check(case, lexicon, source).traced() if lexicon and source else []


class _Check:
    """The numbers of one draft and one source, with their contexts."""

    def __init__(self, case: CheckInput, lexicon: NumberLexicon, source: PreparedSource) -> None:
        self._case = case
        self._lexicon = lexicon
        self._draft = DraftNumbers(case.draft, case.language, lexicon)
        self._source_numbers, self._source_contexts, self._results = source
        self._weigh = self._source_contexts.weigh
        self._calculator = Calculator(case, lexicon, self._draft, source)

    def findings(self) -> list[Finding]:
        return [finding for claim in self._draft.claims if (finding := self._finding(claim))]

    def traced(self) -> list[SupportedClaim]:
        """Return the numbers that the source has: repeated, rounded or converted."""
        supported = []
        for claim in self._draft.claims:
            if claim.kind == YEAR or _is_trivial(claim):
                continue
            candidates = self._source_numbers.candidates(claim)
            evidence = [(each.start, each.end) for each in candidates if match_numbers(claim, each)]
            if evidence:
                span = claim.start, claim.end
                supported.append(SupportedClaim(KIND, span, tuple(evidence[:MAX_EVIDENCE])))
        return supported

    def _finding(self, claim: NumberMention) -> Finding | None:
        if claim.kind in (YEAR, GROUP) or _is_trivial(claim):
            return None
        score = self._scores.get(claim.start)
        if score and self._results.values:
            return self._other_score(score) if claim.start == score.first.start else None
        matches = self._matches(claim)
        same_rate = [each for each in matches if not have_other_rates(claim, each)]
        if same_rate:
            return self._check_context(claim, same_rate)
        if matches:
            return self._other_rate(claim, matches[0])
        if self._draft.is_numbering(claim) or self._draft.day_of(claim) in self._source_days:
            return None
        calculation = self._calculator.calculation(claim)
        if calculation is None:
            return self._unsupported(claim)
        if not calculation.is_close and not calculation.is_named and self._is_by_chance(claim, calculation):
            calculation = self._calculator.nearby(claim)
        if calculation is None or self._calculator.is_mistyped(claim, calculation):
            return self._unsupported(claim)
        message = f"{self._draft.text_of(claim)} is calculated from the source: {calculation.formula}."
        return self._make_finding(Severity.NOTE, claim, message, *calculation.operands)

    def _other_score(self, score: Score) -> Finding | None:
        """Return the finding about a score that the source does not have."""
        if self._results.has(score):
            return None
        severity = Severity.WARN if self._results.may_have(score) else Severity.BLOCK
        whole = score.first._replace(end=score.second.end)
        return self._make_finding(severity, whole, f"{self._draft.text_of(whole)} is not in the source.")

    def _matches(self, claim: NumberMention) -> list[NumberMention]:
        candidates = self._source_numbers.candidates(claim)
        matches = [each for each in candidates if match_numbers(claim, each)]
        if not matches and (millions := as_millions(claim, self._case.draft.text)):
            return self._matches(millions)
        if not matches and (others := other_decimals([claim], self._case.draft.text, self._lexicon)):
            candidates = self._source_numbers.candidates(others[0])
            matches = [each for each in candidates if match_numbers(others[0], each)]
        if not matches and self._draft.is_age_decade(claim):
            return [each for each in candidates if 0 <= each.value - claim.value < 10]
        return matches

    def _is_by_chance(self, claim: NumberMention, calculation: Calculation) -> bool:
        """Tell whether the source has a number in the claim's context that is no operand of it."""
        other = None if claim.spelled else self._counterpart(claim)
        return other is not None and all(other.start != each.start for each in calculation.operands)

    def _unsupported(self, claim: NumberMention) -> Finding | None:
        other = self._counterpart(claim)
        severity = absent_severity(claim, self._absence(claim, has_counterpart=other is not None))
        if severity is None:
            return None
        if severity is not Severity.BLOCK and other is None and self._draft.is_counted_by_writer(claim):
            severity = Severity.NOTE
        if severity is Severity.NOTE:
            message = f"{self._draft.text_of(claim)}: counted by the writer; the source does not state it."
            return self._make_finding(severity, claim, message)
        message = f"{self._draft.text_of(claim)} is not in the source."
        if other is None:
            return self._make_finding(severity, claim, message)
        text = self._case.source.text[other.start : other.end]
        message = f"{message[:-1]}; for this it has {text}."
        return self._make_finding(severity, claim, message, other, suggestion=text)

    def _absence(self, claim: NumberMention, *, has_counterpart: bool) -> Absence:
        """Return what is known about a number that the source does not have."""
        lexicon, following = self._lexicon, self._draft.next_word(claim)
        return Absence(
            has_counterpart=has_counterpart or (claim.kind == ORDINAL and self._has_other_ordinal(claim)),
            is_article=self._draft.is_article(claim),
            is_distance=self._draft.is_distance(claim),
            is_record=(
                self._draft.is_first_occasion(claim) and not self._source_has_a_first
                if claim.value == 1
                else following in lexicon.records
            ),
            is_idiom=self._draft.text_of(claim).casefold() in lexicon.idioms,
            is_listed=claim.value in list_sizes(self._case.source, self._case.language),
            may_be_reckoned=has_counterpart and self._calculator.may_be_reckoned(claim),
            is_calendar=self._draft.is_calendar(claim),
            may_follow=self._calculator.may_follow(claim),
            is_in_name=self._draft.is_in_name(claim),
        )

    @cached_property
    def _source_has_a_first(self) -> bool:
        return any(word in self._case.source.positions for word in self._lexicon.firstness)

    @cached_property
    def _source_days(self) -> frozenset[int]:
        """Return the days of months that the source names."""
        dates = extract_dates(self._case.source.text, self._case.language)
        return frozenset(day for each in dates for day in each.days)

    def _has_other_ordinal(self, claim: NumberMention) -> bool:
        """Tell whether the source has another ordinal before the same word: "the third ship"."""
        return self._draft.context_of(claim).head in self._ordinal_heads

    @cached_property
    def _ordinal_heads(self) -> set[str]:
        ordinals = (mention for mention in self._source_numbers.mentions if mention.kind == ORDINAL)
        return {self._source_contexts.context_of(mention).head for mention in ordinals} - {""}

    def _other_rate(self, claim: NumberMention, other: NumberMention) -> Finding:
        """Return the finding about a number that the source counts by another unit of time."""
        text = self._case.source.text[other.start : other.rate_end]
        drafted = self._case.draft.text[claim.start : claim.rate_end]
        finding = self._make_finding(
            Severity.BLOCK, claim, f"{drafted} is not in the source; it has {text}.", other, suggestion=text
        )
        return finding.model_copy(update={"span": (claim.start, claim.rate_end)})

    def _counterpart(self, claim: NumberMention) -> NumberMention | None:
        """Return the number that the source has where the draft has the claim; None where that is unclear."""
        context = self._draft.context_of(claim)
        others = [
            (mention, other)
            for mention, other in self._source_contexts.replaceable(claim, context)
            if (mention.value, mention.unit) not in self._draft.values
            and not (claim.spelled and claim.kind == ORDINAL != mention.kind)
        ]
        index = find_counterpart(
            context,
            others,
            self._weigh,
            is_count=is_small_count(claim),
            any_near=bool(claim.kind) and not claim.spelled,
        )
        return None if index is None else others[index][0]

    @cached_property
    def _scores(self) -> dict[int, Score]:
        """Return the scores of the draft by the start of their numbers."""
        scores = extract_scores(self._draft.claims, self._case.draft.text)
        return {each.start: score for score in reversed(scores) for each in score}

    def _check_context(self, claim: NumberMention, own: Sequence[NumberMention]) -> Finding | None:
        """Return a finding where the draft hedges an exact number, or uses it about something else.

        `own` are the numbers of the source that the claim matches.
        """
        is_precise = claim.kind not in (FRACTION, MULTIPLE) and claim.value >= 1000 * claim.step
        if claim.hedge and is_precise and not any(mention.hedge for mention in own):
            hedge, number = self._draft.hedge(claim), self._draft.text_of(claim)
            if hedge.casefold() in self._lexicon.at_least:
                return None
            message = f'"{hedge}" is before {number}, but the source gives that number as exact.'
            return self._make_finding(Severity.WARN, claim, message, own[0])
        if claim.kind in (ORDINAL, FRACTION, MULTIPLE) or (claim.kind == PLAIN and claim.bare):
            return None
        context = self._draft.context_of(claim)
        own_contexts = [self._source_contexts.context_of(mention) for mention in own]
        if is_unambiguous(context, own_contexts, self._weigh):
            return None
        others_beside = self._draft.values_beside(claim)
        others = [
            each
            for each in self._source_contexts.alternatives(claim, context, own)
            if (each.value, each.unit) not in others_beside
        ]
        other_contexts = [self._source_contexts.context_of(mention) for mention in others]
        index = better_context(context, own_contexts, other_contexts, self._weigh)
        if index is None:
            others = self._source_contexts.alternatives(claim, context, own)
            alternatives = [(each, self._source_contexts.context_of(each)) for each in others]
            index = find_swapped(context, own_contexts, alternatives, self._draft.heads)
        if index is None:
            return None
        other = others[index]
        text = self._case.source.text[other.start : other.end]
        message = f"The source has {self._draft.text_of(claim)} for something else; for this it has {text}."
        return self._make_finding(
            Severity.WARN, claim, message, other, own[0], kind=CONTEXT_KIND, suggestion=text
        )

    def _make_finding(
        self,
        severity: Severity,
        claim: NumberMention,
        message: str,
        *evidence: Operand,
        kind: str = KIND,
        suggestion: str = "",
    ) -> Finding:
        return Finding(
            kind=kind,
            severity=severity,
            message=message,
            span=(claim.start, claim.end),
            evidence=tuple((mention.start, mention.end) for mention in evidence),
            suggestion=suggestion,
        )


def _is_trivial(claim: NumberMention) -> bool:
    """Tell whether a number is no claim that can be checked: "one of them"."""
    return claim.value in (0, 1) and claim.kind in (PLAIN, MONEY) and claim.spelled
