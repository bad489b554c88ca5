"""Whether one figure says what another one says: the same, rounded, or in other units. Pure."""

from enum import Enum

from pipeline.checks.numbers.models import (
    FRACTION,
    GROUP,
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

_SECONDS = {
    "second": 1.0, "minute": 60.0, "hour": 3600.0, "day": 86400.0, "week": 7 * 86400.0,
    "month": 30.44 * 86400.0, "year": 365.25 * 86400.0,
    "decade": 3652.5 * 86400.0, "century": 36525.0 * 86400.0,
}  # fmt: skip
_SIZES = {
    "metre": ("length", 1.0), "kilometre": ("length", 1000.0), "centimetre": ("length", 0.01),
    "mile": ("length", 1609.34), "foot": ("length", 0.3048), "inch": ("length", 0.0254),
    "kilogram": ("mass", 1.0), "pound-weight": ("mass", 0.4536), "tonne": ("mass", 1000.0),
    "megawatt": ("power", 1.0), "gigawatt": ("power", 1000.0),
}  # fmt: skip
_CLOSE = 0.025
"""How far a rounded figure may be off, of its value, where the text does not say that it is rounded."""
_SCALED = 0.15
"""The same for one with a scale: "$1B" for 1,023 million."""
_HEDGED = 0.1
"""The same where it does."""


class Match(Enum):
    """How a figure follows from another one."""

    SAME = "same"
    ROUNDED = "rounded"
    CONVERTED = "converted"


def match_numbers(told: NumberMention, given: NumberMention) -> Match | None:
    """Return how a draft's figure follows from a source's; None where it does not."""
    if not comparable(told, given):
        return None
    if _same_unit(told, given):
        if equal(told.value, given.value):
            return Match.SAME
        return Match.ROUNDED if rounded(told, given.value, given.step) else None
    value = converted(given, told)
    if value is None:
        return None
    slack = {MEASURE: 0.012, TIME: 0.03 if "month" in (told.unit, given.unit) else 1e-6}.get(told.kind, 1e-6)
    if told.kind == FRACTION and told.hedge:
        slack = 0.05
    fits = _near(told.value, value, slack) or rounded(told, value, told.step * 1e-6)
    return Match.CONVERTED if fits else None


def comparable(told: NumberMention, given: NumberMention) -> bool:
    """Tell whether two figures may be about the same kind of amount.

    A plain one may be about any where no noun follows it that says otherwise; an age is often told plainly.
    """
    one, other = told.kind, given.kind
    if one == other:
        return True
    if GROUP in (one, other):
        return one == PLAIN
    if YEAR in (one, other):
        return False
    if min(told.value, given.value) >= _LARGE and {one, other} <= _COUNTED:
        return True
    if ORDINAL in (one, other) and {one, other} <= _COUNTED and told.value > 2:
        return not told.spelled
    if one == PLAIN:
        named = other == TIME and told.later == given.unit
        return told.bare or named or other in (FRACTION, POINTS)
    if other == PLAIN:
        return given.bare or one in (ORDINAL, MULTIPLE) or (one == TIME and given.later == told.unit)
    return {one, other} in _AKIN


_LARGE = 20
"""From here on a number seldom stands in a text twice for different things."""
_COUNTED = {PLAIN, TIME, ORDINAL, MEASURE, POINTS, MULTIPLE}


_AKIN = (
    {ORDINAL, MULTIPLE}, {PERCENT, POINTS}, {PERCENT, FRACTION}, {FRACTION, MULTIPLE}, {PERCENT, MULTIPLE},
    {MONEY, MEASURE},
)  # fmt: skip


def _same_unit(told: NumberMention, given: NumberMention) -> bool:
    if PLAIN in (told.kind, given.kind) or ORDINAL in (told.kind, given.kind):
        return told.kind == given.kind or ORDINAL not in (told.kind, given.kind) or told.value > 1
    if {told.unit, given.unit} == {"GBP", "pound-weight"}:
        return True  # a pound is money or weight
    if told.kind != given.kind:
        alike = {told.kind, given.kind} in ({PERCENT, POINTS}, {MONEY, MEASURE}, {ORDINAL, MULTIPLE})
        return alike and told.unit == given.unit
    return told.unit == given.unit or _dollars(told.unit, given.unit)


def _dollars(one: str, other: str) -> bool:
    """Tell whether both are dollars, one of them of no country that is told."""
    return "USD" in (one, other) and all(unit == "USD" or unit.endswith(("$", "D")) for unit in (one, other))


def equal(one: float, other: float) -> bool:
    """Tell whether two values are the same but for their binary form."""
    return abs(one - other) <= 1e-9 * max(abs(one), abs(other), 1e-9)


def rounded(told: NumberMention, value: float, step: float) -> bool:
    """Tell whether a figure is a rounding of a finer value, to the side that its hedge says."""
    off = abs(told.value - value)
    if told.value == 0 or off > told.value * 0.5:
        return False
    if (told.hedge == "under" and value > told.value * 1.0001) or (
        told.hedge == "over" and value < told.value * 0.9999
    ):
        return off <= told.value * 0.005
    coarse = 5.0 if told.step == 1 and told.value % 5 == 0 else told.step
    if told.hedge:
        loose = told.value * _HEDGED if coarse >= told.value * 0.1 else 0.0
        return off <= max(loose, coarse * 0.5 if step < told.step else 0.0)
    if step >= told.step:
        return False
    if value > told.value and off < told.step and off <= told.value * (0.06 if told.step >= 1000 else 0.01):
        return True  # cut off, as headlines do: "$14B" for 14.83 billion
    most = _SCALED if told.step >= 1000 else _CLOSE
    fine = told.step if told.step < told.value else told.step / 2
    return off <= fine * 0.5000001 and off <= max(
        told.value * most, told.step * 0.5000001 if told.step <= 1 else 0
    )


def in_base(figure: NumberMention) -> tuple[str, float] | None:
    """Return a time or measure in its base unit, with the name of the dimension; None for others."""
    if figure.kind == TIME:
        return TIME, figure.value * _SECONDS[figure.unit]
    if figure.kind == MEASURE and figure.unit in _SIZES:
        sort, size = _SIZES[figure.unit]
        return sort, figure.value * size
    return None


def converted(given: NumberMention, told: NumberMention) -> float | None:
    """Return a source's figure in the unit of a draft's; None where there is no way."""
    base, other = in_base(given), in_base(told)
    if base and other:
        return base[1] / other[1] * told.value if base[0] == other[0] and other[1] else None
    if given.kind == told.kind == MONEY and "CENT" in (given.unit, told.unit):
        return given.value / 100 if given.unit == "CENT" else given.value * 100
    pair = (given.kind, told.kind)
    if pair == (POINTS, POINTS) or pair == (POINTS, PERCENT):
        return given.value / 100 if given.unit == "bp" and told.unit != "bp" else None
    factors = {(FRACTION, PERCENT): 100.0, (PERCENT, FRACTION): 0.01, (FRACTION, MULTIPLE): 1.0}
    factor = factors.get(pair)
    return None if factor is None else given.value * factor


def _near(one: float, other: float, share: float) -> bool:
    return abs(one - other) <= share * max(abs(one), abs(other))
