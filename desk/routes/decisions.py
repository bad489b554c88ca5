"""Verdicts and what is asked for: each is one form, and leads to the next draft."""

import asyncio
from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import Response

from desk.responses import current_editor, filters, redirect, web_context
from desk.routes.drafts import draft_page
from desk.routes.queue import names_of, next_of
from pipeline.domain.errors import ConfigError, ReviewError
from pipeline.domain.models import ReviewDecision
from pipeline.services import review
from pipeline.services.edit import MAX_NOTE_CHARS, acknowledge, start_revision
from pipeline.services.redraft import request_redraft, restore_version
from pipeline.storage import CompletedReview

router = APIRouter(prefix="/drafts/{ref}")
everywhere = APIRouter()
Text = Annotated[str, Form()]


async def redirect_to_next(
    request: Request, ref: str, act: Callable[[], object], told: str = "did"
) -> Response:
    """Do something by which a draft leaves the queue and show the next; or the draft and what is wrong."""
    chosen = filters(request)
    names = await names_of(request, chosen)
    try:
        if len(str((await request.form()).get("note") or "")) > MAX_NOTE_CHARS:
            raise ReviewError(f"the note is longer than {MAX_NOTE_CHARS:,} characters; shorten it")
        await asyncio.to_thread(act)
    except (ReviewError, ConfigError) as error:
        return await draft_page(request, ref, trouble=error.message, status=409)
    behind = next_of(names, ref)
    return redirect(f"/drafts/{behind}" if behind else "/", chosen.query(), **{told: ref})


@router.post("/approve")
async def approve(request: Request, ref: str, sha256: Text = "", note: Text = "") -> Response:
    """Approve the text that the editor saw."""
    return await _verdict(request, ref, ReviewDecision.APPROVE, sha256, note)


@router.post("/reject")
async def reject(request: Request, ref: str, sha256: Text = "", note: Text = "") -> Response:
    """Reject it, with a reason."""
    if not note.strip():
        return await draft_page(request, ref, trouble="Say why it is rejected.", status=422)
    return await _verdict(request, ref, ReviewDecision.REJECT, sha256, note)


async def _verdict(request: Request, ref: str, decision: ReviewDecision, sha256: str, note: str) -> Response:
    ctx, name = web_context(request), current_editor(request)

    def act() -> None:
        review.submit_review(
            ctx.editor_context(name), ref, decision, note=note.strip() or None, seen_sha256=sha256
        )

    return await redirect_to_next(request, ref, act)


@router.post("/redraft")
async def redraft(
    request: Request, ref: str, note: Text = "", section: Text = "", over_edits: Text = ""
) -> Response:
    """Ask for it to be written anew; a flow carries that out."""
    ctx, name = web_context(request), current_editor(request)

    def act() -> None:
        if section and ctx.settings.model is None:
            raise ReviewError("a section is written anew by a model alone: set COPYDESK_MODEL")
        ctx.subscriptions.feed(ctx.db.drafts.get(ref).feed_key)  # else nobody would carry it out
        request_redraft(
            ctx.editor_context(name), ref, note=note.strip() or None,
            section=section or None, over_edits=bool(over_edits),
        )  # fmt: skip

    return await redirect_to_next(request, ref, act, told="asked_for")


@router.post("/acknowledge")
async def acknowledge_finding(request: Request, ref: str, key: Text = "", reason: Text = "") -> Response:
    """Answer for a finding, with a reason."""
    ctx, name = web_context(request), current_editor(request)
    seen = await ctx.draft_view(ref)
    try:
        await asyncio.to_thread(acknowledge, ctx.editor_context(name), ref, key, seen.findings, reason)
    except ReviewError as error:
        return await draft_page(request, ref, trouble=error.message, status=409)
    return redirect(f"/drafts/{ref}", filters(request).query())


@router.post("/withdraw")
async def withdraw(request: Request, ref: str, key: Text = "") -> Response:
    """Answer for a finding no more."""
    ctx, name = web_context(request), current_editor(request)
    row = await asyncio.to_thread(ctx.db.drafts.get, ref)
    await asyncio.to_thread(ctx.db.findings.withdraw, row, key, name, ctx.now)
    return redirect(f"/drafts/{ref}", filters(request).query())


@router.post("/revise")
async def revise(request: Request, ref: str) -> Response:
    """Make a new draft of a published article, which stays."""
    ctx, name = web_context(request), current_editor(request)
    found = (await ctx.draft_view(ref)).findings
    await asyncio.to_thread(start_revision, ctx.editor_context(name), ref, findings=found)
    return redirect(f"/drafts/{ref}")


@router.post("/restore")
async def restore(request: Request, ref: str, version: Text = "") -> Response:
    """Put an earlier version back."""
    ctx, name = web_context(request), current_editor(request)
    await asyncio.to_thread(restore_version, ctx.editor_context(name), ref, version)
    return redirect(f"/drafts/{ref}")


@router.post("/undo")
async def undo(request: Request, ref: str) -> Response:
    """Take the last verdict on a draft back."""
    return await _undone(request, ref)


async def _undone(request: Request, ref: str) -> Response:
    ctx, name = web_context(request), current_editor(request)
    await asyncio.to_thread(review.undo_review, ctx.editor_context(name), ref)
    return redirect(f"/drafts/{ref}", did=ref)


@everywhere.post("/undo")
async def undo_last(request: Request) -> Response:
    """Take back the last verdict that this editor gave."""
    ctx, name = web_context(request), current_editor(request)
    given = await asyncio.to_thread(ctx.db.reviews.latest, 200)
    last = last_of(given, name)
    if last is None:
        raise ReviewError("none of your last verdicts can be taken back")
    ref = await asyncio.to_thread(ctx.db.items.external_id, last.item_id)
    return await _undone(request, ref)


def last_of(given: list[CompletedReview], name: str) -> CompletedReview | None:
    """Return the last verdict of an editor that nobody has decided over since; the newest come first."""
    decided: set[int] = set()
    for one in given:
        if one.item_id in decided:
            continue
        decided.add(one.item_id)
        if one.by == name and one.decision is not ReviewDecision.UNDO:
            return one
    return None
