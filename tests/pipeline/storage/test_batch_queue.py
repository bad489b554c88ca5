"""Entries that wait together are written by one transaction, and one that cannot be written fails alone."""

import threading
from collections.abc import Callable, Sequence

import pytest
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, InterfaceError, OperationalError

from pipeline.domain.errors import DatabaseError, LeaseLost
from pipeline.storage import CallDetails, Database
from pipeline.storage.batch_queue import BatchQueue
from pipeline.storage.engine import explained, is_unreachable
from tests.pipeline.storage.records import admit, answer, feed, item


class Written:
    """A writer that waits at its first group until it is let go."""

    def __init__(self) -> None:
        self.groups: list[list[int]] = []
        self.begun, self.go = threading.Event(), threading.Event()

    def __call__(self, entries: Sequence[int]) -> list[BaseException | None]:
        self.begun.set()
        assert self.go.wait(60)
        if 13 in entries:
            raise ValueError("unlucky")
        self.groups.append(list(entries))
        return [LeaseLost("taken over") if entry == 7 else None for entry in entries]


def test_what_waits_is_written_together_in_its_order() -> None:
    writer = Written()
    commits = BatchQueue(writer)
    first = commits.submit(0)
    assert writer.begun.wait(60)
    others = [commits.submit(number) for number in range(1, 6)]
    assert not first.done()
    writer.go.set()
    commits.close()
    assert writer.groups == [[0], [1, 2, 3, 4, 5]]
    assert all(done.result(60) is None for done in (first, *others))


def test_no_entry_waits_for_ever_for_a_writer_that_forgets_it() -> None:
    commits = BatchQueue[int, None](lambda _entries: [])
    with pytest.raises(RuntimeError, match="0 results for 1 entries"):
        commits.submit(1).result(60)
    commits.close()


def test_each_entry_has_its_own_error() -> None:
    writer = Written()
    commits = BatchQueue(writer)
    commits.submit(0)
    assert writer.begun.wait(60)
    done = {number: commits.submit(number) for number in (6, 7, 13, 14)}
    writer.go.set()
    with pytest.raises(LeaseLost):
        done[7].result(60)
    with pytest.raises(ValueError, match="unlucky"):
        done[13].result(60)
    assert (done[6].result(60), done[14].result(60)) == (None, None)
    assert writer.groups == [[0], [6], [7], [14]], "the transaction that failed was repeated one by one"
    commits.close()
    later = commits.submit(20)
    assert later.result(60) is None
    commits.close()


def test_a_transaction_has_a_limit_of_entries() -> None:
    writer = Written()
    commits = BatchQueue(writer, limit=2)
    commits.submit(0)
    assert writer.begun.wait(60)
    for number in range(1, 6):
        commits.submit(number)
    writer.go.set()
    commits.close()
    assert writer.groups == [[0], [1, 2], [3, 4], [5]]


def test_an_error_of_the_database_itself_is_not_repeated_entry_by_entry() -> None:
    calls: list[int] = []
    begun, go = threading.Event(), threading.Event()

    def fail(entries: Sequence[int]) -> list[None]:
        begun.set()
        assert go.wait(60)
        calls.append(len(entries))
        raise OSError("the database is down")

    commits = BatchQueue[int, None](fail, fatal=lambda error: isinstance(error, OSError))
    done = [commits.submit(0)]
    assert begun.wait(60)
    done += [commits.submit(number) for number in range(1, 5)]
    go.set()
    assert [type(each.exception(60)) for each in done] == [OSError] * 5
    assert calls == [1, 4]
    commits.close()


@pytest.mark.parametrize(
    ("cause", "unreachable"),
    [(OperationalError, True), (InterfaceError, True), (IntegrityError, False), (DataError, False)],
)
def test_a_database_that_is_down_is_told_from_an_entry_that_cannot_be_stored(
    cause: type[DBAPIError], unreachable: bool
) -> None:
    with pytest.raises(DatabaseError) as caught, explained("ledger"):
        raise cause("SELECT 1", None, ValueError("why"))
    assert is_unreachable(caught.value) is unreachable


def test_an_answer_to_a_lost_lease_is_stored_beside_the_others(
    open_db: Callable[..., Database],
) -> None:
    db = open_db()
    db.feeds.sync([feed()])
    admit(db, *(item(number) for number in range(3)))
    mine = db.leases.acquire("one", 3, 60.0)
    lost = mine[1].model_copy(update={"token": mine[1].token - 1})
    leases = [mine[0], lost, mine[2]]
    done = [db.budget.submit(lease, answer("text"), CallDetails(run="r")) for lease in leases]
    db.budget.close()
    assert [type(one.exception(60)) for one in done] == [type(None), LeaseLost, type(None)]
    assert len(db.budget.calls_since(None)) == 3
