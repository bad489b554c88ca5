"""Records of what is calculated from the numbers of a source."""

from typing import NamedTuple

from pipeline.checks.dates.extract import DateMention
from pipeline.checks.numbers.clock_times import ClockTime
from pipeline.checks.numbers.models import NumberMention

Operand = NumberMention | ClockTime | DateMention


class Calculation(NamedTuple):
    """How a number follows from the source."""

    formula: str
    """With the texts of the operands: "312 − 268"."""
    operands: tuple[Operand, ...]
    is_named: bool = True
    """The draft names the operation ("44 more"), or it is no sum."""
    is_close: bool = False
    """The operands are close to the claim."""
