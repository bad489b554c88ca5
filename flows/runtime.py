"""What Prefect is to a run: its steps are tasks, its report is an artifact, seen on Prefect's page."""

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
from pipeline.storage import dollars

_LINKS = 500
"""Drafts that a report lists."""
_MARKDOWN = re.compile(r"[\\|<>\[\]()!*_`#]")
log = logging.getLogger("copydesk.run")
given: ContextVar[Ports] = ContextVar("given", default=DEFAULT_PORTS)
"""What the command that starts a flow in its own process gives to it; a worker gives nothing."""
T = TypeVar("T")


def ports() -> Ports:
    """Return what the flow run at hand gives to its plain function."""
    when = flow_run.scheduled_start_time
    return replace(
        given.get(),
        as_task=as_task,
        publish=finish_run,
        scheduled=when.astimezone(UTC) if when else None,
        # Who runs a deployment passes on what it is told to end.
        relayed=deployment.id is not None,
    )


async def as_task(name: str, step: Callable[[], Awaitable[T]], /) -> T:
    """Run a step as a Prefect task of that name: visible in its UI, and failed there if it raises."""

    @task(name=name.split()[0], task_run_name=name, cache_policy=NO_CACHE, persist_result=False)
    async def run() -> T:
        return await step()

    return await run()


async def finish_run(report: RunReport) -> None:
    """Keep a report on Prefect's page; that its server is away undoes nothing of the run."""
    try:
        await acreate_markdown_artifact(
            markdown(report), key=f"{report.flow}-report", description="Run report"
        )
    except (httpx.HTTPError, PrefectException) as error:
        log.warning("the report could not be kept: %s", error)


def markdown(report: RunReport) -> str:
    """Return the report as the Markdown table of a Prefect artifact."""
    rows = [
        "| feed | new | drafted | held | merged | skipped | failed | queued | cost | time | trouble |",
        "|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|---|",
    ]
    rows += [
        f"| {feed.feed} | {feed.new} | {len(feed.drafts)} | {feed.blocked} | {feed.merged} | {feed.skipped} "
        f"| {len(feed.failed)} | {feed.queued} | {dollars(feed.micros)} | {feed.seconds:.1f} s "
        f"| {_cell(feed.error or '; '.join(feed.failed))} |"
        for feed in report.feeds
    ]
    tail = [f"\n{len(report.drafts)} drafts in {report.seconds:.1f} s, written by {report.model}."]
    tail += [f"\n{_cell(one.summary)}" for one in report.published]
    if report.stopped:
        tail.append(f"\n**Stopped early:** {_cell(report.stopped)}")
    return "\n".join(rows + tail + ["", *_links(report)])


def _links(report: RunReport) -> list[str]:
    """Return a list of the drafts, each with a link to the desk."""
    every = [pair for feed in report.feeds for pair in zip(feed.drafts, feed.refs, strict=True)]
    links = [f"- [{_cell(path)}]({report.desk.rstrip('/')}/drafts/{ref})" for path, ref in every[:_LINKS]]
    return links + ([f"- and {len(every) - _LINKS} more"] if len(every) > _LINKS else [])


def _cell(text: str) -> str:
    """Keep a table's cell on one line; feed text is not ours to trust."""
    return _MARKDOWN.sub(r"\\\g<0>", " ".join(text.split()))
