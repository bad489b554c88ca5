"""Which sections of a draft were shown to an editor, as the page's script or the editor says."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import JSONResponse, Response

from desk.context import DraftView
from desk.responses import current_editor, filters, redirect, web_context
from desk.review_state import ReviewState, SectionState, opened_at
from desk.routes.drafts import REF, draft_page, state_of
from desk.views import page_of

router = APIRouter()


@router.post(REF + "/shown")
async def note_shown(
    request: Request,
    ref: str,
    section: Annotated[int, Form()],
    sha256: Annotated[str, Form()] = "",
    opened: Annotated[str, Form()] = "",
) -> Response:
    """Record that a section was on screen, or that the editor says so, after its reading time.

    Returns JSON for the page's script: the state of the review, or (409) why the section does not count yet.
    """
    ctx, name = web_context(request), current_editor(request)
    view = await ctx.draft_view(ref)
    page = page_of(view)
    review = await state_of(request, page)
    state = review.state(section)
    problem = _not_shown_yet(request, view, review, state, sha256, opened)
    if state is not None and not problem:
        at = ctx.now if ctx.settings.review_times else None
        await asyncio.to_thread(
            ctx.db.shown.record, view.row.item_id, name, state.heading, state.sentences, at
        )
        review = await state_of(request, page)
    if "application/json" not in request.headers.get("accept", ""):
        if problem:
            return await draft_page(request, ref, error=problem, status=409, opened=opened)
        return redirect(f"/drafts/{ref}", filters(request).query())
    answer = {
        "problem": problem,
        "retry": view.sha256 == sha256,
        "shown": [each.number for each in review.sections if each.is_shown],
        "progress": f"{review.shown} of {len(review.sections)} sections shown",
        "missing": review.missing(page),
        "left": review.left(page),
        "ready": review.is_ready(page),
    }
    return JSONResponse(answer, 409 if problem else 200)


def _not_shown_yet(
    request: Request,
    view: DraftView,
    review: ReviewState,
    state: SectionState | None,
    sha256: str,
    opened: str,
) -> str:
    """Return why a section does not count as shown yet; empty if it does."""
    ctx, name = web_context(request), current_editor(request)
    if state is None or view.sha256 != sha256:
        return "The text has changed: look at it again."
    if not review.words_per_s:
        return ""
    needed = state.words / review.words_per_s
    since = opened_at(ctx.secret, opened, (view.row.external_id, sha256, name))
    if since is None:
        return "The page is of an earlier start of the desk: load it again."
    left = since + needed - ctx.now.timestamp()
    return f"“{state.name}” counts as shown in {left:.0f} s." if left > 0.5 else ""
