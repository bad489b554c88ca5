"""Published articles are found by words, in the order of their approvals, on both databases."""

from collections.abc import Callable

import pytest

from pipeline.domain.reviews import Draft, Review, ReviewDecision
from pipeline.storage import Database, Move
from tests.pipeline.storage.approvals import decided, drafted
from tests.pipeline.storage.records import NOW, admit, feed, item


@pytest.fixture
def db(open_db: Callable[..., Database]) -> Database:
    db = open_db()
    db.feeds.sync([feed()])
    for number in (1, 2, 3):
        text = f"---\ntitle: 'It''s {number}'\n---\nÜber 100% of_{number} \\ Mills.\n"
        decided(db, drafted(db, number), text)
    return db


def found(db: Database, *words: str) -> list[str]:
    return [row.title for row in db.published.page(words).rows]


def test_all_words_count_in_any_case_and_signs_are_only_signs(db: Database) -> None:
    assert found(db) == ["Item 3", "Item 2", "Item 1"]
    assert found(db, "mills", "OF_2") == ["Item 2"]
    assert found(db, "über") == found(db, "ÜBER") == found(db, "100%") == found(db, "\\") == found(db)
    assert found(db, "it's") == found(db)
    assert found(db, "100_") == found(db, "nothing") == []


def test_a_changed_source_comes_first_and_pages_follow_each_other(db: Database) -> None:
    admit(db, updated=[item(1, text="Now it says more.")])
    whole = db.published.page()
    assert [row.title for row in whole.rows] == ["Item 1", "Item 3", "Item 2"]
    assert (whole.total, whole.changed, whole.rows[0].changed) == (3, 1, True)
    one_each = [db.published.page(limit=1, offset=at).rows for at in range(4)]
    assert [row.title for rows in one_each for row in rows] == ["Item 1", "Item 3", "Item 2"]
    assert [row.title for row in db.published.page(["mills"], limit=1, offset=1).rows] == ["Item 3"]


def test_what_is_not_published_any_more_is_left_out(db: Database) -> None:
    [third, second, first] = db.published.page().rows
    decided(db, db.drafts.get(third.external_id), "back", undo=True)
    row = db.drafts.get(second.external_id)
    taken = Review(decision=ReviewDecision.UNPUBLISH, by="Ada", at=NOW, sha256="before")
    db.reviews.confirm(db.reviews.begin(row, taken, Move(row.path, f"drafts/{second.item_id}", "d", "d")))
    page = db.published.page()
    assert ([row.title for row in page.rows], page.total) == (["Item 1"], 1)
    assert db.publications.requeue(second.item_id, ["site"], NOW) == 0
    row = db.drafts.get(first.external_id)
    revision = Draft(external_id=row.external_id, path="drafts/r.md", text="again")
    db.versions.confirm_save(db.versions.begin_revision(row, revision, "Ben"))
    [row_of_revised] = db.published.page().rows
    assert row_of_revised.has_revision
    assert db.published.page().total == 1


def test_the_last_publication_of_each_target_is_told(db: Database) -> None:
    [row, *_] = db.published.page().rows
    db.publications.requeue(row.item_id, ["site"], NOW)
    latest = db.publications.latest([row.item_id])
    assert {each.target: each.done_at for each in latest[row.item_id]} == {"site": None, "repo": None}
    assert db.publications.latest([]) == {}
