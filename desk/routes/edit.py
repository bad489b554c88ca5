"""The editor of a draft: the form, autosave, and conflicts (optimistic concurrency by content hash)."""

import asyncio
import secrets
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from fastapi import APIRouter, Request
from pydantic import ValidationError
from starlette.datastructures import FormData
from starlette.responses import Response

from desk.context import DraftView, WebContext, body_of
from desk.highlights import Piece, render_markdown, word_diff
from desk.responses import current_editor, filters, fragment, redirect, render, web_context
from desk.routes import covers
from desk.routes.drafts import REF, draft_page, note_view
from desk.routes.queue import next_ref, queue_refs
from desk.views import DraftPage, page_of
from pipeline.articles.article import Sentiment
from pipeline.domain.errors import EditConflict, ReviewError
from pipeline.domain.reviews import Review, ReviewDecision
from pipeline.services.edit import DraftEdit, keep_refused
from pipeline.storage import Version

router = APIRouter()
_FIELDS = (
    "title", "description", "category", "sentiment", "sticky_weight", "cover",
    "base", "form", "known", "then",
)  # fmt: skip
_MAX_FORM_ID_CHARS = 40
_EDITOR_CAUSES = ("edit", "restore", "revise")
"""Causes of versions that an editor wrote."""


class EditForm(NamedTuple):
    """The submitted form."""

    fields: dict[str, str]
    tags: tuple[str, ...]
    body: str
    described: str | None = None
    """The description that the form was rendered with; None: the form does not say."""
    alt: str | None = None
    """The alt text of the cover; None: the form has no field for it."""

    @property
    def description(self) -> str | None:
        """The description that the editor wrote; None: the editor did not change it."""
        description = self.fields["description"]
        touched = self.described is None or description.split() != self.described.split()
        return description if touched else None

    @property
    def base(self) -> str:
        """Hash of the text that the form was rendered with."""
        return self.fields["base"]

    @property
    def form_id(self) -> str:
        """Id of the editor page that sent the form; empty if it has none."""
        return self.fields["form"][:_MAX_FORM_ID_CHARS]

    @property
    def known_conflict(self) -> str:
        """Hash of the other text if the page shows that conflict already; empty otherwise."""
        return self.fields["known"]


class Conflict(NamedTuple):
    """The editor's text and the one that was saved in between."""

    base: str
    """Hash of the text that the editor started from."""
    theirs: str
    """Hash of the text on disk."""
    pieces: list[Piece]
    """Diff from the text on disk to the editor's."""


class Unsaved(NamedTuple):
    """Why a text was not saved, and where it is kept."""

    reason: str
    """A clause, without a full stop."""
    version_sha256: str | None
    """Hash of the version that keeps the editor's text; None: there was no change to keep."""
    conflict: Conflict | None = None


def _read_form(form: FormData) -> EditForm:
    # NUL is removed: a file with one would be decoded as UTF-16.
    fields = {name: str(form.get(name) or "").replace("\0", "") for name in _FIELDS}
    body = str(form.get("body") or "").replace("\0", "").replace("\r\n", "\n").replace("\r", "\n")
    described = str(form["described"]) if "described" in form else None
    alt = str(form["alt"]).replace("\0", "") if "alt" in form else None
    return EditForm(fields, tuple(str(tag) for tag in form.getlist("tags")), body, described, alt)


@router.get(REF + "/edit")
async def edit(request: Request, ref: str) -> Response:
    """Show the editor."""
    current_editor(request)
    view = await web_context(request).draft_view(ref)
    page = page_of(view)
    if view.row.state != "drafted":
        raise ReviewError(
            f"{view.row.path} is {view.row.state}; undo that decision, or revise it, to edit it"
        )
    if page.error:
        return await draft_page(request, ref, error=page.error, status=409)
    await note_view(request, view)
    return _editor_page(request, page, view.sha256)


@router.post(REF + "/save")
async def save(request: Request, ref: str) -> Response:
    """Save the form; then approve the draft or open the cover search if the form asks for it."""
    ctx, name = web_context(request), current_editor(request)
    form = _read_form(await request.form())
    view = await ctx.draft_view(ref)
    try:
        sha256 = await _save(ctx, view, form, name)
    except ReviewError as error:
        unsaved = await _keep_unsaved(ctx, view, form, name, error)
        return _not_saved(request, view, form, unsaved)
    if _is_autosave(request):
        after = await ctx.draft_view(ref)
        if after.sha256 == sha256:
            await note_view(request, after)  # the editor has read their own text
        page = page_of(after)
        return fragment("_saved.html", page=page, sha256=sha256, now=ctx.now)
    if form.fields["then"] == "approve":
        return await _approve(request, ref, sha256)
    await ctx.verify_edit(ref)
    if form.fields["then"] == "covers":
        return redirect(f"/drafts/{ref}/covers", filters(request).query())
    return redirect(f"/drafts/{ref}", filters(request).query(), saved=ref)


def _is_autosave(request: Request) -> bool:
    """Whether a script sent the form while the editor goes on typing."""
    return "hx-request" in request.headers


async def _save(ctx: WebContext, view: DraftView, form: EditForm, name: str) -> str:
    """Check and save the form; return the new text's hash. Raises ReviewError, EditConflict."""
    return await ctx.save(view, _draft_edit(view, form), name, base=form.base, form=form.form_id)


async def _keep_unsaved(
    ctx: WebContext, view: DraftView, form: EditForm, name: str, error: ReviewError
) -> Unsaved:
    """Keep the refused text as a version, and return why it was not saved."""
    version = error.context.get("kept") or await asyncio.to_thread(
        keep_refused, ctx.editor_context(name), view.row.external_id,
        _valid_part(view, form), base=form.base, form=form.form_id,
    )  # fmt: skip
    version_sha256 = str(version) if version else None
    if not isinstance(error, EditConflict):
        return Unsaved(error.message.rstrip("."), version_sha256)
    theirs, sha256 = str(error.context["text"]), str(error.context["sha256"])
    versions = await asyncio.to_thread(ctx.db.versions.list, view.row.item_id)
    pieces = await asyncio.to_thread(word_diff, body_of(theirs), form.body)
    reason = change_description(versions, sha256, name, ctx.now)
    return Unsaved(reason, version_sha256, Conflict(form.base, sha256, pieces))


def change_description(versions: Sequence[Version], theirs: str, editor: str, now: datetime) -> str:
    """Return who wrote the text with the hash `theirs` and when, as a clause for the reader `editor`."""
    saved = (version for version in reversed(versions) if version.sha256 == theirs and not version.aside)
    version = next(saved, None)
    if version is None or (version.cause in _EDITOR_CAUSES and not version.by):
        return "the file was changed on disk"
    moment = version.at
    at = f"{moment:%H:%M} UTC" if moment.date() == now.date() else f"{moment:%Y-%m-%d %H:%M} UTC"
    if version.cause not in _EDITOR_CAUSES:
        return f"the model wrote a new version at {at}"
    return (
        f"you changed this in another window at {at}"
        if version.by == editor
        else f"{version.by} changed this at {at}"
    )


def _valid_part(view: DraftView, form: EditForm) -> DraftEdit:
    """Return the form's edit, with defaults in the place of invalid fields."""
    try:
        return _draft_edit(view, form)
    except ReviewError:
        defaults = {"sticky_weight": "0", "sentiment": Sentiment.NEUTRAL.value}
        return _draft_edit(view, form._replace(fields=form.fields | defaults))


def _draft_edit(view: DraftView, form: EditForm) -> DraftEdit:
    """Return the form's edit. Raises ReviewError for an invalid field."""
    fields = form.fields
    weight = fields["sticky_weight"].strip() or "0"
    if not weight.removeprefix("-").isdecimal() or len(weight) > 6:
        raise ReviewError("the sticky weight is not a whole number; write 0 for none", field="sticky_weight")
    try:
        return DraftEdit(
            title=fields["title"],
            description=form.description,
            category=fields["category"],
            tags=form.tags,
            sentiment=Sentiment(fields["sentiment"]),
            sticky_weight=int(weight),
            body=form.body,
            cover=covers.selected_cover(view, fields["cover"]),
            alt=form.alt,
        )
    except (ValidationError, ValueError) as error:
        raise ReviewError("the form is incomplete; load the page again", field="sentiment") from error


async def _approve(request: Request, ref: str, sha256: str) -> Response:
    ctx, queue_filters = web_context(request), filters(request)
    refs = await queue_refs(request, queue_filters)
    review = Review(decision=ReviewDecision.APPROVE, by=current_editor(request), at=ctx.now, sha256=sha256)
    try:
        await asyncio.to_thread(ctx.submit_review, ref, review)
    except ReviewError as error:
        await ctx.verify_edit(ref)
        return await draft_page(request, ref, error=f"Saved, not approved: {error.message}", status=409)
    following = next_ref(refs, ref)
    return redirect(f"/drafts/{following}" if following else "/", queue_filters.query(), did=ref)


def _not_saved(request: Request, view: DraftView, form: EditForm, unsaved: Unsaved) -> Response:
    """Return the response to a refused save: for a script the message, else the editor page with the form.

    Without a script the page's base is the conflicting text, so that saving again replaces it.
    """
    conflict = unsaved.conflict
    if _is_autosave(request):
        again = conflict is not None and conflict.theirs == form.known_conflict
        response = fragment("_unsaved.html", 409, row=view.row, unsaved=unsaved, again=again)
        if again:
            response.headers["hx-reswap"] = "none"  # keeps the editor's choice in the conflict box
        return response
    base = conflict.theirs if conflict else form.base
    page = _with_form(page_of(view), form)
    return _editor_page(request, page, base, status=409, form_id=form.form_id, unsaved=unsaved)


def _with_form(page: DraftPage, form: EditForm) -> DraftPage:
    """Return a page with the form's values instead of the draft's."""
    fields: dict[str, Any] = dict(form.fields)
    fields |= {"tags": list(form.tags), "stickyWeight": form.fields["sticky_weight"]}
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
    )
