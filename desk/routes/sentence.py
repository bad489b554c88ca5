"""Editing one sentence where it stands: saved as it is typed, merged with others' changes. JSON responses."""

import asyncio
import hashlib
from typing import NamedTuple

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse

from desk.conflicts import change_description, together_with
from desk.context import SavedEdit, WebContext, shown_text
from desk.edit_form import plain
from desk.responses import EditorNameMissing, current_editor, status_of, web_context
from desk.routes.drafts import REF, note_view
from desk.routes.edit import conflicts_of
from pipeline.articles.merge import Conflict
from pipeline.articles.sentence_diff import moved
from pipeline.domain.errors import CopydeskError, EditConflict, ReviewError
from pipeline.services.edit import keep_refused
from pipeline.services.sentence import SentenceEdit, Span, field_text, replace_sentence, span_in, span_of
from pipeline.storage import DraftRow

router = APIRouter()
_MAX_FORM_ID_CHARS = 40


class _Sent(NamedTuple):
    """A sentence as a page sent it."""

    sha256: str
    span: Span
    before: str
    text: str
    form: str
    """What names the sentence on that page: its saves follow each other, whichever responses were lost."""
    done: bool
    """Whether the editor has left the sentence."""


@router.post(REF + "/sentence")
async def save_sentence(request: Request, ref: str) -> JSONResponse:
    """Replace one sentence in the text that the editor's page shows."""
    try:
        name = current_editor(request)
        sent = _read(dict((await request.form()).items()))
        async with web_context(request).page_lock(sent.form):
            return await _save(request, ref, sent, name)
    except EditorNameMissing:
        return _refusal(401, "your name is missing: load the page again to sign in")
    except ReviewError as error:
        return _refusal(_status(error), error.message)
    except CopydeskError as error:
        return _refusal(status_of(error), error.message)


def _read(form: dict[str, object]) -> _Sent:
    """Return the sent sentence. Raises ReviewError."""
    fields = {
        key: plain(form.get(key))
        for key in ("sha256", "field", "start", "end", "before", "text", "form", "done")
    }
    span = span_of(fields["field"], fields["start"], fields["end"])
    page = (fields["form"][:_MAX_FORM_ID_CHARS], fields["sha256"], *map(str, span))
    form_id = hashlib.sha256("\0".join(page).encode("utf-8", "replace")).hexdigest()[:32]
    return _Sent(
        fields["sha256"], span, fields["before"], fields["text"],
        form_id if fields["form"] else "", bool(fields["done"]),
    )  # fmt: skip


async def _save(request: Request, ref: str, sent: _Sent, name: str) -> JSONResponse:
    ctx = web_context(request)
    view = await ctx.draft_view(ref)
    ctx.presence.note(ref, name, edits=True)
    base_text, base = view.text or view.row.version_text, view.sha256
    if sent.sha256 != view.sha256:
        stored = await asyncio.to_thread(ctx.db.page_texts.base, view.row.item_id, sent.sha256)
        # A text that is not known any more: the words are looked for in the one on disk.
        base_text, base = (base_text, base) if stored is None else (stored.text, sent.sha256)
    base_text = shown_text(view, base_text)
    await ctx.keep_shown(view)
    try:
        edit = replace_sentence(base_text, sent.span, sent.before, sent.text)
    except ReviewError as error:
        if base == sent.sha256 or error.context.get("field") != "before":
            raise
        # The page's text is not known, and the words are not on disk: they were changed meanwhile.
        start, end = sent.span[1:]
        words = field_text(base_text, sent.span.field)[start:end]
        edit = replace_sentence(base_text, sent.span, words, sent.text)
        conflict = EditConflict(error.message, text=base_text, sha256=base)
        return await _refused(ctx, view.row, sent, edit, base, base_text, name, conflict)
    try:
        saved = await ctx.save_merged(view, edit.edit, name, base=base, form=sent.form)
    except ReviewError as error:
        return await _refused(ctx, view.row, sent, edit, base, base_text, name, error)
    return await _answer(request, ref, sent, edit, saved)


async def _answer(
    request: Request, ref: str, sent: _Sent, edit: SentenceEdit, saved: SavedEdit
) -> JSONResponse:
    ctx, name = web_context(request), current_editor(request)
    after = await ctx.draft_view(ref)
    merged = saved.plan.is_merged
    if after.sha256 == saved.sha256 and not merged:
        await note_view(request, after)  # the editor has read their own text
    if sent.done:
        await ctx.verify_edit(ref)
    shown = after if after.sha256 == saved.sha256 else await ctx.saved_view(saved)
    words = field_text(shown_text(shown, shown.text or ""), sent.span.field)
    span = span_in(words, edit)
    together = f", together with {together_with(saved.plan.authors, name)}" if merged else ""
    return JSONResponse(
        {
            "sha256": saved.sha256,
            "state": "merged" if merged else "saved",
            "message": f"Saved{together}",
            "start": span.start,
            "end": span.end,
            "before": words[span.start : span.end],
        }
    )


async def _refused(
    ctx: WebContext,
    row: DraftRow,
    sent: _Sent,
    edit: SentenceEdit,
    base: str,
    base_text: str,
    name: str,
    error: ReviewError,
) -> JSONResponse:
    """Keep the text with the editor's sentence as a version aside, and return why it was not saved."""
    version = error.context.get("kept") or await asyncio.to_thread(
        keep_refused, ctx.editor_context(name), row.external_id, edit.edit, base=base, form=sent.form
    )
    if not isinstance(error, EditConflict):
        return _refusal(_status(error), error.message, kept=version is not None, yours=sent.text)
    theirs, sha256 = str(error.context["text"]), str(error.context["sha256"])
    versions = await asyncio.to_thread(ctx.db.versions.list, row.item_id)
    span, words = _their_sentence(sent, conflicts_of(error), base_text, theirs)
    return _refusal(
        409, change_description(versions, sha256, name, ctx.now), kept=version is not None, yours=sent.text,
        theirs=words, sha256=sha256, start=span.start, end=span.end,
    )  # fmt: skip


def _their_sentence(
    sent: _Sent, conflicts: tuple[Conflict, ...], base_text: str, theirs: str
) -> tuple[Span, str]:
    """Return where the other sentence is in the text on disk, and its words; empty if it was deleted."""
    field, start, _ = sent.span
    conflict = next((each for each in conflicts if each.field == field), None)
    words = conflict.theirs.strip() if conflict else ""
    before, now = field_text(base_text, field), field_text(theirs, field)
    place = moved(start, before, now)
    at = now.find(words, max(0, place - len(words)))
    at = at if at >= 0 else now.find(words)
    at = place if at < 0 else at
    return Span(field, at, at + len(words)), words


def _status(error: ReviewError) -> int:
    """Return the HTTP status of a refusal: 422 for a field that is not valid."""
    return 422 if "field" in error.context else status_of(error)


def _refusal(status: int, reason: str, **more: object) -> JSONResponse:
    values = {"reason": reason, "theirs": "", "yours": "", "kept": False} | more
    return JSONResponse(values, status)
