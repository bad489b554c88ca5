"""The queue: drafts by age, feed, beat, findings and state; verdicts on several at once."""

import asyncio
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import NamedTuple

from fastapi import APIRouter, Request
from starlette.responses import Response

from desk.filters import Filters
from desk.responses import current_editor, filters, flash, render, web_context
from pipeline.articles import files
from pipeline.domain.errors import CopydeskError, ReviewError
from pipeline.domain.models import ReviewDecision
from pipeline.services import review
from pipeline.services.draft_file import EditorContext
from pipeline.services.edit import MAX_NOTE_CHARS
from pipeline.storage import Database, DraftRow

router = APIRouter()
PAGE = 50
"""Drafts on one page."""
_PAST = {"approve": "approved", "reject": "rejected"}
_NO_REASON = "Nothing was rejected: write into “Reason” why."
_UNOPENED = "not opened yet: open it first"
_CHANGED = "its file was changed since it was listed: decide on its own page"


class Done(NamedTuple):
    """What came of one draft of several."""

    ref: str
    title: str
    trouble: str | None


@router.get("/")
async def queue(request: Request) -> Response:
    """Show the drafts that wait, or were decided on."""
    return await _page(request)


async def _page(
    request: Request,
    done: Sequence[Done] = (),
    verdict: str = "",
    *,
    trouble: str = "",
    ticked: Collection[str] = (),
    status: int = 200,
) -> Response:
    """Return the queue; `trouble` is what just went wrong, `ticked` what was chosen then."""
    ctx, chosen = web_context(request), filters(request)
    subscriptions = await asyncio.to_thread(lambda: ctx.subscriptions)
    number = 1 if done else _number(request.query_params.get("page"))
    wanted = chosen.wanted(subscriptions)
    page = await asyncio.to_thread(ctx.db.drafts.page, wanted, limit=PAGE, offset=PAGE * (number - 1))
    current_editor(request)
    return render(
        request,
        "queue.html",
        status,
        page=page,
        number=number,
        pages=max(1, -(-page.total // PAGE)),
        feeds={feed.key: feed.name for feed in subscriptions.feeds},
        beats=tuple(subscriptions.beats),
        done=done,
        verdict=verdict,
        trouble=trouble,
        ticked=ticked,
        flash=await flash(request),
    )


def _number(text: str | None) -> int:
    return max(1, int(text)) if text and text.isdecimal() and len(text) < 6 else 1


@router.post("/bulk")
async def bulk(request: Request) -> Response:
    """Give one verdict on several drafts, and say honestly what was done and what was not."""
    ctx, name = web_context(request), current_editor(request)
    form = await request.form()
    decision = ReviewDecision.REJECT if form.get("verdict") == "reject" else ReviewDecision.APPROVE
    note = str(form.get("note") or "").strip()[:MAX_NOTE_CHARS] or None
    ticked = [str(value) for value in form.getlist("draft")]
    if decision is ReviewDecision.REJECT and note is None:
        return await _page(request, trouble=_NO_REASON, ticked=ticked, status=422)
    chosen = [_chosen(value) for value in ticked]
    editor = await asyncio.to_thread(ctx.editor_context, name)
    done = await asyncio.to_thread(_decide, editor, chosen, decision, note)
    return await _page(request, done, _PAST[decision.value])


def _chosen(value: str) -> tuple[str, str]:
    """Return the id of a ticked draft and the hash of the text that it had on the page."""
    ref, _, sha256 = value.partition(":")
    return ref, sha256


def _decide(
    ctx: EditorContext, chosen: Sequence[tuple[str, str]], decision: ReviewDecision, note: str | None
) -> list[Done]:
    done = []
    for ref, sha256 in chosen:
        title = ref
        try:
            row = ctx.db.drafts.get(ref)
            title = row.title
            if decision is ReviewDecision.APPROVE and row.state == "drafted":
                _require_listed(ctx.output, row, sha256)
                _require_view(ctx.db, row, ctx.editor_name, sha256)
            review.submit_review(ctx, ref, decision, note=note, seen_sha256=sha256)
            done.append(Done(ref, title, None))
        except CopydeskError as error:
            done.append(Done(ref, title, error.message))
    return done


def _require_listed(root: Path, row: DraftRow, sha256: str) -> None:
    if files.sha256_of(files.read_bytes(root, row.path) or b"") != sha256:
        raise ReviewError(_CHANGED, draft=row.path)


def _require_view(db: Database, row: DraftRow, by: str, sha256: str) -> None:
    if not db.reviews.was_viewed(row.item_id, by, sha256):
        raise ReviewError(_UNOPENED, draft=row.path)


async def neighbours(request: Request, ref: str) -> tuple[str | None, str | None, int, int]:
    """Return the drafts before and behind one in its queue, its place there, and of how many."""
    names = await names_of(request, filters(request))
    if ref not in names:
        return None, names[0] if names else None, 0, len(names)
    at = names.index(ref)
    before = names[at - 1] if at else None
    behind = names[at + 1] if at + 1 < len(names) else None
    return before, behind, at + 1, len(names)


async def names_of(request: Request, chosen: Filters) -> list[str]:
    """Return the drafts of the queue that is looked at, in order."""
    ctx = web_context(request)
    subscriptions = await asyncio.to_thread(lambda: ctx.subscriptions)
    return await asyncio.to_thread(ctx.db.drafts.ids, chosen.wanted(subscriptions))


def next_of(names: Sequence[str], ref: str) -> str | None:
    """Return which draft comes when one has gone: the one behind it, or the one before at the end."""
    if ref not in names:
        return names[0] if names else None
    at = names.index(ref)
    rest = [*names[:at], *names[at + 1 :]]
    return rest[min(at, len(rest) - 1)] if rest else None
