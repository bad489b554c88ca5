"""Whether one figure says what another one says: the same, rounded, or in other units. Pure."""

from enum import Enum

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

_SECONDS = {
    "second": 1.0, "minute": 60.0, "hour": 3600.0, "day": 86400.0, "week": 7 * 86400.0, "month": 30.44 * 86400.0,
    "year": 365.25 * 86400.0, "decade": 3652.5 * 86400.0, "century": 36525.0 * 86400.0,
}  # fmt: skip
_SIZES = {
    "metre": ("length", 1.0), "kilometre": ("length", 1000.0), "centimetre": ("length", 0.01),
    "mile": ("length", 1609.34), "foot": ("length", 0.3048), "inch": ("length", 0.0254),
    "kilogram": ("mass", 1.0), "pound-weight": ("mass", 0.4536), "tonne": ("mass", 1000.0),
    "megawatt": ("power", 1.0), "gigawatt": ("power", 1000.0),
}  # fmt: skip
_CLOSE = 0.025
"""How far a rounded figure may be off, of its value, where the text does not say that it is rounded."""
_SCALED = 0.1
"""The same for one with a scale: "$1B" for 1,023 million."""
_HEDGED = 0.1
"""The same where it does."""


class Bond(Enum):
    """How a figure follows from another one."""

    SAME = "same"
    ROUNDED = "rounded"
    CONVERTED = "converted"


def bond(told: Figure, given: Figure) -> Bond | None:
    """Return how a draft's figure follows from a source's; None where it does not."""
    if not comparable(told, given):
        return None
    if equal(told.value, given.value) and _same_unit(told, given):
        return Bond.SAME
    if _same_unit(told, given) and rounded(told, given.value, given.step):
        return Bond.ROUNDED
    value = converted(given, told)
    if value is not None and (_near(told.value, value, 0.02) or rounded(told, value, 0.0)):
        return Bond.CONVERTED
    return None


def comparable(told: Figure, given: Figure) -> bool:
    """Tell whether two figures may be about the same kind of amount; plain ones may be about any."""
    one, other = told.kind, given.kind
    if one == other or PLAIN in (one, other):
        return YEAR not in (one, other) or one == other
    return {one, other} in _AKIN


_AKIN = (
    {PERCENT, POINTS}, {PERCENT, FRACTION}, {FRACTION, MULTIPLE}, {PERCENT, MULTIPLE}, {MONEY, MEASURE},
)  # fmt: skip


def _same_unit(told: Figure, given: Figure) -> bool:
    if PLAIN in (told.kind, given.kind):
        return ORDINAL not in (told.kind, given.kind) or told.value > 1
    if told.kind != given.kind:
        return {told.kind, given.kind} in ({PERCENT, POINTS}, {MONEY, MEASURE}) and told.unit == given.unit
    return told.unit == given.unit or _dollars(told.unit, given.unit)


def _dollars(one: str, other: str) -> bool:
    """Tell whether both are dollars, one of them of no country that is told."""
    return "USD" in (one, other) and all(unit == "USD" or unit.endswith(("$", "D")) for unit in (one, other))


def equal(one: float, other: float) -> bool:
    """Tell whether two values are the same but for their binary form."""
    return abs(one - other) <= 1e-9 * max(abs(one), abs(other), 1e-9)


def rounded(told: Figure, value: float, step: float) -> bool:
    """Tell whether a figure is a rounding of a finer value, to the side that its hedge says."""
    off = abs(told.value - value)
    if told.value == 0 or off > told.value * 0.5:
        return False
    if told.hedge == "under" and value > told.value * 1.0001 or told.hedge == "over" and value < told.value * 0.9999:
        return off <= told.value * 0.005
    if told.hedge:
        return off <= told.value * _HEDGED
    if step >= told.step:
        return False
    most = _SCALED if told.step >= 1000 else _CLOSE
    fine = told.step if told.step < told.value else told.step / 2
    return off <= fine * 0.5000001 and off <= max(told.value * most, told.step * 0.5000001 if told.step <= 1 else 0)


def converted(given: Figure, told: Figure) -> float | None:
    """Return a source's figure in the unit of a draft's; None where there is no way."""
    if given.kind == told.kind == TIME:
        return given.value * _SECONDS[given.unit] / _SECONDS[told.unit]
    if given.kind == told.kind == MEASURE and given.unit in _SIZES and told.unit in _SIZES:
        (sort, size), (other, target) = _SIZES[given.unit], _SIZES[told.unit]
        return given.value * size / target if sort == other else None
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
