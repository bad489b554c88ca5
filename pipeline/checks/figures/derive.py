"""Figures that a writer worked out of a source's: sums, differences, shares, changes, ratios. Pure."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from pipeline.checks.figures.hold import comparable, equal, rounded
from pipeline.checks.figures.index import Given
from pipeline.checks.figures.records import (
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
    Figure,
)

_CLOSE = 90
"""The same where only one of them is told to be of what the draft speaks of."""
_DATELINE = 200
"""Characters at the beginning of a source in which its own year stands."""
_NEAR = 400
"""Characters between two plain operands: figures that stand far apart are seldom added."""


class Derived(NamedTuple):
    """How a figure was worked out."""

    operands: tuple[Figure, Figure]
    said: str
    """As a formula with two gaps, `{0} + {1}`."""


def derived(told: Figure, given: Given, akin: Callable[[Figure], bool]) -> Derived | None:
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
            return Derived((one, other), said)
    return None


def _belongs(told: Figure, one: Figure, other: Figure, akin: Callable[[Figure], bool]) -> bool:
    """Tell whether two operands are of what the draft's figure is of: chance makes many sums right."""
    if one.kind == YEAR:
        return other.start - one.end <= _NEAR or one.start <= _DATELINE
    both = akin(one) and akin(other)
    if min(one.value, other.value) <= 1 or told.spelled or told.kind in (PERCENT, FRACTION):
        return both
    return both or (_beside(one, other) and (akin(one) or akin(other)))


def _beside(one: Figure, other: Figure) -> bool:
    return other.start - one.end <= _CLOSE


def _way(told: Figure, one: Figure, other: Figure) -> str | None:
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


def _like(told: Figure, one: Figure, other: Figure) -> bool:
    """Tell whether two figures may be added up to a third: amounts of the same, and not of everything."""
    if one.kind != other.kind or one.unit != other.unit or one.kind in (ORDINAL, FRACTION, MULTIPLE):
        return False
    if not comparable(told, one) or (told.kind in (TIME, MONEY, MEASURE, POINTS) and one.kind == PLAIN):
        return False
    if told.unit and one.unit and told.unit != one.unit:
        return False
    return one.kind == MONEY or other.start - one.end <= _NEAR


def _fitting(told: Figure, one: Figure, other: Figure, ways: Sequence[tuple[str, Sum]]) -> str | None:
    step = max(one.step, other.step) if one.kind == MONEY else min(one.step, other.step)
    for said, way in ways:
        value = way(one.value, other.value)
        if value > 0 and (equal(told.value, value) or (value >= 100 and rounded(told, value, step))):
            return said
    return None


def _years(told: Figure, one: Figure, other: Figure) -> str | None:
    if told.unit != "year" or "decade" in (one.unit, other.unit):
        return None
    apart = abs(one.value - other.value)
    said = "{0} − {1}" if one.value > other.value else "{1} − {0}"
    return (
        said
        if apart >= 2 and (equal(told.value, apart) or (told.hedge and rounded(told, apart, 0.5)))
        else None
    )


def _share(told: Figure, one: Figure, other: Figure) -> str | None:
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


def _ratio(told: Figure, one: Figure, other: Figure) -> str | None:
    if one.kind != other.kind or one.unit != other.unit or one.kind in (ORDINAL, YEAR):
        return None
    low, high = min(one.value, other.value), max(one.value, other.value)
    wanted = 1 / told.value if 0 < told.value < 1 else told.value
    if low <= 0 or other.start - one.end > _NEAR or abs(high / low - wanted) > 0.08 * wanted:
        return None
    return "{1} : {0}" if one.value < other.value else "{0} : {1}"
