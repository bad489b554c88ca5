"""Pages of drafts: one beside its source, the latest decisions."""

import asyncio
import logging
from typing import Annotated, NamedTuple

from fastapi import APIRouter, Form, Request
from starlette.responses import HTMLResponse, Response

from desk.changes import changes_since
from desk.context import DraftView
from desk.highlights import Piece, render_markdown, word_diff
from desk.responses import current_editor, flash, render, web_context
from desk.review_state import ReviewState, opened_at, review_state, sign_opened
from desk.routes.queue import queue_position
from desk.rows import rows_of
from desk.views import DraftPage, page_of
from pipeline.articles.markdown import sections
from pipeline.config import has_writer
from pipeline.domain.errors import DatabaseError
from pipeline.domain.reviews import PRESETS, ReviewDecision
from pipeline.services.corrections import pending_correction
from pipeline.storage import CompletedReview

log = logging.getLogger("copydesk.desk")
router = APIRouter()
REF = "/drafts/{ref:str}"


class RecentDecision(NamedTuple):
    """A row of the latest decisions."""

    review: CompletedReview
    ref: str
    title: str
    can_undo: bool


@router.get(REF)
async def read(request: Request, ref: str) -> Response:
    """Show a draft beside its source."""
    current_editor(request)
    return await draft_page(request, ref)


@router.get(REF + "/reading")
async def reading(request: Request, ref: str) -> Response:
    """Return 204 while the second reader reads the draft, then 200."""
    current_editor(request)
    return Response(status_code=204 if web_context(request).second_reader.is_reading(ref) else 200)


async def draft_page(
    request: Request, ref: str, *, error: str = "", status: int = 200, opened: str = ""
) -> HTMLResponse:
    """Return the page of a draft and record the view; `error` is the message of an action that failed.

    `opened` says when the editor opened the same text before, as `sign_opened` wrote it.
    """
    ctx = web_context(request)
    view, position, done = await asyncio.gather(
        ctx.draft_view(ref), queue_position(request, ref), flash(request)
    )
    publications = await asyncio.to_thread(ctx.db.publications.of_item, view.row.item_id)
    name = current_editor(request)
    ctx.presence.note(view.row.external_id, name, edits=False)
    await ctx.keep_shown(view)
    page = page_of(view)
    since = await changes_since(ctx, view, name)
    paired, review, _ = await asyncio.gather(
        ctx.paired(view, page.body, page.front), state_of(request, page, opened), note_view(request, view)
    )
    return await asyncio.to_thread(
        render,
        request,
        "draft.html",
        status,
        page=page,
        rows=await asyncio.to_thread(rows_of, page, paired, since.changes if since else ()),
        since=since,
        review=review,
        presets=list(PRESETS.items()),
        row=view.row,
        position=position,
        error=error,
        flash=done,
        model=view.feed is not None and has_writer(ctx.settings, view.feed),
        publications=publications,
        correction=await asyncio.to_thread(pending_correction, ctx.db, view.row, view.text or "", view.beat),
        sections=[section.heading for section in sections(page.body)],
        changes=_source_changes(view),
        excerpt=_excerpt(view),
        can_ask=view.feed is not None,
        reading=ctx.second_reader.is_reading(view.row.external_id),
    )


async def state_of(request: Request, page: DraftPage, opened: str = "") -> ReviewState:
    """Return how far the current editor's review of a draft has come."""
    ctx, name, view = web_context(request), current_editor(request), page.view
    shown = await asyncio.to_thread(ctx.db.shown.hashes, view.row.item_id, name)
    about = (view.row.external_id, view.sha256, name)
    if opened_at(ctx.secret, opened, about) is None:
        opened = sign_opened(ctx.secret, ctx.now, about)
    return review_state(page.metadata, page.body, shown, ctx.settings.reading_words_per_s, opened)


async def note_view(request: Request, view: DraftView) -> None:
    """Record that the editor was shown a draft's text; an error of the ledger is logged only."""
    db, name = web_context(request).db, current_editor(request)
    if page_of(view).error:  # the page shows no text
        return
    try:
        await asyncio.to_thread(
            db.reviews.record_view, view.row.item_id, name, view.sha256, web_context(request).view_time
        )
    except DatabaseError as error:
        log.warning("could not record that %s opened %s: %s", name, view.row.path, error.message)


def _source_changes(view: DraftView) -> list[Piece]:
    """Return the diff between the source that was drafted and the newest one; empty if it did not change."""
    now, then = view.row.updated, view.row.item
    return word_diff(f"{then.title}\n\n{then.text}", f"{now.title}\n\n{now.text}") if now else []


def _excerpt(view: DraftView) -> str:
    """Return the feed's new summary if the earlier full text stays the source; empty otherwise."""
    now, then = view.row.updated, view.row.item
    is_excerpt = now is not None and now.text == then.text and now.summary != then.summary
    return now.summary if now and is_excerpt else ""


@router.post("/preview")
async def preview(request: Request, body: Annotated[str, Form()] = "") -> Response:
    """Return a Markdown body as HTML."""
    current_editor(request)
    return HTMLResponse(await asyncio.to_thread(render_markdown, body.replace("\r\n", "\n")))


@router.get("/recent")
async def recent(request: Request) -> Response:
    """Show the latest decisions, with an undo button for the last one on each draft."""
    current_editor(request)
    db = web_context(request).db
    reviews = await asyncio.to_thread(db.reviews.latest, 100)
    rows = await asyncio.to_thread(db.items.titles, [review.item_id for review in reviews])
    listed: set[int] = set()
    decisions = []
    for review in reviews:
        newest = review.item_id not in listed
        listed.add(review.item_id)
        can_undo = newest and review.decision is not ReviewDecision.UNDO
        if review.item_id in rows:
            decisions.append(RecentDecision(review, *rows[review.item_id], can_undo))
    return render(request, "recent.html", decisions=decisions)
