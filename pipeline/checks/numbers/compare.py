"""Compares two numbers: the same value, a rounding of it, or the value in another unit."""

import math
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
"""Unit of time → seconds. A year is the Julian year of 365.25 days, a month a twelfth, rounded."""
_BASE_UNITS = {
    "metre": ("length", 1.0), "kilometre": ("length", 1000.0), "centimetre": ("length", 0.01),
    "mile": ("length", 1609.34), "foot": ("length", 0.3048), "inch": ("length", 0.0254),
    "square metre": ("area", 1.0), "square foot": ("area", 0.092903), "square kilometre": ("area", 1e6),
    "square mile": ("area", 2_589_988.0), "acre": ("area", 4046.86), "hectare": ("area", 10_000.0),
    "kilogram": ("mass", 1.0), "pound-weight": ("mass", 0.4536), "tonne": ("mass", 1000.0),
    "megawatt": ("power", 1.0), "gigawatt": ("power", 1000.0),
}  # fmt: skip
"""Unit → dimension and size in its base unit. Source: the international yard and pound, rounded."""
_ROUNDING_TOLERANCE = 0.025
"""Relative error allowed for a rounded number without a hedge. Chosen, not measured."""
_SCALED_TOLERANCE = 0.15
"""The same for a number whose step is 1,000 or more: "$1B" for 1,023 million. Chosen, not measured."""
_HEDGED_TOLERANCE = 0.1
"""The same for a number with a hedge such as "about". Chosen, not measured."""


_COARSE = 0.02
"""Least precision of a round number, relative to its value: at most two digits. Chosen, not measured."""
_MAX_BOUND_DISTANCE = 0.25
"""The same for a round number after "more than" or "fewer than". Chosen, not measured."""


class Match(Enum):
    """How one number matches another."""

    SAME = "same"
    ROUNDED = "rounded"
    CONVERTED = "converted"


def match_numbers(claim: NumberMention, candidate: NumberMention) -> Match | None:
    """Return how a number of the draft matches one of the source; None where it does not.

    Tolerances are relative errors: 1.2% for measures, 3% where a month is converted. Chosen, not measured.
    """
    if not is_comparable(claim, candidate):
        return None
    if _same_unit(claim, candidate):
        if is_equal(claim.value, candidate.value):
            return Match.SAME
        return Match.ROUNDED if is_rounded(claim, candidate.value, candidate.step) else None
    value = convert(candidate, claim)
    if value is None:
        return None
    for_time = 0.03 if "month" in (claim.unit, candidate.unit) else 1e-6
    tolerance = {MEASURE: 0.012, TIME: for_time}.get(claim.kind, 1e-6)
    if claim.kind == FRACTION and claim.hedge:
        tolerance = 0.05
    fits = _is_close(claim.value, value, tolerance) or is_rounded(claim, value, claim.step * 1e-6)
    return Match.CONVERTED if fits else None


def is_comparable(claim: NumberMention, candidate: NumberMention) -> bool:
    """Tell whether two numbers can express the same kind of amount.

    A plain number without a noun after it is comparable with any kind: "Lund, 36" and "36 years".
    """
    kind, other = claim.kind, candidate.kind
    if kind == other:
        return True
    if _leaves_out_currency(claim, candidate):
        return True
    if kind == PLAIN and claim.step < 1 and not claim.spelled and other in (MONEY, PERCENT, POINTS, MEASURE):
        return True
    if GROUP in (kind, other):
        return kind == PLAIN
    if YEAR in (kind, other):  # four digits look like a year: "from 300 to 1500" people
        return kind == PLAIN and not claim.spelled and claim.value == candidate.value
    if min(claim.value, candidate.value) >= _MIN_DISTINCTIVE and {kind, other} <= _COUNT_KINDS:
        return True
    if ORDINAL in (kind, other) and {kind, other} <= _COUNT_KINDS and claim.value > 2:
        return not claim.spelled or kind == PLAIN  # "six companies" of "its sixth acquisition"
    if kind == PLAIN:
        same_unit = other == TIME and claim.later_unit == candidate.unit
        return claim.bare or same_unit or other in (FRACTION, POINTS)
    if other == PLAIN:
        same_unit = kind == TIME and candidate.later_unit == claim.unit
        return candidate.bare or kind in (ORDINAL, MULTIPLE) or same_unit
    return {kind, other} in _RELATED_KINDS


def _leaves_out_currency(claim: NumberMention, candidate: NumberMention) -> bool:
    """Tell whether a large number may be money: "on $690 million, 320 million more", "Rs6.16 trillion"."""
    if claim.kind == PLAIN and candidate.kind == MONEY:
        return claim.value >= _MIN_WITHOUT_CURRENCY
    large = min(claim.value, candidate.value) >= _MIN_LARGE_AMOUNT
    return large and claim.kind == MONEY and candidate.kind == PLAIN


_MIN_WITHOUT_CURRENCY = 1000
"""From this value on, a number of money may stand without its currency. Chosen, not measured."""
_MIN_LARGE_AMOUNT = 1e9
"""From this value on, a number of a source without a known currency may be money. Chosen, not measured."""
_MIN_DISTINCTIVE = 20
"""From this value on, a text seldom uses one number for two different things. Chosen, not measured."""
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


def _are_dollars(*units: str) -> bool:
    """Tell whether all units may be dollars, one of them without a named country, or the sign is of pesos."""
    if set(units) == {"$", "PESO"}:
        return True
    return "USD" in units and all(unit == "USD" or unit.endswith(("$", "D")) for unit in units)


def is_equal(value: float, other: float) -> bool:
    """Tell whether two values are equal up to floating-point error."""
    return abs(value - other) <= 1e-9 * max(abs(value), abs(other), 1e-9)


def is_rounded(claim: NumberMention, value: float, step: float) -> bool:
    """Tell whether a number is a rounding of a value of precision `step`, in the direction of its hedge."""
    difference = abs(claim.value - value)
    if claim.value == 0 or difference > claim.value * 0.5:
        return False
    if (claim.hedge in ("under", "nearly") and value > claim.value * 1.0001) or (
        claim.hedge == "over" and value < claim.value * 0.9999
    ):
        return difference <= claim.value * 0.005 and step < claim.step
    if claim.hedge in ("under", "over") and _is_bound(claim, value):
        return True
    coarse_step = 5.0 if claim.step == 1 and claim.value % 5 == 0 else claim.step
    if claim.hedge:
        allowance = claim.value * _HEDGED_TOLERANCE if coarse_step >= claim.value * 0.1 else 0.0
        return difference <= max(allowance, coarse_step * 0.5 if step < claim.step else 0.0)
    if step >= claim.step:
        return False
    truncation = claim.value * (0.06 if claim.step >= 1000 else 0.01)
    if value > claim.value and difference < claim.step and difference <= truncation:
        return True  # truncated, as headlines do: "$14B" for 14.83 billion
    tolerance = _SCALED_TOLERANCE if claim.step >= 1000 else _ROUNDING_TOLERANCE
    effective_step = claim.step if claim.step < claim.value else claim.step / 2
    half_step = claim.step * 0.5000001 if claim.step <= 1 else 0
    return difference <= min(effective_step * 0.5000001, max(claim.value * tolerance, half_step))


def _is_bound(claim: NumberMention, value: float) -> bool:
    """Tell whether a claim is the round number below or above a value: "more than 500,000" of 572,206."""
    if claim.step < claim.value * _COARSE:
        return (
            claim.kind == FRACTION
            and claim.spelled
            and abs(claim.value - value) <= claim.value * _SCALED_TOLERANCE
        )
    return abs(claim.value - value) < min(claim.step, claim.value * _MAX_BOUND_DISTANCE)


_RATES = {
    ("year", "month"): 12, ("year", "week"): 52, ("year", "day"): 365, ("month", "week"): 52 / 12,
    ("month", "day"): 365 / 12, ("week", "day"): 7, ("day", "hour"): 24, ("hour", "minute"): 60,
    ("minute", "second"): 60,
}  # fmt: skip
"""Longer and shorter unit of a rate → factor."""


def is_converted_rate(claim: NumberMention, candidate: NumberMention) -> bool:
    """Tell whether a number by one unit of time is another by a unit of its own: 120 a year, 10 a month."""
    if claim.kind != candidate.kind or claim.unit != candidate.unit or claim.kind == PERCENT:
        return False
    factor = _RATES.get((claim.rate, candidate.rate)) or 1 / _RATES.get(
        (candidate.rate, claim.rate), math.inf
    )
    value = candidate.value * factor
    return is_equal(claim.value, value) or is_rounded(claim, value, claim.step * 1e-6)


def have_other_rates(claim: NumberMention, candidate: NumberMention) -> bool:
    """Tell whether two numbers are counted by different units of time: per minute, per second."""
    return bool(claim.rate and candidate.rate) and claim.rate != candidate.rate


def to_base_unit(mention: NumberMention) -> tuple[str, float] | None:
    """Return the dimension and the value in its base unit of a time or measure; None for other kinds."""
    if mention.kind == TIME:
        return TIME, mention.value * _SECONDS[mention.unit]
    if mention.kind == MEASURE and mention.unit in _BASE_UNITS:
        dimension, size = _BASE_UNITS[mention.unit]
        return dimension, mention.value * size
    return None


def convert(candidate: NumberMention, claim: NumberMention) -> float | None:
    """Return the value of a source's number in the unit of the draft's; None where they do not convert."""
    base, target = to_base_unit(candidate), to_base_unit(claim)
    if base and target:
        return base[1] / target[1] * claim.value if base[0] == target[0] and target[1] else None
    if candidate.kind == claim.kind == MONEY and "CENT" in (candidate.unit, claim.unit):
        return candidate.value / 100 if candidate.unit == "CENT" else candidate.value * 100
    pair = (candidate.kind, claim.kind)
    if pair == (POINTS, POINTS) or pair == (POINTS, PERCENT):
        if (candidate.unit == "bp") == (claim.unit == "bp"):
            return None
        return candidate.value / 100 if candidate.unit == "bp" else candidate.value * 100
    factors = {(FRACTION, PERCENT): 100.0, (PERCENT, FRACTION): 0.01, (FRACTION, MULTIPLE): 1.0}
    factor = factors.get(pair)
    return None if factor is None else candidate.value * factor


def _is_close(value: float, other: float, tolerance: float) -> bool:
    return abs(value - other) <= tolerance * max(abs(value), abs(other))
