"""Composes what an editor asks for beside a verdict: a redraft, an earlier version put back."""

from datetime import UTC, datetime
from pathlib import Path

from pipeline.articles import files
from pipeline.articles.approved_metadata import front_of
from pipeline.articles.files import exclusive_lock
from pipeline.articles.front_matter import dumps, loads
from pipeline.articles.markdown import find_section
from pipeline.checks.runner import run_checks
from pipeline.config import Subscriptions
from pipeline.domain.errors import ReviewError
from pipeline.domain.models import utc_iso
from pipeline.domain.reviews import Draft
from pipeline.services.draft_file import (
    DraftOnDisk,
    beat_of,
    decode_leniently,
    draft_source,
    known_text,
    load_draft,
    open_draft,
    record_external_edit,
    write_text,
)
from pipeline.storage import BY_HAND, Database, DraftRow, Save, Version


def request_redraft(
    db: Database,
    root: Path,
    ref: str,
    *,
    by: str | None,
    note: str | None,
    section: str | None,
    now: datetime,
    over_edits: bool = False,
) -> DraftRow:
    """Ask for a draft, or one section of it, to be written anew by the next run.

    What an editor wrote stays a version, and the whole is only written over it where they say so
    (`over_edits`). Raises ReviewError where no draft or several answer to `ref`, it was decided on, it has no
    such section, a redraft waits already, or the whole of a draft is asked for that somebody edited.
    """
    with exclusive_lock(root):
        standing = load_draft(db, root, ref)
        row = standing.row
        if section is not None:
            section = find_section(loads(standing.text, row.path)[1], section).heading
        elif not over_edits and (row.cause == "edit" or not standing.is_ours):
            raise ReviewError(
                f"{row.path} was edited: a redraft of the whole would throw that away; name a --section, or "
                "`copydesk restore` it to a version first",
                draft=ref,
            )
        else:
            record_external_edit(db, standing)
            now = max(now, datetime.now(UTC))  # asked for after that edit, and in its knowledge
        db.redrafts.request(row, by or "unknown", now, note=note, section=section)
        return row


def offline_briefs(db: Database, root: Path) -> list[DraftRow]:
    """Return the drafts that are offline briefs still, untouched by anybody, and not asked for yet."""
    return [
        row
        for row in db.drafts.list()
        if row.request is None and _is_brief(row) and _standing_text(root, row) == row.version_text
    ]


def _is_brief(row: DraftRow) -> bool:
    ai = known_text(row.version_text)[0].get("ai")
    return isinstance(ai, dict) and ai.get("rewritten") is False


def restore_version(
    db: Database,
    root: Path,
    subscriptions: Subscriptions,
    ref: str,
    label: str,
    now: datetime,
    *,
    by: str | None = None,
) -> Version:
    """Put an earlier text of a draft back, as its next version; what stands is kept as a version of its own.

    Raises ReviewError where it was decided on, a run works on it, or there is no such version.
    """
    with exclusive_lock(root):
        row = open_draft(db, ref)
        every = db.versions.list(row.item_id)
        chosen = next((one for one in every if one.label == label), None)
        if chosen is None:
            names = ", ".join(one.label for one in every)
            raise ReviewError(f"{row.path} has no version {label}; it has {names}", draft=ref)
        data = files.read_bytes(root, row.path)
        if data is not None:
            text = decode_leniently(data)
            record_external_edit(db, DraftOnDisk(row, text, files.sha256_of(data)))
        number = max(one.number for one in every) + 1
        mine = [one.text for one in every if one.number == chosen.number and one.cause not in BY_HAND]
        draft = _restored(row, subscriptions, chosen, mine[-1] if mine else row.origin, number, now)
        base = None if data is None else files.sha256_of(data)
        pending = db.versions.begin_save(
            row, draft, by or "", Save(base=base, cause="restore", number=number)
        )
        write_text(db, root, pending)
        return chosen


def _restored(
    row: DraftRow, subscriptions: Subscriptions, chosen: Version, origin: str, number: int, now: datetime
) -> Draft:
    """Return a version's text as another version: only what tells of it is changed.

    `origin` is the text that Copydesk wrote under the version's number, and attests who wrote it.
    """
    told, body = loads(chosen.text, row.path)
    source, beat = draft_source(row, subscriptions), beat_of(subscriptions, row.feed_key)
    front = front_of(told, body, beat, origin=known_text(origin)[0])
    metadata = {**front.metadata, "updatedAt": utc_iso(now)}
    ai = metadata.get("ai")
    metadata["ai"] = {**(ai if isinstance(ai, dict) else {}), "version": number}
    findings = run_checks(source, body, beat, front=front.model_copy(update={"metadata": metadata}))
    return Draft(external_id=row.external_id, path=row.path, text=dumps(metadata, body), findings=findings)


def _standing_text(root: Path, row: DraftRow) -> str | None:
    data = files.read_bytes(root, row.path)
    return None if data is None else data.decode("utf-8", "replace")
