"""Schedules: which feeds run together and when; valid and invalid schedules."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prefect.client.schemas.responses import DeploymentResponse
from prefect.settings import PREFECT_API_URL, temporary_settings

from flows.scheduled_deployments import folder_tag, is_outdated
from flows.schedules import groups
from flows.serve import serve_flows
from pipeline.config.time_syntax import is_jitter, is_schedule, jitter_s
from pipeline.domain.errors import ConfigError
from pipeline.domain.models import FeedConfig, PollState
from pipeline.services.ingest import is_due
from pipeline.services.watched_feeds import WatchedFeeds
from tests.fakes.stock import layout
from tests.pipeline.storage.records import feed


def scheduled(key: str, schedule: str, **changes: object) -> FeedConfig:
    return feed(key, schedule=schedule, **changes)


def test_feeds_of_one_schedule_run_together_and_each_feed_once() -> None:
    feeds = [
        scheduled("a", "15m"),
        scheduled("b", "0 6 * * 1-5"),
        scheduled("c", "15m"),
        scheduled("d", "never"),
        scheduled("e", "15m", enabled=False),
        scheduled("f", "0  6 * * 1-5"),
    ]
    schedules = groups(feeds)
    assert [(group.schedule, group.feeds) for group in schedules] == [
        ("15m", ("a", "c")),
        ("0 6 * * 1-5", ("b", "f")),
    ]
    assert [group.interval for group in schedules] == [timedelta(minutes=15), None]
    assert len({group.name for group in schedules}) == 2


def test_a_deployment_is_named_for_its_schedule() -> None:
    lines = ("15m", "1d", "0 6 * * 1-5", "*/5 0-6,12 1,15 * 7", "5 0-6,12 1,15 * 7")
    names = [group.name for group in groups(scheduled(f"f{n}", line) for n, line in enumerate(lines))]
    assert names == [
        "poll-every-15m", "poll-every-1d", "poll-at-0_6_x_x_1-5", "poll-at-xby5_0-6+12_1+15_x_7",
        "poll-at-5_0-6+12_1+15_x_7",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "fields", "is_old"),
    [
        ("poll-every-1h", {"tags": ["folder:/news"]}, True),
        ("poll-every-15m", {"tags": ["folder:/news"]}, False),
        ("poll-every-1h", {"tags": ["folder:/other"]}, False),
        ("every-15m", {"parameters": {"feeds": ["a"], "due": True}}, True),
        ("cron-0a1b2c3d", {"parameters": {"feeds": ["a", "elsewhere"]}}, False),
        ("every-15m", {"parameters": {"feeds": ["a"]}, "work_pool_name": "mine"}, False),
        ("all", {"parameters": {"due": True}}, False),
        ("every-1h", {"parameters": {"feeds": [], "due": True}}, False),
        ("every-1h", {"parameters": {"due": True}}, False),
    ],
)
def test_only_schedules_that_this_folder_had_are_deleted(
    name: str, fields: dict[str, Any], is_old: bool
) -> None:
    deployment = DeploymentResponse(name=name, flow_id=uuid4(), **fields)
    assert is_outdated(deployment, groups([scheduled("a", "15m")]), "folder:/news") is is_old


def test_the_tag_of_a_folder_stays_and_is_that_of_no_other(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """In the image of the containers each newsroom has the path /newsroom."""
    tag = folder_tag(tmp_path)
    assert folder_tag(tmp_path) == tag
    (tmp_path / ".copydesk").rename(tmp_path / "other container")
    other = folder_tag(tmp_path)
    assert other != tag
    assert tag.startswith(f"folder:{tmp_path}:")
    (tmp_path / ".copydesk/folder-id").write_bytes(b"\xff broken")
    assert folder_tag(tmp_path) not in (tag, other)
    assert caplog.messages == []


def test_a_folder_that_cannot_store_its_id_is_served(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / ".copydesk").write_text("in the way")
    assert folder_tag(tmp_path) != folder_tag(tmp_path)
    assert len(caplog.messages) == 2
    assert all("stay at Prefect's server" in message for message in caplog.messages)


def test_an_interval_begins_at_an_offset_of_its_own_that_a_restart_does_not_change() -> None:
    [first], [second] = groups([scheduled("a", "1h")]), groups([scheduled("b", "1h")])
    assert first.anchor == groups([scheduled("a", "1h")])[0].anchor
    assert first.anchor != second.anchor
    assert first.anchor - second.anchor < timedelta(hours=1)


@pytest.mark.parametrize(
    "text", ["1m", "15m", "2h", "1d", "never", "* * * * *", "*/5 0-6,12 1,15 * 7", "0 6 * * 1-5"]
)
def test_a_valid_schedule_is_accepted(text: str) -> None:
    assert is_schedule(text)


@pytest.mark.parametrize(
    "text",
    ["", "0m", "15", "m", "15 m", "often", "60 * * * *", "* 24 * * *", "* * 0 * *", "* * * 13 *", "* * * * 8",
     "* * * *", "* * * * * *", "5-1 * * * *", "*/0 * * * *", "1,, * * * *", "@daily", "* * * * MON"],
)  # fmt: skip
def test_an_invalid_schedule_is_an_error(text: str) -> None:
    assert not is_schedule(text)


@given(st.text(max_size=30))
def test_any_schedule_text_is_valid_or_a_config_error(text: str) -> None:
    is_schedule(text)


@pytest.mark.parametrize(("text", "seconds"), [("0s", 0), ("30s", 30), ("5m", 300), ("60m", 3600)])
def test_a_valid_jitter_is_accepted(text: str, seconds: int) -> None:
    assert is_jitter(text)
    assert jitter_s(text) == seconds


@pytest.mark.parametrize("text", ["", "5", "m", "61m", "3601s", "1h", "-1s", "1.5m", "10000s"])
def test_an_invalid_jitter_is_an_error(text: str) -> None:
    assert not is_jitter(text)


def test_of_late_runs_the_first_one_polls() -> None:
    due = datetime(2026, 2, 5, 12, tzinfo=UTC)
    assert is_due(feed(), PollState(), due, named=True)
    assert is_due(feed(), PollState(last_polled_at=due - timedelta(seconds=1)), due, named=True)
    assert not is_due(feed(), PollState(last_polled_at=due + timedelta(minutes=4)), due, named=True)


def test_a_run_for_all_feeds_polls_none_whose_schedule_is_never() -> None:
    due = datetime(2026, 2, 5, 12, tzinfo=UTC)
    assert is_due(scheduled("a", "1d"), PollState(), due, named=False)
    assert not is_due(scheduled("a", "never"), PollState(), due, named=False)
    assert is_due(scheduled("a", "never"), PollState(), due, named=True)


async def test_a_server_that_cannot_be_kept_ends_serve_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No server answers meanwhile, so no run is started."""
    settings = layout(tmp_path)
    monkeypatch.chdir(settings.base)
    looks: list[int] = []

    def keep() -> None:
        looks.append(len(looks))
        raise ConfigError("Prefect's server has ended 5 times")

    with (
        temporary_settings({PREFECT_API_URL: "http://127.0.0.1:9/api"}),
        pytest.raises(ConfigError, match="has ended 5 times"),
    ):
        await serve_flows(WatchedFeeds(settings.feeds_file), keep)
    assert looks == [0]
