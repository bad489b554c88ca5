"""What is pending for the flow `requests`, and that no run starts again and again for what it cannot do."""

from collections.abc import Iterator
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from pipeline.services.pending_requests import (
    FIRST_PAUSE_S,
    LONGEST_PAUSE_S,
    NOTHING_PENDING,
    PendingRequests,
    RequestPause,
    pending_requests,
)
from pipeline.storage import SYSTEM_EDITOR, Database
from tests.databases import prepared
from tests.pipeline.publishing.publications import approved, build, site
from tests.pipeline.storage.approvals import drafted
from tests.pipeline.storage.records import LEASE_S, NOW, admit, draft, feed, item


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    """Without items."""
    with Database.open(prepared(f"sqlite:///{tmp_path / 'ledger.db'}")) as opened:
        opened.feeds.sync([feed()])
        yield opened


def pending(*due: str, waiting: tuple[str, ...] = ()) -> PendingRequests:
    return PendingRequests(every=frozenset(due + waiting), due=frozenset(due))


def starts(looks: dict[int, PendingRequests], seconds: int) -> list[int]:
    """Return the seconds at which runs of no length start; `looks`: what is pending from a second on."""
    pause, now_pending, begun = RequestPause(), NOTHING_PENDING, []
    for now in range(0, seconds, 5):
        now_pending = looks.get(now, now_pending)
        pause = pause.without_done(now_pending)
        if pause.may_start(now_pending, now):
            begun.append(now)
            pause = pause.after_run(now_pending, now)
    return begun


def test_what_no_run_can_do_starts_runs_after_pauses_that_double_up_to_an_hour() -> None:
    begun = starts({0: pending("redraft 1")}, 24 * 3600)
    gaps = [after - before for before, after in pairwise(begun)]
    assert gaps[:8] == [60, 120, 240, 480, 960, 1920, 3600, 3600]
    assert set(gaps[8:]) == {LONGEST_PAUSE_S}
    assert len(begun) < 32


def test_what_is_new_starts_a_run_at_once_and_shortens_the_pause() -> None:
    looks = {0: pending("redraft 1"), 20_000: pending("redraft 1", "publication 7")}
    begun = [at for at in starts(looks, 20_400) if at >= 20_000]
    assert begun == [20_000, 20_000 + FIRST_PAUSE_S, 20_000 + 3 * FIRST_PAUSE_S]


def test_what_was_done_and_comes_again_starts_a_run_at_once_beside_what_stays() -> None:
    stays, both = pending("redraft 1"), pending("redraft 1", "publication 7")
    begun = starts({0: both, 5: stays, 20_000: both}, 20_005)
    assert begun[-1] == 20_000
    assert begun[:4] == [0, 60, 120, 240]


def test_what_is_done_shortens_the_pause_for_what_is_left() -> None:
    both, left = pending("text 1", "text 2"), pending("text 2")
    pause = RequestPause().after_run(both, 0).after_run(both, 60).after_run(both, 180)
    assert pause.pause_s == 4 * FIRST_PAUSE_S
    pause = pause.without_done(left)
    assert not pause.may_start(left, 181)
    assert pause.may_start(left, pause.not_before)
    assert pause.after_run(left, 420).pause_s == FIRST_PAUSE_S


def test_a_publication_that_waits_after_a_failure_starts_no_run_and_is_nothing_new_when_it_is_due() -> None:
    failed = pending(waiting=("publication 1",))
    looks = {0: pending("publication 1"), 5: failed, 35: pending("publication 1"), 65: failed}
    assert starts(looks, 1000) == [0, 60]


def test_nothing_starts_no_run() -> None:
    assert starts({0: NOTHING_PENDING}, 100_000) == []


def test_a_hook_and_a_target_that_is_not_configured_are_not_due(db: Database, tmp_path: Path) -> None:
    target, hook = site(tmp_path), build()
    approved(db, 1, target, hook, site(tmp_path, "removed"))
    first, second, _removed = db.publications.pending()
    assert (first.target, second.target) == ("site", "build")
    db.publications.mark_failed(first.id, "its repository refuses", NOW)
    soon, later = NOW + timedelta(seconds=1), NOW + timedelta(hours=1)
    assert pending_requests(db, [target, hook], soon) == pending(waiting=(f"publication {first.id}",))
    assert pending_requests(db, [target, hook], later) == pending(f"publication {first.id}")
    db.publications.mark_done([first.id], "here", NOW)
    assert pending_requests(db, [target, hook], soon) == pending(f"publication {second.id}")
    assert pending_requests(db, [], later) == NOTHING_PENDING


def test_redrafts_of_our_own_and_recorded_texts_are_pending(db: Database) -> None:
    ours, editors = drafted(db, 1), drafted(db, 2)
    number = db.redrafts.request(ours, SYSTEM_EDITOR, NOW)
    db.redrafts.request(editors, "Ada", NOW)
    admit(db, item(3))
    [lease] = [each for each in db.leases.acquire("one", 9, LEASE_S) if each.item.guid == "guid-3"]
    db.leases.begin_write(lease, draft(lease))
    assert pending_requests(db, [], NOW) == pending(f"redraft {number}"), "a run holds the text"
    db.leases.release([lease])
    assert pending_requests(db, [], NOW) == pending(f"redraft {number}", f"text {lease.item_id}")
