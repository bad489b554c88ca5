"""A source's figures, found by value: what a draft's figure may follow from, without looking at every one.

Figures that a writer worked out of a source's: sums, differences, shares, changes, ratios. Pure.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from typing import NamedTuple

from pipeline.checks.numbers.compare import comparable, equal, in_base, rounded
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

_MOST = 80
"""Figures on either side of a value that are looked at: keeps the work linear on texts full of numbers."""
_LOW, _HIGH = 0.5, 1.6
"""How far off a figure's value another may be that it rounds."""
_REACH = 10
"""How many figures on the second operand of a sum may stand: linear again, and chance kept out."""
_FACTORS = (1.0, 100.0, 0.01)
"""Between a share and percent, percent and basis points, dollars and cents."""

Pair = tuple[int, int]


class SourceNumbers:
    """The figures of a source, the shares that it tells by two of them included."""

    def __init__(self, own: Sequence[NumberMention], shares: Sequence[NumberMention]) -> None:
        self.own = own
        self._every = (*own, *shares)
        self._plain = sorted((each.value, number) for number, each in enumerate(self._every))
        self._bases = _by_base(self._every)

    def like(self, told: NumberMention) -> list[NumberMention]:
        """Return the figures that a draft's may repeat, round or convert, in the order of the source."""
        found: set[int] = set()
        for factor in _FACTORS if told.kind not in ("", YEAR, ORDINAL) else _FACTORS[:1]:
            found.update(_around(self._plain, told.value * factor))
        base = in_base(told)
        if base:
            found.update(_around(self._bases.get(base[0], []), base[1]))
        return [self._every[number] for number in sorted(found)]

    def pairs(self, told: NumberMention) -> list[tuple[NumberMention, NumberMention]]:
        """Return the pairs that a draft's figure may be worked out from, in the order of the source."""
        if told.kind == MULTIPLE:
            table, value = self._ratios, told.value if told.value >= 1 else 1 / max(told.value, 1e-9)
        else:
            value = told.value * 100 if told.kind == FRACTION else told.value
            table = self._shares if told.kind in (PERCENT, FRACTION) else self._sums
        every = sorted({self._paired[number] for number in _around(table, value)})
        return [(self.own[one], self.own[other]) for one, other in every]

    @cached_property
    def _paired(self) -> list[Pair]:
        near = [
            (number, other)
            for number, one in enumerate(self.own)
            for other in range(number + 1, min(number + 1 + _REACH, len(self.own)))
            if one.kind == self.own[other].kind and one.unit == self.own[other].unit
        ]
        years = [number for number, one in enumerate(self.own) if one.kind == YEAR]
        # A text's first year is mostly its own, from which any other is counted.
        return near + [(years[0], other) for other in years[1:] if other > years[0] + _REACH]

    def _values(self) -> Iterator[tuple[int, float, float]]:
        for number, (one, other) in enumerate(self._paired):
            values = self.own[one].value, self.own[other].value
            yield number, min(values), max(values)

    @cached_property
    def _sums(self) -> list[tuple[float, int]]:
        return sorted(
            (value, number) for number, low, high in self._values() for value in (low + high, high - low)
        )

    @cached_property
    def _shares(self) -> list[tuple[float, int]]:
        shares = [
            (100 * value, number)
            for number, low, high in self._values()
            if low > 0
            for value in (low / high, (high - low) / low, (high - low) / high)
        ]
        return sorted(shares + self._sums)

    @cached_property
    def _ratios(self) -> list[tuple[float, int]]:
        return sorted((high / low, number) for number, low, high in self._values() if low > 0)


def _by_base(every: Sequence[NumberMention]) -> dict[str, list[tuple[float, int]]]:
    found: dict[str, list[tuple[float, int]]] = {}
    for number, each in enumerate(every):
        base = in_base(each)
        if base:
            found.setdefault(base[0], []).append((base[1], number))
    return {name: sorted(values) for name, values in found.items()}


def _around(table: Sequence[tuple[float, int]], value: float) -> Iterator[int]:
    """Yield the numbers of those whose value is near, the nearest first on each side."""
    middle = bisect_left(table, (value, -1))
    for at in range(middle, min(middle + _MOST, len(table))):
        if table[at][0] > value * _HIGH:
            break
        yield table[at][1]
    for at in range(middle - 1, max(middle - 1 - _MOST, -1), -1):
        if table[at][0] < value * _LOW:
            break
        yield table[at][1]


_CLOSE = 90
"""The same where only one of them is told to be of what the draft speaks of."""
_DATELINE = 200
"""Characters at the beginning of a source in which its own year stands."""
_NEAR = 400
"""Characters between two plain operands: figures that stand far apart are seldom added."""


class Derivation(NamedTuple):
    """How a figure was worked out."""

    operands: tuple[NumberMention, NumberMention]
    said: str
    """As a formula with two gaps, `{0} + {1}`."""


def find_derivation(
    told: NumberMention, given: SourceNumbers, akin: Callable[[NumberMention], bool]
) -> Derivation | None:
    """Return how a draft's figure follows from two of a source's; None where no simple way leads there.

    Tried: sums and differences of like amounts, years between years, shares and changes in percent, ratios.
    `akin` tells whether a figure of the source is of what the draft's figure is of: plain numbers are only
    added up where one of them is.
    """
    if told.kind in (ORDINAL, YEAR) or (told.value < 2 and told.kind in (PLAIN, TIME, MEASURE)):
        return None
    for one, other in given.pairs(told):
        said = _way(told, one, other)
        if said and _belongs(told, one, other, akin):
            return Derivation((one, other), said)
    return None


def _belongs(
    told: NumberMention, one: NumberMention, other: NumberMention, akin: Callable[[NumberMention], bool]
) -> bool:
    """Tell whether two operands are of what the draft's figure is of: chance makes many sums right."""
    if one.kind == YEAR:
        return other.start - one.end <= _NEAR or one.start <= _DATELINE
    both = akin(one) and akin(other)
    if min(one.value, other.value) <= 1 or told.spelled or told.kind in (PERCENT, FRACTION):
        return both
    return both or (_beside(one, other) and (akin(one) or akin(other)))


def _beside(one: NumberMention, other: NumberMention) -> bool:
    return other.start - one.end <= _CLOSE


def _way(told: NumberMention, one: NumberMention, other: NumberMention) -> str | None:
    if told.kind in (PERCENT, FRACTION):
        return _share(told, one, other)
    if told.kind == MULTIPLE:
        return _ratio(told, one, other)
    if one.kind == other.kind == YEAR:
        return _years(told, one, other)
    if not _like(told, one, other):
        return None
    return _fitting(told, one, other, _SUMS)


Sum = Callable[[float, float], float]


def _plus(one: float, other: float) -> float:
    return one + other


def _less(one: float, other: float) -> float:
    return one - other


def _more(one: float, other: float) -> float:
    return other - one


_SUMS: tuple[tuple[str, Sum], ...] = (("{0} + {1}", _plus), ("{0} − {1}", _less), ("{1} − {0}", _more))


def _like(told: NumberMention, one: NumberMention, other: NumberMention) -> bool:
    """Tell whether two figures may be added up to a third: amounts of the same, and not of everything."""
    if one.kind != other.kind or one.unit != other.unit or one.kind in (ORDINAL, FRACTION, MULTIPLE):
        return False
    if not comparable(told, one) or (told.kind in (TIME, MONEY, MEASURE, POINTS) and one.kind == PLAIN):
        return False
    if told.unit and one.unit and told.unit != one.unit:
        return False
    return one.kind == MONEY or other.start - one.end <= _NEAR


def _fitting(
    told: NumberMention, one: NumberMention, other: NumberMention, ways: Sequence[tuple[str, Sum]]
) -> str | None:
    step = max(one.step, other.step) if one.kind == MONEY else min(one.step, other.step)
    for said, way in ways:
        value = way(one.value, other.value)
        if value > 0 and (equal(told.value, value) or (value >= 100 and rounded(told, value, step))):
            return said
    return None


def _years(told: NumberMention, one: NumberMention, other: NumberMention) -> str | None:
    if told.unit != "year" or "decade" in (one.unit, other.unit):
        return None
    apart = abs(one.value - other.value)
    said = "{0} − {1}" if one.value > other.value else "{1} − {0}"
    return (
        said
        if apart >= 2 and (equal(told.value, apart) or (told.hedge and rounded(told, apart, 0.5)))
        else None
    )


def _share(told: NumberMention, one: NumberMention, other: NumberMention) -> str | None:
    if one.kind != other.kind or one.unit != other.unit:
        return None
    if one.kind in (ORDINAL, YEAR, FRACTION, MULTIPLE):
        return None
    if one.kind == PERCENT:
        return _fitting(told, one, other, _SUMS) if told.kind == PERCENT else None
    low, high = min(one.value, other.value), max(one.value, other.value)
    if low <= 0 or low == high:
        return None
    names = ("{0}", "{1}") if one.value < other.value else ("{1}", "{0}")
    factor = 100.0 if told.kind == PERCENT else 1.0
    ways = (
        (f"{names[0]} of {names[1]}", low / high),
        (f"from {names[0]} to {names[1]}", (high - low) / low),
        (f"from {names[1]} to {names[0]}", (high - low) / high),
    )
    near = other.start - one.end <= _NEAR
    for said, share in ways:
        if near and low >= 2 and share <= 20 and rounded(told, share * factor, told.step * 1e-6):
            return said
    return None


def _ratio(told: NumberMention, one: NumberMention, other: NumberMention) -> str | None:
    if one.kind != other.kind or one.unit != other.unit or one.kind in (ORDINAL, YEAR):
        return None
    low, high = min(one.value, other.value), max(one.value, other.value)
    wanted = 1 / told.value if 0 < told.value < 1 else told.value
    if low <= 0 or other.start - one.end > _NEAR or abs(high / low - wanted) > 0.08 * wanted:
        return None
    return "{1} : {0}" if one.value < other.value else "{0} : {1}"
