"""The cover of a new draft; a redraft keeps the editor's cover."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipeline.articles.front_matter import dumps, loads
from pipeline.config import Subscriptions
from pipeline.covers import UnsplashClient
from pipeline.http_client import HttpClient
from pipeline.services.context import RunContext
from pipeline.services.draft import draft_feed
from pipeline.services.draft_file import EditorContext
from pipeline.services.redraft import request_redraft
from pipeline.storage import Database
from tests.databases import prepared
from tests.fakes.unsplash import KEY, FakeUnsplash
from tests.pipeline.services.desk import Scripted, run_context
from tests.pipeline.storage.records import NOW, admit, feed, item

IMAGE = "https://news.example/1.jpg"


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    with Database.open(prepared(f"sqlite:///{tmp_path / 'covers.db'}")) as opened:
        yield opened


async def drafted(
    db: Database, folder: Path, search: UnsplashClient | None = None, **changes: Any
) -> dict[str, Any]:
    config = feed(**changes)
    db.feeds.sync([config])
    admit(db, item(77, image=IMAGE), key=config.key)
    async with HttpClient("Copydesk/test") as net:
        desk = RunContext(
            **{**vars(run_context(db, net, folder, Scripted(), feeds=(config,))), "covers": search}
        )
        [outcome] = await draft_feed(desk, config, 5)
    assert outcome.path, outcome.reason
    return loads((folder / "output" / outcome.path).read_text())[0]


async def test_no_cover_unless_the_feed_says_so(db: Database, tmp_path: Path) -> None:
    assert "coverImage" not in await drafted(db, tmp_path)


async def test_the_items_own_image_with_the_feeds_credit(db: Database, tmp_path: Path) -> None:
    metadata = await drafted(db, tmp_path, covers="feed")
    cover = metadata["coverImage"]
    assert isinstance(cover, dict)
    assert cover["raw"] == cover["small_s3"] == IMAGE
    assert cover["credit"]["url"] == "https://news.example/77"
    keys = list(metadata)
    assert keys.index("draft") < keys.index("coverImage") < keys.index("ai")


@pytest.mark.parametrize(("choice", "requested"), [("first", 2), ("editor", 0)])
async def test_the_first_of_a_search_where_the_feed_says_so(
    db: Database, tmp_path: Path, choice: str, requested: int
) -> None:
    with FakeUnsplash() as api:
        async with HttpClient("Copydesk/test", allowed=[api.place]) as net:
            search = UnsplashClient(net, KEY, api.url)
            metadata = await drafted(db, tmp_path, search, covers="unsplash", cover_choice=choice)
        assert len(api.requests) == requested
        assert ("coverImage" in metadata) is (choice == "first")


async def test_a_failed_search_leaves_the_draft_without_cover(db: Database, tmp_path: Path) -> None:
    with FakeUnsplash(status=403) as api:
        async with HttpClient("Copydesk/test", allowed=[api.place]) as net:
            search = UnsplashClient(net, KEY, api.url)
            metadata = await drafted(db, tmp_path, search, covers="unsplash", cover_choice="first")
    assert "coverImage" not in metadata


async def test_a_redraft_keeps_the_editors_cover_and_description(db: Database, tmp_path: Path) -> None:
    config = feed(covers="feed")
    await drafted(db, tmp_path, covers="feed")
    [row] = db.drafts.list()
    path = tmp_path / "output" / row.path
    metadata, body = loads(path.read_text())
    metadata["coverImage"] = {"raw": "https://mine.example/a.jpg"}
    metadata["description"] = "My own words."
    path.write_text(dumps(metadata, body))

    editor = EditorContext(db, tmp_path / "output", Subscriptions(beats={}, feeds=()), "Ada", lambda: NOW)
    request_redraft(editor, row.external_id, over_edits=True)
    async with HttpClient("Copydesk/test") as net:
        [outcome] = await draft_feed(run_context(db, net, tmp_path, Scripted(), feeds=(config,)), config, 5)
    assert outcome.path, outcome.reason
    after, _ = loads(path.read_text())
    assert after["ai"]["version"] == 2
    assert after["coverImage"] == {"raw": "https://mine.example/a.jpg"}
    assert after["description"] == "My own words."
