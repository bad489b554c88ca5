"""What calls cost, what is put aside for them, and the caps that several processes share."""

import multiprocessing
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa

from pipeline.domain.errors import BudgetExceeded
from pipeline.storage import CallCost, CallDetails, Database, SpendingCap
from pipeline.storage.budget import _spent_query
from tests.pipeline.storage.records import LEASE_S, NOW, admit, answer, feed, item

Open = Callable[..., Database]
DAY = SpendingCap("day", 1_000, NOW - timedelta(hours=12))
STALE = NOW - timedelta(minutes=10)


def reserve(
    db: Database, micros: int, caps: Sequence[SpendingCap] = (DAY,), *, run: str = "r", at: datetime = NOW
) -> int:
    return db.budget.reserve(run, CallCost(micros, micros), caps, at, stale=STALE)[0]


@pytest.fixture
def db(open_db: Open) -> Database:
    opened = open_db()
    opened.feeds.sync([feed()])
    admit(opened, *(item(number) for number in range(3)))
    return opened


def test_what_is_put_aside_counts_until_the_answer_takes_its_place(db: Database) -> None:
    [lease] = db.leases.acquire("one", 1, LEASE_S)
    number = reserve(db, 800)
    with pytest.raises(BudgetExceeded) as caught:
        reserve(db, 300)
    assert caught.value.context["pending"] is True
    db.budget.record(lease, answer(), CallDetails(at=NOW, run="r", micros=200, reservation=number))
    assert reserve(db, 800)
    assert [call.micros for call in db.budget.calls_since(None)] == [200]


def test_what_is_taken_back_does_not_count(db: Database) -> None:
    db.budget.release(reserve(db, 1_000))
    assert reserve(db, 1_000)


def test_what_a_dead_process_put_aside_is_spent_and_nothing_to_wait_for(db: Database) -> None:
    reserve(db, 900, run="dead", at=NOW - timedelta(hours=1))
    with pytest.raises(BudgetExceeded) as caught:
        reserve(db, 200)
    assert caught.value.context["pending"] is False
    assert "cap of the day" in caught.value.message


def test_a_run_and_a_day_are_counted_apart(db: Database) -> None:
    leases = db.leases.acquire("one", 2, LEASE_S)
    yesterday = NOW - timedelta(days=1)
    db.budget.record(leases[0], answer(), CallDetails(at=yesterday, run="earlier", micros=900))
    run = SpendingCap("run", 500, None)
    db.budget.release(reserve(db, 500, [run, DAY]))
    db.budget.record(leases[1], answer(), CallDetails(at=NOW, run="r", micros=400))
    with pytest.raises(BudgetExceeded, match="cap of the run"):
        reserve(db, 200, [run, DAY])
    assert reserve(db, 200, [run, DAY], run="another")


def test_the_cap_of_a_run_reads_an_index_alone(open_db: Open) -> None:
    """It is asked for before each call, in a transaction for which all other writers wait."""
    db = open_db()
    if db._engine.dialect.name != "sqlite":
        pytest.skip("PostgreSQL's plan depends on its statistics")
    compiled = _spent_query("r", SpendingCap("run", 500, None)).compile(db._engine)
    with db._reading() as connection:
        plan = connection.execute(sa.text(f"EXPLAIN QUERY PLAN {compiled}".replace("?", "'r'"))).all()
    assert [row.detail for row in plan] == ["SEARCH calls USING COVERING INDEX calls_run (run=?)"]


def test_the_last_answers_of_a_model_with_an_estimated_usage_are_counted(db: Database) -> None:
    for lease, estimated in zip(db.leases.acquire("one", 3, LEASE_S), (True, True, False), strict=True):
        db.budget.record(lease, answer().model_copy(update={"estimated": estimated}), CallDetails(at=NOW))
    counts = [db.budget.estimated_among_last("default", "m", count) for count in (1, 2, 9)]
    assert counts == [0, 1, 2]
    assert db.budget.estimated_among_last("default", "another", 9) == 0


def _spend(url: str, run: str, rounds: int) -> None:
    with Database.open(url) as db:
        for _ in range(rounds):
            try:
                reserve(db, 70, run=run)
            except BudgetExceeded:
                return


@pytest.mark.process
def test_several_processes_together_keep_the_cap(db: Database, url: str) -> None:
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=_spend, args=(url, f"r{number}", 10)) for number in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
        assert worker.exitcode == 0
    with pytest.raises(BudgetExceeded):
        reserve(db, 70)
    assert reserve(db, 1_000 - 14 * 70)


def test_what_is_left_is_given_where_it_is_enough(db: Database) -> None:
    reserve(db, 600)
    assert db.budget.reserve("r", CallCost(900, 300), [DAY], NOW, stale=STALE)[1] == 400
    with pytest.raises(BudgetExceeded):
        db.budget.reserve("r", CallCost(900, 1), [DAY], NOW, stale=STALE)
