"""Pages of a draft's past: its events and versions, and two versions compared."""

import asyncio

from fastapi import APIRouter, Request
from starlette.responses import Response

from desk.highlights import word_diff
from desk.responses import current_editor, render, web_context
from desk.routes.drafts import REF
from desk.views import page_of
from pipeline.domain.errors import ReviewError
from pipeline.storage import Version

router = APIRouter()
_ON_DISK = "disk"
"""The label of the text on disk."""


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
