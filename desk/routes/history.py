"""What was: a draft's history, its versions beside each other, the last verdicts."""

import asyncio

from fastapi import APIRouter, Request
from starlette.responses import Response

from desk.diff import word_diff
from desk.responses import current_editor, render, web_context
from desk.routes.drafts import REF
from desk.views import page_of
from pipeline.domain.errors import ReviewError
from pipeline.domain.reviews import ReviewDecision
from pipeline.storage import Version

router = APIRouter()
_ON_DISK = "disk"
"""Stands for the text on disk where a version is chosen."""


@router.get(REF + "/history")
async def history(request: Request, ref: str) -> Response:
    """Show everything that happened to a draft."""
    current_editor(request)
    db = web_context(request).db
    row = await asyncio.to_thread(db.drafts.get, ref)
    events = await asyncio.to_thread(db.drafts.history, row.item_id)
    versions = await asyncio.to_thread(db.versions.list, row.item_id)
    return render(request, "history.html", row=row, events=events, versions=list(reversed(versions)))


@router.get(REF + "/compare")
async def compare(request: Request, ref: str) -> Response:
    """Show two versions of a draft, word by word."""
    current_editor(request)
    ctx = web_context(request)
    seen = await ctx.draft_view(ref)
    page = page_of(seen)
    versions = await asyncio.to_thread(ctx.db.versions.list, seen.row.item_id)
    texts = {one.label: one.text for one in versions} | {_ON_DISK: seen.text or ""}
    named = {one.sha256: one.label for one in versions}  # labels change when a version goes
    old = request.query_params.get("old") or _before_last(versions)
    new = request.query_params.get("new") or _ON_DISK
    old, new = named.get(old, old), named.get(new, new)
    if old not in texts or new not in texts:
        raise ReviewError(f"this draft has no such version; it has {', '.join(texts)}")
    pieces = await asyncio.to_thread(word_diff, texts[old], texts[new])
    return render(
        request, "compare.html", row=seen.row, page=page, versions=versions, old=old, new=new, pieces=pieces,
        can_restore=seen.row.state == "drafted",
    )  # fmt: skip


def _before_last(versions: list[Version]) -> str:
    return versions[-2].label if len(versions) > 1 else versions[-1].label if versions else _ON_DISK


@router.get("/recent")
async def recent(request: Request) -> Response:
    """Show the last verdicts, each with the way back."""
    current_editor(request)
    db = web_context(request).db
    given = await asyncio.to_thread(db.reviews.latest, 100)
    rows = await asyncio.to_thread(db.items.titles, [one.item_id for one in given])
    last: set[int] = set()
    told = []
    for one in given:
        newest = one.item_id not in last
        last.add(one.item_id)
        can_undo = newest and one.decision is not ReviewDecision.UNDO
        if one.item_id in rows:
            told.append((one, *rows[one.item_id], can_undo))
    return render(request, "recent.html", verdicts=told)
