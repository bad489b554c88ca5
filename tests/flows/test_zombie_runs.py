"""Which runs count as dead, and which slots of a limit are leaked."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

from flows.zombie_runs import is_dead, leaked_slots

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
