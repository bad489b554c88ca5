"""Targets, approvals and publishing runs for the tests of publishing."""

from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from pipeline.articles.front_matter import dumps
from pipeline.config import FeedTarget, FolderTarget, HookTarget, Target
from pipeline.domain.run_events import Emit, ignore_event
from pipeline.http_client import HttpClient
from pipeline.publishing import PublishContext, TargetResult, publish_pending
from pipeline.storage import Database, DraftRow
from tests.fakes.feed_server import FeedServer
from tests.pipeline.storage.approvals import decided, drafted
from tests.pipeline.storage.records import NOW

HOOK = "COPYDESK_HOOK_BUILD"


def site(tmp_path: Path, name: str = "site", **fields: Any) -> FolderTarget:
    return FolderTarget.model_validate(
        {"kind": "folder", "name": name, "path": str(tmp_path / name), **fields}
    )


def feeds(tmp_path: Path, **changes: Any) -> FeedTarget:
    values = {"kind": "feed", "name": "feed", "path": str(tmp_path / "feed"), "title": "News"}
    values |= {"link": "https://s.example/", "article_url": "https://s.example/{path}/"}
    return FeedTarget.model_validate(values | changes)


def build() -> HookTarget:
    return HookTarget(kind="hook", name="build", url_variable=HOOK)


def text(number: int, words: str = "Text.") -> str:
    day = f"2026-02-0{number}"
    times = {"publishedAt": f"{day}T10:00:00.000Z", "updatedAt": f"{day}T11:00:00.000Z"}
    return dumps(
        {"title": f"Title {number}", **times, "externalId": f"id{number}"}, f"## Overview\n\n{words}\n"
    )


def approved(db: Database, number: int, *targets: Target, words: str = "Text.") -> DraftRow:
    existing = [row for row in db.drafts.list(("drafted", "approved")) if row.item.guid == f"guid-{number}"]
    row = existing[0] if existing else drafted(db, number)
    decided(db, row, text(number, words), targets=tuple(target.name for target in targets))
    return row


def undone(db: Database, row: DraftRow, *targets: Target) -> None:
    decided(db, row, "again a draft", targets=tuple(target.name for target in targets), undo=True)


async def drained(
    db: Database,
    tmp_path: Path,
    *targets: Target,
    server: FeedServer | None = None,
    now: datetime = NOW,
    emit: Emit = ignore_event,
    **more: Any,
) -> list[TargetResult]:
    hooks = {HOOK: SecretStr(server.url("/build/sesame"))} if server else {}
    async with HttpClient("test", allowed=server.hosts if server else ()) as net:
        ctx = PublishContext(db, tmp_path / "output", targets, net, hooks, emit)
        return await publish_pending(ctx, now, **more)


def published_texts(tmp_path: Path, name: str = "site") -> list[str]:
    return sorted(path.read_text() for path in (tmp_path / name).rglob("*.md"))
