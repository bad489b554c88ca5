"""Whatever is done in whatever order, with crashes between: no item is lost, none drafted twice.

The model below knows of each item its state, its usable answer, its intent and who holds it.
"""

import itertools
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from pipeline.domain.errors import LeaseLost
from pipeline.domain.model_calls import LLMResponse
from pipeline.storage import Database, Lease
from pipeline.storage.processes import current_owner
from pipeline.storage.schema import items as items_table
from tests.databases import prepared
from tests.pipeline.storage.records import LEASE_S, admit, answer, draft, feed, item

OPEN = {"seen", "answered"}
ENDED = -1.0
numbers = itertools.count()
picks = st.integers(0, 9)


class Machine(RuleBasedStateMachine):
    """One newsroom; `held` are its claims, `stale` those that it gave back or lost."""

    def __init__(self, new_url: Callable[[], str]) -> None:
        super().__init__()
        self.url = new_url()
        self.states: dict[int, str] = {}
        self.answers: dict[int, LLMResponse] = {}
        self.intents: dict[int, str] = {}
        self.attempts: dict[int, int] = {}
        self.drafted: list[int] = []
        self.held: dict[int, Lease] = {}
        self.ended: set[int] = set()
        self.stale: list[Lease] = []

    @initialize()
    def start(self) -> None:
        self.db = Database.open(self.url)
        self.db.feeds.sync([feed()])

    def teardown(self) -> None:
        self.db.close()

    def picked(self, pick: int) -> tuple[int, Lease] | None:
        return sorted(self.held.items())[pick % len(self.held)] if self.held else None

    def drop(self, number: int, state: str) -> None:
        self.stale.append(self.held.pop(number))
        self.ended.discard(number)
        self.states[number] = state

    @rule(found=st.sets(st.integers(0, 6)))
    def poll(self, found: set[int]) -> None:
        admitted = admit(self.db, *(item(number) for number in sorted(found)))
        assert admitted.new == len(found - set(self.states))
        for number in found:
            self.states.setdefault(number, "seen")

    @rule(limit=st.integers(1, 4), lease_s=st.sampled_from([LEASE_S, LEASE_S, ENDED]))
    def lease(self, limit: int, lease_s: float) -> None:
        free = [n for n, state in self.states.items() if state in OPEN]
        free = sorted(n for n in free if n not in self.held or n in self.ended)[:limit]
        leases = self.db.leases.acquire("one", limit, lease_s)
        assert [lease.item for lease in leases] == [item(number) for number in free]
        for number, lease in zip(free, leases, strict=True):
            assert lease.answer == self.answers.get(number), "what was paid for is not asked again"
            assert (lease.unconfirmed.text if lease.unconfirmed else None) == self.intents.get(number)
            assert lease.attempts == self.attempts.get(number, 0) + 1
            if number in self.held:
                self.drop(number, self.states[number])
            self.held[number] = lease
            if lease_s == ENDED:
                self.ended.add(number)

    @rule(pick=picks)
    def heartbeat(self, pick: int) -> None:
        if one := self.picked(pick):
            self.db.leases.renew([one[1]], LEASE_S)
            self.ended.discard(one[0])

    @rule(pick=picks)
    def record_answer(self, pick: int) -> None:
        one = self.picked(pick)
        if one and one[0] not in self.answers:
            self.answers[one[0]] = answer(f"answer {next(numbers)}")
            self.db.budget.record(one[1], self.answers[one[0]])
            self.states[one[0]] = "answered"

    @rule(pick=picks)
    def discard_answer(self, pick: int) -> None:
        if one := self.picked(pick):
            self.db.budget.mark_unusable(one[1], "no JSON")
            self.answers.pop(one[0], None)
            self.states[one[0]] = "seen"

    @rule(pick=picks)
    def intend(self, pick: int) -> None:
        one = self.picked(pick)
        if one and one[0] not in self.intents:
            self.intents[one[0]] = f"text {next(numbers)}"
            self.db.leases.begin_write(one[1], draft(one[1], self.intents[one[0]]))

    @rule(pick=picks)
    def confirm(self, pick: int) -> None:
        one = self.picked(pick)
        if one and one[0] in self.intents:
            self.db.leases.confirm_write(one[1])
            self.drafted.append(one[0])
            self.drop(one[0], "drafted")

    @rule(pick=picks, retry=st.booleans())
    def fail(self, pick: int, retry: bool) -> None:
        if one := self.picked(pick):
            self.attempts[one[0]] = one[1].attempts
            again = retry and one[1].attempts < 3
            expected = self.states[one[0]] if again else "failed"
            assert self.db.leases.fail(one[1], "trouble", retry=retry) == expected
            self.drop(one[0], expected)

    @rule()
    def retry_failed(self) -> None:
        failed = [number for number, state in self.states.items() if state == "failed"]
        assert self.db.items.retry_failed() == len(failed)
        for number in failed:
            self.states[number], self.attempts[number] = "seen", 0

    @rule()
    def release(self) -> None:
        self.db.leases.release(list(self.held.values()))
        for number in list(self.held):
            self.drop(number, self.states[number])

    @rule()
    def crash(self) -> None:
        """The process dies: its leases stay behind, under the name of one that lives no more."""
        self.db.close()
        self.db = Database.open(self.url)
        host, *_ = current_owner().split("|")
        with self.db._engine.begin() as connection:
            owned = items_table.c.lease_owner.is_not(None)
            connection.execute(items_table.update().where(owned).values(lease_owner=f"{host}|before|1|1"))
        self.held.clear()  # the dead do not come late
        self.ended.clear()

    @rule(pick=picks)
    def late(self, pick: int) -> None:
        """A holder that lost its lease is refused whatever it does, and changes nothing."""
        if not self.stale:
            return
        lease = self.stale[pick % len(self.stale)]
        for act in (
            lambda: self.db.budget.mark_unusable(lease, "late"),
            lambda: self.db.leases.begin_write(lease, draft(lease, "late")),
            lambda: self.db.leases.confirm_write(lease),
            lambda: self.db.leases.fail(lease, "late", retry=False),
        ):
            with pytest.raises(LeaseLost):
                act()
        self.db.leases.renew([lease], LEASE_S)
        self.db.leases.release([lease])

    @rule(pick=picks)
    def late_answer(self, pick: int) -> None:
        """What a late holder paid for is kept all the same."""
        if not self.stale:
            return
        lease = self.stale[pick % len(self.stale)]
        number = int(lease.item.guid.removeprefix("guid-"))
        self.answers[number] = answer(f"late {next(numbers)}")
        with pytest.raises(LeaseLost):
            self.db.budget.record(lease, self.answers[number])

    @invariant()
    def nothing_is_lost(self) -> None:
        if not hasattr(self, "db"):
            return
        found = self.db.feeds.item_counts().get("one", {})
        states = list(self.states.values())
        assert found == {state: states.count(state) for state in set(states)}
        assert sorted(row.item.guid for row in self.db.drafts.list()) == sorted(
            f"guid-{number}" for number in self.drafted
        )
        assert all(
            row.version_text == self.intents[int(row.item.guid.removeprefix("guid-"))]
            for row in self.db.drafts.list()
        )


def run(new_url: Callable[[], str], examples: int) -> None:
    class Here(Machine):
        def __init__(self) -> None:
            super().__init__(new_url)

    run_state_machine_as_test(
        Here,
        settings=settings(
            max_examples=examples,
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_on_sqlite(tmp_path: Path) -> None:
    run(lambda: prepared(f"sqlite:///{tmp_path}/{next(numbers)}.db"), examples=15)


@pytest.mark.soak  # in every run: on SQLite
def test_on_postgresql(postgres_server: str) -> None:
    def new_url() -> str:  # a schema each: much quicker than a database
        schema = f"machine_{next(numbers)}"
        with psycopg.connect(postgres_server) as connection:
            connection.execute(f"CREATE SCHEMA {schema}".encode())
        return f"{postgres_server}?options=-csearch_path%3D{schema}"

    run(new_url, examples=15)
