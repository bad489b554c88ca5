"""A source's figures, found by value: what a draft's figure may follow from, without looking at every one.

Figures that a writer worked out of a source's: sums, differences, shares, changes, ratios. Pure.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
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
"""Figures on either side of a value that are looked at: keeps the work linear on texts full of numbers."""
_LOW, _HIGH = 0.5, 1.6
"""How far off a figure's value another may be that it rounds."""
_MAX_PAIR_DISTANCE = 10
"""How many figures on the second operand of a sum may stand: linear again, and chance kept out."""
_FACTORS = (1.0, 100.0, 0.01)
"""Between a share and percent, percent and basis points, dollars and cents."""

Pair = tuple[int, int]


class SourceNumbers:
    """The figures of a source, the shares that it tells by two of them included."""

    def __init__(self, mentions: Sequence[NumberMention], shares: Sequence[NumberMention]) -> None:
        self.mentions = mentions
        self._all = (*mentions, *shares)
        self._by_value = sorted((mention.value, index) for index, mention in enumerate(self._all))
        self._by_base = _index_by_base(self._all)

    def candidates(self, claim: NumberMention) -> list[NumberMention]:
        """Return the figures that a draft's may repeat, round or convert, in the order of the source."""
        indexes: set[int] = set()
        for factor in _FACTORS if claim.kind not in ("", YEAR, ORDINAL) else _FACTORS[:1]:
            indexes.update(_near_value(self._by_value, claim.value * factor))
        base = to_base_unit(claim)
        if base:
            indexes.update(_near_value(self._by_base.get(base[0], []), base[1]))
        return [self._all[index] for index in sorted(indexes)]

    def operand_pairs(self, claim: NumberMention) -> list[tuple[NumberMention, NumberMention]]:
        """Return the pairs that a draft's figure may be worked out from, in the order of the source."""
        if claim.kind == MULTIPLE:
            table, value = self._ratios, claim.value if claim.value >= 1 else 1 / max(claim.value, 1e-9)
        else:
            value = claim.value * 100 if claim.kind == FRACTION else claim.value
            table = self._shares if claim.kind in (PERCENT, FRACTION) else self._sums
        pairs = sorted({self._pairs[index] for index in _near_value(table, value)})
        return [(self.mentions[first], self.mentions[second]) for first, second in pairs]

    @cached_property
    def _pairs(self) -> list[Pair]:
        near = [
            (first, second)
            for first, mention in enumerate(self.mentions)
            for second in range(first + 1, min(first + 1 + _MAX_PAIR_DISTANCE, len(self.mentions)))
            if mention.kind == self.mentions[second].kind and mention.unit == self.mentions[second].unit
        ]
        years = [first for first, mention in enumerate(self.mentions) if mention.kind == YEAR]
        # A text's first year is mostly its own, from which any other is counted.
        return near + [(years[0], second) for second in years[1:] if second > years[0] + _MAX_PAIR_DISTANCE]

    def _pair_values(self) -> Iterator[tuple[int, float, float]]:
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


def _near_value(table: Sequence[tuple[float, int]], value: float) -> Iterator[int]:
    """Yield the numbers of those whose value is near, the nearest first on each side."""
    middle = bisect_left(table, (value, -1))
    for index in range(middle, min(middle + _MAX_CANDIDATES, len(table))):
        if table[index][0] > value * _HIGH:
            break
        yield table[index][1]
    for index in range(middle - 1, max(middle - 1 - _MAX_CANDIDATES, -1), -1):
        if table[index][0] < value * _LOW:
            break
        yield table[index][1]


_MAX_ADJACENT_CHARS = 90
"""The same where only one of them is told to be of what the draft speaks of."""
_DATELINE_CHARS = 200
"""Characters at the beginning of a source in which its own year stands."""
_MAX_OPERAND_CHARS = 400
"""Characters between two plain operands: figures that stand far apart are seldom added."""


class Derivation(NamedTuple):
    """How a figure was worked out."""

    operands: tuple[NumberMention, NumberMention]
    formula: str
    """As a formula with two gaps, `{0} + {1}`."""


def find_derivation(
    claim: NumberMention, source_numbers: SourceNumbers, same_subject: Callable[[NumberMention], bool]
) -> Derivation | None:
    """Return how a draft's figure follows from two of a source's; None where no simple way leads there.

    Tried: sums and differences of like amounts, years between years, shares and changes in percent, ratios.
    `akin` tells whether a figure of the source is of what the draft's figure is of: plain numbers are only
    added up where one of them is.
    """
    if claim.kind in (ORDINAL, YEAR) or (claim.value < 2 and claim.kind in (PLAIN, TIME, MEASURE)):
        return None
    for first, second in source_numbers.operand_pairs(claim):
        formula = _formula(claim, first, second)
        if formula and _has_same_subject(claim, first, second, same_subject):
            return Derivation((first, second), formula)
    return None


def _has_same_subject(
    claim: NumberMention,
    first: NumberMention,
    second: NumberMention,
    same_subject: Callable[[NumberMention], bool],
) -> bool:
    """Tell whether two operands are of what the draft's figure is of: chance makes many sums right."""
    if first.kind == YEAR:
        return second.start - first.end <= _MAX_OPERAND_CHARS or first.start <= _DATELINE_CHARS
    both = same_subject(first) and same_subject(second)
    if min(first.value, second.value) <= 1 or claim.spelled or claim.kind in (PERCENT, FRACTION):
        return both
    return both or (_is_adjacent(first, second) and (same_subject(first) or same_subject(second)))


def _is_adjacent(first: NumberMention, second: NumberMention) -> bool:
    return second.start - first.end <= _MAX_ADJACENT_CHARS


def _formula(claim: NumberMention, first: NumberMention, second: NumberMention) -> str | None:
    if claim.kind in (PERCENT, FRACTION):
        return _share_formula(claim, first, second)
    if claim.kind == MULTIPLE:
        return _ratio_formula(claim, first, second)
    if first.kind == second.kind == YEAR:
        return _year_formula(claim, first, second)
    if not _is_summable(claim, first, second):
        return None
    return _sum_formula(claim, first, second, _SUMS)


Sum = Callable[[float, float], float]


def _add(first: float, second: float) -> float:
    return first + second


def _subtract(first: float, second: float) -> float:
    return first - second


def _subtract_from(first: float, second: float) -> float:
    return second - first


_SUMS: tuple[tuple[str, Sum], ...] = (
    ("{0} + {1}", _add),
    ("{0} − {1}", _subtract),
    ("{1} − {0}", _subtract_from),
)


def _is_summable(claim: NumberMention, first: NumberMention, second: NumberMention) -> bool:
    """Tell whether two figures may be added up to a third: amounts of the same, and not of everything."""
    if first.kind != second.kind or first.unit != second.unit or first.kind in (ORDINAL, FRACTION, MULTIPLE):
        return False
    if not is_comparable(claim, first) or (
        claim.kind in (TIME, MONEY, MEASURE, POINTS) and first.kind == PLAIN
    ):
        return False
    if claim.unit and first.unit and claim.unit != first.unit:
        return False
    return first.kind == MONEY or second.start - first.end <= _MAX_OPERAND_CHARS


def _sum_formula(
    claim: NumberMention, first: NumberMention, second: NumberMention, formulas: Sequence[tuple[str, Sum]]
) -> str | None:
    step = max(first.step, second.step) if first.kind == MONEY else min(first.step, second.step)
    for formula, operation in formulas:
        value = operation(first.value, second.value)
        if value > 0 and (is_equal(claim.value, value) or (value >= 100 and is_rounded(claim, value, step))):
            return formula
    return None


def _year_formula(claim: NumberMention, first: NumberMention, second: NumberMention) -> str | None:
    if claim.unit != "year" or "decade" in (first.unit, second.unit):
        return None
    difference = abs(first.value - second.value)
    formula = "{0} − {1}" if first.value > second.value else "{1} − {0}"
    return (
        formula
        if difference >= 2
        and (is_equal(claim.value, difference) or (claim.hedge and is_rounded(claim, difference, 0.5)))
        else None
    )


def _share_formula(claim: NumberMention, first: NumberMention, second: NumberMention) -> str | None:
    if first.kind != second.kind or first.unit != second.unit:
        return None
    if first.kind in (ORDINAL, YEAR, FRACTION, MULTIPLE):
        return None
    if first.kind == PERCENT:
        return _sum_formula(claim, first, second, _SUMS) if claim.kind == PERCENT else None
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
