"""Published articles: the page that lists them, and what an editor can do about one."""

import asyncio
import re
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import Annotated, NamedTuple

from fastapi import APIRouter, Form, Request
from starlette.responses import Response

from desk.periods import read_period
from desk.responses import current_editor, flash, page_number, redirect, render, web_context
from desk.routes.drafts import REF, draft_page
from pipeline.config import FeedTarget, FolderTarget, GitTarget, Target
from pipeline.config.time_syntax import timezone_of
from pipeline.domain.errors import ConfigError, ReviewError
from pipeline.services.corrections import change_note, start_correction
from pipeline.services.takedown import retract, unpublish
from pipeline.storage import Publication, PublishedRow

router = APIRouter()
PAGE = 50
"""Articles per page."""
_MAX_SEARCH_CHARS = 200
_LEVEL = re.compile(r"^review:\n(?:  .*\n)*?  level: (full|light)$", re.MULTILINE)
"""In front matter as Copydesk writes it."""
_CORRECTED = "\ncorrections:\n"
Text = Annotated[str, Form()]


class TargetState(NamedTuple):
    """What a target has of an article."""

    name: str
    label: str
    tone: str
    """The badge's class: fine, warn or asked."""
    address: str
    """Where it is, or will be; empty if that is unknown."""
    error: str

    @property
    def url(self) -> str:
        """The address as a link; empty if it is a path."""
        return self.address if self.address.startswith(("http://", "https://")) else ""


class PublishedView(NamedTuple):
    """A row of the page."""

    row: PublishedRow
    targets: tuple[TargetState, ...]

    @property
    def level(self) -> str:
        """How it was reviewed, full or light; empty for an article without a level."""
        match = _LEVEL.search(self.row.head)
        return match[1] if match else ""

    @property
    def corrected(self) -> bool:
        """Whether it has a correction."""
        return not self.row.is_retracted and _CORRECTED in self.row.head.partition("\n---\n")[0]


@router.get("/published")
async def published(request: Request) -> Response:
    """Show the published articles: those with a changed source first, then the newest approval first."""
    return await _page(request)


async def _page(request: Request, *, error: str = "", status: int = 200) -> Response:
    current_editor(request)
    ctx = web_context(request)
    search = request.query_params.get("q", "")[:_MAX_SEARCH_CHARS].strip()
    number = page_number(request)
    subscriptions = await asyncio.to_thread(lambda: ctx.subscriptions)
    period = read_period(request.query_params, ctx.now, timezone_of(ctx.settings.timezone))
    day = period.days[0] if period.is_single else None
    offset = PAGE * (number - 1)
    page = await asyncio.to_thread(
        lambda: ctx.db.published.page(search.split(), day=day, limit=PAGE, offset=offset)
    )
    last = await asyncio.to_thread(ctx.db.publications.latest, [row.item_id for row in page.rows])
    targets = {target.name: target for target in subscriptions.publish}
    return render(
        request,
        "published.html",
        status,
        page=page,
        views=[
            PublishedView(row, tuple(target_state(each, row, targets) for each in last.get(row.item_id, ())))
            for row in page.rows
        ],
        search=search,
        day=f"{day.date}" if day else "",
        number=number,
        first=(number - 1) * PAGE + 1,
        pages=max(1, -(-page.total // PAGE)),
        targets=targets,
        feeds={feed.key: feed.name for feed in subscriptions.feeds},
        error=error,
        flash=await flash(request),
    )


def target_state(last: Publication, row: PublishedRow, targets: dict[str, Target]) -> TargetState:
    """Return what a target has of an article, by its last publication there. Pure."""
    done = "published" if last.action == "publish" else "removed"
    waits = "will be published" if last.action == "publish" else "will be removed"
    address = address_at(targets.get(last.target), last, row.external_id)
    if last.done_at:
        return TargetState(last.target, done, "fine" if last.action == "publish" else "note", address, "")
    if last.error:
        return TargetState(last.target, "failed, tried again", "warn", address, last.error)
    return TargetState(last.target, waits, "asked", address, "")


def address_at(target: Target | None, last: Publication, external_id: str) -> str:
    """Return the URL or the path of an article at a target; empty for a hook and an unknown target."""
    path = PurePosixPath(last.path).relative_to("published")
    if isinstance(target, FeedTarget):
        stem = path.with_suffix("")
        url = target.article_url.replace("{path}", str(stem)).replace("{slug}", stem.name)
        return url.replace("{id}", external_id)
    if isinstance(target, FolderTarget):
        return str(Path(target.path) / path)
    return str(PurePosixPath(target.folder or "") / path) if isinstance(target, GitTarget) else ""


@router.post(REF + "/correct")
async def correct(request: Request, ref: str, note: Text = "", minor: Text = "") -> Response:
    """Start the correction of a published article, with the note for readers."""
    ctx, name = web_context(request), current_editor(request)
    findings = (await ctx.draft_view(ref)).findings

    def act() -> None:
        start_correction(ctx.editor_context(name), ref, note, minor=bool(minor), findings=findings)

    return await _carry_out(request, act) or redirect(f"/drafts/{ref}")


@router.post(REF + "/note")
async def set_note(request: Request, ref: str, note: Text = "", sha256: Text = "") -> Response:
    """Change what readers are told when a revision is approved."""
    ctx, name = web_context(request), current_editor(request)
    act = lambda: change_note(ctx.editor_context(name), ref, note, seen_sha256=sha256)  # noqa: E731
    try:
        await asyncio.to_thread(act)
    except ReviewError as error:
        return await draft_page(request, ref, error=error.message, status=409)
    return redirect(f"/drafts/{ref}")


@router.post(REF + "/unpublish")
async def end_publication(request: Request, ref: str, note: Text = "") -> Response:
    """Make a published article a draft again; a reason is required."""
    ctx, name = web_context(request), current_editor(request)
    if not note.strip():
        return await _page(request, error="Nothing was unpublished: fill in “Reason”.", status=422)
    failed = await _carry_out(request, lambda: unpublish(ctx.editor_context(name), ref, note))
    return failed or redirect("/published", did=ref)


@router.post(REF + "/retract")
async def retract_article(request: Request, ref: str, note: Text = "") -> Response:
    """Replace a published article by a notice; a reason is required."""
    ctx, name = web_context(request), current_editor(request)
    if not note.strip():
        return await _page(request, error="Nothing was retracted: fill in “Reason”.", status=422)
    failed = await _carry_out(request, lambda: retract(ctx.editor_context(name), ref, note))
    return failed or redirect("/published", did=ref)


async def _carry_out(request: Request, act: Callable[[], object]) -> Response | None:
    """Run `act`; return the page with the message if it was refused, else None."""
    try:
        await asyncio.to_thread(act)
    except (ReviewError, ConfigError) as error:
        return await _page(request, error=error.message, status=409)
    return None
