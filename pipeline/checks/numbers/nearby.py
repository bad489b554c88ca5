"""Derives a number of the draft by one step of arithmetic from numbers close to it.

Close are the numbers of the draft's own sentence and its neighbours that the source has, and the numbers of
the source sentences that these sentences rest on. There a result is seldom right by chance.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import combinations, pairwise
from typing import NamedTuple

from pipeline.checks.numbers.compare import is_equal, is_rounded
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

_MAX_OPERANDS = 24
"""Numbers that are combined for one claim: keeps the work linear. Chosen, not measured."""
_MAX_SUMMANDS = 4
"""Amounts in a row that are added. Chosen, not measured."""
_MIN_OPERAND = 0.02
"""Least operand of a sum, as a factor of the greatest. Chosen, not measured."""
_PERIODS = (12.0, 52.0, 365.0)
"""Months, weeks and days of a year."""
_SHARE_TOLERANCE = 0.12
"""Relative error of a fraction in words: "not even a third" of 30%. Chosen, not measured."""
_MAX_COUNT = 12
"""Highest number in words that a sum of two numbers may give by chance. Chosen, not measured."""
_MIN_AMOUNT = 1000
"""From this value on, a number beside an amount of money is one too. Chosen, not measured."""
_MAX_EXCHANGE_CHARS = 4
"""Characters from an amount to the same in another currency in brackets. Chosen, not measured."""

_AMOUNTS = (MONEY, MEASURE, PLAIN, TIME)
_SHARES = (PERCENT, FRACTION)
_AGES = {PLAIN, TIME}
"""Kinds of two ages of which one has no unit: "46, and another man of 40 years"."""


class Step(NamedTuple):
    """One step of arithmetic: its result, operands and the format string of its formula."""

    value: float
    operands: tuple[NumberMention, ...]
    formula: str
    step: float
    """Precision of the result."""


def find_nearby_step(
    claim: NumberMention,
    operands: Sequence[NumberMention],
    shares_thing: Callable[[NumberMention], bool],
    is_close: Callable[[Step], bool],
) -> Step | None:
    """Return the step that gives the claim from close numbers; None where there is none.

    `shares_thing` tells whether an operand counts the same thing as the claim: a small count needs that.
    `is_close` tells whether the operands of a step are close enough to the claim for its operation.
    """
    if claim.kind in (YEAR, GROUP) or (claim.kind == ORDINAL and claim.spelled):
        return None
    pool = list(operands[:_MAX_OPERANDS])
    for step in _steps(claim, pool):
        if not _gives(claim, step):
            continue
        if (is_count(claim) and all(map(shares_thing, step.operands))) or is_close(step):
            return step
    return None


def is_sum(step: Step) -> bool:
    """Tell whether a step adds or subtracts amounts."""
    return len(step.operands) > 1 and bool({"+", "−"} & set(step.formula))


def is_part(step: Step) -> bool:
    """Tell whether a step takes a stated share of an amount, or divides it by a stated count."""
    kinds = {each.kind for each in step.operands}
    return len(step.operands) == 2 and len(kinds) == 2 and bool(kinds & {PERCENT, FRACTION, PLAIN, GROUP})


def is_count(claim: NumberMention) -> bool:
    """Tell whether a number is a small count, which a sum of two numbers may give by chance."""
    return claim.kind in (PLAIN, POINTS) and claim.value <= _MAX_COUNT and claim.step >= 1


def _gives(claim: NumberMention, step: Step) -> bool:
    """Tell whether a result is the claim, or the claim is a rounding of it."""
    if step.value <= 0:
        return False
    if is_equal(claim.value, step.value):
        return True
    if claim.kind == FRACTION and claim.spelled:
        return abs(claim.value - step.value) <= _SHARE_TOLERANCE * claim.value
    if claim.kind in (PERCENT, MULTIPLE):
        half = 0.5 * min(claim.step, 1.0)
        return abs(claim.value - step.value) <= half or is_rounded(claim, step.value, step.step)
    if step.value < 20 and not claim.hedge and step.step >= claim.step:
        return False
    return is_rounded(claim, step.value, min(step.step, claim.step * 1e-6) if claim.hedge else step.step)


def _steps(claim: NumberMention, pool: Sequence[NumberMention]) -> Iterator[Step]:
    if claim.kind in _SHARES or claim.kind == MULTIPLE:
        yield from _share_steps(claim, pool)
        return
    if claim.kind == MONEY:
        yield from _exchanged(claim, pool)
        yield from (
            Step(each.value, (each,), "{0}", each.step)
            for each in pool
            if claim.unit == "CENT" and each.kind == PERCENT  # nine cents of each euro
        )
    same = [each for each in pool if _is_same_thing(claim, each)]
    for first, second in combinations(same, 2):
        if (first.kind == second.kind and first.unit == second.unit) or {first.kind, second.kind} == _AGES:
            yield from _sums(claim, first, second)
    if claim.kind == POINTS or (claim.kind == PLAIN and claim.bare):
        shares = [each for each in pool if each.kind in (PERCENT, POINTS)]
        yield from (step for pair in combinations(shares, 2) for step in _sums(claim, *pair))
    if not is_count(claim):
        yield from _totals(same)
        yield from _products(claim, same, pool)


def _is_same_thing(claim: NumberMention, operand: NumberMention) -> bool:
    """Tell whether an operand of a sum is an amount of the same kind and unit as the claim."""
    if claim.kind in (PLAIN, ORDINAL):
        return operand.kind in (PLAIN, ORDINAL, POINTS) or (
            operand.kind in (MONEY, MEASURE, TIME)
            and (claim.bare or operand.step < 1 or min(claim.value, operand.value) >= _MIN_AMOUNT)
        )
    if operand.kind == PLAIN:
        return operand.bare and (operand.value >= _MIN_AMOUNT or claim.unit == "year")
    return operand.kind == claim.kind and (operand.unit == claim.unit or claim.kind == MONEY)


def _sums(claim: NumberMention, first: NumberMention, second: NumberMention) -> Iterator[Step]:
    low, high = (first, second) if first.value <= second.value else (second, first)
    if low.value < _MIN_OPERAND * high.value or (low.spelled and high.value > 100 * low.step):
        return
    precision = max(first.step, second.step) if claim.hedge else min(first.step, second.step)
    yield Step(round(high.value - low.value, 9), (high, low), "{0} − {1}", precision)
    yield Step(round(high.value + low.value, 9), (first, second), "{0} + {1}", precision)
    if 0 < high.value - low.value < 1 and claim.value > 1 and claim.kind == PLAIN:
        yield Step(round(100 * (high.value - low.value), 6), (high, low), "100 × ({0} − {1})", precision)


def _totals(amounts: Sequence[NumberMention]) -> Iterator[Step]:
    """Yield the sums of three amounts or more that follow each other."""
    for size in range(3, _MAX_SUMMANDS + 1):
        for at in range(len(amounts) - size + 1):
            group = tuple(amounts[at : at + size])
            values = [each.value for each in group]
            is_even = min(values) >= _MIN_OPERAND * max(values) and not any(each.spelled for each in group)
            if is_even and len({(each.kind, each.unit) for each in group}) == 1:
                formula = " + ".join(f"{{{index}}}" for index in range(size))
                total = round(sum(each.value for each in group), 9)
                yield Step(total, group, formula, min(each.step for each in group))


def _products(
    claim: NumberMention, same: Sequence[NumberMention], pool: Sequence[NumberMention]
) -> Iterator[Step]:
    """Yield amounts times a period, a stated count or a stated share; and amounts by a stated count."""
    counts = [each for each in pool if each.kind in (PLAIN, GROUP) and each.value >= 2 and each.whole]
    same = [each for each in same if each.kind == claim.kind]
    shares = [each for each in pool if each.kind in _SHARES and each.value > 0]
    for amount in same:
        fine = amount.value * 1e-6
        if claim.kind == MONEY or amount.rate:
            for period in _PERIODS:
                yield Step(amount.value * period, (amount,), f"{period:.0f} × {{0}}", fine)
        for count in counts:
            if count is amount or (claim.kind == PLAIN and not claim.hedge):
                continue
            if claim.kind != PLAIN:
                yield Step(amount.value * count.value, (count, amount), "{0} × {1}", fine)
            yield Step(amount.value / count.value, (amount, count), "{0} : {1}", fine)
        for share in shares:
            part = share.value / (100 if share.kind == PERCENT else 1)
            yield Step(amount.value * part, (share, amount), "{0} of {1}", fine)
            if part < 1:
                yield Step(amount.value * (1 - part), (share, amount), "{1} without {0}", fine)
    if claim.kind == MONEY and counts:
        yield from _purchases(same, counts)


def _purchases(amounts: Sequence[NumberMention], counts: Sequence[NumberMention]) -> Iterator[Step]:
    """Yield the least stated count times two amounts: two adults and two children."""
    smallest = min(counts, key=lambda each: each.value)
    for first, second in combinations(amounts, 2):
        total = smallest.value * (first.value + second.value)
        yield Step(total, (smallest, first, second), "{0} × ({1} + {2})", total * 1e-6)


def _share_steps(claim: NumberMention, pool: Sequence[NumberMention]) -> Iterator[Step]:
    """Yield complements, shares, changes and ratios, in the unit of the claim."""
    factor = 100.0 if claim.kind == PERCENT else 1.0
    for operand in pool:
        part = _as_part(operand)
        if part is not None and claim.kind != MULTIPLE:
            rest = round(factor * (1 - part), 9)
            if claim.kind == FRACTION or is_equal(claim.value, rest):
                yield Step(rest, (operand,), "1 − {0}", claim.step * 1e-6)
    if claim.kind == PERCENT:
        percents = [each for each in pool if each.kind in (PERCENT, POINTS)]
        yield from (step for pair in combinations(percents, 2) for step in _sums(claim, *pair))
    for first, second in combinations([each for each in pool if each.kind in _AMOUNTS], 2):
        if _are_alike(first, second):
            yield from _quotients(claim, factor, first, second)


def _quotients(
    claim: NumberMention, factor: float, first: NumberMention, second: NumberMention
) -> Iterator[Step]:
    low, high = (first, second) if first.value <= second.value else (second, first)
    if low.value <= 0 or low.value == high.value:
        return
    if claim.kind == PERCENT and low.kind != MONEY and high.value <= _MAX_COUNT and low.step >= 1:
        return
    fine = claim.step * 1e-6
    ratio = high.value / low.value
    if claim.kind == MULTIPLE:
        yield Step(ratio, (high, low), "{0} : {1}", fine)
        yield Step(1 / ratio, (low, high), "{0} : {1}", fine)
        return
    yield Step(factor / ratio, (low, high), "{0} of {1}", fine)
    yield Step(factor * (ratio - 1), (low, high), "from {0} to {1}", fine)
    yield Step(factor * (1 - 1 / ratio), (high, low), "from {0} to {1}", fine)


def _are_alike(first: NumberMention, second: NumberMention) -> bool:
    """Tell whether two amounts have one unit, or one of them is large and its unit is left out."""
    if first.kind == second.kind and first.unit == second.unit:
        return True
    return {first.kind, second.kind} == {PLAIN, MONEY} and min(first.value, second.value) >= _MIN_AMOUNT


def _exchanged(claim: NumberMention, pool: Sequence[NumberMention]) -> Iterator[Step]:
    """Yield amounts in the currency of the claim, at the rate of an amount that the source has in both."""
    money = [each for each in pool if each.kind == MONEY and each.value > 0]
    pairs = [
        (first, second)
        for first, second in pairwise(money)
        if second.unit == claim.unit != first.unit and second.start - first.end <= _MAX_EXCHANGE_CHARS
    ]
    for first, second in pairs:
        for amount in money:
            if amount.unit == first.unit and amount is not first:
                value = amount.value * second.value / first.value
                yield Step(value, (amount, second, first), "{0} × {1} : {2}", value * 1e-6)


def _as_part(operand: NumberMention) -> float | None:
    """Return a percentage or fraction as a part of one; None for other numbers."""
    part = operand.value / 100 if operand.kind == PERCENT else operand.value
    return part if operand.kind in _SHARES and 0 < part < 1 else None
