"""Which runs count as dead, and which slots of a limit are leaked."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from prefect.settings import PREFECT_API_URL, temporary_settings

from flows.zombie_runs import crash_zombie_runs, is_dead, leaked_slots
from tests.fakes.feed_server import FeedServer

NOW = datetime(2026, 2, 5, tzinfo=UTC)
BEAT = timedelta(seconds=30)
LONG_AGO = NOW - timedelta(seconds=181)


def test_a_run_without_a_recent_start_or_heartbeat_is_dead() -> None:
    assert is_dead(LONG_AGO, None, NOW, BEAT)
    assert is_dead(LONG_AGO, LONG_AGO, NOW, BEAT)
    assert not is_dead(LONG_AGO, NOW - timedelta(seconds=40), NOW, BEAT)
    assert not is_dead(NOW - timedelta(seconds=40), None, NOW, BEAT)
    assert not is_dead(LONG_AGO, None, NOW, 2 * BEAT), "an operator may have set rarer heartbeats"


def test_slots_of_runs_that_started_or_ended_meanwhile_are_not_leaked() -> None:
    first, second = uuid4(), uuid4()
    assert leaked_slots(2, [first], [second]) == 0
    assert leaked_slots(3, [first], [first, second]) == 1
    assert leaked_slots(0, [first], []) < 0


async def test_a_server_that_refuses_requests_for_a_while_is_no_line_of_this_search(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """flows/run_loop says that once; this search is repeated each minute."""
    monkeypatch.setenv("NO_PROXY", "*")
    with FeedServer() as server, temporary_settings({PREFECT_API_URL: server.url("/api")}):
        assert await crash_zombie_runs() == 0
        assert server.requests > 0
    assert caplog.messages == []
