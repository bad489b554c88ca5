"""How many items of a feed wait to be drafted, and why; on both databases."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from pipeline.domain.models import external_id
from pipeline.storage import Database, FeedBacklog
from tests.pipeline.storage.records import LEASE_S, NOW, admit, draft, feed, item

LATER = NOW + timedelta(hours=1)


@pytest.fixture
def db(open_db: Callable[..., Database]) -> Database:
    """Five items: 1 is drafted, 2 waits for its page, 3 failed once, 4 for good, 5 was not tried."""
    opened = open_db()
    opened.feeds.sync([feed(), feed("two")])
    admit(opened, *(item(number) for number in range(1, 6)))
    drafted, waits, failed, gone = opened.leases.acquire("one", 4, LEASE_S)
    opened.leases.begin_write(drafted, draft(drafted))
    opened.leases.confirm_write(drafted)
    opened.leases.postpone(waits, "no page", LATER)
    opened.leases.fail(failed, "overloaded", retry=True)
    opened.leases.fail(gone, "refused", retry=False)
    return opened


def test_each_item_that_waits_is_in_one_count(db: Database) -> None:
    assert db.items.backlogs(NOW) == {"one": FeedBacklog(queued=1, waiting=1, failed=1)}
    assert db.items.backlogs(NOW)["one"].total == 3
    assert db.items.backlogs(LATER + LATER.resolution)["one"] == FeedBacklog(queued=2, waiting=0, failed=1)


def test_a_requested_redraft_is_queued_once(db: Database) -> None:
    row = db.drafts.get(external_id("one", "guid-1"))
    db.redrafts.request(row, "Ada", NOW)
    assert db.items.backlogs(NOW)["one"] == FeedBacklog(queued=2, waiting=1, failed=1)


def test_a_window_counts_what_was_published_in_it(db: Database) -> None:
    hours = [NOW - timedelta(hours=number) for number in range(7)]
    assert db.items.backlogs(NOW, window=(hours[2], hours[1])) == {"one": FeedBacklog(waiting=1)}
    assert db.items.backlogs(NOW, window=(hours[3], None)) == {"one": FeedBacklog(waiting=1, failed=1)}
    assert db.items.backlogs(NOW, window=(None, hours[4])) == {"one": FeedBacklog(queued=1)}
    assert db.items.backlogs(NOW, window=(hours[1], hours[0])) == {}
