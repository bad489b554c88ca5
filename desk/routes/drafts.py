"""A draft beside its source: read, previewed."""

import asyncio
import logging
from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import HTMLResponse, Response

from desk.context import DraftView
from desk.diff import Piece, word_diff
from desk.markdown import rendered
from desk.responses import current_editor, flash, render, web_context
from desk.routes.queue import neighbours
from desk.views import page_of, with_traces
from pipeline.articles.markdown import sections
from pipeline.domain.errors import DatabaseError

log = logging.getLogger("copydesk.desk")
router = APIRouter()
REF = "/drafts/{ref:str}"


@router.get(REF)
async def read(request: Request, ref: str) -> Response:
    """Show a draft beside its source."""
    current_editor(request)
    return await draft_page(request, ref)


async def draft_page(request: Request, ref: str, *, trouble: str = "", status: int = 200) -> HTMLResponse:
    """Return the page of a draft; `trouble` is what just went wrong."""
    ctx = web_context(request)
    seen, around, done = await asyncio.gather(ctx.draft_view(ref), neighbours(request, ref), flash(request))
    publications = await asyncio.to_thread(ctx.db.publications.of_item, seen.row.item_id)
    page = page_of(seen)
    page = with_traces(page, await ctx.traced(seen, page.body))
    before, behind, place, total = around
    await note_view(request, seen)
    return await asyncio.to_thread(
        render,
        request,
        "draft.html",
        status,
        page=page,
        row=seen.row,
        before=before,
        behind=behind,
        place=place,
        total=total,
        trouble=trouble,
        flash=done,
        model=ctx.settings.model,
        publications=publications,
        sections=[one.heading for one in sections(page.body)],
        changes=_source_changes(seen),
        excerpt=_excerpt(seen),
        can_ask=seen.feed is not None,
    )


async def note_view(request: Request, seen: DraftView) -> None:
    """Record that the editor is shown a draft. The page is shown all the same where that fails."""
    db, name = web_context(request).db, current_editor(request)
    if page_of(seen).trouble:  # no draft was shown
        return
    try:
        await asyncio.to_thread(
            db.reviews.record_view, seen.row.item_id, name, seen.sha256, web_context(request).now
        )
    except DatabaseError as error:
        log.warning("that %s opened %s is not recorded: %s", name, seen.row.path, error.message)


def _source_changes(seen: DraftView) -> list[Piece]:
    """Return what a source said and says, where it changed since it was drafted."""
    now, then = seen.row.updated, seen.row.item
    return word_diff(f"{then.title}\n\n{then.text}", f"{now.title}\n\n{now.text}") if now else []


def _excerpt(seen: DraftView) -> str:
    """Return what a feed says now where that is less than the text before, which then still rules."""
    now, then = seen.row.updated, seen.row.item
    kept = now is not None and now.text == then.text and now.summary != then.summary
    return now.summary if now and kept else ""


@router.post("/preview")
async def preview(request: Request, body: Annotated[str, Form()] = "") -> Response:
    """Return a body as its readers will see it."""
    current_editor(request)
    return HTMLResponse(await asyncio.to_thread(rendered, body.replace("\r\n", "\n")))
