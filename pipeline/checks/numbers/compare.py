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
_BASE_UNITS = {
    "metre": ("length", 1.0), "kilometre": ("length", 1000.0), "centimetre": ("length", 0.01),
    "mile": ("length", 1609.34), "foot": ("length", 0.3048), "inch": ("length", 0.0254),
    "kilogram": ("mass", 1.0), "pound-weight": ("mass", 0.4536), "tonne": ("mass", 1000.0),
    "megawatt": ("power", 1.0), "gigawatt": ("power", 1000.0),
}  # fmt: skip
_ROUNDING_TOLERANCE = 0.025
"""How far a rounded figure may be off, of its value, where the text does not say that it is rounded."""
_SCALED_TOLERANCE = 0.15
"""The same for one with a scale: "$1B" for 1,023 million."""
_HEDGED_TOLERANCE = 0.1
"""The same where it does."""


class Match(Enum):
    """How a figure follows from another one."""

    SAME = "same"
    ROUNDED = "rounded"
    CONVERTED = "converted"


def match_numbers(claim: NumberMention, candidate: NumberMention) -> Match | None:
    """Return how a draft's figure follows from a source's; None where it does not."""
    if not is_comparable(claim, candidate):
        return None
    if _same_unit(claim, candidate):
        if is_equal(claim.value, candidate.value):
            return Match.SAME
        return Match.ROUNDED if is_rounded(claim, candidate.value, candidate.step) else None
    value = convert(candidate, claim)
    if value is None:
        return None
    tolerance = {MEASURE: 0.012, TIME: 0.03 if "month" in (claim.unit, candidate.unit) else 1e-6}.get(
        claim.kind, 1e-6
    )
    if claim.kind == FRACTION and claim.hedge:
        tolerance = 0.05
    fits = _is_close(claim.value, value, tolerance) or is_rounded(claim, value, claim.step * 1e-6)
    return Match.CONVERTED if fits else None


def is_comparable(claim: NumberMention, candidate: NumberMention) -> bool:
    """Tell whether two figures may be about the same kind of amount.

    A plain one may be about any where no noun follows it that says otherwise; an age is often told plainly.
    """
    kind, other_kind = claim.kind, candidate.kind
    if kind == other_kind:
        return True
    if GROUP in (kind, other_kind):
        return kind == PLAIN
    if YEAR in (kind, other_kind):
        return False
    if min(claim.value, candidate.value) >= _MIN_DISTINCTIVE and {kind, other_kind} <= _COUNT_KINDS:
        return True
    if ORDINAL in (kind, other_kind) and {kind, other_kind} <= _COUNT_KINDS and claim.value > 2:
        return not claim.spelled
    if kind == PLAIN:
        named = other_kind == TIME and claim.later_unit == candidate.unit
        return claim.bare or named or other_kind in (FRACTION, POINTS)
    if other_kind == PLAIN:
        return (
            candidate.bare
            or kind in (ORDINAL, MULTIPLE)
            or (kind == TIME and candidate.later_unit == claim.unit)
        )
    return {kind, other_kind} in _RELATED_KINDS


_MIN_DISTINCTIVE = 20
"""From here on a number seldom stands in a text twice for different things."""
_COUNT_KINDS = {PLAIN, TIME, ORDINAL, MEASURE, POINTS, MULTIPLE}


_RELATED_KINDS = (
    {ORDINAL, MULTIPLE}, {PERCENT, POINTS}, {PERCENT, FRACTION}, {FRACTION, MULTIPLE}, {PERCENT, MULTIPLE},
    {MONEY, MEASURE},
)  # fmt: skip


def _same_unit(claim: NumberMention, candidate: NumberMention) -> bool:
    if PLAIN in (claim.kind, candidate.kind) or ORDINAL in (claim.kind, candidate.kind):
        return claim.kind == candidate.kind or ORDINAL not in (claim.kind, candidate.kind) or claim.value > 1
    if {claim.unit, candidate.unit} == {"GBP", "pound-weight"}:
        return True  # a pound is money or weight
    if claim.kind != candidate.kind:
        similar = {claim.kind, candidate.kind} in ({PERCENT, POINTS}, {MONEY, MEASURE}, {ORDINAL, MULTIPLE})
        return similar and claim.unit == candidate.unit
    return claim.unit == candidate.unit or _are_dollars(claim.unit, candidate.unit)


def _are_dollars(unit_a: str, unit_b: str) -> bool:
    """Tell whether both are dollars, one of them of no country that is told."""
    return "USD" in (unit_a, unit_b) and all(
        unit == "USD" or unit.endswith(("$", "D")) for unit in (unit_a, unit_b)
    )


def is_equal(value: float, other: float) -> bool:
    """Tell whether two values are the same but for their binary form."""
    return abs(value - other) <= 1e-9 * max(abs(value), abs(other), 1e-9)


def is_rounded(claim: NumberMention, value: float, step: float) -> bool:
    """Tell whether a figure is a rounding of a finer value, to the side that its hedge says."""
    difference = abs(claim.value - value)
    if claim.value == 0 or difference > claim.value * 0.5:
        return False
    if (claim.hedge == "under" and value > claim.value * 1.0001) or (
        claim.hedge == "over" and value < claim.value * 0.9999
    ):
        return difference <= claim.value * 0.005
    coarse_step = 5.0 if claim.step == 1 and claim.value % 5 == 0 else claim.step
    if claim.hedge:
        allowance = claim.value * _HEDGED_TOLERANCE if coarse_step >= claim.value * 0.1 else 0.0
        return difference <= max(allowance, coarse_step * 0.5 if step < claim.step else 0.0)
    if step >= claim.step:
        return False
    if (
        value > claim.value
        and difference < claim.step
        and difference <= claim.value * (0.06 if claim.step >= 1000 else 0.01)
    ):
        return True  # cut off, as headlines do: "$14B" for 14.83 billion
    tolerance = _SCALED_TOLERANCE if claim.step >= 1000 else _ROUNDING_TOLERANCE
    effective_step = claim.step if claim.step < claim.value else claim.step / 2
    return difference <= effective_step * 0.5000001 and difference <= max(
        claim.value * tolerance, claim.step * 0.5000001 if claim.step <= 1 else 0
    )


def to_base_unit(mention: NumberMention) -> tuple[str, float] | None:
    """Return a time or measure in its base unit, with the name of the dimension; None for others."""
    if mention.kind == TIME:
        return TIME, mention.value * _SECONDS[mention.unit]
    if mention.kind == MEASURE and mention.unit in _BASE_UNITS:
        dimension, size = _BASE_UNITS[mention.unit]
        return dimension, mention.value * size
    return None


def convert(candidate: NumberMention, claim: NumberMention) -> float | None:
    """Return a source's figure in the unit of a draft's; None where there is no way."""
    base, target = to_base_unit(candidate), to_base_unit(claim)
    if base and target:
        return base[1] / target[1] * claim.value if base[0] == target[0] and target[1] else None
    if candidate.kind == claim.kind == MONEY and "CENT" in (candidate.unit, claim.unit):
        return candidate.value / 100 if candidate.unit == "CENT" else candidate.value * 100
    pair = (candidate.kind, claim.kind)
    if pair == (POINTS, POINTS) or pair == (POINTS, PERCENT):
        return candidate.value / 100 if candidate.unit == "bp" and claim.unit != "bp" else None
    factors = {(FRACTION, PERCENT): 100.0, (PERCENT, FRACTION): 0.01, (FRACTION, MULTIPLE): 1.0}
    factor = factors.get(pair)
    return None if factor is None else candidate.value * factor


def _is_close(value: float, other: float, tolerance: float) -> bool:
    return abs(value - other) <= tolerance * max(abs(value), abs(other))
