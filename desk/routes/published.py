"""The page of published articles: their state at each target, and which sources changed since."""

import asyncio

from fastapi import APIRouter, Request
from starlette.responses import Response

from desk.responses import current_editor, render, web_context
from desk.routes.queue import PAGE
from pipeline.storage import Database, DraftQuery, Publication, QueueRow

router = APIRouter()


@router.get("/published")
async def published(request: Request) -> Response:
    """Show the published articles, those with a changed source first."""
    current_editor(request)
    ctx = web_context(request)
    subscriptions = await asyncio.to_thread(lambda: ctx.subscriptions)
    changed = await asyncio.to_thread(
        ctx.db.drafts.page, DraftQuery(state="approved", changed=True), limit=PAGE
    )
    latest = await asyncio.to_thread(ctx.db.drafts.page, DraftQuery(state="approved"), limit=PAGE)
    publications = await asyncio.to_thread(_publications, ctx.db, (*changed.rows, *latest.rows))
    return render(
        request,
        "published.html",
        changed=changed,
        latest=latest,
        publications=publications,
        targets=[target.name for target in subscriptions.publish],
        feeds={feed.key: feed.name for feed in subscriptions.feeds},
    )


def _publications(db: Database, rows: tuple[QueueRow, ...]) -> dict[int, list[Publication]]:
    return {row.item_id: latest_per_target(db.publications.of_item(row.item_id)) for row in rows}


def latest_per_target(publications: list[Publication]) -> list[Publication]:
    """Return the last publication of each target, done or pending; the oldest come first in the argument."""
    return list({publication.target: publication for publication in publications}.values())
