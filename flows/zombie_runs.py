"""Ends runs that died without a word: Prefect's own server would show them as under way for ever.

A run whose worker was killed while starting it, or whose machine died, keeps its place under its deployment's
limit, and with `CANCEL_NEW` nothing of that deployment would ever run again. Prefect has no remedy built in
where it is hosted by oneself (https://docs.prefect.io/v3/advanced/detect-zombie-flows), and its recipe knows
nothing of runs that never began.
"""

import asyncio
import logging
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

import httpx
from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.actions import GlobalConcurrencyLimitUpdate
from prefect.client.schemas.filters import (
    FlowFilter,
    FlowFilterName,
    FlowRunFilter,
    FlowRunFilterState,
    FlowRunFilterStateType,
)
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.events.filters import EventFilter, EventNameFilter, EventOrder, EventResourceFilter
from prefect.exceptions import PrefectException
from prefect.states import Crashed

FLOWS = ["backfill", "drafting", "ingest", "requests"]
_OURS = FlowFilter(name=FlowFilterName(any_=FLOWS))
_UNDER_WAY = [StateType.PENDING, StateType.RUNNING, StateType.CANCELLING]
PATIENCE = timedelta(seconds=180)
"""Without a sign of life; runs give one every 30 s (PREFECT_FLOWS_HEARTBEAT_FREQUENCY)."""
_HEARTBEAT = "prefect.flow-run.heartbeat"
log = logging.getLogger("copydesk.serve")


def is_dead(since: datetime, sign: datetime | None, now: datetime) -> bool:
    """Tell whether a run is dead: when its state began, and when it gave its last sign of life. Pure."""
    return max(since, sign or since) < now - PATIENCE


def leaked_slots(active: int, under_way: Sequence[UUID], later: Sequence[UUID]) -> int:
    """Return how many places of a limit nobody has, whichever runs began or ended meanwhile. Pure."""
    return active - len({*under_way, *later})


async def crash_zombie_runs(pause_s: float = 3.0) -> int:
    """Mark our deployments' dead runs as crashed and free the places that nobody has; returns how many.

    The server forgets who has a place when it is killed, but not that the place is taken. Those are looked at
    twice, `pause_s` apart, since runs begin and end meanwhile. Trouble is told, and passes.
    """
    try:
        return await _reaped(pause_s)
    except (httpx.HTTPError, PrefectException) as error:
        log.warning("dead runs cannot be looked for just now: %s", error)
        return 0


async def _reaped(pause_s: float) -> int:
    async with get_client() as client:
        dead = [run for run in await _under_way(client) if await _dead(client, run)]
        for run in dead:
            log.warning("%s gave no sign of life: it counts as crashed", run.name)
            # Not by force, which would leave its place under the limit taken.
            await client.set_flow_run_state(run.id, Crashed(message="No sign of life"))
        return len(dead) + await _freed(client, pause_s)


async def _under_way(client: PrefectClient) -> list[FlowRun]:
    """Return the runs of our deployments; runs without one are somebody's own, in a terminal."""
    wanted = FlowRunFilter(state=FlowRunFilterState(type=FlowRunFilterStateType(any_=_UNDER_WAY)))
    found = await client.read_flow_runs(flow_filter=_OURS, flow_run_filter=wanted, limit=200)
    return [run for run in found if run.deployment_id]


async def _freed(client: PrefectClient, pause_s: float) -> int:
    """Free the places that are taken by nobody."""
    if not await _leaks(client):
        return 0
    await asyncio.sleep(pause_s)
    leaks = await _leaks(client)
    for place, (active, lost) in leaks.items():
        log.warning("%d places of %s are taken by nobody: freed", lost, place)
        changed = GlobalConcurrencyLimitUpdate(active_slots=active - lost)
        await client.update_global_concurrency_limit(place, changed)
    return sum(lost for _, lost in leaks.values())


async def _leaks(client: PrefectClient) -> dict[str, tuple[int, int]]:
    """Return, by the names of limits, how many places are taken, and how many of them by nobody."""
    before = await _under_way(client)
    deployments = await client.read_deployments(flow_filter=_OURS)
    after = await _under_way(client)
    found = {}
    for one in deployments:
        limit = one.global_concurrency_limit
        mine = [[run.id for run in runs if run.deployment_id == one.id] for runs in (before, after)]
        if limit and (lost := leaked_slots(limit.active_slots, *mine)) > 0:
            found[limit.name] = (limit.active_slots, lost)
    return found


async def _dead(client: PrefectClient, run: FlowRun) -> bool:
    now = datetime.now(UTC)
    since = run.state.timestamp if run.state else run.expected_start_time or now
    if not is_dead(since, None, now):
        return False
    return is_dead(since, await _last_sign(client, run), now)


async def _last_sign(client: PrefectClient, run: FlowRun) -> datetime | None:
    """Return when a run gave its last sign of life."""
    about = EventResourceFilter(id=[f"prefect.flow-run.{run.id}"])
    latest = EventFilter(event=EventNameFilter(name=[_HEARTBEAT]), resource=about, order=EventOrder.DESC)
    page = await client.read_events(latest, limit=1)
    return page.events[0].occurred if page.events else None
