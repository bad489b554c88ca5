"""Texts that open pages started from, on both databases."""

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from pipeline.articles.files import sha256_of
from pipeline.domain.reviews import Draft
from pipeline.storage import Database, DraftRow, Save
from pipeline.storage import page_texts as module
from pipeline.storage.schema import versions
from tests.pipeline.storage.test_desk import SITTING, db, drafted

__all__ = ["db"]


def sha(text: str) -> str:
    return sha256_of(text.encode())


def save(db: Database, row: DraftRow, text: str, *, form: str = "f", sent: str | None = None) -> None:
    before = db.drafts.get(row.external_id).version_text
    draft = Draft(external_id=row.external_id, path=row.path, text=text)
    how = Save(base=sha(before), session=SITTING, form=form, sent=sent)
    db.versions.confirm_save(db.versions.begin_save(row, draft, "Ada", how))


def base(db: Database, row: DraftRow, text: str, form: str = "", editor: str = "Ada") -> str | None:
    known = db.page_texts.base(row.item_id, sha(text), editor=editor, form=form)
    return known and known.text


def test_a_save_that_a_later_one_replaced_is_found_and_listed_nowhere(db: Database) -> None:
    row = drafted(db, 1)
    for text in ("one", "two", "three"):
        save(db, row, text)
    assert [version.text for version in db.versions.list(row.item_id)] == ["text 1", "three"]
    assert len(db.drafts.history(row.item_id)) == 2
    assert db.drafts.get(row.external_id).version_text == "three"
    assert "two" not in db.drafts.get(row.external_id).written_by_model
    assert [base(db, row, text) for text in ("text 1", "one", "two", "three", "no")] == [
        "text 1", "one", "two", "three", None,
    ]  # fmt: skip
    db.page_texts.drop(row.item_id)
    assert [base(db, row, text) for text in ("one", "three")] == [None, "three"]


def test_a_page_that_got_no_response_started_from_what_it_sent(db: Database) -> None:
    row = drafted(db, 1)
    save(db, row, "one")
    assert base(db, row, "text 1", "f") == "one"
    assert base(db, row, "text 1", "another page") == "text 1"
    assert base(db, row, "text 1", "f", editor="Ben") == "text 1"
    save(db, row, "merged", sent="two")
    assert base(db, row, "one", "f") == "two"
    assert base(db, row, "merged", "f") == "merged"
    assert base(db, row, "not known", "f") == "two"
    save(db, row, "four")
    assert base(db, row, "merged", "f") == "four"
    [found] = [db.page_texts.base(row.item_id, sha("merged"), editor="Ada", form="f")]
    assert found is not None
    assert found.own == sha("four")


def test_a_text_of_another_program_is_kept_once(db: Database) -> None:
    row = drafted(db, 1)
    for _ in range(2):
        db.page_texts.keep(row, "by vim")
    db.page_texts.keep(row, "text 1")
    with db._reading() as connection:
        count = sa.select(sa.func.count()).select_from(versions).where(versions.c.item_id == row.item_id)
        assert connection.scalar(count) == 2
    assert base(db, row, "by vim") == "by vim"
    assert len(db.versions.list(row.item_id)) == 1


def test_only_the_newest_texts_of_a_day_are_kept(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    row = drafted(db, 1)
    monkeypatch.setattr(module, "_MAX_ROWS", 3)
    for number in range(6):
        save(db, row, f"t{number}")
    assert [base(db, row, f"t{number}") for number in range(6)] == [None, None, "t2", "t3", "t4", "t5"]
    old = datetime.now(UTC) - timedelta(days=2)
    with db._writing() as connection:
        connection.execute(versions.update().where(versions.c.text == "t3").values(at=old))
    save(db, row, "t6")
    assert [base(db, row, f"t{number}") for number in range(2, 7)] == [None, None, "t4", "t5", "t6"]
