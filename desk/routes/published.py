"""Published articles: where each stands, and whether its source says something else by now."""

import asyncio

from fastapi import APIRouter, Request
from starlette.responses import Response

from desk.responses import current_editor, render, web_context
from desk.routes.queue import PAGE
from pipeline.storage import Database, DraftQuery, Publication, QueueRow

router = APIRouter()


@router.get("/published")
async def published(request: Request) -> Response:
    """Show what is published, those whose source changed first."""
    current_editor(request)
    ctx = web_context(request)
    subscriptions = await asyncio.to_thread(lambda: ctx.subscriptions)
    changed = await asyncio.to_thread(
        ctx.db.drafts.page, DraftQuery(state="approved", changed=True), limit=PAGE
    )
    latest = await asyncio.to_thread(ctx.db.drafts.page, DraftQuery(state="approved"), limit=PAGE)
    listed = await asyncio.to_thread(_with_places, ctx.db, (*changed.rows, *latest.rows))
    return render(
        request,
        "published.html",
        changed=changed,
        latest=latest,
        places=listed,
        targets=[target.name for target in subscriptions.publish],
        feeds={feed.key: feed.name for feed in subscriptions.feeds},
    )


def _with_places(db: Database, rows: tuple[QueueRow, ...]) -> dict[int, list[Publication]]:
    return {row.item_id: current(db.publications.of_item(row.item_id)) for row in rows}


def current(every: list[Publication]) -> list[Publication]:
    """Return what was done or is to be done last at each target."""
    return list({one.target: one for one in every}.values())
