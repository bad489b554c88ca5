"""Caps on spending, and amounts of money for people. Pure."""

from datetime import datetime
from typing import NamedTuple

from pipeline.domain.errors import BudgetExceeded


class SpendingCap(NamedTuple):
    """A limit on spending."""

    name: str
    """Its period: run, day or month."""
    micros: int
    """Millionths of a US dollar."""
    since: datetime | None
    """When the day or month began; None for the run."""
    runs: str = ""
    """Only runs whose names start with this count; empty: all."""
    variable: str = ""
    """The environment variable that sets it."""
    until: datetime | None = None
    """When its day or month ends, in the operator's time zone; None for the run."""


class CallCost(NamedTuple):
    """What a model call may cost, in millionths of a US dollar."""

    max_micros: int
    """Reserved where the caps allow it."""
    min_micros: int
    """Less than this is not reserved."""


def cap_reached(cap: SpendingCap, spent: int, cost: CallCost, *, pending: bool) -> BudgetExceeded:
    """Return the error that names a cap, its variable and when it resets."""
    when = f"it resets at {cap.until:%Y-%m-%d %H:%M %Z}" if cap.until else "each run has its own"
    message = (
        f"the cap of the {cap.name} is reached: {dollars(spent)} of {dollars(cap.micros)} spent, "
        f"and the next call may cost {dollars(cost.min_micros)}; {when}"
    )
    if cap.variable:
        message += f", and {cap.variable} sets it"
    return BudgetExceeded(message, cap=cap.name, spent=spent, pending=pending)


def cost_text(micros: int, unpriced: int) -> str:
    """Return a cost for people; `unpriced` is the number of answers whose price is not known."""
    if not unpriced:
        return dollars(micros)
    return f"{dollars(micros)} and more (price unknown in part)" if micros else "price unknown"


def dollars(micros: int) -> str:
    """Return an amount in US dollars for people: two decimals, or four below ten cents."""
    amount = micros / 1_000_000
    return f"${amount:,.2f}" if amount >= 0.1 or not micros else f"${amount:.4f}"
