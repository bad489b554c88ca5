"""Connects runs to Prefect: steps become tasks, the run report becomes a Markdown artifact."""

import logging
import re
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from dataclasses import replace
from datetime import UTC
from typing import Any, TypeVar
from uuid import UUID

import httpx
from prefect import task
from prefect.artifacts import acreate_markdown_artifact
from prefect.cache_policies import NO_CACHE
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import State
from prefect.exceptions import PrefectException
from prefect.runtime import deployment, flow_run
from prefect.states import Failed

from flows.events import emit
from flows.run_labels import report_tags
from pipeline.domain.errors import CopydeskError
from pipeline.services.report import Plan, RunReport
from pipeline.services.run import DEFAULT_PORTS, Ports
from pipeline.storage import cost_text

_MAX_LINKS = 500
"""Drafts that a report lists at most. Chosen, not measured."""
_MARKDOWN = re.compile(r"[\\|<>\[\]()!*_`#]")
log = logging.getLogger("copydesk.run")
command_ports: ContextVar[Ports] = ContextVar("command_ports", default=DEFAULT_PORTS)
"""Ports of the command that starts a flow in its own process; a Prefect worker sets none."""
T = TypeVar("T")


def is_first_line(record: logging.LogRecord) -> bool:
    """Return whether a line is to be logged: Prefect logs a task that returns a failed state twice."""
    return not record.getMessage().startswith("Task run failed with state")


logging.getLogger("prefect.task_runs").addFilter(is_first_line)


def ports() -> Ports:
    """Return the ports of the current flow run."""
    when = flow_run.scheduled_start_time
    return replace(
        command_ports.get(),
        as_task=as_task,
        emit=emit,
        publish=finish_run,
        scheduled=when.astimezone(UTC) if when else None,
        # A server without deployments is one that ends with the command.
        page=str(flow_run.ui_url or "") if deployment.id else "",
        # The process that runs a deployment passes its signals on.
        relayed=deployment.id is not None,
    )


async def as_task(name: str, step: Callable[[], Awaitable[T]], /) -> T:
    """Run a step as a Prefect task with this name; an error marks the task as failed, with one line.

    Only an error that no user can cause has a traceback.
    """
    results: list[T] = []
    failures: list[CopydeskError] = []

    @task(name=name.split()[0], task_run_name=name, cache_policy=NO_CACHE, persist_result=False)
    async def run() -> State | None:
        try:
            results.append(await step())
        except CopydeskError as error:
            failures.append(error)
            return Failed(message=error.message)
        return None

    state: State = await run(return_state=True)  # type: ignore[misc] # typed as if it were not async
    if failures:
        raise failures[0]
    if not results:
        await state.aresult()  # raises what the step raised
    return results[0]


async def carried_out(run: Awaitable[RunReport | Plan]) -> dict[str, Any]:
    """Return a run's report as JSON; the run of a deployment that cannot start fails with one line."""
    try:
        return (await run).model_dump(mode="json")
    except CopydeskError as error:
        if deployment.id is None:
            raise  # the command that started the flow tells it
        return Failed(message=error.message)  # type: ignore[return-value] # Prefect makes it the run's state


async def finish_run(report: RunReport) -> None:
    """Save the report as a Prefect artifact, and tag the flow run; an error is only logged."""
    try:
        async with get_client() as client:
            tags = dict.fromkeys([*flow_run.tags, *report_tags(report)])
            await client.update_flow_run(UUID(flow_run.id), tags=list(tags))
        await acreate_markdown_artifact(
            markdown(report), key=f"{report.flow}-report", description="Run report"
        )
    except (httpx.HTTPError, PrefectException) as error:
        log.warning("the run report could not be saved in Prefect: %s", error)


def markdown(report: RunReport) -> str:
    """Return the report as the Markdown table of a Prefect artifact."""
    columns = (
        "feed", "before", "new", "drafted", "held", "merged", "skipped", "failed", "waiting", "queued",
        "cost", "time", "error",
    )  # fmt: skip
    rows = [f"| {' | '.join(columns)} |", f"|---|{'--:|' * (len(columns) - 2)}---|"]
    rows += [
        f"| {feed.feed} | {feed.before} | {feed.new} | {len(feed.drafts)} | {feed.blocked} "
        f"| {feed.merged} | {feed.skipped} | {len(feed.failed) + feed.failed_before} | {feed.waiting} "
        f"| {feed.queued} "
        f"| {cost_text(feed.micros, feed.unpriced)} | {feed.seconds:.1f} s "
        f"| {_cell(feed.error or '')} |"
        for feed in report.feeds
    ]
    tail = [f"\n{len(report.drafts)} drafts in {report.seconds:.1f} s, written by {_writers(report)}."]
    tail += [f"\n{_cell(cause.line)}" for cause in report.causes]
    tail += [f"\n{_cell(result.summary)}" for result in report.published]
    if report.alert_error:
        tail.append(f"\nNo alert could be sent: {_cell(report.alert_error)}")
    if report.stopped:
        tail.append(f"\n**Stopped early:** {_cell(report.stopped)}")
    return "\n".join(rows + tail + ["", *_links(report)])


def _writers(report: RunReport) -> str:
    """Return the models that wrote, with the number of drafts where there are several."""
    counts = report.models
    several = [f"{model} ({count})" for model, count in sorted(counts.items())] if len(counts) > 1 else []
    return _cell(" and ".join(several) or report.model)


def _links(report: RunReport) -> list[str]:
    """Return a Markdown list of the drafts, with links to the desk."""
    drafts = [pair for feed in report.feeds for pair in zip(feed.drafts, feed.refs, strict=True)]
    desk = report.desk.rstrip("/")
    links = [f"- [{_cell(path)}]({desk}/drafts/{ref})" for path, ref in drafts[:_MAX_LINKS]]
    return links + ([f"- and {len(drafts) - _MAX_LINKS} more"] if len(drafts) > _MAX_LINKS else [])


def _cell(text: str) -> str:
    """Return text for one table cell: on one line, with Markdown escaped, since feed text is hostile."""
    return _MARKDOWN.sub(r"\\\g<0>", " ".join(text.split()))
