"""Corrections of published articles: an editor's note, and the entries that an approval makes of it."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from pipeline.articles import corrections as texts
from pipeline.articles.approved_metadata import is_overview_start
from pipeline.articles.corrections import LIST_KEY, NOTE_KEY, Correction, corrections_of
from pipeline.articles.files import exclusive_lock
from pipeline.articles.front_matter import dumps, loads, plain_lines
from pipeline.domain.errors import ReviewError
from pipeline.domain.models import Beat
from pipeline.domain.reviews import PUBLISHING, Draft, Finding, Review, ReviewDecision
from pipeline.domain.text import utc_iso
from pipeline.services.draft_file import (
    EditorContext,
    load_draft,
    record_external_edit,
    recorded_text,
    require_unchanged,
    write_text,
)
from pipeline.services.edit import EDIT_SESSION, MAX_NOTE_CHARS, start_revision
from pipeline.storage import CompletedReview, Database, DraftRow, Save, current_approval, last_decision

_KEYS_AFTER_REVIEW = (LIST_KEY, texts.RETRACTED_KEY)
_OTHER_KEYS = ("category", "tags", "sentiment", "coverImage")


def start_correction(
    ctx: EditorContext, ref: str, note: str, *, minor: bool = False, findings: Sequence[Finding] | None = None
) -> str:
    """Make a new draft of a published article to correct it; return the draft's path.

    `note` says to readers what was wrong; a `minor` correction, of a typo or of the form, has none.
    `findings` are about the article and its current source; None: the recorded ones. Raises ReviewError if
    the article is not published or retracted, its file is missing, or there is no note.
    """
    line = "" if minor else _valid_note(note, ref)
    require_not_retracted(ctx, ref)
    return start_revision(ctx, ref, findings=findings, note=line)


def change_note(ctx: EditorContext, ref: str, note: str, *, seen_sha256: str | None = None) -> str:
    """Set what readers are told when a revision is approved; empty: nothing. Returns the text's hash.

    Raises ReviewError if the draft is no revision of a published article, EditConflict if its file has
    another hash than the editor saw.
    """
    line = _valid_note(note, ref) if note.strip() else ""
    with exclusive_lock(ctx.output):
        current = load_draft(ctx.db, ctx.output, ref)
        row = current.row
        require_unchanged(current, seen_sha256)
        if current_approval(ctx.db.reviews.list(row.item_id)) is None:
            raise ReviewError(f"{row.path} is not published yet: there is nothing to correct", draft=ref)
        metadata, body = loads(current.text, row.path)
        text = dumps(with_note(metadata, line), body)
        if text == current.text:
            return current.sha256
        record_external_edit(ctx.db, current)
        draft = Draft(external_id=row.external_id, path=row.path, text=text, findings=row.findings)
        save = Save(base=current.sha256, session=EDIT_SESSION)
        write_text(ctx.db, ctx.output, ctx.db.versions.begin_save(row, draft, ctx.editor_name, save))
        return draft.sha256


def _valid_note(note: str, ref: str) -> str:
    line = texts.line_for_readers(note)
    if not 0 < len(line) <= MAX_NOTE_CHARS:
        message = f"say to readers what was wrong, in {MAX_NOTE_CHARS:,} characters at most"
        raise ReviewError(message, draft=ref)
    return line


def with_note(metadata: dict[str, Any], note: str) -> dict[str, Any]:
    """Return a draft's front matter with the note for its approval; without one where it is empty."""
    rest = {key: value for key, value in metadata.items() if key != NOTE_KEY}
    return {**rest, NOTE_KEY: note} if note else rest


def note_of(metadata: dict[str, Any]) -> str:
    """Return the note that a revision's front matter has for its approval; empty for none."""
    note = metadata.get(NOTE_KEY)
    return texts.line_for_readers(note) if isinstance(note, str) else ""


def require_not_retracted(ctx: EditorContext, ref: str) -> None:
    """Raise ReviewError if the article is retracted."""
    live = current_approval(ctx.db.reviews.list(ctx.db.drafts.get(ref).item_id))
    if live and live.decision is ReviewDecision.RETRACT:
        raise ReviewError("this article is retracted: undo the retraction first", draft=ref)


def with_corrections(
    text: str, path: str, beat: Beat, review: Review, history: Sequence[CompletedReview]
) -> str:
    """Return a text that is about to be approved with the entries and the section about its corrections.

    `history` has the reviews before. What was approved last is compared, also where it is unpublished now.
    """
    metadata, body = loads(text, path)
    base = last_decision(history, (ReviewDecision.APPROVE,))
    if base is None and NOTE_KEY not in metadata:
        return text
    note, language = note_of(metadata), str(metadata.get("lang") or "")
    listed = _published_entries(history) if base else corrections_of(metadata)
    body = texts.without_section(metadata, body)
    changes = pending_changes(metadata, body, beat, base.text if base and note else None)
    if base and (changes or _differs_elsewhere(metadata, base.text)):
        listed = (*listed, *texts.entries_for(changes, note, review.by, review.at, language))
    if changes:
        metadata["updatedAt"] = utc_iso(review.at)
    remaining = {key: value for key, value in metadata.items() if key not in (NOTE_KEY, *_KEYS_AFTER_REVIEW)}
    if listed:
        remaining[LIST_KEY] = [entry.as_mapping for entry in listed]
    return dumps(remaining, texts.with_section(body, beat.corrections, listed, language))


def _differs_elsewhere(metadata: dict[str, Any], published: str) -> bool:
    """Return whether something that readers see, and that is no sentence, is not what was published."""
    before = recorded_text(published)[0]
    return any(metadata.get(key) != before.get(key) for key in _OTHER_KEYS)


def _published_entries(history: Sequence[CompletedReview]) -> tuple[Correction, ...]:
    last = last_decision(history, PUBLISHING)
    return corrections_of(recorded_text(last.text)[0]) if last else ()


def pending_changes(
    metadata: dict[str, Any], body: str, beat: Beat, published: str | None
) -> list[tuple[str, str]]:
    """Return the changed sentences of a revision, as (was, is); none where nothing is published."""
    if published is None:
        return []
    before, old_body = recorded_text(published)
    both = (before, texts.without_section(before, old_body)), (metadata, body)
    follows = all(is_overview_start(front.get("description"), text, beat) for front, text in both)
    return texts.changes_between(*both, follows=follows)


class PendingCorrection(NamedTuple):
    """What readers are told when a revision is approved."""

    note: str
    """Empty: nothing."""
    changes: list[tuple[str, str]]
    """The changed sentences, as (was, is)."""


def pending_correction(db: Database, row: DraftRow, text: str, beat: Beat) -> PendingCorrection | None:
    """Return what the approval of a revision with this text tells readers; None where it is no revision."""
    history = db.reviews.list(row.item_id) if row.state == "drafted" else []
    base = last_decision(history, (ReviewDecision.APPROVE,))
    if base is None or current_approval(history) is None:
        return None
    metadata, body = recorded_text(plain_lines(text))
    note, published = note_of(metadata), base.text
    body = texts.without_section(metadata, body)
    return PendingCorrection(note, pending_changes(metadata, body, beat, published if note else None))
