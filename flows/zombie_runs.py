"""Marks zombie runs as crashed: flow runs whose process died without reporting a final state.

A run whose worker was killed at its start, or whose machine failed, keeps its slot in the concurrency limit
of its deployment. With `CANCEL_NEW` that deployment would then never run again. A self-hosted Prefect server
does not detect such runs. The recipe in https://docs.prefect.io/v3/advanced/detect-zombie-flows does not
cover runs that never started.
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
from prefect.settings import get_current_settings
from prefect.states import Crashed

from flows.prefect_api import may_pass

FLOWS = ["backfill", "drafting", "ingest", "requests"]
_OURS = FlowFilter(name=FlowFilterName(any_=FLOWS))
_UNDER_WAY = [StateType.PENDING, StateType.RUNNING, StateType.CANCELLING]
_MAX_MISSED = 6
"""Heartbeats that a living run may miss: three minutes, at one in 30 s. Chosen, not measured."""
_HEARTBEAT = "prefect.flow-run.heartbeat"
log = logging.getLogger("copydesk.serve")


def is_dead(since: datetime, heartbeat: datetime | None, now: datetime, frequency: timedelta) -> bool:
    """Return whether a run is dead, from the start of its state and its last heartbeat. Pure.

    `frequency`: the time between two heartbeats.
    """
    return max(since, heartbeat or since) < now - _MAX_MISSED * frequency


def leaked_slots(active: int, under_way: Sequence[UUID], later: Sequence[UUID]) -> int:
    """Return how many active slots belong to no run, given the runs before and after reading them. Pure."""
    return active - len({*under_way, *later})


async def crash_zombie_runs(pause_s: float = 3.0) -> int:
    """Mark dead runs as crashed and release leaked slots; returns how many of both.

    A killed server keeps the number of active slots, but not which run holds them. Slots are counted twice,
    `pause_s` seconds apart, because runs start and end meanwhile. Errors are logged, not raised.
    """
    try:
        return await _crash_and_release(pause_s)
    except (httpx.HTTPError, PrefectException) as error:
        if not may_pass(error):  # `serve` says that once
            log.warning("the search for crashed runs failed and is repeated later: %s", error)
        return 0


async def _crash_and_release(pause_s: float) -> int:
    async with get_client() as client:
        dead = [run for run in await _under_way(client) if await _is_run_dead(client, run)]
        for run in dead:
            log.warning("%s sent no heartbeat: marked as crashed", run.name)
            # Without `force`, which would not release its slot.
            await client.set_flow_run_state(run.id, Crashed(message="No heartbeat"))
        return len(dead) + await _release_slots(client, pause_s)


async def _under_way(client: PrefectClient) -> list[FlowRun]:
    """Return the active runs of Copydesk's deployments; runs without a deployment belong to a terminal."""
    filters = FlowRunFilter(state=FlowRunFilterState(type=FlowRunFilterStateType(any_=_UNDER_WAY)))
    runs = await client.read_flow_runs(flow_filter=_OURS, flow_run_filter=filters, limit=200)
    return [run for run in runs if run.deployment_id]


async def _release_slots(client: PrefectClient, pause_s: float) -> int:
    """Release the slots that no run holds; returns how many."""
    if not await _leaked_by_limit(client):
        return 0
    await asyncio.sleep(pause_s)
    leaks = await _leaked_by_limit(client)
    for limit, (active, lost) in leaks.items():
        log.warning("%d slots of the limit %s belong to no run: released", lost, limit)
        update = GlobalConcurrencyLimitUpdate(active_slots=active - lost)
        await client.update_global_concurrency_limit(limit, update)
    return sum(lost for _, lost in leaks.values())


async def _leaked_by_limit(client: PrefectClient) -> dict[str, tuple[int, int]]:
    """Return active slots and leaked slots by the names of the limits."""
    before = await _under_way(client)
    deployments = await client.read_deployments(flow_filter=_OURS)
    after = await _under_way(client)
    leaks = {}
    for deployment in deployments:
        limit = deployment.global_concurrency_limit
        run_ids = [[run.id for run in runs if run.deployment_id == deployment.id] for runs in (before, after)]
        if limit and (lost := leaked_slots(limit.active_slots, *run_ids)) > 0:
            leaks[limit.name] = (limit.active_slots, lost)
    return leaks


async def _is_run_dead(client: PrefectClient, run: FlowRun) -> bool:
    now, frequency = datetime.now(UTC), timedelta(seconds=_heartbeat_seconds())
    since = run.state.timestamp if run.state else run.expected_start_time or now
    if not is_dead(since, None, now, frequency):
        return False
    return is_dead(since, await _last_heartbeat(client, run), now, frequency)


def _heartbeat_seconds() -> int:
    return get_current_settings().flows.heartbeat_frequency or 30


async def _last_heartbeat(client: PrefectClient, run: FlowRun) -> datetime | None:
    """Return the time of a run's last heartbeat."""
    about = EventResourceFilter(id=[f"prefect.flow-run.{run.id}"])
    latest = EventFilter(event=EventNameFilter(name=[_HEARTBEAT]), resource=about, order=EventOrder.DESC)
    page = await client.read_events(latest, limit=1)
    return page.events[0].occurred if page.events else None
