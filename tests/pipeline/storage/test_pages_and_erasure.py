"""Pages are kept for a while; what is to be forgotten leaves no text behind and never comes back."""

from collections.abc import Callable
from datetime import timedelta

import pytest
import sqlalchemy as sa

from pipeline.domain.errors import ReviewError
from pipeline.storage import Ledger
from pipeline.storage.schema import metadata
from tests.pipeline.storage.records import LEASE_S, NOW, admit, answer, draft, feed, item

Open = Callable[..., Ledger]
URL = "https://news.example/1"
SECRET = "Something that somebody wants to be gone."


@pytest.fixture
def ledger(open_ledger: Open) -> Ledger:
    opened = open_ledger()
    opened.sync_feeds([feed()])
    return opened


def test_a_page_is_kept_until_it_is_pruned(ledger: Ledger) -> None:
    assert ledger.page(URL) is None
    ledger.keep_page(URL, "first", None, NOW)
    ledger.keep_page(URL, None, "paywall", NOW + timedelta(days=2))
    row = ledger.page(URL)
    assert row is not None
    assert (row.payload, row.error, row.at) == (None, "paywall", NOW + timedelta(days=2))
    assert ledger.prune(NOW + timedelta(days=1)) == 0
    assert ledger.prune(NOW + timedelta(days=3)) == 1
    assert ledger.page(URL) is None


def test_what_is_forgotten_leaves_no_text_anywhere(ledger: Ledger) -> None:
    admit(ledger, item(1, text=SECRET, title=SECRET), item(2))
    [claim, other] = ledger.claim("one", 2, LEASE_S)
    ledger.record_answer(claim, answer(SECRET))
    ledger.keep_page(URL, SECRET, None, NOW)
    ledger.keep_page(f"{URL}\n.article", SECRET, None, NOW)
    ledger.intend(claim, draft(claim, SECRET))
    ledger.confirm(claim)
    ledger.release([other])
    kept = ledger.draft(draft(claim).external_id)
    ledger.keep_refused(kept, draft(claim, f"{SECRET} Edited."), "Ada", base="", form="")
    ledger.note_view(kept.item_id, SECRET, kept.path, NOW)
    assert ledger.begin_forgetting(URL, NOW) == [draft(claim).path]
    ledger.forget(URL)
    with ledger._engine.connect() as connection:
        for table in metadata.sorted_tables:
            for row in connection.execute(sa.select(table)):
                assert SECRET not in str(row), table.name
    assert ledger.counts() == {"one": {"forgotten": 1, "seen": 1}}
    assert ledger.known("one", [], [URL, "https://news.example/2"]).forgotten == {URL}
    with pytest.raises(ReviewError, match="forgotten"):
        ledger.keep_refused(kept, draft(claim, SECRET), "Ada", base="", form="")


def test_forgetting_half_done_is_finished_by_doing_it_again(ledger: Ledger) -> None:
    admit(ledger, item(1))
    [claim] = ledger.claim("one", 1, LEASE_S)
    ledger.intend(claim, draft(claim))
    ledger.confirm(claim)
    paths = ledger.begin_forgetting(URL, NOW)
    assert ledger.begin_forgetting(URL, NOW) == paths
    ledger.forget(URL)
    assert ledger.begin_forgetting(URL, NOW) == []


def test_what_a_run_works_on_is_not_forgotten_under_its_hands(ledger: Ledger) -> None:
    admit(ledger, item(1))
    ledger.claim("one", 1, LEASE_S)
    with pytest.raises(ReviewError, match="when the run is over"):
        ledger.begin_forgetting(URL, NOW)
