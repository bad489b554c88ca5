"""Spans of years and decades: how many years each may stand for."""

from collections.abc import Iterator

from pipeline.checks.numbers.models import NumberMention

YEARS = {"year": 1, "decade": 10}
"""Unit of a span → years."""
_HEDGED_SHARE = 0.15
"""Part of a span of years by which a rough one may differ. Chosen, not measured."""


def distances(counted: NumberMention) -> Iterator[float]:
    """Yield the years that a span of years or decades may stand for, the nearest first."""
    value = counted.value * YEARS[counted.unit]
    slack = int(value * _HEDGED_SHARE) if counted.hedge or counted.unit == "decade" else 0
    if counted.unit == "decade" and counted.hedge == "over":
        slack = YEARS["decade"] - 1
    later = -1 if counted.hedge in ("nearly", "under") else 1
    yield from (value + later * off for off in range(slack + 1))
