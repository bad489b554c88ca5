"""Which feeds run together under `copydesk serve`, when, and under what name."""

import hashlib
from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from pipeline.config import NEVER
from pipeline.domain.models import FeedConfig

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
    beats: tuple[str, ...]
    """Their beats."""

    @property
    def interval(self) -> timedelta | None:
        """Time between two runs; None for a cron schedule."""
        count, unit = self.schedule[:-1], self.schedule[-1]
        return timedelta(seconds=int(count) * _UNITS[unit]) if count.isdecimal() else None

    @property
    def anchor(self) -> datetime:
        """Start of the interval; a hash of the feed keys gives each schedule a fixed offset (jitter)."""
        interval = self.interval or timedelta(0)
        number = int.from_bytes(hashlib.sha256(",".join(self.feeds).encode()).digest()[:8], "big")
        return _EPOCH + timedelta(seconds=number % max(1, int(interval.total_seconds())))


def groups(feeds: Iterable[FeedConfig]) -> list[Group]:
    """Return a group for each schedule of the enabled feeds, without those that never run. Pure."""
    by_schedule: dict[str, list[FeedConfig]] = defaultdict(list)
    for feed in feeds:
        if feed.enabled and feed.schedule != NEVER:
            by_schedule[" ".join(feed.schedule.split())].append(feed)
    return [
        Group(
            _name(schedule),
            schedule,
            tuple(feed.key for feed in members),
            tuple(dict.fromkeys(feed.beat for feed in members)),
        )
        for schedule, members in by_schedule.items()
    ]


def _name(schedule: str) -> str:
    """Return a valid deployment name that tells the schedule: `poll-every-15m`, `poll-at-0_6_x_x_1-5`.

    Prefect allows no `/` in a name, and a shell expands `*`. Two schedules never have one name.
    """
    if " " not in schedule:
        return f"poll-every-{schedule}"
    return "poll-at-" + schedule.replace(" ", "_").replace("*", "x").replace("/", "by").replace(",", "+")
