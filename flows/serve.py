"""Serves the flows on one machine: schedules from feeds.yaml, requests of editors, graceful shutdown."""

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
from flows.redrafts import Redrafts, redrafting
from flows.requests import requests
from flows.zombie_runs import crash_zombie_runs
from pipeline.config import has_writer, load_feeds, load_settings
from pipeline.domain.models import FeedConfig
from pipeline.services.shutdown import REPEAT_S, SIGNALS, SignalCounter, stop_message
from pipeline.storage import SYSTEM_EDITOR, Database

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
    keys_by_schedule: dict[str, list[str]] = defaultdict(list)
    for feed in feeds:
        if feed.enabled and feed.schedule != NEVER:
            keys_by_schedule[" ".join(feed.schedule.split())].append(feed.key)
    return [Group(_name(schedule), schedule, tuple(keys)) for schedule, keys in keys_by_schedule.items()]


def _name(schedule: str) -> str:
    """Return a valid deployment name for a schedule."""
    if " " not in schedule:
        return f"every-{schedule}"
    return f"cron-{hashlib.sha256(schedule.encode()).hexdigest()[:8]}"


REQUESTS = "waiting"
"""Name of the deployment that publishes, writes draft files and redrafts what changed."""
_REQUEST_POLL_S = 5.0
"""Seconds between two queries of the database for what that deployment does. Chosen, not measured."""
_ZOMBIE_CHECK_EVERY = 12
"""Number of such queries between two searches for zombie runs. Chosen: once a minute."""
_STOP_POLL_S = 0.5
"""Seconds between two checks whether runs are still active."""
_END_MARGIN_S = 10.0
"""Seconds that a run may take to end after it stopped waiting for answers. Chosen, not measured."""
_MAX_RUNS = 4
"""Flow runs at the same time; each is a process. Chosen, not measured."""
_PROC = Path("/proc")
log = logging.getLogger("copydesk.serve")


async def serve_flows() -> None:
    """Serve every schedule of feeds.yaml and the requests of editors. Raises ConfigError, DatabaseError."""
    settings = load_settings()
    subscriptions = load_feeds(settings.feeds_file)
    async with contextlib.AsyncExitStack() as stack:
        db = stack.enter_context(Database.open(settings.database_url))
        # Another machine writes the drafts otherwise, and no request is pending here.
        warm = any(has_writer(settings, feed) for feed in subscriptions.feeds)
        redrafts = (
            await stack.enter_async_context(redrafting(db, warm=warm)) if settings.writes_drafts else None
        )
        stack.enter_context(_graceful_stop(settings.stop_grace_s, redrafts))
        scheduled = [await _deployment(group, settings.timezone) for group in groups(subscriptions.feeds)]
        requested = await requests.ato_deployment(REQUESTS, concurrency_limit=_one_at_a_time())
        await stack.enter_async_context(_request_watcher(db if settings.writes_drafts else None))
        runner = _Runner(pause_on_shutdown=False, limit=_MAX_RUNS)
        for deployment in (*scheduled, requested):
            await runner.aadd_deployment(deployment)
        await runner.start()


class _Runner(Runner):
    """Prefect's runner without its SIGTERM handler, which would kill the runs."""

    def handle_sigterm(self, *_args: object, **_kwargs: object) -> None:
        """Do nothing: asyncio calls the handler of `_graceful_stop` as well."""


@contextlib.contextmanager
def _graceful_stop(grace_s: float, redrafts: Redrafts | None) -> Iterator[None]:
    """Wait for the runs at the first SIGINT or SIGTERM; kill them at the second."""
    loop, serving = asyncio.get_running_loop(), asyncio.current_task()
    signals, waiting = SignalCounter(REPEAT_S), list[asyncio.Task[None]]()

    def end() -> None:
        match signals.count():
            case 1:
                log.warning(stop_message(grace_s))
                stopping = _stop_runs(serving, redrafts, grace_s + _END_MARGIN_S)
                waiting.append(asyncio.create_task(stopping))
            case 2:
                log.warning("stopped at once: pending model answers are lost and may be paid for again")
                send_signal(run_processes(), signal.SIGKILL)
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


async def _stop_runs(
    serving: "asyncio.Task[Any] | None", redrafts: Redrafts | None, timeout_s: float
) -> None:
    """Send SIGINT once to every run, wait until all and the redrafts have ended, then cancel `serving`.

    Runs that are left after `timeout_s` seconds are killed. Cancelling `serving` earlier would kill all runs.
    """
    clock = asyncio.get_running_loop().time
    until, before = clock() + timeout_s, set[int]()
    if redrafts:
        redrafts.stop()
    while (left := await asyncio.to_thread(run_processes)) or (redrafts and redrafts.are_active):
        late = clock() > until
        if late and redrafts:
            redrafts.cancel()
        send_signal(left if late else left - before, signal.SIGKILL if late else signal.SIGINT)
        before |= left
        await asyncio.sleep(_STOP_POLL_S)
    _cancel(serving)


def _cancel(serving: "asyncio.Task[Any] | None") -> None:
    if serving is not None:
        serving.cancel()


def _one_at_a_time() -> ConcurrencyLimitConfig:
    """Return a limit of one active run; runs that start meanwhile are cancelled, not queued."""
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
        concurrency_limit=_one_at_a_time(),
        description=f"Polls {', '.join(group.feeds)}",
    )


@contextlib.asynccontextmanager
async def _request_watcher(db: Database | None) -> AsyncIterator[None]:
    """Run `_watch` in the background while the flows are served."""
    watcher = asyncio.create_task(_watch(db))
    try:
        yield
    finally:
        watcher.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await watcher


async def _watch(db: Database | None) -> None:
    """Start the `requests` flow when a request is pending, and mark zombie runs as crashed; log errors.

    `db` is None when another machine writes the drafts: then no request is pending here.
    """
    for look in itertools.count(1):
        await asyncio.sleep(_REQUEST_POLL_S)
        try:
            if look % _ZOMBIE_CHECK_EVERY == 0:
                await crash_zombie_runs()
            if db is not None and await asyncio.to_thread(_is_request_waiting, db):
                await arun_deployment(f"requests/{REQUESTS}", timeout=120, as_subflow=False)
        except Exception as error:  # noqa: BLE001 - the next attempt may succeed
            log.warning("the requests of editors cannot be carried out now; next attempt soon: %s", error)


def _is_request_waiting(db: Database) -> bool:
    """Return whether a publication, the writing of a draft file or a redraft of our own is pending.

    The redrafts that editors request are carried out by this process: see flows/redrafts.py.
    """
    now = datetime.now(UTC)
    due = (
        publication.next_at is None or publication.next_at <= now for publication in db.publications.pending()
    )
    return bool(db.redrafts.counts(SYSTEM_EDITOR) or db.versions.pending_by_feed()) or any(due)


def run_processes() -> set[int]:
    """Return the process ids of flow runs: Prefect children in this process group.

    Prefect's server is not among them: it has its own group.
    """
    own = (os.getpid(), os.getpgrp())
    return {pid for pid, parent, group, line in _processes() if (parent, group) == own and "prefect" in line}


def send_signal(processes: Iterable[int], number: signal.Signals) -> None:
    """Send a signal to each process that still exists."""
    for pid in processes:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


def _processes() -> Iterator[tuple[int, int, int, str]]:
    """Yield id, parent id, group id and command line of every visible process."""
    if (_PROC / "self/stat").exists():  # Linux: slim container images have no ps
        return _processes_in_proc()
    command = ["ps", "-axo", "pid=,ppid=,pgid=,args="]
    listed = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    rows = (line.split(None, 3) for line in listed.stdout.splitlines())
    return ((int(row[0]), int(row[1]), int(row[2]), row[-1]) for row in rows if len(row) > 2)


def _processes_in_proc() -> Iterator[tuple[int, int, int, str]]:
    for folder in _PROC.glob("[0-9]*"):
        try:
            # The process name, in parentheses, may contain spaces and parentheses: proc_pid_stat(5).
            _state, parent, group, *_ = (
                (folder / "stat").read_text("utf-8", "replace").rpartition(")")[2].split()
            )
            line = (folder / "cmdline").read_text("utf-8", "replace").replace("\0", " ")
        except OSError:  # the process has ended meanwhile
            continue
        yield int(folder.name), int(parent), int(group), line
