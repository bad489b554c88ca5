"""Names and tags of flow runs tell flow, feeds, beats, models and time."""

import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from flows.run_labels import backfill_name, feed_tags, ingest_name, report_tags, timed_name
from pipeline.services.feed_report import FeedReport
from pipeline.services.report import RunReport

AT = datetime(2026, 11, 29, 11, 0, 7, tzinfo=timezone(timedelta(hours=1)))


def report(*feeds: FeedReport) -> RunReport:
    return RunReport(
        flow="ingest", seconds=1, feeds=feeds, model="m", output="o", desk="d", beats=("markets", "ports")
    )


@pytest.mark.parametrize(
    ("feeds", "name"),
    [
        (["decrypt"], "ingest-decrypt-2026-11-29T10:00Z"),
        (["a", "b", "c"], "ingest-3-feeds-2026-11-29T10:00Z"),
        (None, "ingest-all-feeds-2026-11-29T10:00Z"),
    ],
)
def test_a_poll_is_named_for_its_feeds_and_its_time(feeds: list[str] | None, name: str) -> None:
    assert ingest_name({"feeds": feeds, "due": True}, AT) == name


def test_a_run_that_was_not_scheduled_has_the_time_of_its_start() -> None:
    before = datetime.now(UTC).replace(second=0, microsecond=0)
    name = timed_name("requests", None)
    [minute] = re.findall(r"^requests-(\d{4}-\d\d-\d\dT\d\d:\d\dZ)$", name)
    assert before <= datetime.fromisoformat(minute) <= datetime.now(UTC)


@pytest.mark.parametrize(
    ("parameters", "name"),
    [
        ({"since": datetime(2026, 1, 1, tzinfo=UTC)}, "backfill-decrypt-2026-01-01..now"),
        ({"since": "2026-01-01T00:00:00Z", "until": "2026-02-01"}, "backfill-decrypt-2026-01-01..2026-02-01"),
        ({"until": "2026-01-01T09:30", "dry_run": True}, "backfill-decrypt-first..2026-01-01T09:30-dry-run"),
    ],
)  # fmt: skip
def test_a_backfill_is_named_for_its_feed_and_dates(parameters: dict[str, Any], name: str) -> None:
    assert backfill_name({"feed": "decrypt", **parameters}) == name


def test_a_report_has_tags_of_feeds_beats_and_models() -> None:
    tags = report_tags(report(FeedReport(feed="one", models={"m-1": 2}), FeedReport(feed="two")))
    assert tags == ["feed:one", "feed:two", "beat:markets", "beat:ports", "model:m-1"]


def test_of_many_feeds_those_with_something_to_do_are_tags() -> None:
    feeds = [FeedReport(feed=f"f{number}", new=number == 30) for number in range(50)]
    assert report_tags(report(*feeds)) == ["feed:f30", "beat:markets", "beat:ports"]
    assert feed_tags([feed.feed for feed in feeds], ["b", "b"]) == ["beat:b"]
