"""A date as a text tells it: whole, in part, or counted from the day of the text."""

from typing import NamedTuple

DATE = "date"
"""Month with a day, a year, both or neither; a year alone."""
WEEKDAY = "weekday"
CLOCK = "clock"
QUARTER = "quarter"
SEASON = "season"
DECADE = "decade"
RELATIVE = "relative"


class Mention(NamedTuple):
    """One date of a text."""

    start: int
    end: int
    """Half-open, in characters."""
    kind: str
    days: tuple[int, ...] = ()
    month: int = 0
    """1 to 12, 0 where none is told."""
    year: int = 0
    number: int = 0
    """Weekday (Monday is 0), minute of the day, quarter, season; what is relative: how far off."""
    unit: str = ""
    """Of what is relative: day, week, month, year, weekend."""
    sure: bool = True
    """Not a word that may mean something else."""
