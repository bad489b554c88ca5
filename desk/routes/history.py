"""Pages of a draft's past: its events and versions, and two versions compared."""

import asyncio
from collections.abc import Sequence

from fastapi import APIRouter, Request
from starlette.responses import Response

from desk.comparison import compare_texts
from desk.responses import current_editor, render, web_context
from desk.routes.drafts import REF
from desk.views import direction, page_of
from pipeline.domain.errors import ReviewError
from pipeline.storage import Version

router = APIRouter()
_ON_DISK = "disk"
"""The label of a text on disk that is in no version."""
_CAUSES = {
    "draft": "Drafted", "repair": "Sentences corrected by the model", "redraft": "Rewritten",
    "edit": "Edited", "restore": "Restored", "revise": "Revised", "approve": "Approved", "reject": "Rejected",
    "undo": "Decision undone", "retract": "Retracted", "unpublish": "Unpublished",
    "asked": "Rewrite requested", "answered": "Rewrite", "acknowledged": "Finding dismissed",
    "withdrawn": "Dismissal undone", "published": "Published", "taken down": "Taken down",
}  # fmt: skip
"""What happened, by the cause of a version or the kind of an event."""


@router.get(REF + "/history")
async def history(request: Request, ref: str) -> Response:
    """Show a draft's events and versions."""
    current_editor(request)
    db = web_context(request).db
    row = await asyncio.to_thread(db.drafts.get, ref)
    events = await asyncio.to_thread(db.drafts.history, row.item_id)
    versions = await asyncio.to_thread(db.versions.list, row.item_id)
    return render(
        request, "history.html", row=row, events=events, versions=list(reversed(versions)), causes=_CAUSES
    )


@router.get(REF + "/compare")
async def compare(request: Request, ref: str) -> Response:
    """Show two versions of a draft, named by label or hash, as one article with what changed marked."""
    current_editor(request)
    ctx = web_context(request)
    view = await ctx.draft_view(ref)
    page = page_of(view)
    versions = await asyncio.to_thread(ctx.db.versions.list, view.row.item_id)
    texts = {version.label: version.text for version in versions}
    on_disk = _label_on_disk(versions, view.text)
    if on_disk == _ON_DISK:
        texts[_ON_DISK] = view.text or ""
    # Links may use hashes: labels change when a version is removed.
    labels = {version.sha256: version.label for version in versions} | {_ON_DISK: on_disk}
    new = request.query_params.get("new") or _ON_DISK
    new = labels.get(new, new)
    old = request.query_params.get("old") or _before(versions, new)
    old = labels.get(old, old)
    if old not in texts or new not in texts:
        raise ReviewError(f"this draft has no such version; it has {', '.join(texts)}")
    comparison = await asyncio.to_thread(compare_texts, texts[old], texts[new])
    return render(
        request, "compare.html", row=view.row, page=page, versions=versions, old=old, new=new,
        comparison=comparison, on_disk=on_disk, direction=direction(str(page.metadata.get("lang") or "")),
        can_restore=view.row.state == "drafted", causes=_CAUSES,
    )  # fmt: skip


def _label_on_disk(versions: Sequence[Version], text: str | None) -> str:
    """Return the label of the version on disk; `disk` if its text is in no version, or another is newer."""
    current = [version for version in versions if not version.aside]
    return current[-1].label if current and current[-1].text == text else _ON_DISK


def _before(versions: Sequence[Version], new: str) -> str:
    """Return the label of the text that a version replaced; of the version itself if it is the first."""
    labels = [version.label for version in versions if not version.aside]
    if new not in labels:  # on disk, or aside
        return labels[-1] if labels else _ON_DISK
    return labels[max(0, labels.index(new) - 1)]
