"""What the ledger promises, on both databases."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from pipeline.domain.errors import ConfigError, LeaseLost, LedgerError, ReviewError
from pipeline.domain.models import PollState, Review, ReviewDecision
from pipeline.storage import Ledger, Move
from tests.pipeline.storage.records import LEASE_S, NOW, admit, answer, draft, feed, item

Open = Callable[..., Ledger]
DEAD = "nobody's"


@pytest.fixture
def ledger(open_ledger: Open) -> Ledger:
    opened = open_ledger()
    opened.sync_feeds([feed(), feed("two")])
    return opened


def states(ledger: Ledger, key: str = "one") -> dict[str, int]:
    return ledger.counts().get(key, {})


def test_a_poll_is_taken_in_once_with_its_validators(ledger: Ledger) -> None:
    first = admit(ledger, item(1), item(2), etag='"a"', skipped=[(item(3), "too old")])
    assert (first.new, first.skipped) == (2, 1)
    assert ledger.poll_states()["one"].etag == '"a"'
    again = admit(ledger, item(1), item(2), etag='"b"', skipped=[(item(3), "too old")])
    assert (again.new, again.skipped) == (0, 0)
    assert ledger.poll_states()["one"].etag == '"b"'
    assert states(ledger) == {"seen": 2, "skipped": 1}


def test_known_items_are_told_by_guid_and_by_canonical_url(ledger: Ledger) -> None:
    admit(ledger, *(item(number) for number in range(1200)))
    guids = [f"guid-{number}" for number in range(1300)]
    known = ledger.known("one", guids, []).guids
    assert len(known) == 1200
    assert known["guid-7"] == ("seen", item(7).content_hash)
    assert ledger.known("two", guids, []).guids == {}
    assert ledger.known("one", [], ["https://news.example/7", "https://news.example/x"]).canonicals == {
        "https://news.example/7": ("one", "guid-7")
    }


def test_one_canonical_url_is_drafted_once_whoever_comes_first(ledger: Ledger) -> None:
    admit(ledger, item(1))
    assert admit(ledger, item(1, guid="other"), key="two").merged == 1
    assert states(ledger, "two") == {"merged": 1}
    assert admit(ledger, merged=[(item(1, guid="third"), ("one", "guid-1"))], key="two").merged == 1


def test_a_skipped_item_that_is_wanted_now_is_queued(ledger: Ledger) -> None:
    admit(ledger, skipped=[(item(1), "too old")])
    assert admit(ledger, item(1)).new == 1
    assert states(ledger) == {"seen": 1}


def test_an_update_is_taken_over_until_work_begins_and_marked_afterwards(ledger: Ledger) -> None:
    admit(ledger, item(1))
    admit(ledger, updated=[item(1, text="better")])
    [claim] = ledger.claim("one", 1, LEASE_S)
    assert claim.item.text == "better"
    admit(ledger, updated=[item(1, text="best")])
    ledger.intend(claim, draft(claim))
    ledger.confirm(claim)
    assert ledger.draft(draft(claim).external_id).item.text == "better"
    assert ledger.known("one", ["guid-1"], []).guids["guid-1"][1] == item(1, text="best").content_hash


def test_claims_are_newest_first_limited_and_exclusive(ledger: Ledger, open_ledger: Open) -> None:
    admit(ledger, *(item(number) for number in range(5)))
    mine = ledger.claim("one", 3, LEASE_S)
    assert [claim.item.guid for claim in mine] == ["guid-0", "guid-1", "guid-2"]
    assert [claim.item.guid for claim in open_ledger("elsewhere|b|1|1").claim("one", 9, LEASE_S)] == [
        "guid-3",
        "guid-4",
    ]
    ledger.release(mine)
    assert len(ledger.claim("one", 9, LEASE_S)) == 3


def test_a_window_is_half_open(ledger: Ledger) -> None:
    admit(ledger, *(item(number) for number in range(5)))
    window = (NOW - timedelta(hours=3), NOW - timedelta(hours=1))
    assert ledger.queued("one", window) == 2
    assert [one.guid for one in ledger.queued_items("one", window)] == ["guid-2", "guid-3"]
    assert [claim.item.guid for claim in ledger.claim("one", 9, LEASE_S, window=window)] == [
        "guid-2",
        "guid-3",
    ]


def test_a_lease_that_ended_is_taken_over_and_its_holder_fenced_off(
    ledger: Ledger, open_ledger: Open
) -> None:
    admit(ledger, item(1))
    [old] = ledger.claim("one", 1, -1.0)
    [new] = open_ledger("elsewhere|b|1|1").claim("one", 1, LEASE_S)
    assert new.token == old.token + 1
    for late in (
        lambda: ledger.intend(old, draft(old)),
        lambda: ledger.confirm(old),
        lambda: ledger.fail(old, "late", retry=True),
    ):
        with pytest.raises(LeaseLost, match="another run"):
            late()
    ledger.heartbeat([old], LEASE_S)
    ledger.release([old])
    ledger.intend(new, draft(new))
    ledger.confirm(new)
    assert states(ledger) == {"drafted": 1}


def test_an_answer_is_kept_even_where_the_lease_was_lost(ledger: Ledger, open_ledger: Open) -> None:
    admit(ledger, item(1))
    [old] = ledger.claim("one", 1, -1.0)
    other = open_ledger("elsewhere|b|1|1")
    [new] = other.claim("one", 1, -1.0)
    with pytest.raises(LeaseLost):
        ledger.record_answer(old, answer())
    other.release([new])
    [next_claim] = other.claim("one", 1, LEASE_S)
    assert next_claim.answer == answer()


def test_the_lease_of_a_dead_process_is_taken_over_at_once(ledger: Ledger, open_ledger: Open) -> None:
    from pipeline.storage.processes import current_owner

    admit(ledger, item(1))
    host, boot, _pid, _start = current_owner().split("|")
    dead = open_ledger(f"{host}|{boot}|{2**22 + 1}|1")
    [claim] = dead.claim("one", 1, LEASE_S)
    dead.record_answer(claim, answer())
    [taken] = ledger.claim("one", 1, LEASE_S)
    assert taken.answer == answer()
    assert ledger.claim("one", 1, LEASE_S) == [], "our own process lives"


def test_an_intent_outlives_a_crash(ledger: Ledger, open_ledger: Open) -> None:
    admit(ledger, item(1))
    [claim] = ledger.claim("one", 1, -1.0)
    ledger.intend(claim, draft(claim))
    [next_claim] = open_ledger("elsewhere|b|1|1").claim("one", 1, LEASE_S)
    assert next_claim.intent == draft(claim)


def test_an_unusable_answer_is_asked_for_again(ledger: Ledger) -> None:
    admit(ledger, item(1))
    [claim] = ledger.claim("one", 1, LEASE_S)
    ledger.record_answer(claim, answer())
    assert states(ledger) == {"answered": 1}
    ledger.discard_answer(claim, "no JSON")
    assert ledger.fail(claim, "no JSON", retry=True) == "seen"
    [again] = ledger.claim("one", 1, LEASE_S)
    assert (again.answer, again.attempts) == (None, 2)


def test_failures_are_bounded_told_and_can_be_queued_again(ledger: Ledger) -> None:
    admit(ledger, item(1), item(2))
    for expected in ("seen", "seen", "failed"):
        [claim] = ledger.claim("one", 1, LEASE_S)
        assert ledger.fail(claim, "stalled", retry=True) == expected
    [hopeless] = ledger.claim("one", 1, LEASE_S)
    assert ledger.fail(hopeless, "refused", retry=False) == "failed"
    assert {failure.reason for failure in ledger.failures(9)} == {"stalled", "refused"}
    assert ledger.retry_failed("two") == 0
    assert ledger.retry_failed() == 2
    assert states(ledger) == {"seen": 2}


def test_giving_back_costs_no_attempt(ledger: Ledger) -> None:
    admit(ledger, item(1))
    for _ in range(5):
        claims = ledger.claim("one", 1, LEASE_S)
        assert claims[0].attempts == 1
        ledger.release(claims)


def test_a_feed_is_renamed_with_its_items(ledger: Ledger) -> None:
    admit(ledger, item(1))
    before = ledger.claim("one", 1, -1.0)[0]
    renamed = feed("uno", url="https://one.example/feed", previous_keys=("one",))
    ledger.sync_feeds([renamed])
    [claim] = ledger.claim("uno", 1, LEASE_S)
    assert (claim.first_key, draft(claim).external_id) == ("one", draft(before).external_id)


def test_a_known_url_under_a_new_key_is_refused(ledger: Ledger) -> None:
    with pytest.raises(ConfigError, match=r"previous_keys: \[one\]"):
        ledger.sync_feeds([feed("uno", url="http://ONE.example/feed/"), feed("two")])
    assert [status.key for status in ledger.feed_status()] == ["one", "two"]


def test_a_moved_feed_forgets_its_validators(ledger: Ledger) -> None:
    admit(ledger, etag='"a"')
    ledger.sync_feeds([feed(url="https://one.example/new")])
    assert ledger.poll_states()["one"] == PollState()


def test_what_polls_taught_comes_back_whole(ledger: Ledger) -> None:
    taught = PollState(failures=2, last_error="one: gone", last_polled_at=NOW, url="https://new.example/")
    ledger.record_polls({"one": taught, "nobody's": taught})
    ledger.record_polls({})
    assert ledger.poll_states() == {"one": taught, "two": PollState()}
    assert [status.poll for status in ledger.feed_status()] == [taught, PollState()]


def test_queues_are_counted_by_feed(ledger: Ledger) -> None:
    admit(ledger, item(1), item(2), skipped=[(item(3), "too old")])
    [claim, _] = ledger.claim("one", 2, LEASE_S)
    ledger.record_answer(claim, answer())
    assert ledger.queues() == {"one": 2}, "an answered item waits as well"


def test_an_unknown_feed_is_named(ledger: Ledger) -> None:
    with pytest.raises(LedgerError, match="'three'"):
        ledger.queued("three")


def drafted(ledger: Ledger, *numbers: int) -> None:
    admit(ledger, *(item(number) for number in numbers))
    for claim in ledger.claim("one", 9, LEASE_S):
        ledger.intend(claim, draft(claim))
        ledger.confirm(claim)


def test_drafts_are_found_by_id_path_and_file_name(ledger: Ledger) -> None:
    drafted(ledger, 1, 2)
    rows = ledger.drafts()
    assert [row.title for row in rows] == ["Item 1", "Item 2"]
    row = rows[0]
    assert row.open_findings == 1
    name = row.path.rpartition("/")[2]
    for ref in (row.short_id, row.external_id, row.path, name, f"output/{row.path}", f"/x/output/{row.path}"):
        assert ledger.draft(ref).model_copy(update={"written_by_model": "", "origin": ""}) == row
    for ref in ("", "zzz", "%"):
        with pytest.raises(ReviewError, match="no draft"):
            ledger.draft(ref)


def test_a_verdict_is_intended_then_confirmed_and_given_once(ledger: Ledger) -> None:
    drafted(ledger, 1)
    [row] = ledger.drafts()
    verdict = Review(decision=ReviewDecision.APPROVE, by="Ada", at=NOW, note="fine", sha256="0" * 64)
    move = Move(row.path, "published/x.md", "new text", "1" * 64)
    pending = ledger.intend_verdict(row, verdict, move)
    assert ledger.unfinished_verdicts() == [pending]
    with pytest.raises(ReviewError, match="meanwhile"):
        ledger.intend_verdict(row, verdict, move)
    ledger.confirm_verdict(pending)
    assert ledger.unfinished_verdicts() == []
    assert [(one.state, one.path) for one in ledger.drafts(("approved",))] == [("approved", "published/x.md")]
    with pytest.raises(ReviewError, match="meanwhile"):
        ledger.intend_verdict(row, verdict, move)


def test_a_corrected_source_never_meets_an_old_answer_or_text(ledger: Ledger) -> None:
    admit(ledger, item(1), item(2))
    answered, written = ledger.claim("one", 2, LEASE_S)
    ledger.record_answer(answered, answer())
    ledger.intend(written, draft(written))
    ledger.release([answered, written])
    admit(ledger, updated=[item(1, text="corrected"), item(2, text="corrected")])
    again = ledger.claim("one", 2, LEASE_S)
    assert [claim.item.text for claim in again] == ["Text 1", "Text 2"]
    known = ledger.known("one", ["guid-2"], []).guids["guid-2"]
    assert known[1] == item(2, text="corrected").content_hash, "marked as changed since"
