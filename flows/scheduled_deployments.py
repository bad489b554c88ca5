"""The deployments of `copydesk serve`: one for each schedule, one for requests, one for backfills."""

import logging
import re
import secrets
from collections.abc import Iterable, Sequence
from pathlib import Path

from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.filters import FlowFilter, FlowFilterName
from prefect.client.schemas.objects import ConcurrencyLimitConfig, ConcurrencyLimitStrategy
from prefect.client.schemas.responses import DeploymentResponse
from prefect.deployments.runner import RunnerDeployment
from prefect.runner import Runner
from prefect.schedules import Cron, Interval

from flows.backfill import backfill
from flows.ingest import ingest
from flows.requests import requests
from flows.run_labels import feed_tags
from flows.schedules import Group, groups
from pipeline.articles.files import write_atomically
from pipeline.domain.errors import OutputError
from pipeline.domain.models import FeedConfig

REQUESTS = "waiting"
"""Name of the deployment that publishes, writes draft files and redrafts what changed."""
BACKFILLS = "manual"
_EARLIER_NAMES = re.compile(r"every-\d+[mhd]|cron-[0-9a-f]{8}")
"""Names of schedules up to version 0.4."""
_ID_FILE = ".copydesk/folder-id"
log = logging.getLogger("copydesk.serve")


class ScheduledDeployments:
    """Keeps the deployments on Prefect's server equal to the schedules of the feeds."""

    def __init__(self, folder: Path, timezone: str) -> None:
        self._folder, self._timezone = folder_tag(folder), timezone
        self._applied: list[Group] | None = None

    async def apply(self, runner: Runner, feeds: Iterable[FeedConfig]) -> None:
        """Register what `runner` does not serve yet, and delete schedules that no feed has any more.

        Costs nothing while the schedules are the same.
        """
        if (current := groups(feeds)) == self._applied:
            return
        if self._applied is None:
            for flow, name, limit in ((requests, REQUESTS, _one_at_a_time()), (backfill, BACKFILLS, None)):
                await runner.aadd_deployment(await flow.ato_deployment(name, concurrency_limit=limit))
        before = self._applied or []
        for group in current:
            if group not in before:
                await runner.aadd_deployment(await self._deployment(group))
        await self._delete_old(current)
        self._applied = current

    def forget(self) -> None:
        """Register all again at the next call: for a new runner, or a server that may know none."""
        self._applied = None

    async def _deployment(self, group: Group) -> RunnerDeployment:
        when = (
            Interval(group.interval, anchor_date=group.anchor, timezone=self._timezone)
            if group.interval
            else Cron(group.schedule, timezone=self._timezone)
        )
        return await ingest.ato_deployment(
            group.name,
            schedule=when,
            parameters={"feeds": list(group.feeds), "due": True},
            concurrency_limit=_one_at_a_time(),
            description=f"Polls {', '.join(group.feeds)}",
            tags=[self._folder, *feed_tags(group.feeds, group.beats)],
        )

    async def _delete_old(self, current: Sequence[Group]) -> None:
        """Delete schedules of this folder that it has no more: their runs would be late for ever."""
        async with get_client() as client:
            for deployment in await _ingests(client):
                if is_outdated(deployment, current, self._folder):
                    await client.delete_deployment(deployment.id)


def folder_tag(folder: Path) -> str:
    """Return the tag of a newsroom folder's schedules, with its id: in containers all have the same path."""
    try:
        stored = (folder / _ID_FILE).read_text("ascii").strip()
    except (OSError, UnicodeDecodeError):
        stored = ""
    if not re.fullmatch("[0-9a-f]{16}", stored):
        stored = secrets.token_hex(8)
        try:
            write_atomically(folder, _ID_FILE, stored.encode())
        except OutputError as error:
            log.warning(
                "%s; schedules that go while `serve` is stopped stay at Prefect's server", error.message
            )
    return f"folder:{folder}:{stored}"


def is_outdated(deployment: DeploymentResponse, current: Sequence[Group], folder_tag: str) -> bool:
    """Return whether a deployment of `ingest` was made for a schedule that is not among `current`. Pure.

    Those of earlier versions have no tag of their folder: theirs are those that poll its feeds only.
    """
    if any(group.name == deployment.name for group in current):
        return False
    if folder_tag in deployment.tags:
        return True
    is_earlier = _EARLIER_NAMES.fullmatch(deployment.name) and deployment.work_pool_name is None
    polled = (deployment.parameters or {}).get("feeds") or []
    own_feeds = {key for group in current for key in group.feeds}
    return bool(is_earlier and polled) and own_feeds.issuperset(polled)


async def _ingests(client: PrefectClient) -> list[DeploymentResponse]:
    flow = FlowFilter(name=FlowFilterName(any_=[ingest.name]))
    return await client.read_deployments(flow_filter=flow, limit=200)


def _one_at_a_time() -> ConcurrencyLimitConfig:
    """Return a limit of one active run; runs that start meanwhile are cancelled, not queued."""
    return ConcurrencyLimitConfig(limit=1, collision_strategy=ConcurrencyLimitStrategy.CANCEL_NEW)
