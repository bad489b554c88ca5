"""What calls cost, what is put aside for them, and the caps that several processes share."""

import multiprocessing
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import pytest

from pipeline.domain.errors import BudgetExceeded
from pipeline.storage import Cap, Ledger
from tests.pipeline.storage.records import LEASE_S, NOW, admit, answer, feed, item

Open = Callable[..., Ledger]
DAY = Cap("day", 1_000, NOW - timedelta(hours=12))
STALE = NOW - timedelta(minutes=10)


def reserve(
    ledger: Ledger, micros: int, caps: Sequence[Cap] = (DAY,), *, run: str = "r", at: datetime = NOW
) -> int:
    return ledger.reserve(run, micros, micros, caps, at, stale=STALE)[0]


@pytest.fixture
def ledger(open_ledger: Open) -> Ledger:
    opened = open_ledger()
    opened.sync_feeds([feed()])
    admit(opened, *(item(number) for number in range(3)))
    return opened


def test_what_is_put_aside_counts_until_the_answer_takes_its_place(ledger: Ledger) -> None:
    [claim] = ledger.claim("one", 1, LEASE_S)
    number = reserve(ledger, 800)
    with pytest.raises(BudgetExceeded) as caught:
        reserve(ledger, 300)
    assert caught.value.context["pending"] is True
    ledger.record_answer(claim, answer(), at=NOW, run="r", micros=200, reservation=number)
    assert reserve(ledger, 800)
    assert [call.micros for call in ledger.calls_since(None)] == [200]


def test_what_is_taken_back_does_not_count(ledger: Ledger) -> None:
    ledger.unreserve(reserve(ledger, 1_000))
    assert reserve(ledger, 1_000)


def test_what_a_dead_process_put_aside_is_spent_and_nothing_to_wait_for(ledger: Ledger) -> None:
    reserve(ledger, 900, run="dead", at=NOW - timedelta(hours=1))
    with pytest.raises(BudgetExceeded) as caught:
        reserve(ledger, 200)
    assert caught.value.context["pending"] is False
    assert "cap of the day" in caught.value.message


def test_a_run_and_a_day_are_counted_apart(ledger: Ledger) -> None:
    claims = ledger.claim("one", 2, LEASE_S)
    yesterday = NOW - timedelta(days=1)
    ledger.record_answer(claims[0], answer(), at=yesterday, run="earlier", micros=900)
    run = Cap("run", 500, None)
    ledger.unreserve(reserve(ledger, 500, [run, DAY]))
    ledger.record_answer(claims[1], answer(), at=NOW, run="r", micros=400)
    with pytest.raises(BudgetExceeded, match="cap of the run"):
        reserve(ledger, 200, [run, DAY])
    assert reserve(ledger, 200, [run, DAY], run="another")


def _spend(url: str, run: str, rounds: int) -> None:
    with Ledger.open(url) as ledger:
        for _ in range(rounds):
            try:
                reserve(ledger, 70, run=run)
            except BudgetExceeded:
                return


def test_several_processes_together_keep_the_cap(ledger: Ledger, url: str) -> None:
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=_spend, args=(url, f"r{number}", 10)) for number in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
        assert worker.exitcode == 0
    with pytest.raises(BudgetExceeded):
        reserve(ledger, 70)
    assert reserve(ledger, 1_000 - 14 * 70)


def test_what_is_left_is_given_where_it_is_enough(ledger: Ledger) -> None:
    reserve(ledger, 600)
    assert ledger.reserve("r", 900, 300, [DAY], NOW, stale=STALE)[1] == 400
    with pytest.raises(BudgetExceeded):
        ledger.reserve("r", 900, 1, [DAY], NOW, stale=STALE)
