"""Which runs count as dead, and which slots of a limit are leaked."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

from flows.zombie_runs import MAX_SILENCE, is_dead, leaked_slots

NOW = datetime(2026, 2, 5, tzinfo=UTC)
LONG_AGO = NOW - MAX_SILENCE - timedelta(seconds=1)


def test_a_run_without_a_recent_start_or_heartbeat_is_dead() -> None:
    assert is_dead(LONG_AGO, None, NOW)
    assert is_dead(LONG_AGO, LONG_AGO, NOW)
    assert not is_dead(LONG_AGO, NOW - timedelta(seconds=40), NOW)
    assert not is_dead(NOW - timedelta(seconds=40), None, NOW)


def test_slots_of_runs_that_started_or_ended_meanwhile_are_not_leaked() -> None:
    first, second = uuid4(), uuid4()
    assert leaked_slots(2, [first], [second]) == 0
    assert leaked_slots(3, [first], [first, second]) == 1
    assert leaked_slots(0, [first], []) < 0
