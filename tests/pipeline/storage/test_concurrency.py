"""Threads and processes at one ledger: nothing done twice, nobody turned away."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from pipeline.storage import Database
from tests.end_to_end.project import ROOT
from tests.pipeline.storage.records import LEASE_S, admit, answer, draft, feed, item

Open = Callable[..., Database]

HOLDER = """
import sys, time
from pipeline.storage import Database
from tests.pipeline.storage.records import LEASE_S, answer
with Database.open(sys.argv[1]) as db:
    first, second = db.leases.acquire("one", 2, LEASE_S)
    db.budget.record(first, answer())
    print("claimed", flush=True)
    time.sleep(600)
"""


def test_two_feeds_with_the_same_stories_in_other_orders(open_db: Open) -> None:
    databases = [open_db(), open_db()]
    databases[0].feeds.sync([feed(), feed("two")])
    together = threading.Barrier(2)

    def poll(db: Database, key: str, numbers: range) -> None:
        together.wait(120)
        for start in range(0, 40, 10):
            some = [item(number, guid=f"{key}-{number}") for number in numbers[start : start + 10]]
            admit(db, *some, key=key)

    with ThreadPoolExecutor(2) as pool:
        polls = [
            pool.submit(poll, databases[0], "one", range(40)),
            pool.submit(poll, databases[1], "two", range(39, -1, -1)),
        ]
    assert [one.result() for one in polls] == [None, None]
    counts = databases[0].feeds.item_counts()
    assert sum(states.get("seen", 0) for states in counts.values()) == 40
    assert sum(states.get("merged", 0) for states in counts.values()) == 40


def test_first_subscriptions_of_two_processes_at_once(open_db: Open) -> None:
    subscriptions = [feed(f"feed-{number}") for number in range(30)]
    databases = [open_db() for _ in range(3)]
    with ThreadPoolExecutor(3) as pool:
        done = list(pool.map(lambda db: db.feeds.sync(subscriptions), databases))
    assert done == [None] * 3
    assert len(databases[0].feeds.status()) == 30


def test_threads_share_one_ledger(open_db: Open) -> None:
    db = open_db()
    db.feeds.sync([feed()])
    admit(db, *(item(number) for number in range(60)))

    def work(_: int) -> list[str]:
        done = []
        while leases := db.leases.acquire("one", 2, LEASE_S):
            for lease in leases:
                db.budget.record(lease, answer())
                db.leases.begin_write(lease, draft(lease))
                db.leases.confirm_write(lease)
                done.append(lease.item.guid)
        return done

    with ThreadPoolExecutor(20) as pool:  # more than a pool of connections holds by default
        done = [guid for guids in pool.map(work, range(20)) for guid in guids]
    assert sorted(done) == sorted(f"guid-{number}" for number in range(60))
    assert db.feeds.item_counts() == {"one": {"drafted": 60}}


@pytest.mark.process
def test_a_killed_process_is_succeeded_at_once(url: str, open_db: Open) -> None:
    db = open_db()
    db.feeds.sync([feed()])
    admit(db, item(1), item(2))
    command = [sys.executable, "-c", HOLDER, url]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "claimed\n"
        assert db.leases.acquire("one", 2, LEASE_S) == [], "it lives"
        os.kill(holder.pid, signal.SIGKILL)
    first, second = db.leases.acquire("one", 2, LEASE_S)
    assert (first.answer, second.answer) == (answer(), None)
    assert (first.attempts, second.attempts) == (1, 1), "a kill says nothing against an item"


def test_a_lease_of_another_host_is_waited_for(open_db: Open) -> None:
    db = open_db()
    db.feeds.sync([feed()])
    admit(db, item(1))
    [lease] = open_db("elsewhere|boot|1|1").leases.acquire("one", 1, LEASE_S)
    assert db.leases.acquire("one", 1, LEASE_S) == []
    db.leases.renew([lease], -1.0)
    assert len(db.leases.acquire("one", 1, LEASE_S)) == 1
