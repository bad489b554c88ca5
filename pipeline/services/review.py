"""Composes an editor's verdict: the text on disk is checked again, then moved.

The ledger is told before and after, so that a killed verdict is carried out by the next command.
"""

from datetime import datetime
from pathlib import Path
from typing import Any

from pipeline.articles import files
from pipeline.articles.files import exclusive_lock
from pipeline.articles.front_matter import dumps, loads, plain_lines
from pipeline.checks.runner import run_checks
from pipeline.config import Subscriptions
from pipeline.domain.errors import OutputError, ReviewError
from pipeline.domain.models import utc_iso
from pipeline.domain.reviews import LINES, Finding, Review, ReviewDecision, Severity
from pipeline.feeds.urls import canonical_url
from pipeline.services.draft_file import (
    DraftOnDisk,
    as_draft,
    beat_of,
    draft_front,
    draft_source,
    drop_editor_links,
    known_text,
    load_draft,
    read_text,
    record_external_edit,
    require_unchanged,
    update_counts,
    write_text,
)
from pipeline.storage import (
    CompletedReview,
    Database,
    DraftRow,
    Move,
    PendingReview,
    current_approval,
    unacknowledged,
)

FOLDERS = {ReviewDecision.APPROVE: "published", ReviewDecision.REJECT: "rejected"}


def submit_review(
    db: Database,
    root: Path,
    subscriptions: Subscriptions,
    ref: str,
    decision: ReviewDecision,
    *,
    by: str | None,
    note: str | None,
    now: datetime,
    seen: str | None = None,
) -> str:
    """Carry out a verdict on one draft and return the file's new path, relative to `root`.

    `seen` is the hash of the text that the editor saw; None: whatever stands. Raises ReviewError where no
    draft or several answer to `ref`, where the draft was decided on before, its file is missing or
    unreadable, or an approval meets a blocking finding; EditConflict where another text stands.
    """
    with exclusive_lock(root):
        standing = load_draft(db, root, ref)
        row = standing.row
        require_unchanged(standing, seen)
        verdict = Review(decision=decision, by=by or "unknown", at=now, note=note, sha256=standing.sha256)
        approved = decision is ReviewDecision.APPROVE
        after = _approved(standing, subscriptions, verdict) if approved else standing.text
        record_external_edit(db, standing)
        move = _move(db, root, row, f"{FOLDERS[decision]}/{row.path.partition('/')[2]}", after)
        pending = db.reviews.begin(row, verdict, move, target_names(subscriptions))
        apply_review(db, root, pending)
        return move.new_path


def undo_review(
    db: Database,
    root: Path,
    subscriptions: Subscriptions,
    ref: str,
    *,
    by: str | None,
    note: str | None,
    now: datetime,
) -> str:
    """Take back the last verdict on a draft and return the path at which it waits again.

    What was published is withdrawn; where it was a revision, the article before it is published again.
    Raises ReviewError where there is nothing to take back, or its file is missing.
    """
    with exclusive_lock(root):
        row = db.drafts.get(ref)
        given = db.reviews.list(row.item_id)
        last = _last_verdict(row, given)
        text, sha256 = read_text(root, last.new_path, ref)
        after = _before(db, row, last, text, sha256)
        earlier = current_approval(given[:-1]) if last.decision is ReviewDecision.APPROVE else None
        move = Move(
            old_path=last.new_path,
            new_path=last.old_path,
            text=after,
            sha256_after=files.sha256_of(after.encode()),
            leaves=earlier.text if earlier else None,
            undoes=last.id,
        )
        if files.read_bytes(root, move.new_path) not in (None, after.encode()):
            raise ReviewError(f"another file stands at {move.new_path}; move it away first", draft=ref)
        verdict = Review(decision=ReviewDecision.UNDO, by=by or "unknown", at=now, note=note, sha256=sha256)
        apply_review(db, root, db.reviews.begin(row, verdict, move, target_names(subscriptions)))
        return move.new_path


def target_names(subscriptions: Subscriptions) -> tuple[str, ...]:
    """Return the names of what articles are published to."""
    return tuple(target.name for target in subscriptions.publish)


def _last_verdict(row: DraftRow, given: list[CompletedReview]) -> CompletedReview:
    if row.state == "drafted" and current_approval(given):
        said = f"{row.path} is a revision of a published article; reject it, then take the approval back"
        raise ReviewError(said, draft=row.path)
    if row.state == "drafted" or not given or given[-1].decision is ReviewDecision.UNDO:
        raise ReviewError(f"{row.path} waits for a verdict: there is none to take back", draft=row.path)
    return given[-1]


def _before(db: Database, row: DraftRow, last: CompletedReview, text: str, sha256: str) -> str:
    """Return the text as it was before a verdict, with what was changed on disk since."""
    if sha256 == last.sha256_after:
        stood = (one.text for one in db.versions.list(row.item_id) if one.sha256 == last.sha256_before)
        return next(stood, None) or as_draft(text, last.new_path)
    return as_draft(text, last.new_path) if last.decision is ReviewDecision.APPROVE else text


def _move(db: Database, root: Path, row: DraftRow, target: str, after: str) -> Move:
    """Return where a decided file goes; it may replace what an earlier verdict put there."""
    data = files.read_bytes(root, target)
    known = {given.sha256_after for given in db.reviews.list(row.item_id)}
    there = None if data is None else files.sha256_of(data)
    if data not in (None, after.encode()) and there not in known:
        raise ReviewError(f"another file stands at {target}; move it away first", draft=row.path)
    return Move(row.path, target, after, files.sha256_of(after.encode()), replaces=there)


def resume_interrupted(db: Database, root: Path) -> None:
    """Carry out what a killed save, approval, rejection or undo left half done."""
    texts, verdicts = db.versions.unfinished(), db.reviews.unfinished()
    if not texts and not verdicts:
        return
    with exclusive_lock(root):
        for text in db.versions.unfinished():
            write_text(db, root, text)
        for pending in db.reviews.unfinished():
            apply_review(db, root, pending)


def apply_review(db: Database, root: Path, pending: PendingReview) -> None:
    """Write the file at its new place, remove the old one, confirm; each step may be repeated.

    What stands at the new place was written by an earlier attempt, and may have been edited since: it is
    left alone, unless an earlier verdict wrote it. A draft that was changed after the verdict stays where it
    is, beside the decided text.
    """
    standing = files.read_bytes(root, pending.new_path)
    if standing is None or files.sha256_of(standing) == pending.replaces:
        files.write_atomically(root, pending.new_path, pending.text.encode())
    old = files.read_bytes(root, pending.old_path)
    if old is not None and files.sha256_of(old) == pending.sha256_before:
        if pending.leaves is None:
            files.remove(root, pending.old_path)
        else:
            files.write_atomically(root, pending.old_path, pending.leaves.encode())
    db.reviews.confirm(pending)


def erase_item(db: Database, root: Path, url: str, now: datetime) -> list[str]:
    """Remove the files and texts about an item's URL, whatever their state; returns the files removed.

    The ledger lets go of its texts last: a killed command is finished by giving it again.
    Raises ReviewError while a run works on it.
    """
    canonical = canonical_url(url) or url
    with exclusive_lock(root):
        paths = db.erasure.begin(canonical, now)
        standing = [path for path in paths if files.read_bytes(root, path) is not None]
        for path in standing:
            files.remove(root, path)
        db.erasure.finish(canonical)
    return standing


def _approved(standing: DraftOnDisk, subscriptions: Subscriptions, verdict: Review) -> str:
    """Return the text of the approved article: body and unknown keys as the editor left them."""
    row = standing.row
    try:
        loads(standing.text, row.path)  # as the desk reads it
        told, body = loads(plain_lines(standing.text), row.path)
    except OutputError as error:
        raise ReviewError(error.message, draft=row.path) from error
    source, beat = draft_source(row, subscriptions), beat_of(subscriptions, row.feed_key)
    front = draft_front(row, told, body, beat)
    findings = drop_editor_links(row, body, run_checks(source, body, beat, front=front), front)
    _refuse_blocked(row, findings)
    metadata = {**front.metadata, "draft": False}
    if _edited(row, metadata, body) or "updatedAt" not in metadata:
        metadata["updatedAt"] = utc_iso(verdict.at)
    update_counts(metadata, row, findings)
    metadata["review"] = _review(verdict)
    return dumps(metadata, body)


def _refuse_blocked(row: DraftRow, findings: tuple[Finding, ...]) -> None:
    opened = unacknowledged(findings, row.acknowledged)
    blocking = [finding for finding in opened if finding.severity is Severity.BLOCK]
    if blocking:
        kinds = ", ".join(dict.fromkeys(f"{_about(finding)}: {finding.message}" for finding in blocking))
        raise ReviewError(f"{row.path} has {len(blocking)} blocking findings ({kinds})", draft=row.path)


def _about(finding: Finding) -> str:
    return f"{finding.kind} in the {finding.field}" if finding.field in LINES else finding.kind


def _edited(row: DraftRow, metadata: dict[str, Any], body: str) -> bool:
    ours, our_body = known_text(plain_lines(row.version_text))
    return body != our_body or any(metadata.get(key) != ours.get(key) for key in ("title", "description"))


def _review(verdict: Review) -> dict[str, str]:
    note = {"note": verdict.note} if verdict.note else {}
    return {"by": verdict.by, "at": utc_iso(verdict.at), **note}
