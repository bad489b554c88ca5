"""Pages of drafts: one beside its source, its history and versions, the latest decisions."""

import asyncio
import logging
from typing import Annotated, NamedTuple

from fastapi import APIRouter, Form, Request
from starlette.responses import HTMLResponse, Response

from desk.context import DraftView
from desk.highlights import Piece, render_markdown, word_diff
from desk.responses import current_editor, flash, render, web_context
from desk.routes.queue import queue_position
from desk.views import page_of, with_supported_claims
from pipeline.articles.markdown import sections
from pipeline.config import has_writer
from pipeline.domain.errors import DatabaseError, ReviewError
from pipeline.domain.reviews import ReviewDecision
from pipeline.services.corrections import pending_correction
from pipeline.storage import CompletedReview, Version

log = logging.getLogger("copydesk.desk")
router = APIRouter()
REF = "/drafts/{ref:str}"
_ON_DISK = "disk"
"""The label of the text on disk."""


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


async def draft_page(request: Request, ref: str, *, error: str = "", status: int = 200) -> HTMLResponse:
    """Return the page of a draft and record the view; `error` is the message of an action that failed."""
    ctx = web_context(request)
    view, position, done = await asyncio.gather(
        ctx.draft_view(ref), queue_position(request, ref), flash(request)
    )
    publications = await asyncio.to_thread(ctx.db.publications.of_item, view.row.item_id)
    page = page_of(view)
    page = with_supported_claims(page, await ctx.supported_claims(view, page.body))
    await note_view(request, view)
    return await asyncio.to_thread(
        render,
        request,
        "draft.html",
        status,
        page=page,
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


async def note_view(request: Request, view: DraftView) -> None:
    """Record that the editor was shown a draft's text; an error of the ledger is logged only."""
    db, name = web_context(request).db, current_editor(request)
    if page_of(view).error:  # the page shows no text
        return
    try:
        await asyncio.to_thread(
            db.reviews.record_view, view.row.item_id, name, view.sha256, web_context(request).now
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


@router.get(REF + "/history")
async def history(request: Request, ref: str) -> Response:
    """Show a draft's events and versions."""
    current_editor(request)
    db = web_context(request).db
    row = await asyncio.to_thread(db.drafts.get, ref)
    events = await asyncio.to_thread(db.drafts.history, row.item_id)
    versions = await asyncio.to_thread(db.versions.list, row.item_id)
    return render(request, "history.html", row=row, events=events, versions=list(reversed(versions)))


@router.get(REF + "/compare")
async def compare(request: Request, ref: str) -> Response:
    """Show the word diff of two versions of a draft, named by label or hash."""
    current_editor(request)
    ctx = web_context(request)
    view = await ctx.draft_view(ref)
    page = page_of(view)
    versions = await asyncio.to_thread(ctx.db.versions.list, view.row.item_id)
    texts = {version.label: version.text for version in versions} | {_ON_DISK: view.text or ""}
    # Links may use hashes: labels change when a version is removed.
    labels = {version.sha256: version.label for version in versions}
    old = request.query_params.get("old") or _before_last(versions)
    new = request.query_params.get("new") or _ON_DISK
    old, new = labels.get(old, old), labels.get(new, new)
    if old not in texts or new not in texts:
        raise ReviewError(f"this draft has no such version; it has {', '.join(texts)}")
    pieces = await asyncio.to_thread(word_diff, texts[old], texts[new])
    return render(
        request, "compare.html", row=view.row, page=page, versions=versions, old=old, new=new, pieces=pieces,
        can_restore=view.row.state == "drafted",
    )  # fmt: skip


def _before_last(versions: list[Version]) -> str:
    return versions[-2].label if len(versions) > 1 else versions[-1].label if versions else _ON_DISK


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
