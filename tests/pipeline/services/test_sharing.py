"""Several machines on one database: one writes the files, all share the queue and the limits."""

import asyncio
from collections import Counter
from pathlib import Path

import pytest

from pipeline.articles.front_matter import loads
from pipeline.domain.errors import BudgetExceeded, RateLimited
from pipeline.http_client import HttpClient
from pipeline.llm.chat import ChatResponse
from pipeline.services.draft import draft_feed
from pipeline.storage import CallCost, CallDetails, CallLimits, Database, SpendingCap
from pipeline.storage.processes import current_owner
from tests.pipeline.services.desk import Scripted, run_context
from tests.pipeline.storage.records import NOW, admit, answer, feed, item


class Crowded(Scripted):
    """A model that notes how many ask it at one time."""

    now = 0
    peak = 0

    async def send(self, body: dict[str, object], **limits: object) -> ChatResponse:
        kind = type(self)
        kind.now += 1
        kind.peak = max(kind.peak, kind.now)
        await asyncio.sleep(0.02)
        kind.now -= 1
        return await super().send(body, **limits)


@pytest.fixture(autouse=True)
def nobody_asks() -> None:
    Crowded.now = Crowded.peak = 0


def files(folder: Path) -> list[Path]:
    return sorted((folder / "output").rglob("*.md"))


async def test_who_writes_no_drafts_leaves_texts_that_the_other_machine_writes(
    db: Database, net: HttpClient, tmp_path: Path
) -> None:
    remote = Scripted()
    outcomes = await draft_feed(run_context(db, net, tmp_path / "a", remote, writes_drafts=False), feed(), 9)
    assert [bool(outcome.path) for outcome in outcomes] == [True] * 5
    assert files(tmp_path / "a") == []
    assert list(db.versions.unwritten().values()) == ["one"] * 5
    assert (
        await draft_feed(run_context(db, net, tmp_path / "a", remote, writes_drafts=False), feed(), 9) == []
    )

    writer = Scripted()
    desk = run_context(db, net, tmp_path / "b", writer)
    written = await draft_feed(desk, feed(), 9, requested=True)
    assert (remote.call_count, writer.call_count) == (5, 0)
    assert len(written) == len(files(tmp_path / "b")) == 5
    assert all(loads(path.read_text())[0]["ai"]["rewritten"] for path in files(tmp_path / "b"))
    assert db.versions.unwritten() == {}
    assert db.feeds.item_counts()["one"] == {"drafted": 5}


async def test_a_machine_without_the_output_folder_leases_no_redrafts(
    db: Database, net: HttpClient, tmp_path: Path
) -> None:
    desk = run_context(db, net, tmp_path, Scripted())
    await draft_feed(desk, feed(), 9)
    [row, *_] = db.drafts.list()
    db.redrafts.request(db.drafts.get(row.external_id), "Ada", desk.clock())
    remote = Scripted()
    assert await draft_feed(run_context(db, net, tmp_path, remote, writes_drafts=False), feed(), 9) == []
    assert remote.call_count == 0


async def test_two_runs_share_a_queue_and_no_item_twice(
    db: Database, net: HttpClient, tmp_path: Path
) -> None:
    admit(db, *(item(number) for number in range(5, 60)))
    contexts = [run_context(db, net, tmp_path, Crowded(), max_in_flight=3) for _ in range(3)]
    results = await asyncio.gather(*(draft_feed(ctx, feed(), 100) for ctx in contexts))
    assert all(results)
    paths = Counter(outcome.path for outcomes in results for outcome in outcomes)
    assert len(paths) == 60
    assert set(paths.values()) == {1}


async def test_calls_of_all_runs_together_are_limited(db: Database, net: HttpClient, tmp_path: Path) -> None:
    admit(db, *(item(number) for number in range(5, 30)))
    contexts = [
        run_context(db, net, tmp_path, Crowded(), max_in_flight=4, max_in_flight_total=2) for _ in range(3)
    ]
    results = await asyncio.gather(*(draft_feed(ctx, feed(), 100) for ctx in contexts))
    assert sum(len(outcomes) for outcomes in results) == 30
    assert Crowded.peak == 2


async def test_a_run_that_ends_does_not_wait_for_its_turn(
    db: Database, net: HttpClient, tmp_path: Path
) -> None:
    one = run_context(db, net, tmp_path, Scripted(), max_in_flight_total=1)
    db.budget.reserve("another", CallCost(0, 0), (), one.clock(), stale=one.clock().replace(year=2000))
    drafting = asyncio.create_task(draft_feed(one, feed(), 9))
    await asyncio.sleep(0.3)
    assert not drafting.done()
    one.fatal_errors.append(RateLimited("told to end"))
    assert await drafting == []
    assert db.feeds.item_counts()["one"] == {"seen": 5}
    assert db.items.held_count("one") == 0


def test_a_minute_has_so_many_calls(db: Database) -> None:
    now, stale = NOW, NOW.replace(year=2000)
    for _ in range(2):
        db.budget.reserve("r", CallCost(0, 0), (), now, stale=stale, limits=CallLimits(a_minute=2))
    with pytest.raises(RateLimited):
        db.budget.reserve("r", CallCost(0, 0), (), now, stale=stale, limits=CallLimits(a_minute=2))
    later = now.replace(minute=now.minute + 1, second=now.second + 1)
    assert db.budget.reserve("r", CallCost(0, 0), (), later, stale=stale, limits=CallLimits(a_minute=2))


def test_a_minute_of_a_profile_has_so_many_calls_of_its_own(db: Database) -> None:
    now, stale = NOW, NOW.replace(year=2000)

    def reserve(profile: str, limit: int | None) -> int:
        limits = CallLimits(profile=profile, profile_a_minute=limit)
        return db.budget.reserve("r", CallCost(0, 0), (), now, stale=stale, limits=limits)[0]

    made = reserve("strong", 2)
    [lease] = db.leases.acquire("one", 1, 900)
    db.budget.record(lease, answer(), CallDetails(at=now, reservation=made, profile="strong"))
    assert reserve("strong", 2), "one was made, and now one is under way"
    with pytest.raises(RateLimited, match="strong was called as often in a minute as it may be"):
        reserve("strong", 2)
    assert reserve("cheap", 1)
    assert reserve("default", None)


def test_a_dead_process_holds_no_turn_but_its_money(db: Database, tmp_path: Path) -> None:
    [host, boot, *_] = current_owner().split("|")
    dead = "|".join((host, boot, "4194305", "1"))  # beyond any pid
    now, cap = NOW, SpendingCap("run", 1_000, None)
    stale = now.replace(year=2000)
    with Database.open(f"sqlite:///{tmp_path / 'ledger.db'}", owner=dead) as theirs:
        theirs.budget.reserve("r", CallCost(700, 700), [cap], now, stale=stale)
    with pytest.raises(RateLimited):
        db.budget.reserve("r", CallCost(1, 1), (), now, stale=stale, limits=CallLimits(at_once=1))
    db.budget.reclaim_dead()
    assert db.budget.reserve("r", CallCost(1, 1), (), now, stale=stale, limits=CallLimits(at_once=1))
    with pytest.raises(BudgetExceeded) as spent:
        db.budget.reserve("r", CallCost(300, 300), [cap], now, stale=stale)
    assert spent.value.context["pending"] is True  # our own
