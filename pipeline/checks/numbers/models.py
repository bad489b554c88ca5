"""A figure as it stands in a text: what it is worth, how exactly, and of what."""

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
"""A number within a word: both, a pair, twins."""
PLAIN = ""


class NumberMention(NamedTuple):
    """One figure of a text."""

    start: int
    end: int
    """With its sign, scale and unit; half-open, in characters."""
    value: float
    """In units: "1.2 million" is 1,200,000."""
    step: float
    """The place of its last digit that counts: 100,000 for "1.2 million", 1,000 for "25,000"."""
    kind: str = PLAIN
    unit: str = ""
    """Currency code, unit of time or measure; empty for plain figures."""
    hedge: str = ""
    """`about`, `under` or `over` where the text says so; empty where it claims the very figure."""
    spelled: bool = False
    """In words."""
    later_unit: str = ""
    """Unit of time named a few words on: "8 nail-biting days"."""
    bare: bool = False
    """No noun follows: "Lund, 36, said"."""

    @property
    def whole(self) -> bool:
        """Tell whether it has no fraction."""
        return self.value == int(self.value)
