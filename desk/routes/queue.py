"""The queue page: filtered drafts, decisions on one or several."""

import asyncio
from collections.abc import Collection, Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from fastapi import APIRouter, Request
from starlette.responses import Response

from desk.context import WebContext
from desk.filters import Filters
from desk.finding_views import kind_label
from desk.queue_rows import duration, holders_of, row_view
from desk.responses import REF, current_editor, filters, flash, page_number, redirect, render, web_context
from pipeline.articles import files
from pipeline.config import Subscriptions
from pipeline.domain.errors import CopydeskError, ReviewError
from pipeline.domain.review_time import as_minutes
from pipeline.domain.reviews import Review, ReviewDecision
from pipeline.services.edit import MAX_NOTE_CHARS
from pipeline.storage import Database, DraftPosition, DraftQuery, DraftRow, QueueDetails, QueuePage

router = APIRouter()
PAGE = 50
"""Drafts per page."""
_CORRECTIONS = 5
"""Published articles with a changed or withdrawn source that the queue lists. Chosen, not measured."""
_OUTCOMES = {"approve": "approved", "reject": "rejected"}
_NO_REASON = "Nothing was rejected: fill in “Reason”."
_NOT_OPENED = "not opened yet: open it first"
_CHANGED = "its file changed after the queue was shown: open it and decide there"


class BulkResult(NamedTuple):
    """The result of a bulk decision for one draft."""

    ref: str
    title: str
    error: str | None
    """Why it was not decided on; None: it was."""


@router.get("/")
async def queue(request: Request) -> Response:
    """Show the waiting, approved or rejected drafts."""
    return await _page(request)


class _Listed(NamedTuple):
    """What a page of the queue lists."""

    page: QueuePage
    number: int
    """Of the page, from 1."""
    corrections: QueuePage | None
    """Published articles that stand above the queue."""
    details: dict[int, QueueDetails]


async def _page(
    request: Request,
    results: Sequence[BulkResult] = (),
    outcome: str = "",
    *,
    error: str = "",
    ticked: Collection[str] = (),
    status: int = 200,
) -> Response:
    """Return the queue page with the results of a bulk decision, or its `error` and the `ticked` drafts."""
    ctx, chosen, editor = web_context(request), filters(request), current_editor(request)
    at = request.query_params.get("at", "")
    at = at if REF.fullmatch(at) else ""
    number = 1 if results else page_number(request)
    subscriptions = await asyncio.to_thread(lambda: ctx.subscriptions)
    listed = await asyncio.to_thread(_list, ctx.db, chosen, subscriptions, editor, number, at)
    rows = (*(listed.corrections.rows if listed.corrections else ()), *listed.page.rows)
    holders = ctx.presence.holders([row.external_id for row in rows])
    shown = [
        row_view(row, listed.details[row.item_id], holders_of(holders, row.external_id, editor))
        for row in rows
        if row.item_id in listed.details
    ]
    return render(
        request,
        "queue.html",
        status,
        page=listed.page,
        rows=shown,
        corrections=listed.corrections.total if listed.corrections else 0,
        work=duration(as_minutes(listed.page.seconds)),
        at=at,
        number=listed.number,
        pages=max(1, -(-listed.page.total // PAGE)),
        feeds={feed.key: feed.name for feed in subscriptions.feeds},
        beats=tuple(subscriptions.beats),
        kind=kind_label(chosen.kind),
        results=results,
        outcome=outcome,
        error=error,
        ticked=ticked,
        flash=await flash(request),
    )


def _list(
    db: Database, chosen: Filters, subscriptions: Subscriptions, editor: str, number: int, at: str
) -> _Listed:
    """Return a page of the queue: the one with the draft `at`, if that is given and in the queue."""
    criteria = chosen.criteria(subscriptions)
    place = db.drafts.position(criteria, at).number if at else 0
    number = (place - 1) // PAGE + 1 if place else number
    page = db.drafts.page(criteria, limit=PAGE, offset=PAGE * (number - 1))
    above = chosen.corrections(subscriptions) if number == 1 else None
    corrections = db.drafts.page(above, limit=_CORRECTIONS) if above else None
    rows = (*(corrections.rows if corrections else ()), *page.rows)
    return _Listed(page, number, corrections, db.drafts.details([row.item_id for row in rows], editor))


@router.post("/bulk")
async def bulk(request: Request) -> Response:
    """Approve or reject several drafts, and list for each whether it was done and why not."""
    ctx, name = web_context(request), current_editor(request)
    form = await request.form()
    decision = ReviewDecision.REJECT if form.get("verdict") == "reject" else ReviewDecision.APPROVE
    note = str(form.get("note") or "").strip()[:MAX_NOTE_CHARS] or None
    ticked = [str(value) for value in form.getlist("draft")]
    if decision is ReviewDecision.REJECT and note is None:
        return await _page(request, error=_NO_REASON, ticked=ticked, status=422)
    now = ctx.now
    reviews = [_review(value, decision, name, note, now) for value in ticked]
    results = await asyncio.to_thread(lambda: [_decide(ctx, *pair) for pair in reviews])
    return await _page(request, results, _OUTCOMES[decision.value])


def _review(
    value: str, decision: ReviewDecision, by: str, note: str | None, now: datetime
) -> tuple[str, Review]:
    """Return the id of a ticked draft, and the decision on the text whose hash the queue showed."""
    ref, _, sha256 = value.partition(":")
    return ref, Review(decision=decision, by=by, at=now, note=note, sha256=sha256)


def _decide(ctx: WebContext, ref: str, review: Review) -> BulkResult:
    title = ref
    try:
        row = ctx.db.drafts.get(ref)
        title = row.title
        if review.decision is ReviewDecision.APPROVE and row.state == "drafted":
            _require_listed(ctx.settings.output, row, review.sha256)
            _require_view(ctx.db, row, review.by, review.sha256)
        ctx.submit_review(ref, review, light=True, way="bulk")
    except CopydeskError as error:
        return BulkResult(ref, title, error.message)
    return BulkResult(ref, title, None)


def _require_listed(root: Path, row: DraftRow, sha256: str) -> None:
    if files.sha256_of(files.read_bytes(root, row.path) or b"") != sha256:
        raise ReviewError(_CHANGED, draft=row.path)


def _require_view(db: Database, row: DraftRow, by: str, sha256: str) -> None:
    if not db.reviews.was_viewed(row.item_id, by, sha256):
        raise ReviewError(_NOT_OPENED, draft=row.path)


def is_from_queue(request: Request) -> bool:
    """Return whether a decision was made on a row of the queue, by its script."""
    return request.query_params.get("from") == "queue"


def back_to_queue(request: Request, following: str | None, flash_name: str, ref: str) -> Response:
    """Return the redirect to the queue after a decision on a row of it: to the page with the next draft."""
    more = {"at": following} if following else {}
    return redirect("/", filters(request).query(), **more, **{flash_name: ref})


async def queue_position(request: Request, ref: str) -> DraftPosition:
    """Return a draft's position in the filtered queue; the first draft follows one that is not in it."""
    return await asyncio.to_thread(web_context(request).db.drafts.position, await _criteria(request), ref)


async def next_ref(request: Request, ref: str) -> str | None:
    """Return the draft of the filtered queue to show after one has left it."""
    return await asyncio.to_thread(web_context(request).db.drafts.next, await _criteria(request), ref)


async def _criteria(request: Request) -> DraftQuery:
    ctx = web_context(request)
    subscriptions = await asyncio.to_thread(lambda: ctx.subscriptions)
    return filters(request).criteria(subscriptions)
