"""Counts by calendar day, in a time zone, on both databases."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from pipeline.domain.days import last_days
from pipeline.storage import CallDetails, Database, DraftQuery, KindOutcomes, OpenFindings, SkipReason
from tests.pipeline.storage.approvals import decided, drafted
from tests.pipeline.storage.records import LEASE_S, NOW, admit, answer, feed, item

Open = Callable[..., Database]
DAYS = last_days(NOW, 3, UTC)
TODAY, YESTERDAY = DAYS[2], DAYS[1]


@pytest.fixture
def db(open_db: Open) -> Database:
    opened = open_db()
    opened.feeds.sync([feed(), feed("two")])
    return opened


def test_days_are_those_of_a_time_zone_and_of_23_or_25_hours_where_clocks_change() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    now = datetime(2026, 3, 29, 23, tzinfo=UTC)  # the 30th in Berlin
    days = last_days(now, 3, berlin)
    assert [f"{day.date}" for day in days] == ["2026-03-28", "2026-03-29", "2026-03-30"]
    assert [(day.until - day.since) / timedelta(hours=1) for day in days] == [24, 23, 24]
    assert days[0].until == days[1].since
    [longer] = last_days(datetime(2026, 10, 25, 12, tzinfo=UTC), 1, berlin)
    assert longer.until - longer.since == timedelta(hours=25)


def test_costs_by_day_model_and_feed(db: Database) -> None:
    admit(db, item(1), item(2))
    admit(db, item(3), key="two")
    leases = [*db.leases.acquire("one", 2, LEASE_S), *db.leases.acquire("two", 1, LEASE_S)]
    calls = [(TODAY.since, 5), (TODAY.since, None), (TODAY.since - timedelta(microseconds=1), 2**40)]
    for lease, (at, micros) in zip(leases, calls, strict=True):
        db.budget.record(lease, answer(), CallDetails(at=at, run="backfill-1", micros=micros))
    costs = {(cost.day, cost.model, cost.feed): cost[3:] for cost in db.daily.costs(DAYS)}
    assert costs == {(TODAY, "m", "one"): (2, 1, 5), (YESTERDAY, "m", "two"): (1, 0, 2**40)}


def test_items_by_the_day_that_their_feeds_give_them(db: Database) -> None:
    admit(db, item(1), item(13), item(100), skipped=[(item(2), "too old: 9 days, at most 7")])
    admit(db, item(3), key="two")
    counts = {each[:3]: each.number for each in db.daily.items(DAYS)}
    assert counts == {
        (TODAY, "one", "seen"): 1, (TODAY, "one", "skipped"): 1, (TODAY, "two", "seen"): 1,
        (YESTERDAY, "one", "seen"): 1,
    }  # fmt: skip


def test_reasons_of_skipped_items_are_counted_by_cause(db: Database) -> None:
    thin = [(item(number), f"thin source: {number} of 200 characters") for number in (1, 2)]
    admit(db, skipped=[*thin, (item(3), "advertising"), (item(40), "advertising")])
    admit(db, key="two", skipped=[(item(4), "advertising"), (item(5), "advertising")])
    span = (TODAY.since, TODAY.until)
    assert db.daily.skip_reasons(*span) == [
        SkipReason("advertising", 3, ()),
        SkipReason("thin source", 2, ()),
    ]
    own = db.daily.skip_reasons(*span, "one")
    assert own == [
        SkipReason("thin source", 2, ("Item 1", "Item 2")),
        SkipReason("advertising", 1, ("Item 3",)),
    ]
    assert db.daily.skip_reasons(*span, "unknown") == []


def test_decisions_that_were_undone_do_not_count(db: Database) -> None:
    row, other = drafted(db, 1), drafted(db, 2)
    decided(db, row, "text")
    decided(db, other, "text")
    assert db.daily.decisions(DAYS)[TODAY]["approve"] == 2
    decided(db, row, "text", undo=True)
    counts = db.daily.decisions(DAYS)
    assert counts[TODAY]["approve"] == 1
    assert counts[YESTERDAY].total() == 0
    assert db.daily.decisions(()) == {}


def test_waiting_drafts_by_feed_and_age(db: Database) -> None:
    now = datetime.now(UTC)
    for number in (1, 2):
        drafted(db, number)
    minute = timedelta(minutes=1)
    [waiting] = db.daily.waiting([now + minute, now - minute])
    assert (waiting.feed, waiting.number, waiting.ages) == ("one", 2, (2, 0))
    assert now - minute < waiting.oldest < now + minute
    [without_ages] = db.daily.waiting()
    assert without_ages.ages == ()


def test_findings_of_waiting_drafts_by_kind_until_they_are_dismissed(db: Database) -> None:
    row, other = drafted(db, 1), drafted(db, 2)
    assert db.finding_counts.open() == ([OpenFindings("form", 2, 0, 2)], 2, 0)
    queries = [DraftQuery(kind="form"), DraftQuery(kind="form", findings="held"), DraftQuery(kind="figure")]
    assert [db.drafts.page(query).total for query in queries] == [2, 2, 0]
    [finding] = row.findings
    db.findings.acknowledge(row, finding, "it is so", "Ada", NOW, preset="checker-wrong")
    assert db.finding_counts.open() == ([OpenFindings("form", 1, 0, 1)], 1, 0)
    assert [draft.item_id for draft in db.drafts.page(queries[0]).rows] == [other.item_id]
    assert db.drafts.ids(queries[1]) == [other.external_id]
    wrong = [KindOutcomes(kind="form", dismissed={"checker-wrong": 1})]
    assert db.findings.outcomes(TODAY.since, TODAY.until) == wrong
    assert db.findings.outcomes(YESTERDAY.since, YESTERDAY.until) == []


def test_ends_without_a_time_are_in_every_period(db: Database) -> None:
    row = drafted(db, 1)
    db.findings.record_end(row, row.findings[0], "edited", "Ada", None)
    for period in (TODAY, YESTERDAY):
        [counted] = db.findings.outcomes(period.since, period.until)
        assert (counted.kind, counted.edited) == ("form", 1)
    assert len(db.metrics.snapshot(NOW).outcomes) == 1


def test_each_query_by_day_reads_an_index_alone(open_db: Open) -> None:
    """A page of a ledger of a million items would else read every row of the days."""
    import sqlalchemy as sa

    from pipeline.storage import daily

    db = open_db()
    if db._engine.dialect.name != "sqlite":
        pytest.skip("PostgreSQL's plan depends on its statistics: benchmarks/pages.py measures it")
    for query in (daily._COSTS, daily._ITEMS, daily._DECISIONS):
        compiled = query.compile(db._engine)
        with db._reading() as connection:
            plan = connection.execute(sa.text(f"EXPLAIN QUERY PLAN {compiled}".replace("?", "'2026'"))).all()
        assert any("COVERING INDEX" in row.detail for row in plan), plan
