"""Items that tell one story: siblings or one draft, an item under another guid, sources that change."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from pipeline.domain.models import Item
from pipeline.storage import Database, Policy
from tests.pipeline.storage.records import LEASE_S, NOW, admit, draft, feed, item

Open = Callable[..., Database]
ONE = Policy(merge_among=frozenset(("one", "two")))
HARBOUR = (
    "The port of Varnhem will close its northern basin for eleven weeks from 3 March, the harbour board "
    "said on Tuesday. Engineers found that the quay wall, built in 1961, had moved 14 centimetres "
    "towards the water since the last survey. About 40 fishing boats and two ferries have to use the "
    "southern basin in the meantime. Repairs will cost 6.2 million euros, of which the region pays "
    "half. 'We could have waited for the wall to decide for us', said harbour master Ines Falk. The "
    "ferry company expects delays of up to twenty minutes on weekdays and asked passengers to arrive "
    "earlier. A decision about the remaining 300 metres of the wall is expected in the autumn."
)


@pytest.fixture
def db(open_db: Open) -> Database:
    opened = open_db()
    opened.feeds.sync([feed(), feed("two")])
    return opened


def story(number: int, text: str = HARBOUR, **changes: object) -> Item:
    title = "Varnhem closes its northern basin for eleven weeks"
    return item(number, **{"title": title, "text": text, **changes})


def write(db: Database, key: str = "one") -> None:
    for lease in db.leases.acquire(key, 9, LEASE_S):
        db.leases.begin_write(lease, draft(lease))
        db.leases.confirm_write(lease)


def test_siblings_are_each_drafted_and_each_told_of_the_other(db: Database) -> None:
    admit(db, story(1))
    write(db)
    assert admit(db, story(2), key="two").new == 1
    [first] = db.drafts.list()
    assert any("two tells the same story" in finding.message for finding in first.findings)
    [lease] = db.leases.acquire("two", 1, LEASE_S)
    assert [(one.feed_key, one.state) for one in db.items.siblings(lease.item_id)] == [("one", "drafted")]
    assert [one.feed_key for one in db.drafts.get(first.external_id).siblings] == ["two"]


def test_one_draft_a_story_takes_the_later_ones_in(db: Database) -> None:
    admit(db, story(1), policy=ONE)
    assert admit(db, story(2), key="two", policy=ONE).merged == 1
    [lease] = db.leases.acquire("one", 1, LEASE_S)
    assert [(one.url, one.state) for one in db.items.siblings(lease.item_id)] == [
        ("https://news.example/2", "merged")
    ]
    assert db.leases.acquire("two", 1, LEASE_S) == []


def test_stories_of_one_poll_are_told_apart_and_joined_too(db: Database) -> None:
    other = "The council of Brodal adopted a budget of 310 million kroner after a debate of nine hours. " * 4
    admitted = admit(
        db, story(1), story(2, title="Brodal adopts its budget", text=other), key="one", policy=ONE
    )
    assert (admitted.new, admitted.merged) == (2, 0)


def test_an_old_story_is_not_taken_up_again(db: Database) -> None:
    admit(db, story(1), policy=ONE)
    later = story(2, published_at=NOW + timedelta(days=30))
    assert admit(db, later, key="two", policy=ONE).new == 1


def test_an_item_under_another_guid_is_the_same_item(db: Database) -> None:
    admit(db, story(1))
    write(db)
    again = story(
        1, guid="new-guid", link="https://news.example/moved", canonical="https://news.example/moved"
    )
    assert admit(db, again).merged == 1
    assert db.drafts.list()[0].findings[-1].kind != "source-updated", "its text did not change"
    corrected = again.model_copy(update={"text": HARBOUR.replace("6.2 million", "7.4 million")})
    assert admit(db, updated=[corrected]).updated == 1
    assert db.drafts.list()[0].findings[-1].kind == "source-updated"


def test_a_source_that_changes_after_drafting_is_flagged_so_many_times(db: Database) -> None:
    admit(db, story(1))
    write(db)
    policy = Policy(max_updates=2)
    counted = [
        admit(db, updated=[story(1, text=f"{HARBOUR} Update {n}.")], policy=policy).updated for n in range(4)
    ]
    assert counted == [1, 1, 0, 0]
    flags = [finding for finding in db.drafts.list()[0].findings if finding.kind == "source-updated"]
    assert len(flags) == 1, "one line is enough for the editor"


def test_a_source_that_changed_is_drafted_again_where_the_policy_says_so(db: Database) -> None:
    admit(db, story(1))
    write(db)
    before = db.drafts.list()[0]
    admit(db, updated=[story(1, text=f"{HARBOUR} The ferry now stops.")], policy=Policy(redraft=True))
    [lease] = db.leases.acquire("one", 1, LEASE_S)
    assert lease.updated is not None
    assert lease.updated.text.endswith("The ferry now stops.")
    assert lease.answer is None
    assert lease.previous is not None
    assert (lease.previous.path, lease.previous.version) == (before.path, 1)
    db.leases.keep_current(lease, "no answer")
    assert db.leases.acquire("one", 1, LEASE_S) == []
    assert db.drafts.list()[0].findings[-1].kind == "source-updated"


def test_a_duplicate_has_its_own_chance_once_the_first_turns_out_too_thin(db: Database) -> None:
    admit(db, item(1))
    admit(db, merged=[(item(1, guid="full", text=HARBOUR), ("one", "guid-1"))], key="two")
    [lease] = db.leases.acquire("one", 1, LEASE_S)
    db.leases.skip(lease, "thin source: 6 of 200 characters")
    assert db.feeds.item_counts() == {"one": {"skipped": 1}, "two": {"seen": 1}}
    [heir] = db.leases.acquire("two", 1, LEASE_S)
    assert heir.item.text == HARBOUR


def test_one_page_in_two_feeds_under_other_queries_is_drafted_once(db: Database) -> None:
    page = "https://news.example/basin"
    admit(db, story(1, canonical=f"{page}?cid=business"))
    assert admit(db, story(2, canonical=f"{page}?ref=politics-rss"), key="two").merged == 1
    assert admit(db, story(3, canonical="https://news.example/quay?cid=business"), key="two").new == 1
