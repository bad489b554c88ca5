"""Checks of `copydesk doctor`: caps, alerts, disk, clock, schedules. Each returns a line or raises."""

import asyncio
import os
import shutil
import statistics
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from copydesk.console import format_time, pluralize
from pipeline.config import Settings, user_agent
from pipeline.domain.days import duration
from pipeline.domain.errors import ConfigError, CopydeskError, DatabaseError, OutputError
from pipeline.domain.models import FeedConfig, PollState
from pipeline.http_client import HttpClient
from pipeline.services.alerts import Alert, post_alerts
from pipeline.services.budget import BACKFILL, active_caps
from pipeline.storage import CallCost, Database, dollars, file_of

_MIN_FREE_BYTES = 200_000_000
"""Free space of a disk below which runs are about to fail. Chosen, not measured."""
_MAX_CLOCK_OFFSET_S = 120.0
"""Seconds by which the clock may differ from those of servers. Chosen, not measured."""
_LATE_AFTER = timedelta(days=1)
"""Time without any poll after which nothing seems to start runs. Chosen, not measured."""


def check_caps(settings: Settings, min_micros: int) -> str:
    """Return the caps. Raises ConfigError, BudgetExceeded where one does not allow the next call.

    That costs at least `min_micros`.
    """
    now = datetime.now(UTC)
    run = f"{BACKFILL}doctor"  # so that the cap of backfills is among them
    caps = active_caps(settings, run, now)
    if not caps:
        return "none: COPYDESK_CAP_DAY limits what the model may cost a day, in US dollars"
    for cap in caps:
        if cap.micros < min_micros:
            message = f"{cap.variable} is {dollars(cap.micros)}, and one call may cost {dollars(min_micros)}"
            raise ConfigError(f"{message}: nothing can be drafted; set it higher", variable=cap.variable)
    with Database.open(settings.database_url) as db:
        db.budget.require_left(run, CallCost(min_micros, min_micros), caps)
    return ", ".join(f"{cap.variable} {dollars(cap.micros)}" for cap in caps)


def check_alerts(settings: Settings, *, test: bool) -> str:
    """Return whether alerts are sent; `test` sends one. Raises ConfigError where it does not arrive."""
    if settings.alert_url is None:
        return "none: COPYDESK_ALERT_URL names a webhook that is notified of what a person has to fix"
    if not test:
        return "COPYDESK_ALERT_URL is set, and not tried: `copydesk doctor --test-alert` sends a test"
    url = settings.alert_url.get_secret_value()

    async def send() -> str | None:
        async with HttpClient(user_agent(settings), allowed=settings.allow_hosts) as net:
            return await post_alerts(net, url, [Alert("test", "a test of alerts, sent by `copydesk doctor`")])

    if error := asyncio.run(send()):
        raise ConfigError(f"the test did not arrive: {error}", variable="COPYDESK_ALERT_URL")
    return "a test was sent to COPYDESK_ALERT_URL, and taken"


def check_disk(settings: Settings) -> str:
    """Return the free space for files and database. Raises OutputError where it is short."""
    database = file_of(settings.database_url)
    places = {"output": settings.output, **({"database": database.parent} if database else {})}
    free = {name: shutil.disk_usage(_existing(path)).free for name, path in places.items()}
    return describe_free(free)


def describe_free(free: Mapping[str, int]) -> str:
    """Return the free bytes by place, for people. Raises OutputError where they are too few. Pure."""
    for name, count in free.items():
        if count < _MIN_FREE_BYTES:
            message = (
                f"{_megabytes(count)} are free for the {name}: free at least {_megabytes(_MIN_FREE_BYTES)}"
            )
            raise OutputError(message)
    return ", ".join(f"{_megabytes(count)} free for the {name}" for name, count in free.items())


def _existing(path: Path) -> Path:
    # Not `exists`: it raises PermissionError in a folder without permission.
    return next(each for each in (path.absolute(), *path.absolute().parents) if os.access(each, os.F_OK))


def _megabytes(count: int) -> str:
    return f"{count // 1_000_000:,} MB"


def check_clock(offsets: Sequence[float]) -> str:
    """Return how far this machine's clock is from those of servers, given in seconds. Pure.

    Raises CopydeskError where it is too far.
    """
    if not offsets:
        return "not compared: no server answered with its time"
    ahead_s = statistics.median(offsets)
    servers = f"that of {pluralize(len(offsets), 'answer')} of servers"
    if abs(ahead_s) <= _MAX_CLOCK_OFFSET_S:
        return f"agrees with {servers}"
    direction = "ahead of" if ahead_s > 0 else "behind"
    raise CopydeskError(
        f"this machine's clock is {duration(abs(ahead_s))} {direction} {servers}: "
        "set it, for example with NTP; schedules, ages of items and caps depend on it"
    )


def check_schedules(feeds: Iterable[FeedConfig], states: Mapping[str, PollState], now: datetime) -> str:
    """Return the schedules with their feeds, and the last poll. Pure.

    Raises ConfigError where feeds were polled once, and nothing has polled them for a day.
    """
    enabled = [feed for feed in feeds if feed.enabled and feed.schedule != "never"]
    if not enabled:
        return "no feed has one: `copydesk run` polls the feeds"
    counts = Counter(" ".join(feed.schedule.split()) for feed in enabled)
    listed = ", ".join(f"{pluralize(count, 'feed')} {schedule!r}" for schedule, count in counts.items())
    polls = [states[feed.key].last_polled_at for feed in enabled if feed.key in states]
    last = max((poll for poll in polls if poll), default=None)
    if last and now - last > _LATE_AFTER:
        raise ConfigError(
            f"{listed}, and nothing was polled since {format_time(last)}: start `copydesk serve`, or have "
            "cron start `copydesk run`"
        )
    return f"{listed}; last poll {format_time(last)}"


def poll_states(settings: Settings) -> dict[str, PollState]:
    """Return the stored poll states by feed key; none where the database cannot be read."""
    try:
        with Database.open(settings.database_url) as db:
            return db.feeds.poll_states()
    except DatabaseError:  # a line of its own says so
        return {}
