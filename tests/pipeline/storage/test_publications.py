"""Publications: what waits at each target, what came of it, and what stands there."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from pipeline.storage import Ledger
from tests.pipeline.storage.approvals import TARGETS, decided, drafted
from tests.pipeline.storage.records import NOW, feed

Open = Callable[..., Ledger]


@pytest.fixture
def ledger(open_ledger: Open) -> Ledger:
    opened = open_ledger()
    opened.sync_feeds([feed()])
    return opened


def test_an_approval_waits_at_every_target_oldest_first(ledger: Ledger) -> None:
    first, second = drafted(ledger, 1), drafted(ledger, 2)
    decided(ledger, second, "two")
    sha256 = decided(ledger, first, "one")
    rows = ledger.publications()
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


def test_only_what_was_approved_can_be_had(ledger: Ledger) -> None:
    row = drafted(ledger, 1)
    sha256 = decided(ledger, row, "one")
    wanted = [(row.item_id, sha256), (row.item_id, "other"), (99, sha256)]
    assert ledger.approved_texts(wanted) == {(row.item_id, sha256): "one"}
    undone = decided(ledger, row, "one, again a draft", undo=True)
    assert ledger.approved_texts([(row.item_id, undone)]) == {}
    assert ledger.approved_hashes([row.item_id]) == {row.item_id: frozenset((sha256,))}


def test_what_is_done_waits_no_more_and_stands(ledger: Ledger) -> None:
    row = drafted(ledger, 1)
    decided(ledger, row, "one")
    [site, repo] = ledger.publications()
    ledger.published([site.id], "/site/a.md", NOW)
    assert ledger.publications() == [repo]
    [standing] = ledger.standing("site")
    assert (standing.action, standing.place, standing.done_at) == ("publish", "/site/a.md", NOW)
    assert ledger.standing("repo") == []
    assert [one.target for one in ledger.publications_of(row.item_id)] == ["site", "repo"]


def test_a_failure_is_tried_again_after_a_pause_that_grows_up_to_an_hour(ledger: Ledger) -> None:
    decided(ledger, drafted(ledger, 1), "one", targets=("site",))
    pauses = []
    for _ in range(12):
        [row] = ledger.publications()
        ledger.not_published(row.id, "the disk is full", NOW)
        [row] = ledger.publications()
        assert row.next_at is not None
        pauses.append(row.next_at - NOW)
    assert pauses[:3] == [timedelta(seconds=30), timedelta(minutes=1), timedelta(minutes=2)]
    assert pauses[-1] == timedelta(hours=1)
    assert (row.attempts, row.error) == (12, "the disk is full")
    ledger.published([row.id], "/site/a.md", NOW)
    [row] = ledger.standing("site")
    assert (row.error, row.next_at) == (None, None)


def test_the_backlog_counts_what_waits_and_what_failed(ledger: Ledger) -> None:
    assert ledger.backlog() == []
    decided(ledger, drafted(ledger, 1), "one")
    decided(ledger, drafted(ledger, 2), "two")
    [first, *_] = ledger.publications()
    ledger.not_published(first.id, "the disk is full", NOW)
    assert [(one.target, one.waiting, one.failed, one.error) for one in ledger.backlog()] == [
        ("repo", 2, 0, None),
        ("site", 2, 1, "the disk is full"),
    ]


def test_an_undo_withdraws_and_what_waited_is_superseded(ledger: Ledger) -> None:
    row = drafted(ledger, 1)
    decided(ledger, row, "one")
    [site, repo] = ledger.publications()
    ledger.published([site.id], "/site/a.md", NOW)
    decided(ledger, row, "one", undo=True)
    assert [(one.target, one.action) for one in ledger.publications()] == [
        ("site", "withdraw"), ("repo", "withdraw"),
    ]  # fmt: skip
    ledger.published([repo.id], "too late", NOW)
    ledger.not_published(repo.id, "too late", NOW)
    assert ledger.standing("repo") == []
    ledger.published([one.id for one in ledger.publications()], "gone", NOW)
    assert [one.action for one in ledger.standing("site")] == ["withdraw"]


def test_a_target_added_later_gets_what_it_lacks(ledger: Ledger) -> None:
    first, second, third = (drafted(ledger, number) for number in (1, 2, 3))
    decided(ledger, first, "one", targets=("site",))
    decided(ledger, second, "two", targets=("site",))
    decided(ledger, third, "three", targets=("site",))
    decided(ledger, third, "three", undo=True, targets=("site",))
    ledger.published([one.id for one in ledger.publications()], "done", NOW)
    assert ledger.publish_all(TARGETS, NOW) == 2
    assert [(one.item_id, one.target, one.by) for one in ledger.publications()] == [
        (first.item_id, "repo", "Ada"), (second.item_id, "repo", "Ada"),
    ]  # fmt: skip
    assert ledger.publish_all(TARGETS, NOW) == 0


def test_what_was_taken_back_while_a_target_was_not_named_leaves_it(ledger: Ledger) -> None:
    row = drafted(ledger, 1)
    decided(ledger, row, "one")
    ledger.published([one.id for one in ledger.publications()], "done", NOW)
    decided(ledger, row, "one", undo=True, targets=("repo",))
    ledger.published([one.id for one in ledger.publications()], "gone", NOW)
    assert ledger.publish_all(TARGETS, NOW) == 1
    assert [(one.target, one.action) for one in ledger.publications()] == [("site", "withdraw")]
    assert ledger.publish_all(TARGETS, NOW) == 0


def test_one_article_can_be_sent_again_wherever_it_stands(ledger: Ledger) -> None:
    row, other = drafted(ledger, 1), drafted(ledger, 2)
    decided(ledger, row, "one")
    ledger.published([one.id for one in ledger.publications()], "done", NOW)
    assert ledger.publish_again(row.item_id, TARGETS, NOW) == 2
    assert ledger.publish_again(other.item_id, TARGETS, NOW) == 0
    assert len(ledger.publications()) == 2


def test_what_is_forgotten_is_withdrawn_from_wherever_it_went(ledger: Ledger) -> None:
    row = drafted(ledger, 1)
    sha256 = decided(ledger, row, "one")
    [site, _] = ledger.publications()
    ledger.published([site.id], "/site/a.md", NOW)
    url = "https://news.example/1"
    ledger.begin_forgetting(url, NOW)
    ledger.forget(url)
    ledger.begin_forgetting(url, NOW)
    rows = ledger.publications()
    assert [(one.target, one.action) for one in rows] == [("site", "withdraw"), ("repo", "withdraw")]
    assert ledger.approved_texts([(row.item_id, sha256)]) == {}
    assert ledger.approved_hashes([row.item_id]) == {row.item_id: frozenset((sha256,))}
    ledger.published([one.id for one in rows], "gone", NOW)
    ledger.begin_forgetting(url, NOW)
    assert ledger.publications() == []


def test_what_was_about_to_be_written_stays_known(ledger: Ledger) -> None:
    row = drafted(ledger, 1)
    decided(ledger, row, "one")
    [site, repo] = ledger.publications()
    assert ledger.sent_hashes([row.item_id]) == {}
    for sha256 in ("a", "a", "b", None):
        ledger.sending({site.id: sha256})
    ledger.sending({repo.id: "c"})
    assert [(one.id, one.sent) for one in ledger.publications()] == [(site.id, None), (repo.id, "c")]
    assert ledger.sent_hashes([row.item_id, 99]) == {row.item_id: frozenset("abc")}
    assert ledger.standing("site") == []
    ledger.published([repo.id], "/repo", NOW)
    assert [one.sent for one in ledger.standing("repo")] == ["c"]
    decided(ledger, row, "one", undo=True)
    assert [(one.target, one.action) for one in ledger.publications()] == [
        ("site", "withdraw"), ("repo", "withdraw"),
    ]  # fmt: skip
    assert ledger.sent_hashes([row.item_id]) == {row.item_id: frozenset("abc")}
