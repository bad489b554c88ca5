"""Totals of calls and counts of items agree with the rows that they sum up, on both databases."""

from collections.abc import Callable

import pytest
import sqlalchemy as sa

from pipeline.domain.model_calls import LLMResponse, Provenance, TokenUsage
from pipeline.storage import CallDetails, Database
from pipeline.storage import item_counts as module
from pipeline.storage.item_counts import fold, item_counts
from tests.pipeline.storage.records import LEASE_S, NOW, admit, feed, item


@pytest.fixture
def db(open_db: Callable[..., Database]) -> Database:
    opened = open_db()
    opened.feeds.sync([feed()])
    return opened


def response(model: str, seconds: float | None) -> LLMResponse:
    usage = TokenUsage(prompt_tokens=10, completion_tokens=5)
    return LLMResponse(
        text="{}", provenance=Provenance(rewritten=True, model=model), usage=usage, seconds=seconds
    )


def test_totals_are_the_sums_of_all_calls(db: Database) -> None:
    admit(db, item(1))
    [lease] = db.leases.acquire("one", 1, LEASE_S)
    for model, purpose, seconds, micros in (
        ("a", "draft", 0.5, 100), ("a", "draft", 7.0, None), ("a", "verify", None, 50),
        ("b", "draft", 999.0, None),
    ):  # fmt: skip
        db.budget.record(lease, response(model, seconds), CallDetails(purpose, micros=micros))
    snapshot = db.metrics.snapshot(NOW)
    assert [(use.model, use.purpose, use.calls, use.micros) for use in snapshot.spent] == [
        ("a", "draft", 2, 100), ("a", "verify", 1, 50), ("b", "draft", 1, None),
    ]  # fmt: skip
    assert sum(use.prompt_tokens for use in snapshot.spent) == 40
    first, second = snapshot.latencies
    assert (first.model, first.calls, first.seconds, second.calls) == ("a", 2, 7.5, 1)
    assert {bucket.upper_bound_s: bucket.answers for bucket in first.within}[1.0] == 1
    assert {bucket.upper_bound_s: bucket.answers for bucket in first.within}[10.0] == 2
    assert second.within[-1].answers == 0


def test_counts_stay_right_when_changes_are_added_up(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    admit(db, *(item(number) for number in range(1, 6)))
    leases = db.leases.acquire("one", 2, LEASE_S)
    db.budget.record(leases[0], response("a", 1.0))
    before = db.feeds.item_counts()
    assert before == {"one": {"seen": 4, "answered": 1}}
    with db._exclusive_write() as connection:
        count = sa.select(sa.func.count()).select_from(item_counts)
        rows = connection.scalar(count)
        fold(connection)  # too few rows: nothing changes
        assert connection.scalar(count) == rows
        monkeypatch.setattr(module, "_MAX_ROWS", 2)
        fold(connection)
        assert connection.scalar(count) == 2, "a row for each feed and state; SQLite has no others"
    assert db.feeds.item_counts() == before
