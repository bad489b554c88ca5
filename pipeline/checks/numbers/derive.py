"""Derives a number of the draft from two numbers of the source: sums, differences, shares, changes, ratios.

The source's numbers are indexed by value, so the work does not grow with every pair of them.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from itertools import pairwise
from operator import add, sub
from typing import NamedTuple

from pipeline.checks.numbers.compare import is_comparable, is_equal, is_rounded, to_base_unit
from pipeline.checks.numbers.models import (
    FRACTION,
    MEASURE,
    MONEY,
    MULTIPLE,
    ORDINAL,
    PERCENT,
    PLAIN,
    POINTS,
    TIME,
    YEAR,
    NumberMention,
)

_MAX_CANDIDATES = 80
"""Numbers read on either side of a value: keeps the work linear in the text. Chosen, not measured."""
_LOW, _HIGH = 0.5, 1.6
"""Range of a candidate's value, as factors of the claim's value. Chosen, not measured."""
_MAX_PAIR_DISTANCE = 10
"""Numbers from the first operand to the second: limits work and chance. Chosen, not measured."""
_FACTORS = (1.0, 100.0, 0.01)
"""Between a fraction and percent, percent and basis points, dollars and cents."""

_MAX_ADJACENT_CHARS = 90
"""Characters between operands of which only one shares the claim's subject. Chosen, not measured."""
_DATELINE_CHARS = 200
"""Characters at the beginning of a source in which its own year is given. Chosen, not measured."""
_MAX_OPERAND_CHARS = 400
"""Characters between two operands: numbers far apart are seldom added. Chosen, not measured."""

_Pair = tuple[int, int]
"""Indexes of two numbers of the source."""
_Operation = Callable[[float, float], float]


_MAX_CLOSE_UNIT_CHARS = 60
"""Characters from a number without a unit to the one whose unit it shares. Chosen, not measured."""
_MIN_AMOUNT = 1000
"""From this value on, a number beside an amount of money is one too. Chosen, not measured."""
_MIN_OPERAND = 0.01
"""Least operand of a sum, as a factor of the sum: less is lost in rounding. Chosen, not measured."""
_MAX_COUNT = 12
"""Highest number that may be a sum of small counts by chance. Chosen, not measured."""


class Subject(NamedTuple):
    """What the draft says about a number: what it counts, and words of arithmetic beside it."""

    is_same: Callable[[NumberMention], bool]
    """Tell whether a number of the source shares context words with the claim."""
    are_alike: Callable[[NumberMention, NumberMention], bool]
    """Tell whether two numbers of the source count the same thing."""
    is_change: Callable[[NumberMention], bool]
    """Tell whether the source tells a number as a difference: "200 more"."""
    is_difference: bool = False
    """The draft has a word such as "more" beside the number."""
    is_total: bool = False
    """The draft has a word such as "together" beside the number."""

    def names_operation(self, formula: str) -> bool:
        """Tell whether the draft names the operation of a formula."""
        return self.is_total if "+" in formula else self.is_difference


class SourceNumbers:
    """The numbers of a source and its shares such as "one in five", with indexes by value."""

    def __init__(self, mentions: Sequence[NumberMention], shares: Sequence[NumberMention]) -> None:
        self.mentions = mentions
        self._all = (*mentions, *shares)
        self._by_value = sorted((mention.value, index) for index, mention in enumerate(self._all))
        self._by_base = _index_by_base(self._all)

    def candidates(self, claim: NumberMention) -> list[NumberMention]:
        """Return the numbers that the claim may repeat, round or convert, in the order of the source."""
        indexes: set[int] = set()
        for factor in _FACTORS if claim.kind not in ("", YEAR, ORDINAL) else _FACTORS[:1]:
            indexes.update(_near_value(self._by_value, claim.value * factor))
        base = to_base_unit(claim)
        if base:
            indexes.update(_near_value(self._by_base.get(base[0], []), base[1]))
        return [self._all[index] for index in sorted(indexes)]

    def operand_pairs(self, claim: NumberMention) -> list[tuple[NumberMention, NumberMention]]:
        """Return the pairs that the claim may be derived from, in the order of the source."""
        if claim.kind == MULTIPLE:
            table, value = self._ratios, claim.value if claim.value >= 1 else 1 / max(claim.value, 1e-9)
        else:
            value = claim.value * 100 if claim.kind == FRACTION else claim.value
            table = self._shares if claim.kind in (PERCENT, FRACTION) else self._sums
        pairs = sorted({self._pairs[index] for index in _near_value(table, value)})
        return [(self._operands[first], self._operands[second]) for first, second in pairs]

    @cached_property
    def _operands(self) -> list[NumberMention]:
        return _with_inherited_units(self.mentions)

    @cached_property
    def _pairs(self) -> list[_Pair]:
        near = [
            (first, second)
            for first, mention in enumerate(self._operands)
            for second in range(first + 1, min(first + 1 + _MAX_PAIR_DISTANCE, len(self.mentions)))
            if mention.kind == self._operands[second].kind and mention.unit == self._operands[second].unit
        ]
        years = [index for index, mention in enumerate(self.mentions) if mention.kind == YEAR]
        # The first year in a text is mostly its own: differences count from it to any other.
        return near + [(years[0], second) for second in years[1:] if second > years[0] + _MAX_PAIR_DISTANCE]

    def _pair_values(self) -> Iterator[tuple[int, float, float]]:
        """Yield the index of each pair, its lower and its higher value."""
        for index, (first, second) in enumerate(self._pairs):
            values = self.mentions[first].value, self.mentions[second].value
            yield index, min(values), max(values)

    @cached_property
    def _sums(self) -> list[tuple[float, int]]:
        return sorted(
            (value, index) for index, low, high in self._pair_values() for value in (low + high, high - low)
        )

    @cached_property
    def _shares(self) -> list[tuple[float, int]]:
        shares = [
            (100 * value, index)
            for index, low, high in self._pair_values()
            if low > 0
            for value in (low / high, (high - low) / low, (high - low) / high)
        ]
        return sorted(shares + self._sums)

    @cached_property
    def _ratios(self) -> list[tuple[float, int]]:
        return sorted((high / low, index) for index, low, high in self._pair_values() if low > 0)


def _index_by_base(mentions: Sequence[NumberMention]) -> dict[str, list[tuple[float, int]]]:
    tables: dict[str, list[tuple[float, int]]] = {}
    for index, mention in enumerate(mentions):
        base = to_base_unit(mention)
        if base:
            tables.setdefault(base[0], []).append((base[1], index))
    return {name: sorted(values) for name, values in tables.items()}


def _with_inherited_units(mentions: Sequence[NumberMention]) -> list[NumberMention]:
    """Return the numbers, those without a unit with that of a like one before: "55.2 points after 52.8"."""
    operands = list(mentions)
    for index, (first, second) in enumerate(pairwise(mentions)):
        close = second.start - first.end <= _MAX_CLOSE_UNIT_CHARS
        is_amount = first.kind == MONEY and second.value >= _MIN_AMOUNT and second.bare
        is_like = second.step == first.step < 1 or is_amount
        has_unit = first.kind in (MONEY, PERCENT, POINTS, MEASURE)
        if close and is_like and has_unit and not second.kind and not second.spelled:
            operands[index + 1] = second._replace(kind=first.kind, unit=first.unit)
    return operands


def _near_value(table: Sequence[tuple[float, int]], value: float) -> Iterator[int]:
    """Yield the indexes of the values near one, the nearest first on each side."""
    middle = bisect_left(table, (value, -1))
    for index in range(middle, min(middle + _MAX_CANDIDATES, len(table))):
        if table[index][0] > value * _HIGH:
            break
        yield table[index][1]
    for index in range(middle - 1, max(middle - 1 - _MAX_CANDIDATES, -1), -1):
        if table[index][0] < value * _LOW:
            break
        yield table[index][1]


class Derivation(NamedTuple):
    """How a number follows from two others."""

    operands: tuple[NumberMention, NumberMention]
    formula: str
    """Format string for the texts of the operands: `{0} + {1}`."""


def find_derivation(
    claim: NumberMention, source_numbers: SourceNumbers, subject: Subject
) -> Derivation | None:
    """Return how the claim follows from two numbers of the source; None where no simple formula gives it.

    Tried: sums and differences of one unit, years between years, shares and changes in percent, ratios.
    By chance many sums are right, so plain numbers are only added where an operand has the same subject, and
    small counts only where the draft names the operation too.
    """
    if claim.kind in (ORDINAL, YEAR) or (claim.value < 2 and claim.kind in (PLAIN, TIME, MEASURE)):
        return None
    for first, second in source_numbers.operand_pairs(claim):
        formula = _formula(claim, first, second)
        if formula and _is_plausible(claim, first, second, subject, formula):
            return Derivation((first, second), formula)
    return None


def may_be_reckoned(claim: NumberMention, source_numbers: SourceNumbers, subject: Subject) -> bool:
    """Tell whether two near numbers of the source that count the same thing give the claim."""
    return any(
        second.start - first.end <= _MAX_ADJACENT_CHARS
        and _formula(claim, first, second) is not None
        and subject.are_alike(first, second)
        for first, second in source_numbers.operand_pairs(claim)
    )


def _is_plausible(
    claim: NumberMention,
    first: NumberMention,
    second: NumberMention,
    subject: Subject,
    formula: str,
) -> bool:
    """Tell whether two operands are close enough to each other and to the subject of the claim."""
    if first.kind == YEAR:
        return second.start - first.end <= _MAX_OPERAND_CHARS or first.start <= _DATELINE_CHARS
    both = subject.is_same(first) and subject.is_same(second)
    if claim.kind == first.kind == PERCENT:
        return both and subject.is_total and "+" in formula
    if claim.kind == PLAIN and claim.value <= _MAX_COUNT:
        return both and subject.names_operation(formula)
    adjacent = second.start - first.end <= _MAX_ADJACENT_CHARS
    has_unit = first.kind != PLAIN
    either = subject.is_same(first) or subject.is_same(second)
    if claim.kind == MULTIPLE:
        return both or ((has_unit or adjacent) and either)
    if claim.kind == PERCENT or min(first.value, second.value) <= 1:
        return both or (adjacent and has_unit and either and subject.is_difference)
    if claim.kind == FRACTION:
        return both or (either and min(first.value, second.value) > _MAX_COUNT)
    if adjacent and subject.names_operation(formula):
        return both or has_unit or subject.are_alike(first, second) or first.bare or second.bare
    return both or (adjacent and not claim.spelled and (either or subject.is_change(second)))


def _formula(claim: NumberMention, first: NumberMention, second: NumberMention) -> str | None:
    if claim.kind in (PERCENT, FRACTION):
        return _share_formula(claim, first, second)
    if claim.kind == MULTIPLE:
        return _ratio_formula(claim, first, second)
    if first.kind == second.kind == YEAR:
        return _year_formula(claim, first, second)
    if not _is_summable(claim, first, second):
        return None
    return _sum_formula(claim, first, second)


def _subtract_from(first: float, second: float) -> float:
    return second - first


_SUMS: tuple[tuple[str, _Operation], ...] = (
    ("{0} + {1}", add),
    ("{0} − {1}", sub),
    ("{1} − {0}", _subtract_from),
)


def _is_summable(claim: NumberMention, first: NumberMention, second: NumberMention) -> bool:
    """Tell whether two numbers of the source can be added or subtracted to give the claim."""
    if first.kind != second.kind or first.unit != second.unit or first.kind in (ORDINAL, FRACTION, MULTIPLE):
        return False
    if first.kind == PLAIN and claim.kind in (TIME, MONEY, MEASURE, POINTS):
        return False
    if first.kind == TIME and claim.kind != TIME:
        return False
    if not is_comparable(claim, first):
        return False
    if claim.unit and first.unit and claim.unit != first.unit:
        return False
    return first.kind == MONEY or second.start - first.end <= _MAX_OPERAND_CHARS


def _sum_formula(claim: NumberMention, first: NumberMention, second: NumberMention) -> str | None:
    step = max(first.step, second.step) if first.kind == MONEY else min(first.step, second.step)
    if min(first.value, second.value) < claim.value * _MIN_OPERAND:
        return None
    for formula, operation in _SUMS:
        value = operation(first.value, second.value)
        if value > 0 and (is_equal(claim.value, value) or (value >= 100 and is_rounded(claim, value, step))):
            return formula
    return None


def _year_formula(claim: NumberMention, first: NumberMention, second: NumberMention) -> str | None:
    if claim.unit != "year" or "decade" in (first.unit, second.unit):
        return None
    difference = abs(first.value - second.value)
    formula = "{0} − {1}" if first.value > second.value else "{1} − {0}"
    rounds = bool(claim.hedge) and is_rounded(claim, difference, 0.5)
    return formula if difference >= 2 and (rounds or is_equal(claim.value, difference)) else None


def _share_formula(claim: NumberMention, first: NumberMention, second: NumberMention) -> str | None:
    if first.kind != second.kind or first.unit != second.unit:
        return None
    if first.kind in (ORDINAL, YEAR, FRACTION, MULTIPLE):
        return None
    if first.kind == PERCENT:
        return _sum_formula(claim, first, second) if claim.kind == PERCENT else None
    low, high = min(first.value, second.value), max(first.value, second.value)
    if low <= 0 or low == high:
        return None
    names = ("{0}", "{1}") if first.value < second.value else ("{1}", "{0}")
    factor = 100.0 if claim.kind == PERCENT else 1.0
    formulas = (
        (f"{names[0]} of {names[1]}", low / high),
        (f"from {names[0]} to {names[1]}", (high - low) / low),
        (f"from {names[1]} to {names[0]}", (high - low) / high),
    )
    near = second.start - first.end <= _MAX_OPERAND_CHARS
    for formula, share in formulas:
        if near and low >= 2 and share <= 20 and is_rounded(claim, share * factor, claim.step * 1e-6):
            return formula
    return None


def _ratio_formula(claim: NumberMention, first: NumberMention, second: NumberMention) -> str | None:
    if first.kind != second.kind or first.unit != second.unit or first.kind in (ORDINAL, YEAR):
        return None
    low, high = min(first.value, second.value), max(first.value, second.value)
    ratio = 1 / claim.value if 0 < claim.value < 1 else claim.value
    if low <= 0 or second.start - first.end > _MAX_OPERAND_CHARS or abs(high / low - ratio) > 0.08 * ratio:
        return None
    return "{1} : {0}" if first.value < second.value else "{0} : {1}"
