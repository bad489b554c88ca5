"""What the ledger promises, on both databases."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from pipeline.domain.errors import ConfigError, DatabaseError, LeaseLost, ReviewError
from pipeline.domain.models import PollState
from pipeline.domain.reviews import Review, ReviewDecision
from pipeline.storage import Database, Move
from tests.pipeline.storage.records import LEASE_S, NOW, admit, answer, draft, feed, item

Open = Callable[..., Database]
DEAD = "nobody's"


@pytest.fixture
def db(open_db: Open) -> Database:
    opened = open_db()
    opened.feeds.sync([feed(), feed("two")])
    return opened


def states(db: Database, key: str = "one") -> dict[str, int]:
    return db.feeds.item_counts().get(key, {})


def test_a_poll_is_taken_in_once_with_its_validators(db: Database) -> None:
    first = admit(db, item(1), item(2), etag='"a"', skipped=[(item(3), "too old")])
    assert (first.new, first.skipped) == (2, 1)
    assert db.feeds.poll_states()["one"].etag == '"a"'
    again = admit(db, item(1), item(2), etag='"b"', skipped=[(item(3), "too old")])
    assert (again.new, again.skipped) == (0, 0)
    assert db.feeds.poll_states()["one"].etag == '"b"'
    assert states(db) == {"seen": 2, "skipped": 1}


def test_known_items_are_told_by_guid_and_by_canonical_url(db: Database) -> None:
    admit(db, *(item(number) for number in range(1200)))
    guids = [f"guid-{number}" for number in range(1300)]
    known = db.items.existing("one", guids, []).guids
    assert len(known) == 1200
    assert known["guid-7"][:2] == ("seen", item(7).content_hash)
    assert db.items.existing("two", guids, []).guids == {}
    assert db.items.existing("one", [], ["https://news.example/7", "https://news.example/x"]).canonicals == {
        "https://news.example/7": ("one", "guid-7")
    }


def test_one_canonical_url_is_drafted_once_whoever_comes_first(db: Database) -> None:
    admit(db, item(1))
    assert admit(db, item(1, guid="other"), key="two").merged == 1
    assert states(db, "two") == {"merged": 1}
    assert admit(db, merged=[(item(1, guid="third"), ("one", "guid-1"))], key="two").merged == 1


def test_a_skipped_item_that_is_wanted_now_is_queued(db: Database) -> None:
    admit(db, skipped=[(item(1), "too old")])
    assert admit(db, item(1)).new == 1
    assert states(db) == {"seen": 1}


def test_an_update_is_taken_over_until_work_begins_and_marked_afterwards(db: Database) -> None:
    admit(db, item(1))
    admit(db, updated=[item(1, text="better")])
    [lease] = db.leases.acquire("one", 1, LEASE_S)
    assert lease.item.text == "better"
    admit(db, updated=[item(1, text="best")])
    db.leases.begin_write(lease, draft(lease))
    db.leases.confirm_write(lease)
    assert db.drafts.get(draft(lease).external_id).item.text == "better"
    assert db.items.existing("one", ["guid-1"], []).guids["guid-1"][1] == item(1, text="best").content_hash


def test_claims_are_newest_first_limited_and_exclusive(db: Database, open_db: Open) -> None:
    admit(db, *(item(number) for number in range(5)))
    mine = db.leases.acquire("one", 3, LEASE_S)
    assert [lease.item.guid for lease in mine] == ["guid-0", "guid-1", "guid-2"]
    assert [lease.item.guid for lease in open_db("elsewhere|b|1|1").leases.acquire("one", 9, LEASE_S)] == [
        "guid-3",
        "guid-4",
    ]
    db.leases.release(mine)
    assert len(db.leases.acquire("one", 9, LEASE_S)) == 3


def test_a_window_is_half_open(db: Database) -> None:
    admit(db, *(item(number) for number in range(5)))
    window = (NOW - timedelta(hours=3), NOW - timedelta(hours=1))
    assert db.items.waiting_count("one", window) == 2
    assert [one.guid for one in db.items.waiting("one", window)] == ["guid-2", "guid-3"]
    assert [lease.item.guid for lease in db.leases.acquire("one", 9, LEASE_S, window=window)] == [
        "guid-2",
        "guid-3",
    ]


def test_a_lease_that_ended_is_taken_over_and_its_holder_fenced_off(db: Database, open_db: Open) -> None:
    admit(db, item(1))
    [old] = db.leases.acquire("one", 1, -1.0)
    [new] = open_db("elsewhere|b|1|1").leases.acquire("one", 1, LEASE_S)
    assert new.token == old.token + 1
    for late in (
        lambda: db.leases.begin_write(old, draft(old)),
        lambda: db.leases.confirm_write(old),
        lambda: db.leases.fail(old, "late", retry=True),
    ):
        with pytest.raises(LeaseLost, match="another run"):
            late()
    db.leases.renew([old], LEASE_S)
    db.leases.release([old])
    db.leases.begin_write(new, draft(new))
    db.leases.confirm_write(new)
    assert states(db) == {"drafted": 1}


def test_an_answer_is_kept_even_where_the_lease_was_lost(db: Database, open_db: Open) -> None:
    admit(db, item(1))
    [old] = db.leases.acquire("one", 1, -1.0)
    other = open_db("elsewhere|b|1|1")
    [new] = other.leases.acquire("one", 1, -1.0)
    with pytest.raises(LeaseLost):
        db.budget.record(old, answer())
    other.leases.release([new])
    [next_claim] = other.leases.acquire("one", 1, LEASE_S)
    assert next_claim.answer == answer()


def test_the_lease_of_a_dead_process_is_taken_over_at_once(db: Database, open_db: Open) -> None:
    from pipeline.storage.processes import current_owner

    admit(db, item(1))
    host, boot, *_ = current_owner().split("|")
    dead = open_db(f"{host}|{boot}|{2**22 + 1}|1")
    [lease] = dead.leases.acquire("one", 1, LEASE_S)
    dead.budget.record(lease, answer())
    [taken] = db.leases.acquire("one", 1, LEASE_S)
    assert taken.answer == answer()
    assert db.leases.acquire("one", 1, LEASE_S) == [], "our own process lives"


def test_an_intent_outlives_a_crash(db: Database, open_db: Open) -> None:
    admit(db, item(1))
    [lease] = db.leases.acquire("one", 1, -1.0)
    db.leases.begin_write(lease, draft(lease))
    [next_claim] = open_db("elsewhere|b|1|1").leases.acquire("one", 1, LEASE_S)
    assert next_claim.unconfirmed == draft(lease)


def test_an_unusable_answer_is_asked_for_again(db: Database) -> None:
    admit(db, item(1))
    [lease] = db.leases.acquire("one", 1, LEASE_S)
    db.budget.record(lease, answer())
    assert states(db) == {"answered": 1}
    db.budget.mark_unusable(lease, "no JSON")
    assert db.leases.fail(lease, "no JSON", retry=True) == "seen"
    [again] = db.leases.acquire("one", 1, LEASE_S)
    assert (again.answer, again.attempts) == (None, 2)


def test_notes_are_added_to_the_last_answer_about_the_item(db: Database) -> None:
    admit(db, item(1), item(2))
    first, second = db.leases.acquire("one", 2, -1.0)
    db.budget.record(first, answer())
    db.budget.record(first, answer().model_copy(update={"notes": ("a stream",)}))
    db.budget.record(second, answer())
    db.budget.annotate(first, ["a fence", "a stream"]).result()
    db.budget.annotate(first, ["a fence"]).result()
    again = {lease.item_id: lease.answer for lease in db.leases.acquire("one", 2, LEASE_S)}
    assert [(again[lease.item_id] or answer()).notes for lease in (first, second)] == [
        ("a stream", "a fence"),
        (),
    ]


def test_failures_are_bounded_told_and_can_be_queued_again(db: Database) -> None:
    admit(db, item(1), item(2))
    for expected in ("seen", "seen", "failed"):
        [lease] = db.leases.acquire("one", 1, LEASE_S)
        assert db.leases.fail(lease, "stalled", retry=True) == expected
    [hopeless] = db.leases.acquire("one", 1, LEASE_S)
    assert db.leases.fail(hopeless, "refused", retry=False) == "failed"
    assert {failure.reason for failure in db.items.failures(9)} == {"stalled", "refused"}
    assert db.items.retry_failed("two") == 0
    assert db.items.retry_failed() == 2
    assert states(db) == {"seen": 2}


def test_giving_back_costs_no_attempt(db: Database) -> None:
    admit(db, item(1))
    for _ in range(5):
        leases = db.leases.acquire("one", 1, LEASE_S)
        assert leases[0].attempts == 1
        db.leases.release(leases)


def test_a_feed_is_renamed_with_its_items(db: Database) -> None:
    admit(db, item(1))
    before = db.leases.acquire("one", 1, -1.0)[0]
    renamed = feed("uno", url="https://one.example/feed", previous_keys=("one",))
    db.feeds.sync([renamed])
    [lease] = db.leases.acquire("uno", 1, LEASE_S)
    assert (lease.first_key, draft(lease).external_id) == ("one", draft(before).external_id)


def test_a_known_url_under_a_new_key_is_refused(db: Database) -> None:
    with pytest.raises(ConfigError, match=r"previous_keys: \[one\]"):
        db.feeds.sync([feed("uno", url="http://ONE.example/feed/"), feed("two")])
    assert [status.key for status in db.feeds.status()] == ["one", "two"]


def test_a_moved_feed_forgets_its_validators(db: Database) -> None:
    admit(db, etag='"a"')
    db.feeds.sync([feed(url="https://one.example/new")])
    assert db.feeds.poll_states()["one"] == PollState()


def test_what_polls_taught_comes_back_whole(db: Database) -> None:
    taught = PollState(failures=2, last_error="one: gone", last_polled_at=NOW, url="https://new.example/")
    db.feeds.record_polls({"one": taught, "nobody's": taught})
    db.feeds.record_polls({})
    assert db.feeds.poll_states() == {"one": taught, "two": PollState()}
    assert [status.poll for status in db.feeds.status()] == [taught, PollState()]


def test_queues_are_counted_by_feed(db: Database) -> None:
    admit(db, item(1), item(2), skipped=[(item(3), "too old")])
    [lease, _] = db.leases.acquire("one", 2, LEASE_S)
    db.budget.record(lease, answer())
    assert db.items.backlogs(NOW)["one"].total == 2, "an answered item waits as well"


def test_an_unknown_feed_is_named(db: Database) -> None:
    with pytest.raises(DatabaseError, match="'three'"):
        db.items.waiting_count("three")


def drafted(db: Database, *numbers: int) -> None:
    admit(db, *(item(number) for number in numbers))
    for lease in db.leases.acquire("one", 9, LEASE_S):
        db.leases.begin_write(lease, draft(lease))
        db.leases.confirm_write(lease)


def test_drafts_are_found_by_id_path_and_file_name(db: Database) -> None:
    drafted(db, 1, 2)
    rows = db.drafts.list()
    assert [row.title for row in rows] == ["Item 1", "Item 2"]
    row = rows[0]
    assert row.open_findings == 1
    name = row.path.rpartition("/")[2]
    for ref in (row.short_id, row.external_id, row.path, name, f"output/{row.path}", f"/x/output/{row.path}"):
        assert db.drafts.get(ref).model_copy(update={"written_by_model": "", "origin": ""}) == row
    for ref in ("", "zzz", "%"):
        with pytest.raises(ReviewError, match="no draft"):
            db.drafts.get(ref)


def test_a_verdict_is_intended_then_confirmed_and_given_once(db: Database) -> None:
    drafted(db, 1)
    [row] = db.drafts.list()
    verdict = Review(decision=ReviewDecision.APPROVE, by="Ada", at=NOW, note="fine", sha256="0" * 64)
    move = Move(row.path, "published/x.md", "new text", "1" * 64)
    pending = db.reviews.begin(row, verdict, move)
    assert db.reviews.unfinished() == [pending]
    with pytest.raises(ReviewError, match="meanwhile"):
        db.reviews.begin(row, verdict, move)
    db.reviews.confirm(pending)
    assert db.reviews.unfinished() == []
    assert [(one.state, one.path) for one in db.drafts.list(("approved",))] == [
        ("approved", "published/x.md")
    ]
    with pytest.raises(ReviewError, match="meanwhile"):
        db.reviews.begin(row, verdict, move)


def test_a_corrected_source_never_meets_an_old_answer_or_text(db: Database) -> None:
    admit(db, item(1), item(2))
    answered, written = db.leases.acquire("one", 2, LEASE_S)
    db.budget.record(answered, answer())
    db.leases.begin_write(written, draft(written))
    db.leases.release([answered, written])
    admit(db, updated=[item(1, text="corrected"), item(2, text="corrected")])
    again = db.leases.acquire("one", 2, LEASE_S)
    assert [lease.item.text for lease in again] == ["Text 1", "Text 2"]
    known = db.items.existing("one", ["guid-2"], []).guids["guid-2"]
    assert known[1] == item(2, text="corrected").content_hash, "marked as changed since"
