"""Deploy hooks are called last and once, and their URLs are not shown."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from pipeline.config import FolderTarget
from pipeline.http_client import HttpClient
from pipeline.publishing import PublishContext, TargetResult, publish_pending
from pipeline.storage import Database
from tests.fakes.feed_server import FeedServer
from tests.pipeline.publishing.publications import HOOK, approved, build, drained, site
from tests.pipeline.storage.records import NOW


async def test_a_hook_is_called_once_after_the_other_targets(
    db: Database, tmp_path: Path, server: FeedServer
) -> None:
    server.add("/build/sesame", b"{}")
    targets = (build(), site(tmp_path))
    approved(db, 1, *targets)
    approved(db, 2, *targets)
    assert await drained(db, tmp_path, *targets, server=server) == [
        TargetResult(target="site", published=2),
        TargetResult(target="build", published=2),
    ]
    assert [(request.method, request.path) for request in server.seen] == [("POST", "/build/sesame")]
    assert {row.place for row in db.publications.published("build")} == {"127.0.0.1"}
    assert await drained(db, tmp_path, *targets, server=server) == []
    assert server.requests == 1


async def test_a_hook_waits_for_an_article_that_waits_elsewhere(
    db: Database, tmp_path: Path, server: FeedServer
) -> None:
    server.add("/build/sesame")
    broken = FolderTarget(kind="folder", name="broken", path=str(tmp_path / "none" / "news"))
    targets = (build(), broken)
    approved(db, 1, *targets)
    await drained(db, tmp_path, *targets, server=server)
    assert server.requests == 0
    (tmp_path / "none").mkdir()
    await drained(db, tmp_path, *targets, server=server, patient=False)
    assert server.requests == 1
    assert db.publications.pending() == []


async def test_what_came_to_one_target_is_built_though_another_fails(
    db: Database, tmp_path: Path, server: FeedServer
) -> None:
    server.add("/build/sesame")
    broken = FolderTarget(kind="folder", name="broken", path=str(tmp_path / "none" / "news"))
    targets = (build(), broken, site(tmp_path))
    approved(db, 1, *targets)
    await drained(db, tmp_path, *targets, server=server)
    assert server.requests == 1
    assert {row.target for row in db.publications.pending()} == {"broken", "build"}
    await drained(db, tmp_path, *targets, server=server)
    assert server.requests == 1


@pytest.mark.parametrize("status", [302, 404, 500])
async def test_the_error_of_a_hook_shows_no_secret(
    db: Database, tmp_path: Path, server: FeedServer, status: int
) -> None:
    server.add("/build/sesame", b"", status=status, headers={"Location": "/build/sesame"})
    approved(db, 1, build())
    [outcome] = await drained(db, tmp_path, build(), server=server)
    assert f"refuses to build (status {status})" in (outcome.error or "")
    assert "sesame" not in (outcome.error or "")
    assert server.requests == 1


async def test_a_hook_without_its_variable_is_an_error(db: Database, tmp_path: Path) -> None:
    approved(db, 1, build())
    [outcome] = await drained(db, tmp_path, build())
    assert "COPYDESK_HOOK_BUILD is not set" in (outcome.error or "")


async def test_a_hook_keeps_to_the_public_internet(db: Database, tmp_path: Path) -> None:
    approved(db, 1, build())
    async with HttpClient("test") as net:
        hooks = {HOOK: SecretStr("http://127.0.0.1:9/sesame")}
        [outcome] = await publish_pending(PublishContext(db, tmp_path / "output", [build()], net, hooks), NOW)
    assert "COPYDESK_ALLOW_HOSTS" in (outcome.error or "")
    assert "sesame" not in (outcome.error or "")
