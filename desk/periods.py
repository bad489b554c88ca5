"""The days that a page of operations is about, and numbers as these pages write them. Pure."""

import math
from collections.abc import Mapping
from datetime import date, datetime, tzinfo
from typing import NamedTuple
from urllib.parse import urlencode

from pipeline.domain.days import Day, day_of, last_days

CHOICES = (7, 30, 90)
"""Days of the periods that a page offers. Chosen, not measured: a week, a month, a quarter."""
DEFAULT = 30


class Period(NamedTuple):
    """The last days, today among them, or a single day."""

    days: tuple[Day, ...]
    is_single: bool = False
    """Whether the page's address names one day."""

    @property
    def since(self) -> datetime:
        """When the first day begins."""
        return self.days[0].since

    @property
    def until(self) -> datetime:
        """When the last day ends."""
        return self.days[-1].until

    @property
    def length(self) -> int:
        """The number of days."""
        return len(self.days)

    @property
    def text(self) -> str:
        """What the period is called."""
        return f"on {self.days[0].date}" if self.is_single else f"in the last {self.length} days"

    def query(self, **more: str) -> str:
        """Return the query of an address with this period; `more` is added, without empty values."""
        own = {"day": f"{self.days[0].date}"} if self.is_single else {}
        own |= {} if self.is_single or self.length == DEFAULT else {"days": str(self.length)}
        return urlencode(own | {name: value for name, value in more.items() if value})


def read_period(query: Mapping[str, str], now: datetime, zone: tzinfo) -> Period:
    """Return the period of a page's query: `day=2026-01-31` or `days=90`; others mean the last 30 days."""
    try:
        return Period((day_of(date.fromisoformat(query.get("day", "")), zone),), is_single=True)
    except (ValueError, OverflowError):
        chosen = query.get("days", "")
        count = next((choice for choice in CHOICES if str(choice) == chosen), DEFAULT)
        return Period(last_days(now, count, zone))


def share(part: float, whole: float) -> str:
    """Return a share in percent; a dash where there is no whole."""
    return f"{100 * part / whole:.0f}%" if whole else "–"


def count_text(value: float) -> str:
    """Return a count with thousands separated."""
    return f"{value:,.0f}"


def tick_dollars(micros: float, step: float) -> str:
    """Return an amount of an axis in US dollars, from millionths, as fine as the axis' step needs it."""
    decimals = min(6, max(0, -math.floor(math.log10(step / 1_000_000) + 1e-9)))
    decimals = 2 if decimals == 1 else decimals  # cents
    return f"${micros / 1_000_000:,.{decimals}f}"
