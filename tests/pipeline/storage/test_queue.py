"""The index of drafts behind the desk's queue: order, search, work, erasure; on both databases."""

from collections.abc import Callable
from datetime import timedelta

import pytest
import sqlalchemy as sa
from alembic.migration import MigrationContext
from alembic.operations import Operations

from pipeline.articles.files import sha256_of
from pipeline.domain.reviews import Draft, Finding, Review, ReviewDecision, Severity
from pipeline.storage import Database, DraftQuery, DraftRow, Move, Save
from pipeline.storage.draft_index import fold, parts_of, search_terms
from pipeline.storage.migrations.versions import v0016_draft_index
from pipeline.storage.schema import draft_index, draft_terms
from tests.pipeline.storage.records import LEASE_S, NOW, admit, draft, feed, item

Open = Callable[..., Database]
MUST = Finding(kind="name", severity=Severity.BLOCK, message="Who?", key="b1")
LOOK = Finding(kind="date", severity=Severity.WARN, message="Which day?", key="k2")
_FRONT = "---\ntitle: Seven storks\ndescription: 'They fly\n  over Ärö'\nlang: en\n---\n"
TEXT = f"{_FRONT}\nThe STRASSE was long.\n"


@pytest.fixture
def db(open_db: Open) -> Database:
    opened = open_db()
    opened.feeds.sync([feed("one"), feed("two")])
    return opened


def drafted(db: Database, number: int, *findings: Finding, text: str = TEXT, title: str = "") -> DraftRow:
    admit(db, item(number, **({"title": title} if title else {})))
    [lease] = db.leases.acquire("one", 1, LEASE_S)
    made = draft(lease, text).model_copy(update={"findings": findings})
    db.leases.begin_write(lease, made)
    db.leases.confirm_write(lease)
    return db.drafts.get(made.external_id)


def save(db: Database, row: DraftRow, text: str, *, aside: bool = False) -> None:
    edited = Draft(external_id=row.external_id, path=row.path, text=text)
    base = sha256_of(row.version_text.encode())
    db.versions.confirm_save(db.versions.begin_save(row, edited, "Ada", Save(base=base)), aside=aside)


def approve(db: Database, row: DraftRow) -> DraftRow:
    review = Review(decision=ReviewDecision.APPROVE, by="Ada", at=NOW, sha256="0" * 64)
    path = f"published/{row.path.partition('/')[2]}"
    move = Move(row.path, path, row.version_text, sha256_of(row.version_text.encode()))
    db.reviews.confirm(db.reviews.begin(row, review, move))
    return db.drafts.get(row.external_id)


def found(db: Database, words: str) -> set[str]:
    return set(db.drafts.ids(DraftQuery(words=tuple(words.split()))))


def wait_since(db: Database, row: DraftRow, minutes: int) -> None:
    with db.drafts._writing() as connection:
        mine = draft_index.update().where(draft_index.c.item_id == row.item_id)
        connection.execute(mine.values(since=NOW - timedelta(minutes=minutes)))


def test_every_word_is_found_in_title_or_text_in_any_script(db: Database) -> None:
    row = drafted(db, 1, title="Брат Ёж").external_id
    other = drafted(db, 2, text=TEXT.replace("STRASSE", "Ιδέα"), title="Ox").external_id
    assert found(db, "storks") == {row, other}
    for words in ("straße", "STRASSE long", "БРАТ", "ё", "ärö брат", "tork straß"):
        assert found(db, words) == {row}, words
    assert found(db, "ΙΔΈΑ over") == {other}
    for words in ("lang", "description", "%", "_", "straße ox", "\\", "'"):
        assert found(db, words) == set(), words


def test_a_query_is_folded_as_the_index_is() -> None:
    assert fold("e\u0301Ａß") == fold("\u00e9ASS")
    assert search_terms("One  one TWO") == ("one", "two")
    assert parts_of("no front matter") == ("", "no front matter")
    assert parts_of("---\r\ntitle: A\r\n---\r\nB") == ("A", "B")
    assert parts_of("---\ntitle: 'It''s'\n---\n") == ("It's", "")


def test_the_last_text_is_searched_and_no_other(db: Database) -> None:
    row = drafted(db, 1)
    save(db, row, TEXT.replace("STRASSE", "avenue"))
    assert (found(db, "strasse"), found(db, "avenue")) == (set(), {row.external_id})
    save(db, row, TEXT.replace("STRASSE", "alley"), aside=True)
    assert (found(db, "alley"), found(db, "avenue")) == (set(), {row.external_id})
    refused = Draft(external_id=row.external_id, path=row.path, text="refused")
    db.versions.add_refused(row, refused, "Ada", base="0" * 64, form="f")
    assert (found(db, "refused"), found(db, "avenue")) == (set(), {row.external_id})


def test_revisions_are_first_then_what_waits_longest(db: Database) -> None:
    rows = [drafted(db, number) for number in (1, 2, 3)]
    for row, minutes in zip(rows, (5, 50, 20), strict=True):
        wait_since(db, row, minutes)
    first, second, third = (row.external_id for row in rows)
    waiting = DraftQuery(order="waiting")
    assert db.drafts.ids(waiting) == [second, third, first]
    page = db.drafts.page(waiting, limit=1)
    assert page.since == page.rows[0].since == NOW - timedelta(minutes=50)
    published = approve(db, rows[0])
    for order in ("waiting", "findings", "shortest"):
        decided = db.drafts.page(DraftQuery(state="approved", order=order))
        assert [row.external_id for row in decided.rows] == [first]
        assert (decided.total, decided.seconds, decided.since) == (1, 0, None)
    text = Draft(external_id=first, path=rows[0].path, text=TEXT)
    db.versions.confirm_save(db.versions.begin_revision(published, text, "Ada"))
    assert db.drafts.ids(waiting) == [first, second, third]
    assert [row.revision for row in db.drafts.page(waiting).rows] == [True, False, False]


def test_waiting_goes_on_through_edits(db: Database) -> None:
    row = drafted(db, 1)
    [before] = db.drafts.page(DraftQuery()).rows
    save(db, row, TEXT + "More.\n")
    [after] = db.drafts.page(DraftQuery()).rows
    assert after.since == before.since
    assert after.drafted_at > before.drafted_at
    assert after.words == before.words + 1


def test_the_work_is_that_of_all_that_match(db: Database) -> None:
    long = TEXT + "word " * 476
    short, wordy = drafted(db, 1, MUST, LOOK), drafted(db, 2, text=long)
    page = db.drafts.page(DraftQuery(order="waiting"), limit=1)
    assert (page.total, page.seconds) == (2, 1 + 20 + 10 + 120)
    assert db.drafts.ids(DraftQuery(order="shortest")) == [short.external_id, wordy.external_id]
    assert db.drafts.page(DraftQuery(findings="clean")).seconds == 120
    db.findings.acknowledge(short, MUST, "known", "Ada", NOW)
    assert db.drafts.page(DraftQuery(findings="warned")).seconds == 11
    beyond = db.drafts.page(DraftQuery(), limit=5, offset=10)
    assert (beyond.rows, beyond.total) == ((), 2)
    nothing = db.drafts.page(DraftQuery(words=("nowhere",)))
    assert (nothing.rows, nothing.total, nothing.seconds, nothing.since) == ((), 0, 0, None)
    assert nothing.counts.states == {"drafted": 2}


def test_drafts_of_other_feeds_are_left_out(db: Database) -> None:
    drafted(db, 1)
    assert db.drafts.page(DraftQuery(feeds=("two",), order="waiting")).total == 0
    assert db.drafts.page(DraftQuery(feeds=("one", "two"), order="waiting")).total == 1


def test_details_are_open_findings_with_what_they_quote(db: Database) -> None:
    quoting = LOOK.model_copy(update={"kind": "pair", "evidence": ((0, 4),), "key": "p"})
    note = Finding(kind="form", severity=Severity.NOTE, message="Short.", key="n")
    row, plain = drafted(db, 1, MUST, quoting, note), drafted(db, 2, LOOK)
    db.findings.acknowledge(row, MUST, "known", "Ada", NOW)
    db.reviews.record_view(row.item_id, "Ada", sha256_of(TEXT.encode()), NOW)
    details = db.drafts.details([row.item_id, plain.item_id], "Ada")
    mine = details[row.item_id]
    assert [finding.kind for finding in mine.findings] == ["pair"]
    assert (mine.text, mine.source, mine.viewed) == (TEXT, row.item.text, True)
    assert (details[plain.item_id].source, details[plain.item_id].viewed) == ("", False)
    assert not db.drafts.details([row.item_id], "Ola")[row.item_id].viewed
    assert db.drafts.details([], "Ada") == {}


_BEFORE = (
    "DROP TABLE draft_index", "DROP TABLE draft_terms", "DROP INDEX findings_version",
    "CREATE INDEX findings_version ON findings (version_id)",
)  # fmt: skip
"""Takes the index away, as a ledger of before has none."""


def test_drafts_of_before_are_found_after_an_upgrade(db: Database, open_db: Open) -> None:
    row, other = drafted(db, 1, MUST), drafted(db, 2, text="text", title="Ox")
    save(db, row, TEXT.replace("STRASSE", "avenue"))
    published = approve(db, other)
    text = Draft(external_id=other.external_id, path=other.path, text="it's text")
    db.versions.confirm_save(db.versions.begin_revision(published, text, "Ada"))
    before = db.drafts.page(DraftQuery(order="waiting"))
    with db.drafts._writing() as connection:
        for statement in _BEFORE:
            connection.exec_driver_sql(statement)
        with Operations.context(MigrationContext.configure(connection)):
            v0016_draft_index.upgrade()
    upgraded = open_db()
    assert upgraded.drafts.page(DraftQuery(order="waiting")) == before
    assert found(upgraded, "AVENUE storks ärö") == {row.external_id}
    assert found(upgraded, "ox it's") == {other.external_id}
    assert found(upgraded, "strasse") == set()


def test_no_word_of_what_is_forgotten_can_be_searched(db: Database) -> None:
    row = drafted(db, 1)
    canonical = row.item.canonical
    assert canonical is not None
    db.erasure.begin(canonical, NOW)
    db.erasure.finish(canonical)
    with db.drafts._reading() as connection:
        for table in (draft_index, draft_terms):
            assert connection.scalar(sa.select(sa.func.count()).select_from(table)) == 0
    assert found(db, "storks") == set()
