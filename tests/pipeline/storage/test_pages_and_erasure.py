"""Pages are kept for a while; what is to be forgotten leaves no text behind and never comes back."""

from collections.abc import Callable
from datetime import timedelta

import pytest
import sqlalchemy as sa

from pipeline.domain.errors import ReviewError
from pipeline.storage import CoverRow, Database
from pipeline.storage.schema import metadata
from tests.pipeline.storage.records import LEASE_S, NOW, admit, answer, draft, feed, item

Open = Callable[..., Database]
URL = "https://news.example/1"
SECRET = "Something that somebody wants to be gone."


@pytest.fixture
def db(open_db: Open) -> Database:
    opened = open_db()
    opened.feeds.sync([feed()])
    return opened


def test_a_page_is_kept_until_it_is_pruned(db: Database) -> None:
    assert db.caches.page(URL) is None
    db.caches.save_page(URL, "first", None, NOW)
    db.caches.save_page(URL, None, "paywall", NOW + timedelta(days=2))
    row = db.caches.page(URL)
    assert row is not None
    assert (row.payload, row.error, row.at) == (None, "paywall", NOW + timedelta(days=2))
    assert db.caches.prune(NOW + timedelta(days=1)) == 0
    assert db.caches.prune(NOW + timedelta(days=3)) == 1
    assert db.caches.page(URL) is None


def test_an_image_is_kept_until_it_is_pruned(db: Database) -> None:
    image = CoverRow(at=NOW, media_type="image/png", data=bytes(range(256)), error=None)
    failure = CoverRow(at=NOW + timedelta(days=2), media_type=None, data=None, error="gone")
    assert db.caches.cover(URL) is None
    db.caches.save_cover(URL, failure)
    db.caches.save_cover(URL, image)
    assert db.caches.cover(URL) == image
    db.caches.save_cover(f"{URL}?2", failure)
    assert db.caches.prune(NOW + timedelta(days=1)) == 1
    assert (db.caches.cover(URL), db.caches.cover(f"{URL}?2")) == (None, failure)


def test_forgetting_deletes_the_images_of_every_version_and_no_other(db: Database) -> None:
    own, written, other = (f"https://images.example/{name}.png" for name in ("own", "written", "other"))
    admit(db, item(1, image=own), item(2))
    [lease, second] = db.leases.acquire("one", 2, LEASE_S)
    db.leases.begin_write(lease, draft(lease, f"coverImage: '{written}'"))
    db.leases.confirm_write(lease)
    db.leases.release([second])
    for url in (own, written, other):
        db.caches.save_cover(url, CoverRow(at=NOW, media_type="image/png", data=b"x", error=None))
    db.erasure.begin(URL, NOW)
    db.erasure.finish(URL)
    assert [bool(db.caches.cover(url)) for url in (own, written, other)] == [False, False, True]


def test_what_is_forgotten_leaves_no_text_anywhere(db: Database) -> None:
    admit(db, item(1, text=SECRET, title=SECRET), item(2))
    [lease, other] = db.leases.acquire("one", 2, LEASE_S)
    db.budget.record(lease, answer(SECRET))
    db.caches.save_page(URL, SECRET, None, NOW)
    db.caches.save_page(f"{URL}\n.article", SECRET, None, NOW)
    db.leases.begin_write(lease, draft(lease, SECRET))
    db.leases.confirm_write(lease)
    db.leases.release([other])
    kept = db.drafts.get(draft(lease).external_id)
    db.versions.add_refused(kept, draft(lease, f"{SECRET} Edited."), "Ada", base="", form="")
    db.reviews.record_view(kept.item_id, SECRET, kept.path, NOW)
    assert db.erasure.begin(URL, NOW) == [draft(lease).path]
    db.erasure.finish(URL)
    with db._engine.connect() as connection:
        for table in metadata.sorted_tables:
            for row in connection.execute(sa.select(table)):
                assert SECRET not in str(row), table.name
    assert db.feeds.item_counts() == {"one": {"forgotten": 1, "seen": 1}}
    assert db.items.existing("one", [], [URL, "https://news.example/2"]).forgotten == {URL}
    with pytest.raises(ReviewError, match="forgotten"):
        db.versions.add_refused(kept, draft(lease, SECRET), "Ada", base="", form="")


def test_forgetting_half_done_is_finished_by_doing_it_again(db: Database) -> None:
    admit(db, item(1))
    [lease] = db.leases.acquire("one", 1, LEASE_S)
    db.leases.begin_write(lease, draft(lease))
    db.leases.confirm_write(lease)
    paths = db.erasure.begin(URL, NOW)
    assert db.erasure.begin(URL, NOW) == paths
    db.erasure.finish(URL)
    assert db.erasure.begin(URL, NOW) == []


def test_what_a_run_works_on_is_not_forgotten_under_its_hands(db: Database) -> None:
    admit(db, item(1))
    db.leases.acquire("one", 1, LEASE_S)
    with pytest.raises(ReviewError, match="when the run is over"):
        db.erasure.begin(URL, NOW)
