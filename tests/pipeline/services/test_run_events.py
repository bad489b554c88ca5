"""What services tell others: drafts, changed sources, caps; and which tasks fail."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import pytest

from pipeline.domain.errors import BudgetExceeded, CopydeskError, LLMError
from pipeline.domain.run_events import RunEvent, cap_event, item_event
from pipeline.domain.withdrawals import OTHER_TEXT
from pipeline.http_client import HttpClient
from pipeline.services.context import RunContext
from pipeline.services.draft import draft_feed
from pipeline.services.feed_report import feed_report
from pipeline.services.ingest import draft_queue
from pipeline.services.poll import poll
from pipeline.services.report import RunReport, finish
from pipeline.storage import Database
from tests.fakes.feed_server import FeedServer
from tests.fakes.model_server import article
from tests.fakes.pages import rss
from tests.pipeline.services.desk import GOOD, Scripted, run_context
from tests.pipeline.storage.records import LEASE_S, admit, draft, feed, item

T = TypeVar("T")


async def discard(_report: RunReport) -> None:
    """Keep no report."""


class Listening:
    """A run context with the events that it emits and the outcomes of its steps."""

    def __init__(self, desk: RunContext) -> None:
        self.events: list[RunEvent] = []
        self.failures: list[str] = []
        self.ctx = replace(desk, emit=self.events.append, as_task=self.run)

    async def run(self, _name: str, step: Callable[[], Awaitable[T]], /) -> T:
        try:
            return await step()
        except CopydeskError as error:
            self.failures.append(error.message)
            raise


async def test_each_draft_is_told_with_its_place(db: Database, net: HttpClient, tmp_path: Path) -> None:
    linked = json.dumps(article(overview="See https://scam.example/win.", category="NEWS", tags=["NEWS"]))
    run = Listening(run_context(db, net, tmp_path, Scripted(linked, GOOD)))
    await draft_feed(run.ctx, feed(), 1)
    [row] = db.drafts.list()
    ref = row.external_id
    details = {"path": row.path, "url": f"http://127.0.0.1:8484/drafts/{ref}"}
    assert run.events == [item_event("draft.held", ref, row.title, "one", **details)]
    await draft_feed(run.ctx, feed(), 1)
    assert [event.name for event in run.events] == ["draft.held", "draft.ready"]


async def test_an_item_without_a_draft_is_no_event(db: Database, net: HttpClient, tmp_path: Path) -> None:
    run = Listening(run_context(db, net, tmp_path, Scripted(LLMError("no answer"))))
    await draft_feed(run.ctx, feed(), 1)
    assert run.events == []


async def test_a_changed_source_is_told_where_there_is_a_draft(
    db: Database, net: HttpClient, server: FeedServer, tmp_path: Path
) -> None:
    subscribed = feed("late", url=server.url("/feed.xml"), max_age_days=None)
    db.feeds.sync([feed(), subscribed])
    events: list[RunEvent] = []

    async def polled(body: bytes) -> list[tuple[str, str, str]]:
        events.clear()
        server.add("/feed.xml", body, content_type="application/rss+xml")
        run = Listening(run_context(db, net, tmp_path, Scripted(), feeds=(subscribed,)))
        await poll(run.ctx, subscribed, named=True)
        events.extend(run.events)
        return [(event.name, event.title, event.details["change"]) for event in events]

    before = rss([20, 19])
    assert await polled(before) == [], "a new item is no changed source"
    assert await polled(before.replace(b"It was day 19", b"A quiet day was day 19")) == [], "it has no draft"
    [lease] = db.leases.acquire("late", 1, LEASE_S)
    db.leases.begin_write(lease, draft(lease))
    db.leases.confirm_write(lease)
    after = before.replace(b"It was day 20.", b"Nobody saw that 41 ships came to the port on day 20.")
    assert await polled(after) == [("source.changed", "Day 20", OTHER_TEXT)]
    [row] = [row for row in db.drafts.list() if row.feed_key == "late"]
    assert (events[0].subject, events[0].feed) == (f"draft.{row.external_id}", "late")
    assert await polled(after) == []


async def test_a_cap_that_ends_a_run_is_told_once(db: Database, net: HttpClient, tmp_path: Path) -> None:
    run = Listening(run_context(db, net, tmp_path))
    for _ in range(3):
        run.ctx.fatal_errors.append(BudgetExceeded("the cap of the day is reached", cap="day"))
    await finish(run.ctx, [], 0.0, discard)
    assert run.events == [cap_event("day", "the cap of the day is reached")]
    run = Listening(run_context(db, net, tmp_path))
    await finish(run.ctx, [], 0.0, discard)
    assert run.events == []


async def test_a_run_logs_a_line_per_feed_where_a_log_is_asked_for(
    db: Database, net: HttpClient, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Elsewhere the output of `serve` would have each failure twice: as a task of Prefect, and so."""
    unread = feed_report("one", None, "one: 404", [], 0)
    await finish(run_context(db, net, tmp_path), [unread], 0.0, discard)
    assert caplog.messages == []
    await finish(run_context(db, net, tmp_path, log="text"), [unread], 0.0, discard)
    assert caplog.messages == ["ingest: one: 404"]


async def test_an_item_that_waits_or_is_left_out_is_no_failed_step(
    db: Database, net: HttpClient, server: FeedServer, tmp_path: Path
) -> None:
    thin = feed("thin", url=server.url("/feed"), min_chars=500, full_text="auto")
    db.feeds.sync([feed(), thin])
    pages = {number: server.add(f"/{number}", status=503) for number in range(2)}
    waiting = (item(n, text=f"{n} short.", link=url, canonical=url) for n, url in pages.items())
    admit(db, *waiting, item(9, text="9 short.", link=None, canonical=None), key="thin")
    run = Listening(run_context(db, net, tmp_path, Scripted(), feeds=(thin,)))
    report = await draft_queue(run.ctx, thin, 9)
    assert (report.waiting, report.skipped, report.failed) == (2, 1, ())
    assert run.failures == []
    run = Listening(run_context(db, net, tmp_path, Scripted(LLMError("no answer"))))
    await draft_queue(run.ctx, feed(), 1)
    assert [failure.partition(": ")[2] for failure in run.failures] == ["no answer"]
