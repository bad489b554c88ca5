"""Schedules: which feeds run together, and when. Pure."""

import hashlib
from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from pipeline.models import FeedConfig

NEVER = "never"
_UNITS = {"m": 60, "h": 3_600, "d": 86_400}
"""Seconds."""
_EPOCH = datetime(2026, 1, 1, tzinfo=UTC)


class Group(NamedTuple):
    """The feeds of one schedule."""

    name: str
    """Of the deployment."""
    schedule: str
    feeds: tuple[str, ...]
    """Keys, in the order of feeds.yaml."""

    @property
    def interval(self) -> timedelta | None:
        """How far its runs are apart; None where cron says when."""
        count, unit = self.schedule[:-1], self.schedule[-1]
        return timedelta(seconds=int(count) * _UNITS[unit]) if count.isdecimal() else None

    @property
    def anchor(self) -> datetime:
        """When the first of its runs would have been: each schedule has an offset of its own."""
        interval = self.interval or timedelta(0)
        number = int.from_bytes(hashlib.sha256(",".join(self.feeds).encode()).digest()[:8], "big")
        return _EPOCH + timedelta(seconds=number % max(1, int(interval.total_seconds())))


def groups(feeds: Iterable[FeedConfig]) -> list[Group]:
    """Return the schedules of the enabled feeds, each with its feeds; what never runs is left out."""
    found: dict[str, list[str]] = defaultdict(list)
    for feed in feeds:
        if feed.enabled and feed.schedule != NEVER:
            found[" ".join(feed.schedule.split())].append(feed.key)
    return [Group(_name(schedule), schedule, tuple(keys)) for schedule, keys in found.items()]


def _name(schedule: str) -> str:
    """Return a name that a deployment may have."""
    if " " not in schedule:
        return f"every-{schedule}"
    return f"cron-{hashlib.sha256(schedule.encode()).hexdigest()[:8]}"
