"""Finds how a number of the draft follows from the source: by one step of arithmetic, or from times."""

from collections.abc import Callable, Sequence, Set
from functools import cached_property

from pipeline.checks.numbers.calculation import Calculation, Operand
from pipeline.checks.numbers.clock_times import ClockTime, Stays, extract_clock_times
from pipeline.checks.numbers.compare import is_converted_rate, match_numbers
from pipeline.checks.numbers.derive import Subject, find_derivation, may_be_reckoned
from pipeline.checks.numbers.digits import is_one_edit, only_digits
from pipeline.checks.numbers.draft_numbers import DraftNumbers
from pipeline.checks.numbers.lexicon import NumberLexicon
from pipeline.checks.numbers.models import ORDINAL, PERCENT, PLAIN, TIME, YEAR, NumberMention
from pipeline.checks.numbers.nearby import Step, find_nearby_step, is_count, is_part, is_sum
from pipeline.checks.numbers.prepared_source import PreparedSource
from pipeline.checks.numbers.series import sums_of_series
from pipeline.checks.numbers.severity import MAX_COUNTED
from pipeline.checks.numbers.windows import Windows
from pipeline.checks.numbers.year_spans import YEARS, distances
from pipeline.checks.tokens import CheckInput

_MAX_RATES = 40
"""Rates of the source that are converted: keeps the work linear. Chosen, not measured."""


_MIN_AMOUNT = 100
"""Counts below this value are often a sum of others by chance. Chosen, not measured."""
_MIN_DISTINCTIVE = 20
"""From this value on, an ordinal is seldom one more than a number by chance. Chosen, not measured."""
_MAX_CLOSE = 60
"""Numbers of a draft that are calculated from close ones, each some milliseconds. Chosen, not measured."""


_Amount = tuple[float, str, str]
"""Value, kind and unit."""


class Calculator:
    """Calculates the numbers of one draft from those of its source."""

    def __init__(
        self,
        case: CheckInput,
        lexicon: NumberLexicon,
        draft: DraftNumbers,
        source: PreparedSource,
    ) -> None:
        self._case = case
        self._lexicon = lexicon
        self._draft = draft
        self._source_numbers, self._source_contexts, self._results = source
        self._close = 0

    def calculation(self, claim: NumberMention) -> Calculation | None:
        """Return how a number follows from the source; None where it does not."""
        counted = claim
        if claim.kind == ORDINAL and self._draft.next_word(claim) in self._lexicon.anniversaries:
            counted = claim._replace(kind=TIME, unit="year")
        share = self._draft.shares.get(claim.start)
        return (
            self._of_results(claim)
            or self._arithmetic(counted, claim)
            or (self._share(share) if share else None)
            or self._other_rate(claim)
            or self._remainder(claim)
            or self._of_operands(self._stays.find(claim))
            or self._sum_of_series(claim)
            or self._half_of_year(claim)
            or self._years_to_publication(counted)
            or self.nearby(counted)
            or self._counted_before(claim)
        )

    def may_be_reckoned(self, claim: NumberMention) -> bool:
        """Tell whether a small number may be a sum of the source: "seven of ten", "a first and five more"."""
        words, smaller = self._case.source.folded, claim.value - 1
        for mention in self._source_numbers.candidates(claim._replace(value=smaller)):
            _, last = self._case.source.between(mention.start, mention.end)
            if mention.value == smaller and {*words[last : last + 2]} & self._lexicon.additions:
                return True
        return may_be_reckoned(claim, self._source_numbers, self._subject(claim))

    def is_mistyped(self, claim: NumberMention, calculation: Calculation) -> bool:
        """Tell whether a close number of the source differs in one digit or the unit, and is unused.

        A title leaves most numbers unused, so there only what is calculated from close ones may be mistyped.
        """
        if len(self._case.draft.sentences) == 1 and not calculation.is_close:
            return False
        return self._is_mistyped(claim, calculation.operands, self.windows.own(claim))

    def _is_mistyped(
        self, claim: NumberMention, operands: Sequence[Operand], others: Sequence[NumberMention]
    ) -> bool:
        if claim.spelled:
            return False
        used = {each.start for each in operands}
        digits = only_digits(self._draft.text_of(claim))
        return any(
            each.start not in used
            and (each.value, each.unit) not in self._draft.values
            and (
                is_one_edit(digits, only_digits(self._text(each)))
                if each.kind == claim.kind and each.unit == claim.unit
                else "" not in (each.unit, claim.unit) and digits == only_digits(self._text(each))
            )
            for each in others
        )

    def _arithmetic(self, counted: NumberMention, claim: NumberMention) -> Calculation | None:
        subject = self._subject(claim)
        derivation = find_derivation(counted, self._source_numbers, subject)
        if derivation is None:
            return None
        texts = [self._text(operand) for operand in derivation.operands]
        is_sum = derivation.operands[0].kind != YEAR and {"+", "−"} & set(derivation.formula)
        is_named = not is_sum or subject.names_operation(derivation.formula)
        return Calculation(derivation.formula.format(*texts), derivation.operands, is_named)

    def may_follow(self, claim: NumberMention) -> bool:
        """Tell whether one step of arithmetic with numbers of the source gives a claim, by chance or not.

        Without a word that names the operation, titles and small counts are left out: chance gives them.
        """
        subject = self._subject(claim)
        is_named = subject.is_difference or subject.is_total
        is_count = claim.kind in (PLAIN, ORDINAL, TIME) and claim.value < _MIN_AMOUNT
        if claim.kind == YEAR or self._close > _MAX_CLOSE or claim.value <= MAX_COUNTED * is_count:
            return False
        if not is_named and (is_count or len(self._case.draft.sentences) == 1):
            return False
        near = self.windows.operands(claim, self._matches, is_wide=True)
        amount = claim.kind, claim.unit
        alike = [each for each in self._source_numbers.mentions if (each.kind, each.unit) == amount]
        step = find_nearby_step(
            claim,
            list(dict.fromkeys([*near, *alike])),
            lambda _each: True,
            lambda step: claim.kind != PERCENT or is_sum(step) or set(step.operands) <= set(near),
        )
        return step is not None and not self._is_mistyped(claim, step.operands, [*near, *alike])

    def nearby(self, claim: NumberMention) -> Calculation | None:
        """Return one step of arithmetic with numbers close to the claim, or two close dates."""
        self._close += 1
        if self._close > _MAX_CLOSE:
            return None
        subject = self._subject(claim)
        is_named = subject.is_difference or subject.is_total
        if not is_named and len(self._case.draft.sentences) == 1:
            return None  # a title rests on too much of the source
        operands = self.windows.operands(claim, self._matches, is_wide=is_named)
        following = self._draft.context_of(claim).following
        own = {_amount(each) for each in self.windows.own_operands(claim, self._matches)}
        step = find_nearby_step(
            claim,
            operands,
            lambda each: bool(following & self._source_contexts.context_of(each).following),
            lambda step: self._is_close(claim, step, subject, own),
        )
        if step is not None:
            texts = map(self._text, step.operands)
            is_named = is_sum(step) and subject.names_operation(step.formula)
            return Calculation(step.formula.format(*texts), step.operands, is_named, is_close=True)
        dates = self.windows.find_dates(claim)
        return Calculation(" – ".join(map(self._text, dates)), dates, is_close=True) if dates else None

    @staticmethod
    def _is_close(claim: NumberMention, step: Step, subject: Subject, own: Set[_Amount]) -> bool:
        """Tell whether a step may be the claim's: a sum that the draft names, or operands are its own."""
        owned = [_amount(each) in own for each in step.operands]
        if is_count(claim):
            return is_sum(step) and all(owned) and subject.names_operation(step.formula)
        if is_sum(step) and subject.names_operation(step.formula):
            return any(owned)
        if is_sum(step):
            return all(owned) and "+" not in step.formula
        return all(owned) if is_part(step) else any(owned)

    @cached_property
    def windows(self) -> Windows:
        """Return what is close to each number of the draft."""
        return Windows(self._case, self._draft.claims, self._source_numbers.mentions)

    def _share(self, share: NumberMention) -> Calculation | None:
        """Return what a share such as "nine out of ten" follows from."""
        return (
            self._of_operands(self._matches(share)[:1])
            or self._arithmetic(share, share)
            or self.nearby(share)
        )

    def _other_rate(self, claim: NumberMention) -> Calculation | None:
        """Return the rate by another unit of time that is the claim's: 10 a month for 120 a year."""
        rates = (rate for rate in self._rates if is_converted_rate(claim, rate)) if claim.rate else ()
        return self._of_operands([rate._replace(end=rate.rate_end) for rate in rates][:1])

    def _remainder(self, claim: NumberMention) -> Calculation | None:
        """Return the percentage that leaves the claim of a whole: 40% for the remaining 60%."""
        if claim.kind != PERCENT or claim.value >= 100 or not self._subject(claim).is_difference:
            return None
        rest = self._matches(claim._replace(value=100 - claim.value, hedge=""))[:1]
        return Calculation(f"100% − {self._text(rest[0])}", tuple(rest)) if rest else None

    def _years_to_publication(self, counted: NumberMention) -> Calculation | None:
        """Return the year of the source from which the years run to that of its publication."""
        published = self._case.published
        if published is None or counted.value < 2 or counted.unit not in YEARS:
            return None
        years = (published.year - distance for distance in distances(counted))
        mention = next((self._source_years[year] for year in years if year in self._source_years), None)
        return Calculation(f"{published.year} − {self._text(mention)}", (mention,)) if mention else None

    def _counted_before(self, claim: NumberMention) -> Calculation | None:
        """Return the ordinal before which a number of things come: the tenth for nine."""
        is_ordinal = self._case.draft.text[claim.end : claim.end + 1] == "."
        if claim.kind != PLAIN or not claim.whole or is_ordinal:
            return None
        spans = self.windows.spans(claim)
        ordinals = self._source_numbers.candidates(claim._replace(value=claim.value + 1))
        for each in ordinals:
            is_close = any(first <= each.start < last for first, last in spans)
            is_close |= claim.value >= _MIN_DISTINCTIVE
            if each.kind == ORDINAL and each.value == claim.value + 1 and is_close:
                return Calculation(f"{self._text(each)} − 1", (each,))
        return None

    def _sum_of_series(self, claim: NumberMention) -> Calculation | None:
        """Return the numbers of a list or sentence whose sum a number is."""
        series = sums_of_series(self._case.source, self._case.language).get(round(claim.value, 6))
        if series is None or (claim.kind, claim.unit) != (series[0].kind, series[0].unit):
            return None
        return Calculation(" + ".join(map(self._text, series)), series)

    def _half_of_year(self, claim: NumberMention) -> Calculation | None:
        """Return the months of the source that are the half of a year which an ordinal counts."""
        if (
            claim.kind != ORDINAL
            or claim.value > 2
            or self._draft.next_word(claim) not in self._lexicon.halves
        ):
            return None
        months = self.windows.find_half_of_year(claim.value)
        return Calculation(" – ".join(map(self._text, months)), months) if months else None

    def _of_results(self, claim: NumberMention) -> Calculation | None:
        """Return the scores whose games, or which themselves, a number counts."""
        scores = self._results.count(claim)
        return self._of_operands([each.first._replace(end=each.second.end) for each in scores])

    def _of_operands(self, operands: Sequence[NumberMention | ClockTime]) -> Calculation | None:
        return Calculation(" – ".join(map(self._text, operands)), tuple(operands)) if operands else None

    def _text(self, mention: Operand) -> str:
        return self._case.source.text[mention.start : mention.end]

    def _matches(self, claim: NumberMention) -> list[NumberMention]:
        candidates = self._source_numbers.candidates(claim)
        return [each for each in candidates if match_numbers(claim, each)]

    @cached_property
    def _rates(self) -> list[NumberMention]:
        return [mention for mention in self._source_numbers.mentions if mention.rate][:_MAX_RATES]

    @cached_property
    def _source_years(self) -> dict[float, NumberMention]:
        mentions = self._source_numbers.mentions
        return {each.value: each for each in reversed(mentions) if each.kind == YEAR and not each.unit}

    @cached_property
    def _stays(self) -> Stays:
        return Stays(extract_clock_times(self._case.source.text))

    def _subject(self, claim: NumberMention) -> Subject:
        """Return what the draft says about a number that may be derived."""
        around = self._draft.words_around(claim)
        lexicon = self._lexicon
        return Subject(
            self._subject_test(claim),
            self._are_alike,
            self._is_change,
            bool(around & lexicon.differences),
            bool(around & lexicon.totals),
        )

    def _is_change(self, mention: NumberMention) -> bool:
        """Tell whether the source tells a number as a difference: "200 more than in May"."""
        _, last = self._case.source.between(mention.start, mention.end)
        return bool({*self._case.source.folded[last : last + 2]} & self._lexicon.differences)

    def _are_alike(self, first: NumberMention, second: NumberMention) -> bool:
        context_of = self._source_contexts.context_of
        return bool(context_of(first).following & context_of(second).following)

    def _subject_test(self, claim: NumberMention) -> Callable[[NumberMention], bool]:
        """Return the predicate that a number of the source shares context words with the claim."""
        context = self._draft.context_of(claim)
        if claim.kind == PLAIN and claim.value <= MAX_COUNTED:
            return lambda mention: bool(
                context.following & self._source_contexts.context_of(mention).following
            )
        if claim.kind == PLAIN and not claim.bare:
            return lambda mention: bool(context.following & self._source_contexts.context_of(mention).near)
        return lambda mention: bool(context.near & self._source_contexts.context_of(mention).near)


def _amount(mention: NumberMention) -> _Amount:
    return mention.value, mention.kind, mention.unit
