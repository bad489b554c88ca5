"""The editor of a draft: the form, autosave, merging with others' changes, and conflicts."""

import asyncio
import secrets
from typing import NamedTuple

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response

from desk.conflicts import ConflictView, change_description, conflict_views, together_with
from desk.context import DraftView, SavedEdit, WebContext
from desk.edit_form import EditForm, draft_edit, read_form, valid_part
from desk.highlights import render_markdown
from desk.responses import address, current_editor, filters, fragment, redirect, render, web_context
from desk.routes import covers
from desk.routes.drafts import REF, draft_page, note_view
from desk.routes.queue import next_ref
from desk.views import DraftPage, page_of
from pipeline.articles.article import Sentiment
from pipeline.articles.merge import Conflict
from pipeline.domain.errors import EditConflict, ReviewError
from pipeline.domain.reviews import Review, ReviewDecision
from pipeline.services.draft_file import DraftOnDisk
from pipeline.services.edit import keep_refused
from pipeline.services.merge_save import is_saved

router = APIRouter()
NEXT = "x-copydesk-next"
"""Header of a save's response: the address that the script goes to."""


class Unsaved(NamedTuple):
    """Why a text was not saved, and where it is kept."""

    reason: str
    """A clause, without a full stop."""
    version_sha256: str | None
    """Hash of the version that keeps the editor's text; None: there was no change to keep."""
    conflicts: tuple[ConflictView, ...] = ()


class Saved(NamedTuple):
    """What is said of a save."""

    sha256: str
    description: str
    """The description in the saved text, for the form."""
    together: str = ""
    """Whose changes it was merged with; empty: nobody's."""
    error: str = ""
    """Why what should have followed the save was not done."""
    merged: DraftPage | None = None
    """The merged text, for the form; None: it is as it was sent."""


@router.get(REF + "/edit")
async def edit(request: Request, ref: str) -> Response:
    """Show the editor."""
    name = current_editor(request)
    ctx = web_context(request)
    view = await ctx.draft_view(ref)
    page = page_of(view)
    if view.row.state != "drafted":
        raise ReviewError(
            f"{view.row.path} is {view.row.state}; undo that decision, or revise it, to edit it"
        )
    if page.error:
        return await draft_page(request, ref, error=page.error, status=409)
    await note_view(request, view)
    await ctx.keep_shown(view)
    ctx.presence.note(ref, name, edits=True)
    return _editor_page(request, page, view.sha256)


@router.get(REF + "/save")
async def reload_saved(request: Request, ref: str) -> Response:
    """Redirect to the editor: without a script, the address of a refused save is that of the page."""
    current_editor(request)
    return redirect(f"/drafts/{ref}/edit", filters(request).query())


@router.post(REF + "/save")
async def save(request: Request, ref: str) -> Response:
    """Save the form; then approve the draft or open the cover search if the form asks for it."""
    ctx, name = web_context(request), current_editor(request)
    form = read_form(await request.form())
    async with ctx.page_lock(form.form_id):
        view = await ctx.draft_view(ref)
        if form.then == "aside":
            return await _set_aside(ctx, view, form, name)
        ctx.presence.note(ref, name, edits=True)
        try:
            saved = await ctx.save_merged(
                view, draft_edit(view, form), name, base=form.base, form=form.form_id, choices=form.choices
            )
        except ReviewError as error:
            unsaved = await _keep_unsaved(ctx, view, form, name, error)
            return _not_saved(request, view, form, unsaved)
    if is_script(request):
        return await _tell_script(request, ref, form, saved)
    return await _go_on(request, ref, form, saved)


def is_script(request: Request) -> bool:
    """Whether a script sent the form while the editor's page stays."""
    return "hx-request" in request.headers


async def _set_aside(ctx: WebContext, view: DraftView, form: EditForm, name: str) -> Response:
    """Keep a text as a version aside, unless it is saved: its page was left before the save was confirmed."""
    edit, editor = valid_part(view, form), ctx.editor_context(name)
    if view.text is not None:
        current = DraftOnDisk(view.row, view.text, view.sha256)
        if await asyncio.to_thread(is_saved, editor, current, edit, form.base, form.form_id):
            return JSONResponse({"kept": False})
    version = await asyncio.to_thread(
        keep_refused, editor, view.row.external_id, edit, base=form.base, form=form.form_id
    )
    return JSONResponse({"kept": version is not None})


async def _tell_script(request: Request, ref: str, form: EditForm, saved: SavedEdit) -> Response:
    """Return the response to a script: what was saved, and in a header where to go."""
    ctx, name = web_context(request), current_editor(request)
    after = await ctx.draft_view(ref)
    if after.sha256 == saved.sha256 and not saved.plan.is_merged:
        await note_view(request, after)  # the editor has read their own text
    error, goes_to = "", ""
    if form.then == "approve":
        error, goes_to = await _approve(request, ref, saved)
    elif form.then:
        await ctx.verify_edit(ref)
        goes_to = _after(request, ref, form, saved)
    text_page = page_of(after if after.sha256 == saved.sha256 else await ctx.saved_view(saved))
    state = Saved(
        sha256=saved.sha256,
        description=str(text_page.metadata.get("description") or ""),
        together=_together(saved, name),
        error=error,
        merged=text_page if saved.plan.is_merged else None,
    )
    response = fragment("_saved.html", page=page_of(after), row=after.row, saved=state, now=ctx.now)
    if goes_to:
        response.headers[NEXT] = goes_to
    return response


async def _go_on(request: Request, ref: str, form: EditForm, saved: SavedEdit) -> Response:
    """Return the page that follows a save without a script."""
    ctx = web_context(request)
    if form.then != "approve":
        await ctx.verify_edit(ref)
        return redirect(_after(request, ref, form, saved))
    error, goes_to = await _approve(request, ref, saved)
    if error:
        return await draft_page(request, ref, error=f"Saved, not approved: {error}", status=409)
    return redirect(goes_to)


def _after(request: Request, ref: str, form: EditForm, saved: SavedEdit) -> str:
    """Return the address of the page that follows a save."""
    query = filters(request).query()
    if form.then == "covers":
        return address(f"/drafts/{ref}/covers", query)
    return address(f"/drafts/{ref}", query, **{"merged" if saved.plan.is_merged else "saved": ref})


def _together(saved: SavedEdit, name: str) -> str:
    return together_with(saved.plan.authors, name) if saved.plan.is_merged else ""


async def _approve(request: Request, ref: str, saved: SavedEdit) -> tuple[str, str]:
    """Approve the saved text; return why that was refused, or the address of what follows."""
    ctx, queue_filters, name = web_context(request), filters(request), current_editor(request)
    if saved.plan.is_merged:
        return f"the text has {_together(saved, name)} now: look at it, then approve", ""
    following = await next_ref(request, ref)
    review = Review(decision=ReviewDecision.APPROVE, by=name, at=ctx.now, sha256=saved.sha256)
    try:
        await asyncio.to_thread(ctx.submit_review, ref, review)
    except ReviewError as error:
        await ctx.verify_edit(ref)
        return error.message, ""
    return "", address(f"/drafts/{following}" if following else "/", queue_filters.query(), did=ref)


async def _keep_unsaved(
    ctx: WebContext, view: DraftView, form: EditForm, name: str, error: ReviewError
) -> Unsaved:
    """Keep the refused text as a version, and return why it was not saved."""
    version = error.context.get("kept") or await asyncio.to_thread(
        keep_refused, ctx.editor_context(name), view.row.external_id,
        valid_part(view, form), base=form.base, form=form.form_id,
    )  # fmt: skip
    version_sha256 = str(version) if version else None
    if not isinstance(error, EditConflict):
        return Unsaved(error.message.rstrip("."), version_sha256)
    versions = await asyncio.to_thread(ctx.db.versions.list, view.row.item_id)
    reason = change_description(versions, str(error.context["sha256"]), name, ctx.now)
    conflicts = await asyncio.to_thread(conflict_views, conflicts_of(error), form.choices)
    return Unsaved(reason, version_sha256, tuple(conflicts))


def conflicts_of(error: EditConflict) -> tuple[Conflict, ...]:
    """Return the conflicts that a merge met."""
    conflicts = error.context.get("conflicts")
    return conflicts if isinstance(conflicts, tuple) else ()


def _not_saved(request: Request, view: DraftView, form: EditForm, unsaved: Unsaved) -> Response:
    """Return the response to a refused save: for a script the message, else the editor page with the form."""
    if is_script(request):
        return fragment("_unsaved.html", 409, row=view.row, unsaved=unsaved)
    page = _with_form(page_of(view), form)
    return _editor_page(request, page, form.base, status=409, form_id=form.form_id, unsaved=unsaved)


def _with_form(page: DraftPage, form: EditForm) -> DraftPage:
    """Return a page with the form's values instead of the draft's."""
    fields = form.fields | {"tags": list(form.tags), "stickyWeight": form.fields["sticky_weight"]}
    names = ("title", "description", "category", "sentiment", "tags", "stickyWeight")
    metadata = page.metadata | {name: fields[name] for name in names}
    if form.alt is not None and page.cover:
        metadata["coverImage"] = {**metadata["coverImage"], "alt": form.alt}
    return page._replace(
        metadata=metadata,
        body=form.body,
        described=form.described,
    )


def _editor_page(
    request: Request,
    page: DraftPage,
    sha256: str,
    *,
    status: int = 200,
    form_id: str = "",
    unsaved: Unsaved | None = None,
) -> Response:
    ref, name = page.view.row.external_id, current_editor(request)
    return render(
        request,
        "edit.html",
        status,
        page=page,
        row=page.view.row,
        beat=page.view.beat,
        covers=covers.cover_options(page.view),
        searches=covers.search_enabled(page.view),
        sentiments=list(Sentiment),
        sha256=sha256,
        preview=render_markdown(page.body),
        form=form_id or secrets.token_urlsafe(12),
        unsaved=unsaved,
        others=web_context(request).presence.others(ref, name),
    )
