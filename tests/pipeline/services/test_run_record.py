"""What is recorded of a run: that it began, its counts, why it ended, and no words of its items."""

import asyncio

import pytest

from pipeline.domain.errors import ConfigError, OutputError
from pipeline.services.context import ItemOutcome, PollReport
from pipeline.services.feed_report import FeedReport, feed_report
from pipeline.services.report import RunReport
from pipeline.services.run_record import record_end, recorded, summary_of
from pipeline.storage import Database
from tests.pipeline.storage.records import NOW

SECRET = "The mayor resigns"


def report(*feeds: FeedReport, **changes: object) -> RunReport:
    values = {"flow": "ingest", "seconds": 1.0, "feeds": feeds, "model": "m", "output": "", "desk": ""}
    return RunReport.model_validate(values | changes)


def test_counts_are_those_of_the_report() -> None:
    outcomes = [
        ItemOutcome(title=SECRET, path="drafts/a.md", ref="a" * 16, held=True, micros=7),
        ItemOutcome(title=SECRET, reason="thin source: 3 of 200 characters", skipped=True),
        ItemOutcome(title=SECRET, reason="the answer is no article"),
        ItemOutcome(title=SECRET, reason="the answer is no article"),
    ]
    worked = feed_report("one", PollReport(feed="one", new=4), None, outcomes, 5)
    idle = feed_report("two", PollReport(feed="two", held="not due"), None, [], 1)
    unread = feed_report("three", None, "three: 500", [], 0)
    summary = summary_of(report(worked, idle, unread, micros=7, stopped="x" * 999, exit_code=7))
    assert (summary.polled, summary.new, summary.drafted, summary.held) == (2, 4, 1, 1)
    assert (summary.skipped, summary.failed, summary.queued, summary.unread) == (1, 2, 2, 1)
    assert (summary.micros, summary.exit_code, len(summary.stopped or "")) == (7, 7, 300)
    assert [feed.feed for feed in summary.feeds] == ["one", "three"], "an idle feed has nothing to tell"
    assert summary.feeds[0].causes == {"the answer is no article": 2}
    assert SECRET not in summary.model_dump_json(), "it can be erased"


def test_a_draft_that_was_edited_meanwhile_is_noted_and_counts_as_no_failure() -> None:
    outcome = ItemOutcome(title="A ferry sails", reason="it was edited meanwhile", superseded=True)
    noted = feed_report("one", None, None, [outcome], 1)
    assert noted.notes == ("not replaced A ferry sails: it was edited meanwhile",)
    assert (noted.failed, noted.left_out, noted.queued) == ((), 0, 0)


async def test_a_run_is_recorded_from_its_beginning(db: Database) -> None:
    async with recorded(db, "ingest-1", "ingest", ""):
        run = db.runs.get("ingest-1", NOW)
        assert run
        assert run.state == "running"
        await record_end(db, "ingest-1", report())
    ended = db.runs.get("ingest-1", NOW)
    assert ended
    assert (ended.state, ended.stopped) == ("done", None)


@pytest.mark.parametrize(
    ("error", "stopped"),
    [
        (ConfigError("set COPYDESK_MODEL"), "set COPYDESK_MODEL"),
        (asyncio.CancelledError(), "CancelledError"),
        (
            OutputError("Cannot write drafts/the-mayor-resigns.md"),
            "a file could not be written; the log of the run names it",
        ),
        (KeyError("the mayor"), "KeyError"),
    ],
)
async def test_a_run_that_fails_says_why(db: Database, error: BaseException, stopped: str) -> None:
    with pytest.raises(type(error)):
        async with recorded(db, "ingest-1", "ingest", ""):
            raise error
    run = db.runs.get("ingest-1", NOW)
    assert run
    assert (run.state, run.stopped, run.is_reported) == ("stopped", stopped, False)
    assert run.exit_code
