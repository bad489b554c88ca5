"""Serves the flows on one machine until it is told to end."""

import asyncio
import contextlib
import itertools
import logging
import os
import signal
import subprocess
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from typing import Any

from prefect import aserve
from prefect.client.schemas.objects import ConcurrencyLimitConfig, ConcurrencyLimitStrategy
from prefect.deployments.flow_runs import arun_deployment
from prefect.deployments.runner import RunnerDeployment
from prefect.schedules import Cron, Interval

from flows.ingest import ingest
from flows.reaping import reap
from flows.requests import requests
from flows.schedule import Group, groups
from pipeline.ledger import Ledger
from pipeline.settings import load_feeds, load_settings

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
REQUESTS = "waiting"
"""The deployment that carries out what editors ask for."""
_LOOK_S = 5.0
"""Seconds between two looks into the ledger for what editors ask for."""
_LOOKS = 12
"""After so many looks, dead runs are looked for."""
_ENDED_S = 0.5
"""Seconds between two looks for runs that are still under way."""
_RUNS = 4
"""Flow runs at one time: each is a process."""
log = logging.getLogger("copydesk.serve")


async def serve_flows() -> None:
    """Serve every schedule of feeds.yaml, and what editors ask for. Raises ConfigError, LedgerError."""
    settings = load_settings()
    subscriptions = load_feeds(settings.feeds_file)
    wanted = [await _deployment(group, settings.timezone) for group in groups(subscriptions.feeds)]
    asked = await requests.ato_deployment(REQUESTS, concurrency_limit=_once())
    with Ledger.open(settings.database_url) as ledger, _ending():
        async with _watching(ledger if settings.writes_drafts else None):
            await aserve(*wanted, asked, pause_on_shutdown=False, print_starting_message=False, limit=_RUNS)


@contextlib.contextmanager
def _ending() -> Iterator[None]:
    """Let the runs end first when this process is told to end; told again, it ends at once."""
    loop, serving = asyncio.get_running_loop(), asyncio.current_task()
    waiting: list[asyncio.Task[None]] = []

    def end() -> None:
        for number in _SIGNALS:
            loop.remove_signal_handler(number)
        if serving is not None:
            waiting.append(asyncio.create_task(_ended(serving)))

    for number in _SIGNALS:
        loop.add_signal_handler(number, end)
    try:
        yield
    finally:
        for number in _SIGNALS:
            loop.remove_signal_handler(number)
        for task in waiting:
            task.cancel()


async def _ended(serving: "asyncio.Task[Any]") -> None:
    """Tell every run once to end, wait until none is left, then end the serving: it would kill them."""
    told: set[int] = set()
    while runs := await asyncio.to_thread(_runs):
        for run in set(runs) - told:
            with contextlib.suppress(ProcessLookupError):
                os.kill(run, signal.SIGINT)
        told |= set(runs)
        await asyncio.sleep(_ENDED_S)
    serving.cancel()


def _runs() -> list[int]:
    """Return the processes of flow runs: our children, but for Prefect's server, which has its own group."""
    command = ["ps", "-axo", "pid=,ppid=,pgid=,args="]
    listed = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    rows = (line.split(None, 3) for line in listed.stdout.splitlines())
    ours = [str(os.getpid()), str(os.getpgrp())]
    return [int(row[0]) for row in rows if row[1:3] == ours and "prefect" in row[-1]]


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
async def _watching(ledger: Ledger | None) -> AsyncIterator[None]:
    """Have what editors ask for carried out while the flows are served."""
    watcher = asyncio.create_task(_watch(ledger))
    try:
        yield
    finally:
        watcher.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await watcher


async def _watch(ledger: Ledger | None) -> None:
    """Start the requests flow whenever something waits for it, and end dead runs; trouble passes.

    Without a ledger nothing waits: another machine writes the drafts.
    """
    for look in itertools.count(1):
        await asyncio.sleep(_LOOK_S)
        try:
            if look % _LOOKS == 0:
                await reap()
            if ledger is not None and await asyncio.to_thread(_waits, ledger):
                await arun_deployment(f"requests/{REQUESTS}", timeout=120, as_subflow=False)
        except Exception as error:  # noqa: BLE001 - the next look may fare better
            log.warning("what editors ask for cannot be carried out just now: %s", error)


def _waits(ledger: Ledger) -> bool:
    """Tell whether somebody wants a redraft or a publication, or a text is to be written."""
    now = datetime.now(UTC)
    due = (one.next_at is None or one.next_at <= now for one in ledger.publications())
    return bool(ledger.requested() or ledger.unwritten()) or any(due)
