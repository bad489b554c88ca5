"""Approve, reject and undo: check the text on disk again, record the review, move the file.

A review is recorded before the file moves and confirmed after, so `resume_interrupted` finishes one whose
process was killed.
"""

from datetime import datetime
from pathlib import Path
from typing import Any

from pipeline.articles import files
from pipeline.articles.files import exclusive_lock
from pipeline.articles.front_matter import dumps, loads, plain_lines
from pipeline.articles.review_sections import review_sections
from pipeline.checks.runner import run_checks
from pipeline.config import Subscriptions
from pipeline.domain.alt_text import alt_of
from pipeline.domain.errors import OutputError, ReviewError
from pipeline.domain.review_records import ReviewRecord, ReviewWay
from pipeline.domain.reviews import LINES, Finding, Review, ReviewDecision, Severity
from pipeline.domain.text import utc_iso
from pipeline.feeds.urls import canonical_url
from pipeline.services.article_moves import restoring_move
from pipeline.services.corrections import with_corrections
from pipeline.services.draft_file import (
    DraftOnDisk,
    EditorContext,
    as_draft,
    beat_of,
    draft_front,
    draft_source,
    join_stored,
    load_draft,
    read_text,
    record_external_edit,
    recorded_text,
    require_unchanged,
    system_findings,
    update_counts,
    write_text,
)
from pipeline.services.review_record import ReviewedText, Submission, record_review, review_level
from pipeline.storage import (
    OF_ARTICLES,
    CompletedReview,
    Database,
    DraftRow,
    Move,
    PendingReview,
    RecordedReview,
    current_approval,
    last_decision,
    unacknowledged,
)

FOLDERS = {ReviewDecision.APPROVE: "published", ReviewDecision.REJECT: "rejected"}


def submit_review(
    ctx: EditorContext,
    ref: str,
    decision: ReviewDecision,
    *,
    note: str | None = None,
    seen_sha256: str | None = None,
    light: bool = False,
    way: ReviewWay = "command",
) -> str:
    """Approve or reject a draft and return the file's new path, relative to the output folder.

    `seen_sha256` is the hash of the text that the editor saw; None: the text on disk, whatever it is. `light`
    approves although sections were not shown to the editor, and `way` is how they decide. Raises ReviewError
    if `ref` names no or several drafts, the draft was decided before, its file is missing or unreadable, or
    an approval has blocking findings or is light where the beat refuses that; NotShown if sections were not
    shown and `light` is not set; EditConflict if the file has another hash.
    """
    db, output = ctx.db, ctx.output
    with exclusive_lock(output):
        current = load_draft(db, output, ref)
        row = current.row
        require_unchanged(current, seen_sha256)
        review = _new_review(ctx, decision, note, current.sha256)
        decide = _approved if decision is ReviewDecision.APPROVE else _rejected
        text, recorded = decide(ctx, current, review, Submission(way, light))
        record_external_edit(db, current)
        move = _move(ctx, row, f"{FOLDERS[decision]}/{row.path.partition('/')[2]}", text)
        pending = db.reviews.begin(row, review, move, target_names(ctx.subscriptions), recorded=recorded)
        apply_review(db, output, pending)
        db.page_texts.drop(row.item_id)
        return move.new_path


def undo_review(ctx: EditorContext, ref: str, *, note: str | None = None) -> str:
    """Undo the last review of a draft and return the path of the draft, which is undecided again.

    A published article is withdrawn; if it was a revision, the article before it is published again.
    Raises ReviewError if there is no review to undo, or its file is missing.
    """
    db, output = ctx.db, ctx.output
    with exclusive_lock(output):
        row = db.drafts.get(ref)
        reviews = db.reviews.list(row.item_id)
        last = _last_review(row, reviews)
        current, sha256 = read_text(output, last.new_path, ref)
        if last.decision in OF_ARTICLES:
            move = restoring_move(row, reviews, last, sha256)
        else:
            move = _undoing_move(reviews, last, _text_before(db, row, last, current, sha256))
        if not move.replaces and files.read_bytes(output, move.new_path) not in (None, move.text.encode()):
            raise ReviewError(f"another file is at {move.new_path}; move it away first", draft=ref)
        review = _new_review(ctx, ReviewDecision.UNDO, note, sha256)
        apply_review(db, output, db.reviews.begin(row, review, move, target_names(ctx.subscriptions)))
        return move.new_path


def _undoing_move(reviews: list[CompletedReview], last: CompletedReview, text: str) -> Move:
    """Return the move of the undo of a decision about a draft; an article approved before is live again."""
    before = [review for review in reviews if review.id < last.id]
    earlier = current_approval(before) if last.decision is ReviewDecision.APPROVE else None
    return Move(
        old_path=last.new_path,
        new_path=last.old_path,
        text=text,
        sha256_after=files.sha256_of(text.encode()),
        leaves=earlier.text if earlier else None,
        undoes=last.id,
    )


def _new_review(ctx: EditorContext, decision: ReviewDecision, note: str | None, sha256: str) -> Review:
    return Review(decision=decision, by=ctx.editor_name, at=ctx.clock(), note=note, sha256=sha256)


def target_names(subscriptions: Subscriptions) -> tuple[str, ...]:
    """Return the names of the publish targets."""
    return tuple(target.name for target in subscriptions.publish)


def _last_review(row: DraftRow, reviews: list[CompletedReview]) -> CompletedReview:
    if row.state == "drafted" and current_approval(reviews):
        message = f"{row.path} is a revision of a published article; reject it, then undo the approval"
        raise ReviewError(message, draft=row.path)
    last = last_decision(reviews)
    if last is None or (row.state == "drafted" and last.decision is not ReviewDecision.UNPUBLISH):
        raise ReviewError(f"{row.path} waits for a decision: there is none to undo", draft=row.path)
    return last


def _text_before(db: Database, row: DraftRow, last: CompletedReview, text: str, sha256: str) -> str:
    """Return the text as it was before a review, with the changes on disk since."""
    if sha256 == last.sha256_after:
        versions = db.versions.list(row.item_id)
        reviewed = (version.text for version in versions if version.sha256 == last.sha256_before)
        return next(reviewed, None) or as_draft(text, last.new_path)
    return as_draft(text, last.new_path) if last.decision is ReviewDecision.APPROVE else text


def _move(ctx: EditorContext, row: DraftRow, path: str, text: str) -> Move:
    """Return the move of a decided file; it may replace only a file that an earlier review wrote."""
    data = files.read_bytes(ctx.output, path)
    reviewed = {review.sha256_after for review in ctx.db.reviews.list(row.item_id)}
    existing = None if data is None else files.sha256_of(data)
    if data not in (None, text.encode()) and existing not in reviewed:
        raise ReviewError(f"another file is at {path}; move it away first", draft=row.path)
    return Move(row.path, path, text, files.sha256_of(text.encode()), replaces=existing)


def resume_interrupted(db: Database, root: Path) -> None:
    """Finish the saves, approvals, rejections and undos whose process was killed."""
    if not db.versions.unfinished() and not db.reviews.unfinished():
        return
    with exclusive_lock(root):
        for save in db.versions.unfinished():
            write_text(db, root, save)
        for review in db.reviews.unfinished():
            apply_review(db, root, review)


def apply_review(db: Database, root: Path, pending: PendingReview) -> None:
    """Write the file at its new path, remove the old file, confirm. Idempotent.

    A file at the new path was written by an earlier attempt and may have been edited since: it is kept,
    unless an earlier review wrote it. A draft that was changed after the review stays at its old path.
    """
    existing = files.read_bytes(root, pending.new_path)
    if existing is None or files.sha256_of(existing) == pending.replaces:
        files.write_atomically(root, pending.new_path, pending.text.encode())
    old = files.read_bytes(root, pending.old_path)
    if old is not None and files.sha256_of(old) == pending.sha256_before:
        if pending.leaves is None:
            files.remove(root, pending.old_path)
        else:
            files.write_atomically(root, pending.old_path, pending.leaves.encode())
    db.reviews.confirm(pending)


def erase_item(db: Database, root: Path, url: str, now: datetime) -> list[str]:
    """Remove the files and texts about an item's URL in any state; return the paths of the removed files.

    The texts in the database are removed last, so repeating a killed command finishes it.
    Raises ReviewError while a run works on the item.
    """
    canonical = canonical_url(url) or url
    with exclusive_lock(root):
        paths = db.erasure.begin(canonical, now)
        existing = [path for path in paths if files.read_bytes(root, path) is not None]
        for path in existing:
            files.remove(root, path)
        db.erasure.finish(canonical)
    return existing


def _approved(
    ctx: EditorContext, current: DraftOnDisk, review: Review, how: Submission
) -> tuple[str, RecordedReview]:
    """Return the approved article's text, body and unknown keys as the editor left them, and the record."""
    row, subscriptions = current.row, ctx.subscriptions
    try:
        loads(current.text, row.path)  # as the desk reads it
        draft_metadata, body = loads(plain_lines(current.text), row.path)
    except OutputError as error:
        raise ReviewError(error.message, draft=row.path) from error
    source, beat = draft_source(row, subscriptions), beat_of(subscriptions, row.feed_key)
    front = draft_front(row, draft_metadata, body, beat)
    findings = join_stored(row, source, beat, body, run_checks(source, body, beat, front=front), front)
    every = (*findings, *system_findings(row))
    _refuse_blocked(row, every)
    sections = review_sections(front.metadata, body)
    level = review_level(row, beat, sections, ctx.db.shown.hashes(row.item_id, review.by), how)
    recorded = record_review(ctx, row, review, ReviewedText(current.text, sections, every), level, how.way)
    metadata = {**front.metadata, "draft": False}
    if _edited(row, metadata, body) or "updatedAt" not in metadata:
        metadata["updatedAt"] = utc_iso(review.at)
    update_counts(metadata, row, findings)
    _put_review(metadata, review, recorded.record)
    history = ctx.db.reviews.list(row.item_id)
    return with_corrections(dumps(metadata, body), row.path, beat, review, history), recorded


def _rejected(
    ctx: EditorContext, current: DraftOnDisk, review: Review, how: Submission
) -> tuple[str, RecordedReview]:
    """Return the unchanged text of a rejected draft, and the record."""
    row = current.row
    try:
        sections = review_sections(*loads(current.text, row.path))
    except OutputError:
        sections = ()
    reviewed = ReviewedText(current.text, sections, row.findings)
    return current.text, record_review(ctx, row, review, reviewed, None, how.way)


def _refuse_blocked(row: DraftRow, findings: tuple[Finding, ...]) -> None:
    unresolved = unacknowledged(findings, row.acknowledged)
    blocking = [finding for finding in unresolved if finding.severity is Severity.BLOCK]
    if blocking:
        details = ", ".join(dict.fromkeys(f"{_where(finding)}: {finding.message}" for finding in blocking))
        raise ReviewError(f"{row.path} has {len(blocking)} blocking findings ({details})", draft=row.path)


def _where(finding: Finding) -> str:
    return f"{finding.kind} in the {finding.field}" if finding.field in LINES else finding.kind


def _edited(row: DraftRow, metadata: dict[str, Any], body: str) -> bool:
    before, body_before = recorded_text(plain_lines(row.version_text))
    changed = any(metadata.get(key) != before.get(key) for key in ("title", "description"))
    return body != body_before or changed or alt_of(metadata) != alt_of(before)


def _put_review(metadata: dict[str, Any], review: Review, record: ReviewRecord) -> None:
    """Set what readers are told of a review, with the hash of its record."""
    note = {"note": review.note} if review.note else {}
    by = {"by": review.by, "at": utc_iso(review.at), **note}
    metadata["review"] = {**by, "level": record.level, "proof": record.proof}
    if isinstance(ai := metadata.get("ai"), dict):
        ai.pop("disclosure", None)  # it goes last
        ai["disclosure"] = "none" if record.level == "full" else "required"
