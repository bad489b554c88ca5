"""Publications: what waits at each target, what came of it, and what stands there."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from pipeline.storage import Database
from tests.pipeline.storage.approvals import TARGETS, decided, drafted
from tests.pipeline.storage.records import NOW, feed

Open = Callable[..., Database]


@pytest.fixture
def db(open_db: Open) -> Database:
    opened = open_db()
    opened.feeds.sync([feed()])
    return opened


def test_an_approval_waits_at_every_target_oldest_first(db: Database) -> None:
    first, second = drafted(db, 1), drafted(db, 2)
    decided(db, second, "two")
    sha256 = decided(db, first, "one")
    rows = db.publications.pending()
    assert [(row.item_id, row.target) for row in rows] == [
        (second.item_id, "site"), (second.item_id, "repo"), (first.item_id, "site"), (first.item_id, "repo"),
    ]  # fmt: skip
    last = rows[-1]
    assert (last.action, last.sha256, last.by, last.at) == ("publish", sha256, "Ada", NOW)
    assert (last.title, last.external_id, last.published_at) == (
        "Item 1",
        first.external_id,
        first.published_at,
    )
    assert last.path.startswith("published/2026/02/")


def test_only_what_was_approved_can_be_had(db: Database) -> None:
    row = drafted(db, 1)
    sha256 = decided(db, row, "one")
    wanted = [(row.item_id, sha256), (row.item_id, "other"), (99, sha256)]
    assert db.publications.approved_texts(wanted) == {(row.item_id, sha256): "one"}
    undone = decided(db, row, "one, again a draft", undo=True)
    assert db.publications.approved_texts([(row.item_id, undone)]) == {}
    assert db.publications.approved_hashes([row.item_id]) == {row.item_id: frozenset((sha256,))}


def test_what_is_done_waits_no_more_and_stands(db: Database) -> None:
    row = drafted(db, 1)
    decided(db, row, "one")
    [site, repo] = db.publications.pending()
    db.publications.mark_done([site.id], "/site/a.md", NOW)
    assert db.publications.pending() == [repo]
    [standing] = db.publications.published("site")
    assert (standing.action, standing.place, standing.done_at) == ("publish", "/site/a.md", NOW)
    assert db.publications.published("repo") == []
    assert [one.target for one in db.publications.of_item(row.item_id)] == ["site", "repo"]


def test_a_failure_is_tried_again_after_a_pause_that_grows_up_to_an_hour(db: Database) -> None:
    decided(db, drafted(db, 1), "one", targets=("site",))
    pauses = []
    for _ in range(12):
        [row] = db.publications.pending()
        db.publications.mark_failed(row.id, "the disk is full", NOW)
        [row] = db.publications.pending()
        assert row.next_at is not None
        assert [row.is_due(NOW), row.is_due(row.next_at)] == [False, True]
        assert row.is_due(NOW - timedelta(days=365)), "the clock was wrong when it failed"
        pauses.append(row.next_at - NOW)
    assert pauses[:3] == [timedelta(seconds=30), timedelta(minutes=1), timedelta(minutes=2)]
    assert pauses[-1] == timedelta(hours=1)
    assert (row.attempts, row.error) == (12, "the disk is full")
    db.publications.mark_done([row.id], "/site/a.md", NOW)
    [row] = db.publications.published("site")
    assert (row.error, row.next_at) == (None, None)


def test_the_backlog_counts_what_waits_and_what_failed(db: Database) -> None:
    assert db.publications.backlog() == []
    decided(db, drafted(db, 1), "one")
    decided(db, drafted(db, 2), "two")
    [first, *_] = db.publications.pending()
    db.publications.mark_failed(first.id, "the disk is full", NOW)
    assert [(one.target, one.waiting, one.failed, one.error) for one in db.publications.backlog()] == [
        ("repo", 2, 0, None),
        ("site", 2, 1, "the disk is full"),
    ]


def test_an_undo_withdraws_and_what_waited_is_superseded(db: Database) -> None:
    row = drafted(db, 1)
    decided(db, row, "one")
    [site, repo] = db.publications.pending()
    db.publications.mark_done([site.id], "/site/a.md", NOW)
    decided(db, row, "one", undo=True)
    assert [(one.target, one.action) for one in db.publications.pending()] == [
        ("site", "withdraw"), ("repo", "withdraw"),
    ]  # fmt: skip
    db.publications.mark_done([repo.id], "too late", NOW)
    db.publications.mark_failed(repo.id, "too late", NOW)
    assert db.publications.published("repo") == []
    db.publications.mark_done([one.id for one in db.publications.pending()], "gone", NOW)
    assert [one.action for one in db.publications.published("site")] == ["withdraw"]


def test_a_target_added_later_gets_what_it_lacks(db: Database) -> None:
    first, second, third = (drafted(db, number) for number in (1, 2, 3))
    decided(db, first, "one", targets=("site",))
    decided(db, second, "two", targets=("site",))
    decided(db, third, "three", targets=("site",))
    decided(db, third, "three", undo=True, targets=("site",))
    db.publications.mark_done([one.id for one in db.publications.pending()], "done", NOW)
    assert db.publications.reconcile(TARGETS, NOW) == 2
    assert [(one.item_id, one.target, one.by) for one in db.publications.pending()] == [
        (first.item_id, "repo", "Ada"), (second.item_id, "repo", "Ada"),
    ]  # fmt: skip
    assert db.publications.reconcile(TARGETS, NOW) == 0


def test_what_was_taken_back_while_a_target_was_not_named_leaves_it(db: Database) -> None:
    row = drafted(db, 1)
    decided(db, row, "one")
    db.publications.mark_done([one.id for one in db.publications.pending()], "done", NOW)
    decided(db, row, "one", undo=True, targets=("repo",))
    db.publications.mark_done([one.id for one in db.publications.pending()], "gone", NOW)
    assert db.publications.reconcile(TARGETS, NOW) == 1
    assert [(one.target, one.action) for one in db.publications.pending()] == [("site", "withdraw")]
    assert db.publications.reconcile(TARGETS, NOW) == 0


def test_one_article_can_be_sent_again_wherever_it_stands(db: Database) -> None:
    row, other = drafted(db, 1), drafted(db, 2)
    decided(db, row, "one")
    db.publications.mark_done([one.id for one in db.publications.pending()], "done", NOW)
    assert db.publications.requeue(row.item_id, TARGETS, NOW) == 2
    assert db.publications.requeue(other.item_id, TARGETS, NOW) == 0
    assert len(db.publications.pending()) == 2


def test_what_is_forgotten_is_withdrawn_from_wherever_it_went(db: Database) -> None:
    row = drafted(db, 1)
    sha256 = decided(db, row, "one")
    [site, _] = db.publications.pending()
    db.publications.mark_done([site.id], "/site/a.md", NOW)
    url = "https://news.example/1"
    db.erasure.begin(url, NOW)
    db.erasure.finish(url)
    db.erasure.begin(url, NOW)
    rows = db.publications.pending()
    assert [(one.target, one.action) for one in rows] == [("site", "withdraw"), ("repo", "withdraw")]
    assert db.publications.approved_texts([(row.item_id, sha256)]) == {}
    assert db.publications.approved_hashes([row.item_id]) == {row.item_id: frozenset((sha256,))}
    db.publications.mark_done([one.id for one in rows], "gone", NOW)
    db.erasure.begin(url, NOW)
    assert db.publications.pending() == []


def test_what_was_about_to_be_written_stays_known(db: Database) -> None:
    row = drafted(db, 1)
    decided(db, row, "one")
    [site, repo] = db.publications.pending()
    assert db.publications.sent_hashes([row.item_id]) == {}
    for sha256 in ("a", "a", "b", None):
        db.publications.mark_sending({site.id: sha256})
    db.publications.mark_sending({repo.id: "c"})
    assert [(one.id, one.sent) for one in db.publications.pending()] == [(site.id, None), (repo.id, "c")]
    assert db.publications.sent_hashes([row.item_id, 99]) == {row.item_id: frozenset("abc")}
    assert db.publications.published("site") == []
    db.publications.mark_done([repo.id], "/repo", NOW)
    assert [one.sent for one in db.publications.published("repo")] == ["c"]
    decided(db, row, "one", undo=True)
    assert [(one.target, one.action) for one in db.publications.pending()] == [
        ("site", "withdraw"), ("repo", "withdraw"),
    ]  # fmt: skip
    assert db.publications.sent_hashes([row.item_id]) == {row.item_id: frozenset("abc")}
