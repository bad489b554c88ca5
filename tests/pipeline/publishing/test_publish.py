"""Publishing of pending rows: each target on its own, idempotent, only approved text."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path

import feedparser
import pytest
import sqlalchemy as sa

from pipeline.config import FolderTarget
from pipeline.domain.errors import PublishError
from pipeline.domain.run_events import RunEvent, item_event
from pipeline.publishing import TargetResult
from pipeline.publishing.publish import publish_lock, send_to_target
from pipeline.storage import Database
from pipeline.storage.schema import verdicts
from tests.pipeline.publishing.publications import (
    approved,
    drained,
    feeds,
    published_texts,
    site,
    text,
    undone,
)
from tests.pipeline.storage.approvals import decided, drafted
from tests.pipeline.storage.records import NOW


async def test_what_was_approved_goes_to_every_target_once(db: Database, tmp_path: Path) -> None:
    targets = (site(tmp_path), site(tmp_path, "mirror"))
    approved(db, 1, *targets)
    approved(db, 2, *targets)
    assert await drained(db, tmp_path, *targets) == [
        TargetResult(target="site", published=2),
        TargetResult(target="mirror", published=2),
    ]
    assert published_texts(tmp_path) == published_texts(tmp_path, "mirror") == [text(1), text(2)]
    [first, _] = db.publications.published("site")
    assert first.place == str(tmp_path / "site" / first.path.removeprefix("published/"))
    assert await drained(db, tmp_path, *targets) == []


async def test_each_published_article_is_told_once_for_each_target(db: Database, tmp_path: Path) -> None:
    events: list[RunEvent] = []
    target = site(tmp_path)
    row = approved(db, 1, target)
    await drained(db, tmp_path, target, emit=events.append)
    await drained(db, tmp_path, target, emit=events.append)
    told = item_event("article.published", row.external_id, row.title, row.feed_key, target="site")
    assert events == [told]
    undone(db, row, target)
    await drained(db, tmp_path, target, emit=events.append)
    assert events == [told], "it was withdrawn"


async def test_an_undo_takes_it_down_and_a_revision_replaces_it(db: Database, tmp_path: Path) -> None:
    target = site(tmp_path)
    row = approved(db, 1, target)
    await drained(db, tmp_path, target)
    undone(db, row, target)
    assert await drained(db, tmp_path, target) == [TargetResult(target="site", withdrawn=1)]
    assert published_texts(tmp_path) == []
    approved(db, 1, target, words="Better.")
    await drained(db, tmp_path, target)
    assert published_texts(tmp_path) == [text(1, "Better.")]


async def test_publishing_again_after_a_crash_is_idempotent(db: Database, tmp_path: Path) -> None:
    target = site(tmp_path)
    row = approved(db, 1, target)
    send_to_target(db, tmp_path / "output", target, db.publications.pending())
    [before] = [path.stat().st_mtime_ns for path in (tmp_path / "site").rglob("*.md")]
    assert await drained(db, tmp_path, target) == [TargetResult(target="site", published=1)]
    assert [path.stat().st_mtime_ns for path in (tmp_path / "site").rglob("*.md")] == [before]
    # The same, where it was taken back before the next drain: nobody knows that it stands there.
    again = site(tmp_path, "mirror")
    db.publications.requeue(row.item_id, ["mirror"], NOW)
    send_to_target(db, tmp_path / "output", again, db.publications.pending())
    undone(db, row, again)
    await drained(db, tmp_path, again)
    assert published_texts(tmp_path, "mirror") == []


async def test_a_failed_target_is_retried_and_blocks_no_other(db: Database, tmp_path: Path) -> None:
    broken = FolderTarget(kind="folder", name="broken", path=str(tmp_path / "none" / "news"))
    targets = (broken, site(tmp_path))
    approved(db, 1, *targets)
    failed, done = await drained(db, tmp_path, *targets)
    assert (failed.target, failed.failed) == ("broken", 1)
    assert "does not exist; make it" in (failed.error or "")
    assert done == TargetResult(target="site", published=1)
    assert await drained(db, tmp_path, *targets) == []
    [later] = await drained(db, tmp_path, *targets, now=NOW + timedelta(minutes=1))
    assert later.failed == 1
    (tmp_path / "none").mkdir()
    [result] = await drained(db, tmp_path, *targets, patient=False)
    assert result == TargetResult(target="broken", published=1)


async def test_only_bytes_that_stand_in_an_approval_are_sent(db: Database, tmp_path: Path) -> None:
    target = site(tmp_path)
    approved(db, 1, target)
    with db._writing() as connection:
        connection.execute(verdicts.update().values(text="slipped in"))
    [outcome] = await drained(db, tmp_path, target)
    assert "its approved text is gone" in (outcome.error or "")
    assert published_texts(tmp_path) == []
    with db._writing() as connection:
        connection.execute(sa.update(verdicts).values(decision="reject"))
    [outcome] = await drained(db, tmp_path, target, patient=False)
    assert outcome.failed == 1


@pytest.mark.parametrize("below", ["output", "output/published", "output/drafts/news"])
async def test_our_own_folders_are_no_target(db: Database, tmp_path: Path, below: str) -> None:
    target = FolderTarget(kind="folder", name="site", path=str(tmp_path / below))
    approved(db, 1, target)
    [outcome] = await drained(db, tmp_path, target)
    assert "a folder of Copydesk's own" in (outcome.error or "")


async def test_each_target_is_a_step_that_fails_by_itself(db: Database, tmp_path: Path) -> None:
    broken = FolderTarget(kind="folder", name="broken", path=str(tmp_path / "none" / "news"))
    targets = (broken, site(tmp_path), site(tmp_path, "idle"))
    approved(db, 1, *targets[:2])
    steps: dict[str, bool] = {}

    async def watch(name: str, step: Callable[[], Awaitable[TargetResult]], /) -> TargetResult:
        steps[name] = False
        outcome = await step()
        steps[name] = True
        return outcome

    await drained(db, tmp_path, *targets, runner=watch)
    assert steps == {"publish broken": False, "publish site": True}


# Feeds


async def test_a_feed_lists_the_newest_that_stand(db: Database, tmp_path: Path) -> None:
    target = feeds(tmp_path, limit=2)
    rows = [approved(db, number, target) for number in (1, 2)]
    [outcome] = await drained(db, tmp_path, target)
    assert outcome == TargetResult(target="feed", published=2)
    # Item 1 is the newest: the ledger's time of publication counts.
    assert titles(tmp_path) == ["Title 1", "Title 2"]
    rows.append(approved(db, 3, target))
    await drained(db, tmp_path, target)
    assert titles(tmp_path) == ["Title 1", "Title 2"]
    undone(db, rows[0], target)
    assert await drained(db, tmp_path, target) == [TargetResult(target="feed", withdrawn=1)]
    assert titles(tmp_path) == ["Title 2", "Title 3"]


def titles(tmp_path: Path) -> list[str]:
    return [entry.title for entry in feedparser.parse((tmp_path / "feed/feed.xml").read_bytes()).entries]


async def test_an_article_that_no_feed_can_show_is_reported(db: Database, tmp_path: Path) -> None:
    target = feeds(tmp_path)
    approved(db, 1, target)
    decided(db, drafted(db, 2), "no front matter", targets=("feed",))
    [outcome] = await drained(db, tmp_path, target)
    assert (outcome.published, outcome.failed) == (1, 1)
    assert "cannot be shown in a feed" in (outcome.error or "")
    assert titles(tmp_path) == ["Title 1"]


# One publisher at a time


async def test_one_process_publishes_at_a_time(tmp_path: Path) -> None:
    async with publish_lock(tmp_path):
        with pytest.raises(PublishError, match="another process is publishing"):
            async with publish_lock(tmp_path, patience_s=0.2):
                pass
    async with publish_lock(tmp_path, patience_s=0):
        pass
