"""Which redraft requests can be carried out now, and which text an editor saw last; on both databases."""

from collections.abc import Callable

import pytest

from pipeline.articles.files import sha256_of
from pipeline.domain.reviews import Draft
from pipeline.storage import SYSTEM_EDITOR, Database, DraftRow, FinishedRedraft, Save, StartableRedraft
from pipeline.storage.processes import current_owner
from tests.pipeline.storage.records import LEASE_S, NOW, admit, draft, feed, item

Open = Callable[..., Database]


@pytest.fixture
def db(open_db: Open) -> Database:
    opened = open_db()
    opened.feeds.sync([feed()])
    return opened


def drafted(db: Database, number: int) -> DraftRow:
    admit(db, item(number))
    [lease] = db.leases.acquire("one", 1, LEASE_S)
    db.leases.begin_write(lease, text := draft(lease, f"text {number}"))
    db.leases.confirm_write(lease)
    return db.drafts.get(text.external_id)


def rewrite(db: Database, row: DraftRow, text: str, number: int = 2) -> None:
    db.redrafts.request(row, "Ada", NOW, note="shorter", section="Overview")
    [lease] = db.leases.acquire("one", 9, LEASE_S, lease_filter="asked", only=[row.item_id])
    new = Draft(external_id=row.external_id, path=row.path, text=text)
    db.leases.begin_write(lease, new, number=number, cause="redraft")
    db.leases.confirm_write(lease)


def test_a_request_can_be_carried_out_unless_a_living_process_works_on_its_item(
    db: Database, open_db: Open
) -> None:
    rows = [drafted(db, number) for number in range(4)]
    numbers = [db.redrafts.request(row, "Ada", NOW) for row in rows[:3]]
    own = db.redrafts.request(rows[3], SYSTEM_EDITOR, NOW)
    admit(db, item(9))
    every = [StartableRedraft(number, row.item_id, "one") for number, row in zip(numbers, rows, strict=False)]
    assert db.redrafts.startable() == every, "those of the system are for runs, and so are new items"
    assert db.redrafts.pending_ids(SYSTEM_EDITOR) == [own]
    assert db.redrafts.counts() == {"one": 4}

    elsewhere = open_db("elsewhere.example|boot|1|1")
    [lease] = elsewhere.leases.acquire("one", 9, LEASE_S, lease_filter="asked", only=[rows[0].item_id])
    assert db.redrafts.startable() == every[1:]
    elsewhere.leases.renew([lease], -1)
    assert db.redrafts.startable() == every, "its lease has expired"

    dead = open_db("|".join((*current_owner().split("|")[:2], "999999999", "1")))
    dead.leases.acquire("one", 9, LEASE_S, lease_filter="asked", only=[rows[1].item_id])
    assert db.redrafts.startable() == every
    [taken] = db.leases.acquire("one", 9, LEASE_S, lease_filter="asked", only=[rows[1].item_id])
    assert db.redrafts.startable() == [every[0], every[2]]
    db.leases.keep_current(taken, "the model refuses")
    assert db.redrafts.startable() == [every[0], every[2]]
    assert db.redrafts.last_finished(rows[1].item_id) is not None
    assert db.redrafts.last_finished(rows[0].item_id) is None


def test_the_last_finished_request_has_its_note_and_outcome(db: Database) -> None:
    row = drafted(db, 1)
    rewrite(db, row, "second")
    finished = db.redrafts.last_finished(row.item_id)
    assert finished
    assert finished == FinishedRedraft("Ada", "shorter", "Overview", finished.done_at, "written")


def test_the_last_text_that_an_editor_saw_or_wrote_is_known(db: Database) -> None:
    row = drafted(db, 1)

    def viewed(editor: str, current: str) -> tuple[str, bool] | None:
        version = db.versions.last_viewed(row.item_id, editor, sha256_of(current.encode()))
        return version and (version.text, version.redrafted_since)

    assert viewed("Ada", "text 1") is None
    db.reviews.record_view(row.item_id, "Ada", sha256_of(b"text 1"), NOW)
    assert viewed("Ada", "text 1") is None
    rewrite(db, row, "second")
    assert viewed("Ada", "second") == ("text 1", True)
    assert viewed("Ben", "second") is None
    db.reviews.record_view(row.item_id, "Ada", sha256_of(b"second"), NOW)
    assert viewed("Ada", "second") == ("text 1", True), "it is shown as long as it is the last text"

    edited = Draft(external_id=row.external_id, path=row.path, text="third")
    save = Save(base=sha256_of(b"second"))
    db.versions.confirm_save(db.versions.begin_save(db.drafts.get(row.external_id), edited, "Ben", save))
    assert viewed("Ada", "third") == ("second", False)
    assert viewed("Ben", "third") is None, "it is Ben's own"
    rewrite(db, db.drafts.get(row.external_id), "fourth", 3)
    assert viewed("Ben", "fourth") == ("third", True)
