"""Actions on one draft: approve, reject, request a rewrite, dismiss a finding, revise, restore, undo."""

import asyncio
from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import PlainTextResponse, Response

from desk.finding_views import place_of
from desk.responses import current_editor, filters, redirect, web_context
from desk.routes.drafts import draft_page
from desk.routes.queue import back_to_queue, is_from_queue, next_ref
from pipeline.config import has_writer
from pipeline.domain.errors import ConfigError, ReviewError
from pipeline.domain.reviews import Review, ReviewDecision
from pipeline.services import review
from pipeline.services.edit import MAX_NOTE_CHARS, acknowledge, start_revision
from pipeline.services.finding_ends import record_taken
from pipeline.services.fixes import fixed
from pipeline.services.redraft import request_redraft, restore_version
from pipeline.storage import CompletedReview

router = APIRouter(prefix="/drafts/{ref}")
undo_router = APIRouter()
Text = Annotated[str, Form()]


async def redirect_to_next(
    request: Request, ref: str, act: Callable[[], object], flash_name: str = "did", *, stay: bool = False
) -> Response:
    """Run `act` on a draft, and redirect to the next draft, or (`stay`) to the same one.

    On ReviewError or ConfigError return the draft's page with the message. `flash_name` is the query
    parameter that makes the next page say what was done.
    """
    queue_filters = filters(request)
    following = ref if stay else await next_ref(request, ref)
    try:
        if len(str((await request.form()).get("note") or "")) > MAX_NOTE_CHARS:
            raise ReviewError(f"the note is longer than {MAX_NOTE_CHARS:,} characters; shorten it")
        await asyncio.to_thread(act)
    except (ReviewError, ConfigError) as error:
        if is_from_queue(request):
            return PlainTextResponse(error.message, 409)
        return await draft_page(request, ref, error=error.message, status=409)
    if is_from_queue(request):
        return back_to_queue(request, following, flash_name, ref)
    return redirect(f"/drafts/{following}" if following else "/", queue_filters.query(), **{flash_name: ref})


@router.post("/approve")
async def approve(
    request: Request, ref: str, sha256: Text = "", note: Text = "", light: Text = ""
) -> Response:
    """Approve the text whose hash the editor's page held; `light` also where not every section was shown."""
    return await _decide(request, ref, ReviewDecision.APPROVE, sha256, note, light=bool(light))


@router.post("/reject")
async def reject(request: Request, ref: str, sha256: Text = "", note: Text = "") -> Response:
    """Reject a draft; a reason is required."""
    if not note.strip():
        return await draft_page(request, ref, error="A rejection needs a reason.", status=422)
    return await _decide(request, ref, ReviewDecision.REJECT, sha256, note)


async def _decide(
    request: Request, ref: str, decision: ReviewDecision, sha256: str, note: str, *, light: bool = False
) -> Response:
    ctx, name = web_context(request), current_editor(request)
    decided = Review(decision=decision, by=name, at=ctx.now, note=note.strip() or None, sha256=sha256)
    return await redirect_to_next(request, ref, lambda: ctx.submit_review(ref, decided, light=light))


@router.post("/redraft")
async def redraft(
    request: Request, ref: str, note: Text = "", section: Text = "", over_edits: Text = ""
) -> Response:
    """Request a rewrite of the draft or of one section, which `copydesk serve` carries out at once.

    After that of a section, which takes seconds, its draft is shown; after the whole, the next one.
    """
    ctx, name = web_context(request), current_editor(request)

    def act() -> None:
        # Raises ConfigError for a feed that is no longer subscribed: no run would carry the request out.
        feed = ctx.subscriptions.feed(ctx.db.drafts.get(ref).feed_key)
        if section and not has_writer(ctx.settings, feed):
            raise ReviewError("only a model can rewrite a section: set COPYDESK_MODEL")
        request_redraft(
            ctx.editor_context(name), ref, note=note.strip() or None,
            section=section or None, over_edits=bool(over_edits),
        )  # fmt: skip

    return await redirect_to_next(request, ref, act, flash_name="asked_for", stay=bool(section))


@router.post("/acknowledge")
async def acknowledge_finding(
    request: Request, ref: str, key: Text = "", reason: Text = "", preset: Text = ""
) -> Response:
    """Dismiss a finding, and equal ones, for a reason of the list (`preset`) or one of the editor's own."""
    ctx, name = web_context(request), current_editor(request)
    view = await ctx.draft_view(ref)
    try:
        await asyncio.to_thread(
            acknowledge, ctx.editor_context(name), ref, key, view.findings, reason, preset=preset or None
        )
    except ReviewError as error:
        return await draft_page(request, ref, error=error.message, status=409)
    return redirect(f"/drafts/{ref}", filters(request).query())


@router.post("/fix")
async def take_fix(
    request: Request, ref: str, key: Text = "", place: Text = "", sha256: Text = ""
) -> Response:
    """Replace the words of a finding with its fix, in the text whose hash the editor's page held.

    Findings about the same words in two places have one key.
    """
    ctx, name = web_context(request), current_editor(request)
    view = await ctx.draft_view(ref)
    finding = next((each for each in view.findings if (each.key, place_of(each)) == (key, place)), None)
    try:
        if finding is None or view.text is None or view.sha256 != sha256:
            raise ReviewError("the text says something else by now: look at it again; nothing was changed")
        edit = await asyncio.to_thread(fixed, view.row, view.beat, view.text, finding)
        await ctx.save(view, edit, name, base=sha256)
        await asyncio.to_thread(record_taken, ctx.editor_context(name), view.row, finding)
    except ReviewError as error:
        return await draft_page(request, ref, error=error.message, status=409)
    await ctx.verify_edit(ref)
    return redirect(f"/drafts/{ref}", filters(request).query())


@router.post("/withdraw")
async def withdraw(request: Request, ref: str, key: Text = "") -> Response:
    """Undo the dismissal of a finding."""
    ctx, name = web_context(request), current_editor(request)
    row = await asyncio.to_thread(ctx.db.drafts.get, ref)
    await asyncio.to_thread(ctx.db.findings.withdraw, row, key, name, ctx.now)
    return redirect(f"/drafts/{ref}", filters(request).query())


@router.post("/revise")
async def revise(request: Request, ref: str) -> Response:
    """Start a revision of a published article, which stays published until the revision is approved."""
    ctx, name = web_context(request), current_editor(request)
    findings = (await ctx.draft_view(ref)).findings
    await asyncio.to_thread(start_revision, ctx.editor_context(name), ref, findings=findings)
    return redirect(f"/drafts/{ref}")


@router.post("/restore")
async def restore(request: Request, ref: str, version: Text = "") -> Response:
    """Restore an earlier version."""
    ctx, name = web_context(request), current_editor(request)
    await asyncio.to_thread(restore_version, ctx.editor_context(name), ref, version)
    await ctx.verify_edit(ref)
    return redirect(f"/drafts/{ref}")


@router.post("/undo")
async def undo(request: Request, ref: str) -> Response:
    """Undo the last decision on a draft."""
    return await _undo(request, ref)


async def _undo(request: Request, ref: str) -> Response:
    ctx, name = web_context(request), current_editor(request)
    await asyncio.to_thread(review.undo_review, ctx.editor_context(name), ref)
    return redirect(f"/drafts/{ref}", did=ref)


@undo_router.post("/undo")
async def undo_last(request: Request) -> Response:
    """Undo the editor's own last decision."""
    ctx, name = web_context(request), current_editor(request)
    reviews = await asyncio.to_thread(ctx.db.reviews.latest, 200)
    last = latest_undoable(reviews, name)
    if last is None:
        raise ReviewError("none of your latest decisions can be undone")
    ref = await asyncio.to_thread(ctx.db.items.external_id, last.item_id)
    return await _undo(request, ref)


def latest_undoable(reviews: list[CompletedReview], name: str) -> CompletedReview | None:
    """Return an editor's last decision that no later decision replaced; `reviews` is ordered newest first."""
    decided: set[int] = set()
    for entry in reviews:
        if entry.item_id in decided:
            continue
        decided.add(entry.item_id)
        if entry.by == name and entry.decision is not ReviewDecision.UNDO:
            return entry
    return None
