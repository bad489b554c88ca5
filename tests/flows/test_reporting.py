"""The run report as Markdown: one row for each feed, links to drafts, escaped feed text."""

import asyncio
import logging

from flows.runtime import markdown
from pipeline.services.context import ItemOutcome, PollReport
from pipeline.services.feed_report import FeedReport, feed_report
from pipeline.services.report import RunReport, timed

NASTY = "a | b](javascript:alert(1)) <img src=x>\n# no"


def report(*outcomes: ItemOutcome, stopped: str | None = None, error: str | None = None) -> str:
    feed = feed_report("one", PollReport(feed="one", new=3), error, outcomes, 7)
    return markdown(
        RunReport(flow="ingest", seconds=2.5, feeds=(feed,), stopped=stopped, model="m", output="o",
                  desk="https://desk.example/")
    )  # fmt: skip


def test_a_row_counts_the_outcomes_of_a_feeds_items() -> None:
    text = report(
        ItemOutcome(title="A", path="drafts/2026/02/a.md", ref="00aa", micros=1_250_000, held=True),
        ItemOutcome(title="B", path="drafts/2026/02/b.md", ref="00bb", micros=250_000),
        ItemOutcome(title="C", reason="refused"),
        stopped="the day's money is spent",
    )
    assert (
        "| feed | before | new | drafted | held | merged | skipped | failed | waiting | queued | cost | time "
        "| error |\n|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|---|\n" in text
    )
    assert "| one | 4 | 3 | 2 | 1 | 0 | 0 | 1 | 0 | 4 | $1.50 | 0.0 s |  |" in text
    assert "1 item failed: C: refused (one)" in text.replace("\\", "")
    assert "2 drafts in 2.5 s, written by m." in text
    assert "**Stopped early:** the day's money is spent" in text
    assert "- [drafts/2026/02/b.md](https://desk.example/drafts/00bb)" in text


def test_feed_text_stays_in_its_table_cell() -> None:
    text = report(ItemOutcome(title=NASTY, reason="x"), error=NASTY)
    [row] = [line for line in text.splitlines() if "| one |" in line]
    assert row.replace("\\|", "").count("|") == 14
    assert "](" not in row
    assert "javascript" in row
    assert "<img" not in text.replace("\\<", "")
    assert "](" not in text
    assert "1 item failed: a" in text


def test_a_long_list_of_drafts_is_cut() -> None:
    many = [ItemOutcome(title="t", path=f"drafts/{n}.md", ref=f"{n:04}") for n in range(700)]
    text = report(*many)
    assert text.count("](https://") == 500
    assert text.endswith("- and 200 more")


async def test_a_feeds_duration_is_reported() -> None:
    async def work() -> FeedReport:
        await asyncio.sleep(0.15)
        return FeedReport(feed="one", new=2)

    done = await timed(work())
    assert done.new == 2
    assert done.seconds >= 0.1


def test_a_failed_task_is_one_line_of_the_log() -> None:
    """Prefect logs the state that the task returns, and then the state in which it ends."""

    def is_logged(message: str) -> bool:
        record = logging.LogRecord("prefect.task_runs", logging.ERROR, "", 0, message, None, None)
        return bool(logging.getLogger("prefect.task_runs").filter(record))

    assert not is_logged("Task run failed with state: Failed(message='one: 404')")
    assert is_logged("Finished in state Failed('one: 404')")
    assert is_logged("Task run failed with exception: ValueError('a bug')")
