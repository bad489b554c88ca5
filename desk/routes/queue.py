"""The queue page: filtered drafts, decisions on several at once."""

import asyncio
from collections.abc import Collection, Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from fastapi import APIRouter, Request
from starlette.responses import Response

from desk.context import WebContext
from desk.filters import Filters
from desk.responses import current_editor, filters, flash, render, web_context
from pipeline.articles import files
from pipeline.domain.errors import CopydeskError, ReviewError
from pipeline.domain.reviews import Review, ReviewDecision
from pipeline.services.edit import MAX_NOTE_CHARS
from pipeline.storage import Database, DraftQuery, DraftRow

router = APIRouter()
PAGE = 50
"""Drafts per page."""
_PUBLISHED = 5
"""Published articles with a changed or withdrawn source that the queue lists. Chosen, not measured."""
_PUBLISHED_CHANGED = DraftQuery(state="approved", changed=True)
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
    ctx, chosen = web_context(request), filters(request)
    subscriptions = await asyncio.to_thread(lambda: ctx.subscriptions)
    number = 1 if results else _page_number(request.query_params.get("page"))
    criteria = chosen.criteria(subscriptions)
    page = await asyncio.to_thread(ctx.db.drafts.page, criteria, limit=PAGE, offset=PAGE * (number - 1))
    published = None
    if number == 1 and chosen == Filters():
        published = await asyncio.to_thread(ctx.db.drafts.page, _PUBLISHED_CHANGED, limit=_PUBLISHED)
    current_editor(request)
    return render(
        request,
        "queue.html",
        status,
        page=page,
        published=published if published and published.total else None,
        number=number,
        pages=max(1, -(-page.total // PAGE)),
        feeds={feed.key: feed.name for feed in subscriptions.feeds},
        beats=tuple(subscriptions.beats),
        results=results,
        outcome=outcome,
        error=error,
        ticked=ticked,
        flash=await flash(request),
    )


def _page_number(text: str | None) -> int:
    return max(1, int(text)) if text and text.isdecimal() and len(text) < 6 else 1


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
        ctx.submit_review(ref, review)
    except CopydeskError as error:
        return BulkResult(ref, title, error.message)
    return BulkResult(ref, title, None)


def _require_listed(root: Path, row: DraftRow, sha256: str) -> None:
    if files.sha256_of(files.read_bytes(root, row.path) or b"") != sha256:
        raise ReviewError(_CHANGED, draft=row.path)


def _require_view(db: Database, row: DraftRow, by: str, sha256: str) -> None:
    if not db.reviews.was_viewed(row.item_id, by, sha256):
        raise ReviewError(_NOT_OPENED, draft=row.path)


class QueuePosition(NamedTuple):
    """Where a draft is in the filtered queue."""

    previous: str | None
    following: str | None
    number: int
    """From 1; 0: it is not in the queue."""
    total: int


async def queue_position(request: Request, ref: str) -> QueuePosition:
    """Return a draft's position in the filtered queue; the first draft follows one that is not in it."""
    refs = await queue_refs(request, filters(request))
    if ref not in refs:
        return QueuePosition(None, refs[0] if refs else None, 0, len(refs))
    at = refs.index(ref)
    previous = refs[at - 1] if at else None
    following = refs[at + 1] if at + 1 < len(refs) else None
    return QueuePosition(previous, following, at + 1, len(refs))


async def queue_refs(request: Request, chosen: Filters) -> list[str]:
    """Return the ids of the drafts in the filtered queue, in order."""
    ctx = web_context(request)
    subscriptions = await asyncio.to_thread(lambda: ctx.subscriptions)
    return await asyncio.to_thread(ctx.db.drafts.ids, chosen.criteria(subscriptions))


def next_ref(refs: Sequence[str], ref: str) -> str | None:
    """Return the draft to show after `ref` left the queue: the following one, or at the end the previous."""
    if ref not in refs:
        return refs[0] if refs else None
    at = refs.index(ref)
    rest = [*refs[:at], *refs[at + 1 :]]
    return rest[min(at, len(rest) - 1)] if rest else None
