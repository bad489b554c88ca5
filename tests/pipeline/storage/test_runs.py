"""The record of runs: begun, ended once, killed, listed and counted by day."""

import platform
from collections.abc import Callable
from datetime import UTC, timedelta

import pytest

from pipeline.domain.days import last_days
from pipeline.storage import CallDetails, Database, FeedActivity, RunSummary
from pipeline.storage.runs import MAX_AGE
from tests.pipeline.storage.records import LEASE_S, NOW, admit, answer, draft, feed, item

Open = Callable[..., Database]
DEAD = f"{platform.node()}|an earlier boot|1|1"
ELSEWHERE = "another-host|boot|1|1"
MINUTE = timedelta(minutes=1)


@pytest.fixture
def db(open_db: Open) -> Database:
    return open_db()


def test_a_run_that_ends_is_told_with_what_it_did(db: Database) -> None:
    db.runs.begin("ingest-1", "ingest", NOW, "https://prefect.example/1")
    running = db.runs.get("ingest-1", NOW + MINUTE)
    assert running
    assert (running.state, running.ended_at, running.page) == ("running", None, "https://prefect.example/1")
    feeds = (FeedActivity(feed="one", drafted=2, drafts=("a", "b"), causes={"why\0": 1}, error="e"),)
    db.runs.end("ingest-1", RunSummary(drafted=2, micros=2**40, feeds=feeds), NOW + MINUTE)
    ended = db.runs.get("ingest-1", NOW + MINUTE)
    assert ended
    assert (ended.state, ended.drafted, ended.micros, ended.ended_at) == ("done", 2, 2**40, NOW + MINUTE)
    assert ended.feeds[0].drafts == ("a", "b")
    assert db.runs.get("ingest-2", NOW) is None


def test_the_first_end_counts(db: Database) -> None:
    db.runs.begin("ingest-1", "ingest", NOW)
    db.runs.end("ingest-1", RunSummary(drafted=2, stopped="the cap is reached"), NOW)
    db.runs.end("ingest-1", RunSummary(stopped="the database is gone"), NOW)
    db.runs.end("never-begun", RunSummary(), NOW)
    [run] = db.runs.between(NOW, NOW + MINUTE, NOW, limit=9)
    assert (run.state, run.drafted, run.stopped) == ("stopped", 2, "the cap is reached")


def test_a_run_whose_process_is_dead_did_not_end(open_db: Open) -> None:
    open_db(DEAD).runs.begin("ingest-1", "ingest", NOW)
    open_db(ELSEWHERE).runs.begin("ingest-2", "ingest", NOW + MINUTE)
    db = open_db()
    states = [run.state for run in db.runs.between(NOW, NOW + 2 * MINUTE, NOW + MINUTE, limit=9)]
    assert states == ["running", "lost"], "of another host nothing is known"
    later = NOW + timedelta(days=2)
    assert [run.state for run in db.runs.between(NOW, later, later, limit=9)] == ["lost", "lost"]


def test_a_run_of_more_than_a_day_is_under_way_while_its_process_lives(open_db: Open) -> None:
    db = open_db()
    db.runs.begin("backfill-1", "backfill", NOW)
    later = NOW + timedelta(days=2)
    assert [run.state for run in db.runs.between(NOW, later, later, limit=9)] == ["running"]


def test_a_run_that_ends_by_an_error_has_no_report_and_yet_a_cost(db: Database) -> None:
    db.feeds.sync([feed()])
    admit(db, item(1), item(2), item(3))
    db.runs.begin("ingest-1", "ingest", NOW)
    running = db.runs.get("ingest-1", NOW)
    assert running
    assert not running.is_reported
    calls = [("ingest-1", NOW, 7), ("ingest-1", NOW + MINUTE, None), ("ingest-2", NOW, 9)]
    for lease, (run, at, micros) in zip(db.leases.acquire("one", 3, LEASE_S), calls, strict=True):
        db.budget.record(lease, answer(), CallDetails(at=at, run=run, micros=micros))
    assert db.runs.cost(running, NOW + MINUTE) == (2, 1, 7)
    db.runs.fail("ingest-1", "the database is gone", 2, NOW)
    db.runs.end("ingest-1", RunSummary(drafted=2), NOW)
    [failed] = db.runs.between(NOW, NOW + MINUTE, NOW, limit=9)
    assert (failed.state, failed.stopped, failed.exit_code) == ("stopped", "the database is gone", 2)
    assert (failed.is_reported, failed.drafted) == (False, 0)
    assert db.runs.cost(failed, NOW + MINUTE) == (1, 0, 7), "later calls are not those of the run"
    db.runs.begin("ingest-3", "ingest", NOW)
    db.runs.end("ingest-3", RunSummary(), NOW)
    ended = db.runs.get("ingest-3", NOW)
    assert ended
    assert ended.is_reported


def test_runs_are_counted_on_the_day_on_which_they_began(open_db: Open) -> None:
    db, days = open_db(), last_days(NOW, 3, UTC)
    for number, (back, stopped) in enumerate([(0, None), (0, None), (1, "cap"), (3, None)]):
        db.runs.begin(f"ingest-{number}", "ingest", NOW - timedelta(days=back))
        db.runs.end(f"ingest-{number}", RunSummary(stopped=stopped), NOW)
    open_db(DEAD).runs.begin("ingest-9", "ingest", NOW - timedelta(days=1))
    counts = {(each.day, each.state): each.count for each in db.runs.counts(days, NOW)}
    assert counts == {(days[2], "done"): 2, (days[1], "stopped"): 1, (days[1], "lost"): 1}
    assert db.runs.counts((), NOW) == []


def test_runs_of_the_year_before_last_are_deleted(db: Database) -> None:
    db.runs.begin("ingest-1", "ingest", NOW - MAX_AGE - MINUTE)
    db.runs.begin("ingest-2", "ingest", NOW)
    every = db.runs.between(NOW - 2 * MAX_AGE, NOW + MINUTE, NOW, limit=9)
    assert [run.name for run in every] == ["ingest-2"]


def test_titles_are_those_of_stored_items(db: Database) -> None:
    db.feeds.sync([feed()])
    admit(db, item(1))
    [lease] = db.leases.acquire("one", 1, LEASE_S)
    ref = draft(lease).external_id
    assert {ref: title for ref, (_, title) in db.items.by_external_ids(["x", ref]).items()} == {ref: "Item 1"}
