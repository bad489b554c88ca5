"""A draft's text and fields in a form: saved over what was seen, or both texts shown."""

import asyncio
import secrets
from typing import Any, NamedTuple

from fastapi import APIRouter, Request
from pydantic import ValidationError
from starlette.datastructures import FormData
from starlette.responses import Response

from desk.context import DraftView, WebContext, body_of
from desk.diff import word_diff
from desk.markdown import rendered
from desk.responses import current_editor, filters, fragment, redirect, render, web_context
from desk.routes import covers
from desk.routes.drafts import REF, draft_page, note_view
from desk.routes.queue import names_of, next_of
from desk.unsaved import Conflict, Unsaved, who_changed
from desk.views import DraftPage, page_of
from pipeline.articles.front_matter import loads
from pipeline.checks.pool import UNCHECKED
from pipeline.domain.errors import EditConflict, ReviewError
from pipeline.domain.models import Finding, ReviewDecision, Sentiment, Severity
from pipeline.services import review
from pipeline.services.edit import DraftEdit, apply_edit, keep_refused, save_edit

router = APIRouter()
_FIELDS = (
    "title", "description", "category", "sentiment", "sticky_weight", "cover",
    "base", "form", "known", "then",
)  # fmt: skip
_FORM_LENGTH = 40


class EditForm(NamedTuple):
    """What a form says."""

    fields: dict[str, str]
    tags: tuple[str, ...]
    body: str
    described: str | None = None
    """The description that the form was shown with; None: it does not say."""

    @property
    def description(self) -> str | None:
        """What the editor made of the description; None: it was not touched."""
        given = self.fields["description"]
        touched = self.described is None or given.split() != self.described.split()
        return given if touched else None

    @property
    def base(self) -> str:
        """Hash of the text that it was made from."""
        return self.fields["base"]

    @property
    def form(self) -> str:
        """Name of the page that it was written in; empty where that has none."""
        return self.fields["form"][:_FORM_LENGTH]

    @property
    def known(self) -> str:
        """Hash of the other text, where the page shows that conflict already."""
        return self.fields["known"]


def _written(form: FormData) -> EditForm:
    # No text has a NUL: a file with one is taken for UTF-16.
    fields = {name: str(form.get(name) or "").replace("\0", "") for name in _FIELDS}
    body = str(form.get("body") or "").replace("\0", "").replace("\r\n", "\n").replace("\r", "\n")
    described = str(form["described"]) if "described" in form else None
    return EditForm(fields, tuple(str(tag) for tag in form.getlist("tags")), body, described)


@router.get(REF + "/edit")
async def edit(request: Request, ref: str) -> Response:
    """Show a draft's text and fields to be changed."""
    current_editor(request)
    seen = await web_context(request).draft_view(ref)
    page = page_of(seen)
    if seen.row.state != "drafted":
        raise ReviewError(f"{seen.row.path} is {seen.row.state}; take that back, or revise it, to edit it")
    if page.trouble:
        return await draft_page(request, ref, trouble=page.trouble, status=409)
    await note_view(request, seen)
    return _editor(request, page, seen.sha256)


@router.post(REF + "/save")
async def keep(request: Request, ref: str) -> Response:
    """Save what an editor wrote; approve it as well where they say so."""
    ctx, name = web_context(request), current_editor(request)
    written = _written(await request.form())
    seen = await ctx.draft_view(ref)
    try:
        sha256 = await _save(ctx, seen, written, name)
    except ReviewError as error:
        unsaved = await _unsaved(ctx, seen, written, name, error)
        return _told(request, seen, written, unsaved)
    if _quiet(request):
        after = await ctx.draft_view(ref)
        if after.sha256 == sha256:
            await note_view(request, after)  # who wrote it knows it
        page = page_of(after)
        return fragment("_saved.html", page=page, sha256=sha256, now=ctx.now)
    if written.fields["then"] == "covers":
        return redirect(f"/drafts/{ref}/covers", filters(request).query())
    if written.fields["then"] == "approve":
        return await _approved(request, ref, sha256)
    return redirect(f"/drafts/{ref}", filters(request).query(), saved=ref)


def _quiet(request: Request) -> bool:
    """Tell whether a script saved while the editor types on."""
    return "hx-request" in request.headers


async def _save(ctx: WebContext, seen: DraftView, written: EditForm, name: str) -> str:
    """Check and save; returns the new text's hash. Raises ReviewError, EditConflict."""
    changes = _changes(seen, written)
    found = await _findings(ctx, seen, written, changes)
    return await asyncio.to_thread(
        save_edit, ctx.editor_context(name), seen.row.external_id, changes, found,
        base=written.base, form=written.form,
    )  # fmt: skip


async def _unsaved(
    ctx: WebContext, seen: DraftView, written: EditForm, name: str, error: ReviewError
) -> Unsaved:
    """Keep what could not be saved as a version, and return what is said of it."""
    kept = error.context.get("kept") or await asyncio.to_thread(
        keep_refused, ctx.editor_context(name), seen.row.external_id,
        _legible(seen, written), base=written.base, form=written.form,
    )  # fmt: skip
    found = str(kept) if kept else None
    if not isinstance(error, EditConflict):
        return Unsaved(error.message.rstrip("."), found)
    theirs, sha256 = str(error.context["text"]), str(error.context["sha256"])
    versions = await asyncio.to_thread(ctx.db.versions.list, seen.row.item_id)
    pieces = await asyncio.to_thread(word_diff, body_of(theirs), written.body)
    why = who_changed(versions, sha256, name, ctx.now)
    return Unsaved(why, found, Conflict(written.base, sha256, pieces))


def _legible(seen: DraftView, written: EditForm) -> DraftEdit:
    """Return what a form says, without what it cannot say."""
    try:
        return _changes(seen, written)
    except ReviewError:
        plain = {"sticky_weight": "0", "sentiment": Sentiment.NEUTRAL.value}
        return _changes(seen, written._replace(fields=written.fields | plain))


async def _findings(
    ctx: WebContext, seen: DraftView, written: EditForm, changes: DraftEdit
) -> tuple[Finding, ...]:
    """Return what the checks say of what is about to be saved."""
    if seen.text is None or seen.sha256 != written.base:
        said = "this text was not checked, since another one stood: save it again"
        return (Finding(kind=UNCHECKED, severity=Severity.BLOCK, message=said),)
    text = apply_edit(seen.text, changes, seen.beat, now=ctx.now, row=seen.row)
    metadata, body = loads(text, seen.row.path)
    return await ctx.check(seen.row, seen.source, seen.beat, metadata, body)


def _changes(seen: DraftView, written: EditForm) -> DraftEdit:
    """Return what a form says. Raises ReviewError for what it cannot say."""
    fields = written.fields
    weight = fields["sticky_weight"].strip() or "0"
    if not weight.removeprefix("-").isdecimal() or len(weight) > 6:
        raise ReviewError("the sticky weight is no whole number; write 0 for none", field="sticky_weight")
    try:
        return DraftEdit(
            title=fields["title"],
            description=written.description,
            category=fields["category"],
            tags=written.tags,
            sentiment=Sentiment(fields["sentiment"]),
            sticky_weight=int(weight),
            body=written.body,
            cover=covers.chosen(seen, fields["cover"]),
        )
    except (ValidationError, ValueError) as error:
        raise ReviewError("the form is not whole; load the page again", field="sentiment") from error


async def _approved(request: Request, ref: str, sha256: str) -> Response:
    ctx, chosen = web_context(request), filters(request)
    names = await names_of(request, chosen)
    try:
        await asyncio.to_thread(
            review.submit_review, ctx.editor_context(current_editor(request)), ref,
            ReviewDecision.APPROVE, seen_sha256=sha256,
        )  # fmt: skip
    except ReviewError as error:
        return await draft_page(request, ref, trouble=f"Saved, not approved: {error.message}", status=409)
    behind = next_of(names, ref)
    return redirect(f"/drafts/{behind}" if behind else "/", chosen.query(), did=ref)


def _told(request: Request, seen: DraftView, written: EditForm, unsaved: Unsaved) -> Response:
    """Say that a text was not saved; where another one stands, saving again means this one over that."""
    conflict = unsaved.conflict
    if _quiet(request):
        again = conflict is not None and conflict.theirs == written.known
        answer = fragment("_unsaved.html", 409, row=seen.row, unsaved=unsaved, again=again)
        if again:
            answer.headers["hx-reswap"] = "none"  # what the editor ticked there stays
        return answer
    base = conflict.theirs if conflict else written.base
    page = _with(page_of(seen), written)
    return _editor(request, page, base, status=409, form=written.form, unsaved=unsaved)


def _with(page: DraftPage, written: EditForm) -> DraftPage:
    """Return a page with what the editor wrote in the place of what stands."""
    told: dict[str, Any] = dict(written.fields)
    told |= {"tags": list(written.tags), "stickyWeight": written.fields["sticky_weight"]}
    names = ("title", "description", "category", "sentiment", "tags", "stickyWeight")
    return page._replace(
        metadata=page.metadata | {name: told[name] for name in names},
        body=written.body,
        described=written.described,
    )


def _editor(
    request: Request,
    page: DraftPage,
    sha256: str,
    *,
    status: int = 200,
    form: str = "",
    unsaved: Unsaved | None = None,
) -> Response:
    return render(
        request,
        "edit.html",
        status,
        page=page,
        row=page.seen.row,
        beat=page.seen.beat,
        covers=covers.offered(page.seen),
        searches=covers.searches(page.seen),
        sentiments=list(Sentiment),
        sha256=sha256,
        preview=rendered(page.body),
        form=form or secrets.token_urlsafe(12),
        unsaved=unsaved,
    )
