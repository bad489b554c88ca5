"""Keys that targets add: written files are recognised, also after their settings have changed."""

import subprocess
from pathlib import Path

import pytest

from pipeline.articles.files import sha256_of
from pipeline.articles.front_matter import loads
from pipeline.config import GitTarget, Target
from pipeline.publishing import TargetResult, queue_all
from pipeline.publishing.publish import send_to_target
from pipeline.storage import Database
from tests.fakes.feed_server import FeedServer
from tests.pipeline.publishing.publications import (
    approved,
    build,
    drained,
    feeds,
    published_texts,
    site,
    text,
    undone,
)
from tests.pipeline.storage.approvals import decided, drafted
from tests.pipeline.storage.records import NOW


def dates(tmp_path: Path, key: str = "date") -> list[str | None]:
    return [loads(article)[0].get(key) for article in published_texts(tmp_path)]


async def again(db: Database, tmp_path: Path, *targets: Target) -> list[TargetResult]:
    queue_all(db, targets, NOW)
    return await drained(db, tmp_path, *targets)


async def test_an_article_has_the_keys_of_its_target_and_the_ledger_both_hashes(
    db: Database, tmp_path: Path
) -> None:
    targets = (site(tmp_path, preset="hugo"), site(tmp_path, "plain"))
    approved(db, 1, *targets)
    await drained(db, tmp_path, *targets)
    assert dates(tmp_path) == ["2026-02-01T10:00:00.000Z"]
    assert published_texts(tmp_path, "plain") == [text(1)]
    [row] = db.publications.published("site")
    [written] = published_texts(tmp_path)
    assert (row.sha256, row.sent) == (sha256_of(text(1).encode()), sha256_of(written.encode()))
    assert [article.sent for article in db.publications.published("plain")] == [None]


async def test_queue_all_rewrites_files_after_a_changed_mapping(db: Database, tmp_path: Path) -> None:
    first = site(tmp_path, preset="hugo")
    rows = [approved(db, number, first) for number in (1, 2)]
    await drained(db, tmp_path, first)
    assert await again(db, tmp_path, first) == []
    second = site(tmp_path, front_matter={"day": "publishedAt"})
    assert await drained(db, tmp_path, second) == []
    assert await again(db, tmp_path, second) == [TargetResult(target="site", published=2)]
    assert dates(tmp_path) == [None, None]
    assert dates(tmp_path, "day") == ["2026-02-01T10:00:00.000Z", "2026-02-02T10:00:00.000Z"]
    # Without keys, the approved bytes; by name, one article.
    plain = site(tmp_path)
    db.publications.requeue(rows[0].item_id, ["site"], NOW)
    await drained(db, tmp_path, plain)
    assert dates(tmp_path, "day") == [None, "2026-02-02T10:00:00.000Z"]
    assert await again(db, tmp_path, plain) == [TargetResult(target="site", published=1)]
    assert published_texts(tmp_path) == [text(1), text(2)]
    assert await again(db, tmp_path, plain) == []


async def test_a_revision_and_a_withdrawal_know_the_file_of_earlier_settings(
    db: Database, tmp_path: Path
) -> None:
    first, second = site(tmp_path, preset="hugo"), site(tmp_path, preset="astro")
    row = approved(db, 1, first)
    approved(db, 2, first)
    await drained(db, tmp_path, first)
    approved(db, 2, second, words="Better.")
    undone(db, row, second)
    assert await drained(db, tmp_path, second) == [TargetResult(target="site", published=1, withdrawn=1)]
    assert dates(tmp_path, "pubDate") == ["2026-02-02T10:00:00.000Z"]
    assert "Better." in published_texts(tmp_path)[0]


async def test_a_crashed_publication_is_recognised_under_other_settings(db: Database, tmp_path: Path) -> None:
    row = approved(db, 1, site(tmp_path))
    for preset in ("hugo", "astro"):
        send_to_target(db, tmp_path / "output", site(tmp_path, preset=preset), db.publications.pending())
    # Written by the first, noted by the second, which died before it wrote.
    send_to_target(db, tmp_path / "output", site(tmp_path, preset="hugo"), db.publications.pending())
    [hugo] = published_texts(tmp_path)
    send_to_target(db, tmp_path / "output", site(tmp_path, preset="astro"), db.publications.pending())
    next((tmp_path / "site").rglob("*.md")).write_text(hugo)
    assert await drained(db, tmp_path, site(tmp_path)) == [TargetResult(target="site", published=1)]
    assert published_texts(tmp_path) == [text(1)]
    next((tmp_path / "site").rglob("*.md")).write_text(hugo)
    undone(db, row, site(tmp_path))
    assert await drained(db, tmp_path, site(tmp_path)) == [TargetResult(target="site", withdrawn=1)]


async def test_a_restored_ledger_knows_what_its_texts_are_at_the_target_now(
    db: Database, tmp_path: Path
) -> None:
    target = site(tmp_path, preset="hugo")
    row = approved(db, 1, target)
    await drained(db, tmp_path, target)
    with db._writing() as connection:
        connection.exec_driver_sql("UPDATE publications SET sent = NULL")
    undone(db, row, target)
    assert await drained(db, tmp_path, target) == [TargetResult(target="site", withdrawn=1)]
    assert published_texts(tmp_path) == []


async def test_a_file_that_somebody_else_changed_is_not_replaced(db: Database, tmp_path: Path) -> None:
    target = site(tmp_path, preset="hugo")
    approved(db, 1, target)
    await drained(db, tmp_path, target)
    file = next((tmp_path / "site").rglob("*.md"))
    file.write_text(file.read_text() + "mine")
    [outcome] = await again(db, tmp_path, site(tmp_path, preset="astro"))
    assert "was changed by somebody else" in (outcome.error or "")
    assert file.read_text().endswith("mine")


async def test_one_article_that_cannot_have_the_keys_holds_up_no_other(db: Database, tmp_path: Path) -> None:
    target = site(tmp_path, preset="hugo")
    approved(db, 1, target)
    decided(db, drafted(db, 2), "no front matter", targets=("site",))
    [outcome] = await drained(db, tmp_path, target)
    assert (outcome.published, outcome.failed) == (1, 1)
    assert "does not begin with a line `---`" in (outcome.error or "")


async def test_a_feed_reads_the_approved_texts(db: Database, tmp_path: Path) -> None:
    targets = (site(tmp_path, preset="pelican"), feeds(tmp_path))
    approved(db, 1, *targets)
    await drained(db, tmp_path, *targets)
    assert "<title>Title 1</title>" in (tmp_path / "feed" / "feed.xml").read_text()
    assert published_texts(tmp_path)[0].startswith("title: Title 1\ndate: 2026-02-01T10:00:00.000Z\n")


async def test_a_site_is_built_once_more_after_its_files_were_rewritten(
    db: Database, tmp_path: Path, server: FeedServer
) -> None:
    server.add("/build/sesame")
    for preset in ("hugo", "astro"):
        targets = (build(), site(tmp_path, preset=preset))
        if preset == "hugo":
            approved(db, 1, *targets)
        queue_all(db, targets, NOW)
        await drained(db, tmp_path, *targets, server=server)
    assert server.requests == 2


@pytest.mark.process
async def test_a_commit_has_the_keys_and_its_withdrawal_finds_them(
    db: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    subprocess.run(["git", "init", "-q", "-b", "main", str(tmp_path / "repo")], check=True)

    def repo(preset: str) -> GitTarget:
        values = {"kind": "git", "name": "repo", "path": str(tmp_path / "repo"), "preset": preset}
        return GitTarget.model_validate(values)

    row = approved(db, 1, repo("jekyll"))
    await drained(db, tmp_path, repo("jekyll"))
    [written] = published_texts(tmp_path, "repo")
    assert loads(written)[0]["last_modified_at"] == "2026-02-01T11:00:00.000Z"
    assert await again(db, tmp_path, repo("eleventy")) == [TargetResult(target="repo", published=1)]
    [written] = published_texts(tmp_path, "repo")
    assert (loads(written)[0].keys() & {"date", "last_modified_at"}) == {"date"}
    undone(db, row, repo("jekyll"))
    assert await drained(db, tmp_path, repo("jekyll")) == [TargetResult(target="repo", withdrawn=1)]
    assert published_texts(tmp_path, "repo") == []
