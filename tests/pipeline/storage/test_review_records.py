"""What the ledger keeps of a review: shown sections, ends of findings, records; on both databases."""

from collections.abc import Callable
from datetime import timedelta

import pytest
import sqlalchemy as sa

from pipeline.articles.files import sha256_of
from pipeline.domain.review_records import ReviewRecord
from pipeline.domain.reviews import Finding, Review, ReviewDecision, Severity
from pipeline.storage import Database, DraftRow, Move, RecordedReview, schema
from tests.pipeline.storage.approvals import drafted
from tests.pipeline.storage.records import NOW, feed

LATER = NOW + timedelta(hours=1)
NAME = Finding(kind="name", severity=Severity.BLOCK, message="Who?", key="n1")
DATE = Finding(kind="date", severity=Severity.WARN, message="Which day?", key="d1")
OPEN = Finding(kind="pair", severity=Severity.WARN, message="Rose, fell.", key="p1")


@pytest.fixture
def db(open_db: Callable[..., Database]) -> Database:
    opened = open_db()
    opened.feeds.sync([feed("one")])
    return opened


@pytest.fixture
def row(db: Database) -> DraftRow:
    return drafted(db, 1)


def rows(db: Database, table: sa.Table) -> int:
    with db._reading() as connection:
        return connection.scalar(sa.select(sa.func.count()).select_from(table)) or 0


def record_of(row: DraftRow) -> ReviewRecord:
    return ReviewRecord(
        draft=row.external_id, decision=ReviewDecision.APPROVE, by="Ada", level="light", way="desk",
        text_sha256="before", source_sha256=row.source.content_hash, decided_at=NOW,
    )  # fmt: skip


def approve(db: Database, row: DraftRow, recorded: RecordedReview | None = None) -> None:
    verdict = Review(decision=ReviewDecision.APPROVE, by="Ada", at=NOW, sha256="before")
    path = row.path.replace("drafts/", "published/")
    move = Move(row.path, path, "approved", sha256_of(b"approved"))
    db.reviews.confirm(db.reviews.begin(row, verdict, move, recorded=recorded))


def undo(db: Database, row: DraftRow) -> None:
    row = db.drafts.get(row.external_id)
    verdict = Review(decision=ReviewDecision.UNDO, by="Ada", at=LATER, sha256="after")
    path = row.path.replace("published/", "drafts/")
    last = db.reviews.list(row.item_id)[-1].id
    move = Move(row.path, path, "text", sha256_of(b"text"), undoes=last)
    db.reviews.confirm(db.reviews.begin(row, verdict, move))


def test_shown_sentences_are_those_of_one_editor_and_one_draft(db: Database, row: DraftRow) -> None:
    other = drafted(db, 2)
    db.shown.record(row.item_id, "Ada", "Overview", ("a1", "b2"), NOW)
    assert db.shown.hashes(row.item_id, "Ada") == {"a1", "b2"}
    assert db.shown.hashes(row.item_id, "Ben") == db.shown.hashes(other.item_id, "Ada") == frozenset()


def test_a_section_that_adds_nothing_adds_no_row(db: Database, row: DraftRow) -> None:
    db.shown.record(row.item_id, "Ada", "Overview", ("a1", "b2"), NOW)
    db.shown.record(row.item_id, "Ada", "Overview", ("b2", "a1"), LATER)
    db.shown.record(row.item_id, "Ada", "Impact", ("a1",), LATER)
    db.shown.record(row.item_id, "Ada", "Empty", (), LATER)
    assert rows(db, schema.shown) == 1
    db.shown.record(row.item_id, "Ada", "Overview", ("a1", "c3"), LATER)
    assert db.shown.times(row.item_id, "Ada") == {"a1": NOW, "b2": NOW, "c3": LATER}


def test_two_processes_show_a_section_once(open_db: Callable[..., Database], row: DraftRow) -> None:
    one, other = open_db("one"), open_db("other")
    for each in (one, other):
        each.shown.record(row.item_id, "Ada", "Overview", ("a1",), NOW)
    assert rows(one, schema.shown) == 1


def test_what_is_shown_is_kept_without_times_where_none_are_wanted(db: Database, row: DraftRow) -> None:
    db.shown.record(row.item_id, "Ada", "Overview", ("a1",), None)
    assert db.shown.times(row.item_id, "Ada") == {"a1": None}
    db.reviews.record_view(row.item_id, "Ada", "hash", None)
    assert db.reviews.was_viewed(row.item_id, "Ada", "hash")
    assert db.reviews.opened_at(row.item_id, "Ada") is None
    db.findings.record_end(row, NAME, "edited", "Ada", None)
    assert [end.at for end in db.findings.ends(row.item_id)] == [None]


def test_a_draft_was_opened_when_its_first_text_was_shown(db: Database, row: DraftRow) -> None:
    assert db.reviews.opened_at(row.item_id, "Ada") is None
    db.reviews.record_view(row.item_id, "Ada", "second", LATER)
    db.reviews.record_view(row.item_id, "Ada", "first", NOW)
    assert db.reviews.opened_at(row.item_id, "Ada") == NOW
    assert db.reviews.opened_at(row.item_id, "Ben") is None


def test_a_finding_has_its_last_end(db: Database, row: DraftRow) -> None:
    db.findings.record_end(row, NAME, "edited", "Ada", NOW)
    db.findings.record_end(row, NAME, "taken", "Ben", LATER)
    db.findings.record_end(row, DATE, "edited", "Ada", LATER)
    ends = [(end.key, end.kind, end.outcome, end.by, end.at) for end in db.findings.ends(row.item_id)]
    assert ends == [("n1", "name", "taken", "Ben", LATER), ("d1", "date", "edited", "Ada", LATER)]
    db.findings.reopen(row, ["n1"])
    assert [end.key for end in db.findings.ends(row.item_id)] == ["d1"]


def test_equal_findings_are_dismissed_in_one_step_with_one_reason(db: Database, row: DraftRow) -> None:
    again = NAME.model_copy(update={"key": "n2"})
    db.findings.acknowledge(row, NAME, "known", "Ada", NOW, preset="common-knowledge", equal=(NAME, again))
    acknowledged = db.drafts.get(row.external_id).acknowledged
    assert {(each.key, each.reason, each.preset) for each in acknowledged} == {
        ("n1", "known", "common-knowledge"),
        ("n2", "known", "common-knowledge"),
    }


def test_the_record_is_stored_with_the_review(db: Database, row: DraftRow) -> None:
    record = record_of(row)
    approve(db, row, RecordedReview(record))
    [review] = db.reviews.list(row.item_id)
    assert review.record == record.canonical().decode()
    assert db.reviews.latest()[0].record is None, "it is not read for lists"


def test_what_an_approval_passes_ends_with_it_and_is_open_again_after_an_undo(
    db: Database, row: DraftRow
) -> None:
    approve(db, row, RecordedReview(record_of(row), passed=(DATE,), edited=(NAME,), at=NOW))
    ends = [(end.key, end.outcome, end.by) for end in db.findings.ends(row.item_id)]
    assert ends == [("n1", "edited", ""), ("d1", "passed", "Ada")]
    undo(db, row)
    assert [end.key for end in db.findings.ends(row.item_id)] == ["n1"]


def test_ends_are_counted_by_kind_and_never_by_editor(db: Database, row: DraftRow) -> None:
    other = drafted(db, 2)
    assert db.findings.outcomes() == []
    for number, (each, preset) in enumerate(
        ((NAME, "checker-wrong"), (DATE, "derived"), (OPEN, "other"), (NAME, None)), 1
    ):
        finding = each.model_copy(update={"key": f"k{number}"})
        db.findings.acknowledge(row, finding, "r", f"editor {number}", NOW, preset=preset)
    db.findings.record_end(other, NAME, "taken", "Ada", NOW)
    db.findings.record_end(other, DATE, "edited", "Ada", NOW)
    db.findings.record_end(row, DATE.model_copy(update={"key": "k2"}), "edited", "Ada", NOW)
    approve(db, other, RecordedReview(record_of(other), passed=(OPEN,), at=NOW))
    names, dates, pairs = sorted(
        db.findings.outcomes(), key=lambda each: ("name", "date", "pair").index(each.kind)
    )
    assert (names.dismissed, names.taken, names.decided) == ({"checker-wrong": 1, "other": 1}, 1, 3)
    assert (dates.dismissed, dates.edited, dates.false_alarm_rate) == ({"derived": 1}, 1, 0.5)
    assert (pairs.dismissed, pairs.passed, pairs.false_alarms) == ({"other": 1}, 1, 0)
    db.findings.withdraw(row, "k1", "Ada", NOW)
    assert {each.kind: each.false_alarms for each in db.findings.outcomes()}["name"] == 0
    assert db.metrics.snapshot(NOW).outcomes == tuple(db.findings.outcomes())


def test_nothing_is_kept_of_an_erased_item(db: Database, row: DraftRow) -> None:
    db.shown.record(row.item_id, "Ada", "Overview", ("a1",), NOW)
    db.findings.record_end(row, NAME, "edited", "Ada", NOW)
    canonical = str(row.item.canonical)
    db.erasure.begin(canonical, NOW)
    db.erasure.finish(canonical)
    db.shown.record(row.item_id, "Ada", "A secret heading", ("b2",), NOW)
    db.findings.record_end(row, NAME, "edited", "Ada", NOW)
    assert (rows(db, schema.shown), rows(db, schema.finding_ends)) == (0, 0)
