"""A number in a text: its value, precision, kind and unit."""

from typing import NamedTuple

PERCENT = "percent"
POINTS = "points"
MONEY = "money"
TIME = "time"
MEASURE = "measure"
ORDINAL = "ordinal"
FRACTION = "fraction"
MULTIPLE = "multiple"
YEAR = "year"
GROUP = "group"
"""A word that implies a number: both, a pair, twins."""
PLAIN = ""


class NumberMention(NamedTuple):
    """One number in a text."""

    start: int
    end: int
    """Half-open character span that includes the currency sign, scale and unit."""
    value: float
    """Absolute value, scale applied: 1,200,000 for "1.2 million"."""
    step: float
    """Precision, the value of the last significant digit: 100,000 for "1.2 million", 1,000 for "25,000"."""
    kind: str = PLAIN
    unit: str = ""
    """Currency code, unit of time or measure; empty for plain numbers."""
    hedge: str = ""
    """`about`, `nearly`, `under` or `over` where the text hedges the number; empty where it is exact."""
    spelled: bool = False
    """Written in words."""
    later_unit: str = ""
    """Unit of time a few words after the number: "8 nail-biting days"."""
    rate: str = ""
    """Unit of time that the number is counted by: `year` for "20% a year" and "20% annually"."""
    rate_end: int = 0
    """Character after the words of the rate; 0 without one."""
    bare: bool = False
    """No noun follows the number: "Lund, 36, said"."""

    @property
    def whole(self) -> bool:
        """Tell whether the value is an integer."""
        return self.value == int(self.value)
