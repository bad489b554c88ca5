"""Connects runs to Prefect: steps become tasks, the run report becomes a Markdown artifact."""

import logging
import re
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from dataclasses import replace
from datetime import UTC
from typing import TypeVar

import httpx
from prefect import task
from prefect.artifacts import acreate_markdown_artifact
from prefect.cache_policies import NO_CACHE
from prefect.exceptions import PrefectException
from prefect.runtime import deployment, flow_run

from pipeline.services.report import RunReport
from pipeline.services.run import DEFAULT_PORTS, Ports
from pipeline.storage import cost_text

_MAX_LINKS = 500
"""Drafts that a report lists at most. Chosen, not measured."""
_MARKDOWN = re.compile(r"[\\|<>\[\]()!*_`#]")
log = logging.getLogger("copydesk.run")
command_ports: ContextVar[Ports] = ContextVar("command_ports", default=DEFAULT_PORTS)
"""Ports of the command that starts a flow in its own process; a Prefect worker sets none."""
T = TypeVar("T")


def ports() -> Ports:
    """Return the ports of the current flow run."""
    when = flow_run.scheduled_start_time
    return replace(
        command_ports.get(),
        as_task=as_task,
        publish=finish_run,
        scheduled=when.astimezone(UTC) if when else None,
        # The process that runs a deployment passes its signals on.
        relayed=deployment.id is not None,
    )


async def as_task(name: str, step: Callable[[], Awaitable[T]], /) -> T:
    """Run a step as a Prefect task with this name; an error marks the task as failed."""

    @task(name=name.split()[0], task_run_name=name, cache_policy=NO_CACHE, persist_result=False)
    async def run() -> T:
        return await step()

    return await run()


async def finish_run(report: RunReport) -> None:
    """Save the report as a Prefect artifact; if Prefect's server is not reachable, only log that."""
    try:
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
        f"| {feed.feed} | {feed.queued_before} | {feed.new} | {len(feed.drafts)} | {feed.blocked} "
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
