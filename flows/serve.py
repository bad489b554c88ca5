"""Schedules: which feeds run together, and when. Pure.

Serves the flows on one machine until it is told to end.

The processes of flow runs that `serve` has started.
"""

import asyncio
import contextlib
import hashlib
import itertools
import logging
import os
import signal
import subprocess
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from prefect.client.schemas.objects import ConcurrencyLimitConfig, ConcurrencyLimitStrategy
from prefect.deployments.flow_runs import arun_deployment
from prefect.deployments.runner import RunnerDeployment
from prefect.runner import Runner
from prefect.schedules import Cron, Interval

from flows.ingest import ingest
from flows.requests import requests
from flows.zombie_runs import crash_zombie_runs
from pipeline.config import load_feeds, load_settings
from pipeline.domain.models import FeedConfig
from pipeline.services.shutdown import REPEAT_S, SIGNALS, SignalCounter, stop_message
from pipeline.storage import Database

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


REQUESTS = "waiting"
"""The deployment that carries out what editors ask for."""
_LOOK_S = 5.0
"""Seconds between two looks into the ledger for what editors ask for."""
_LOOKS = 12
"""After so many looks, dead runs are looked for."""
_ENDED_S = 0.5
"""Seconds between two looks for runs that are still under way."""
_MARGIN_S = 10.0
"""Seconds that a run may take to end, beyond those in which it waits for answers."""
_RUNS = 4
"""Flow runs at one time: each is a process."""
_PROC = Path("/proc")
log = logging.getLogger("copydesk.serve")


async def serve_flows() -> None:
    """Serve every schedule of feeds.yaml, and what editors ask for. Raises ConfigError, DatabaseError."""
    settings = load_settings()
    subscriptions = load_feeds(settings.feeds_file)
    wanted = [await _deployment(group, settings.timezone) for group in groups(subscriptions.feeds)]
    asked = await requests.ato_deployment(REQUESTS, concurrency_limit=_once())
    with Database.open(settings.database_url) as db, _ending(settings.stop_grace_s):
        async with _watching(db if settings.writes_drafts else None):
            runner = _Runner(pause_on_shutdown=False, limit=_RUNS)
            for deployment in (*wanted, asked):
                await runner.aadd_deployment(deployment)
            await runner.start()


class _Runner(Runner):
    """Prefect's runner, which leaves SIGTERM to `_ending`: its own way kills the runs."""

    def handle_sigterm(self, *_args: object, **_kwargs: object) -> None:
        """Do nothing: the event loop is told as well, since asyncio listens wherever a handler stands."""


@contextlib.contextmanager
def _ending(grace_s: float) -> Iterator[None]:
    """Let the runs end first when this process is told to end; told again, it ends at once."""
    loop, serving = asyncio.get_running_loop(), asyncio.current_task()
    word, waiting = SignalCounter(REPEAT_S), list[asyncio.Task[None]]()

    def end() -> None:
        match word.count():
            case 1:
                log.warning(stop_message(grace_s))
                waiting.append(asyncio.create_task(_ended(serving, grace_s + _MARGIN_S)))
            case 2:
                log.warning("ended at once: answers that were under way may have to be paid for again")
                tell(runs(), signal.SIGKILL)
                _cancel(serving)

    for number in SIGNALS:
        loop.add_signal_handler(number, end)
    try:
        yield
    finally:
        for number in SIGNALS:
            loop.remove_signal_handler(number)
        for task in waiting:
            task.cancel()


async def _ended(serving: "asyncio.Task[Any] | None", most_s: float) -> None:
    """Tell every run once to end, wait until none is left, then end the serving: it would kill them.

    Those that are left after `most_s` seconds are killed.
    """
    clock = asyncio.get_running_loop().time
    until, before = clock() + most_s, set[int]()
    while left := await asyncio.to_thread(runs):
        late = clock() > until
        tell(left if late else left - before, signal.SIGKILL if late else signal.SIGINT)
        before |= left
        await asyncio.sleep(_ENDED_S)
    _cancel(serving)


def _cancel(serving: "asyncio.Task[Any] | None") -> None:
    if serving is not None:
        serving.cancel()


def _once() -> ConcurrencyLimitConfig:
    """Return the limit under which runs never overlap, and late ones are not made up for one by one."""
    return ConcurrencyLimitConfig(limit=1, collision_strategy=ConcurrencyLimitStrategy.CANCEL_NEW)


async def _deployment(group: Group, timezone: str) -> RunnerDeployment:
    when = (
        Interval(group.interval, anchor_date=group.anchor, timezone=timezone)
        if group.interval
        else Cron(group.schedule, timezone=timezone)
    )
    return await ingest.ato_deployment(
        group.name,
        schedule=when,
        parameters={"feeds": list(group.feeds), "due": True},
        concurrency_limit=_once(),
        description=f"Polls {', '.join(group.feeds)}",
    )


@contextlib.asynccontextmanager
async def _watching(db: Database | None) -> AsyncIterator[None]:
    """Have what editors ask for carried out while the flows are served."""
    watcher = asyncio.create_task(_watch(db))
    try:
        yield
    finally:
        watcher.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await watcher


async def _watch(db: Database | None) -> None:
    """Start the requests flow whenever something waits for it, and end dead runs; trouble passes.

    Without a ledger nothing waits: another machine writes the drafts.
    """
    for look in itertools.count(1):
        await asyncio.sleep(_LOOK_S)
        try:
            if look % _LOOKS == 0:
                await crash_zombie_runs()
            if db is not None and await asyncio.to_thread(_waits, db):
                await arun_deployment(f"requests/{REQUESTS}", timeout=120, as_subflow=False)
        except Exception as error:  # noqa: BLE001 - the next look may fare better
            log.warning("what editors ask for cannot be carried out just now: %s", error)


def _waits(db: Database) -> bool:
    """Tell whether somebody wants a redraft or a publication, or a text is to be written."""
    now = datetime.now(UTC)
    due = (one.next_at is None or one.next_at <= now for one in db.publications.pending())
    return bool(db.redrafts.counts() or db.versions.pending_by_feed()) or any(due)


def runs() -> set[int]:
    """Return the processes of flow runs: our children, but for Prefect's server, which has its own group."""
    ours = (os.getpid(), os.getpgrp())
    return {pid for pid, parent, group, line in _listed() if (parent, group) == ours and "prefect" in line}


def tell(processes: Iterable[int], number: signal.Signals) -> None:
    """Send a signal to those of the processes that are still there."""
    for pid in processes:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


def _listed() -> Iterator[tuple[int, int, int, str]]:
    """Return id, parent, group and command line of every process that we may see."""
    if (_PROC / "self/stat").exists():  # Linux; slim containers have no ps
        return _in_proc()
    command = ["ps", "-axo", "pid=,ppid=,pgid=,args="]
    listed = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    rows = (line.split(None, 3) for line in listed.stdout.splitlines())
    return ((int(row[0]), int(row[1]), int(row[2]), row[-1]) for row in rows if len(row) > 2)


def _in_proc() -> Iterator[tuple[int, int, int, str]]:
    for folder in _PROC.glob("[0-9]*"):
        try:
            # Its name, in parentheses, may hold anything, spaces and parentheses included.
            _state, parent, group, *_ = (
                (folder / "stat").read_text("utf-8", "replace").rpartition(")")[2].split()
            )
            line = (folder / "cmdline").read_text("utf-8", "replace").replace("\0", " ")
        except OSError:  # it has ended meanwhile
            continue
        yield int(folder.name), int(parent), int(group), line
