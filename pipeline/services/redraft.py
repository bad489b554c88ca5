"""Request a redraft of a draft or one section; restore an earlier version."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from pipeline.articles import files
from pipeline.articles.approved_metadata import front_of
from pipeline.articles.files import exclusive_lock
from pipeline.articles.front_matter import dumps, loads
from pipeline.articles.markdown import find_section
from pipeline.checks.runner import run_checks
from pipeline.domain.errors import ReviewError
from pipeline.domain.reviews import Draft
from pipeline.domain.text import utc_iso
from pipeline.services.corrections import note_of, with_note
from pipeline.services.draft_file import (
    DraftOnDisk,
    EditorContext,
    beat_of,
    decode_leniently,
    draft_source,
    join_stored,
    load_draft,
    open_draft,
    record_external_edit,
    recorded_text,
    write_text,
)
from pipeline.storage import BY_HAND, Database, DraftRow, Save, Version


def request_redraft(
    ctx: EditorContext,
    ref: str,
    *,
    note: str | None = None,
    section: str | None = None,
    over_edits: bool = False,
) -> int:
    """Request that the next run redrafts a draft, or one section of it, and return the request's id.

    The editor's text stays a version. The whole of an edited draft is redrafted only with `over_edits`.
    Raises ReviewError if `ref` names no or several drafts, the draft was decided, it has no such section, a
    request is pending already, or it was edited and neither `section` nor `over_edits` is given.
    """
    at = ctx.clock()
    with exclusive_lock(ctx.output):
        current = load_draft(ctx.db, ctx.output, ref)
        row = current.row
        if section is not None:
            section = find_section(loads(current.text, row.path)[1], section).heading
        elif not over_edits and (row.cause == "edit" or not current.is_last_version):
            raise ReviewError(
                f"{row.path} was edited: a redraft of the whole would throw that away; name a --section, or "
                "`copydesk restore` it to a version first",
                draft=ref,
            )
        else:
            record_external_edit(ctx.db, current)
            at = max(at, datetime.now(UTC))  # after the edit, so the request covers it
        return ctx.db.redrafts.request(row, ctx.editor_name, at, note=note, section=section)


def offline_briefs(db: Database, root: Path) -> list[DraftRow]:
    """Return the drafts that are unedited offline briefs without a redraft request."""
    return [
        row
        for row in db.drafts.list()
        if row.request is None and _is_brief(row) and _text_on_disk(root, row) == row.version_text
    ]


def _is_brief(row: DraftRow) -> bool:
    ai = recorded_text(row.version_text)[0].get("ai")
    return isinstance(ai, dict) and ai.get("rewritten") is False


def restore_version(ctx: EditorContext, ref: str, label: str) -> Version:
    """Write an earlier text of a draft as its next version; the text on disk is kept as a version too.

    Raises ReviewError if the draft was decided, a run works on it, or there is no such version.
    """
    now, db, output = ctx.clock(), ctx.db, ctx.output
    with exclusive_lock(output):
        row = open_draft(db, ref)
        versions = db.versions.list(row.item_id)
        chosen = next((version for version in versions if version.label == label), None)
        if chosen is None:
            labels = ", ".join(version.label for version in versions)
            raise ReviewError(f"{row.path} has no version {label}; it has {labels}", draft=ref)
        data = files.read_bytes(output, row.path)
        base = None if data is None else files.sha256_of(data)
        if data is not None:
            record_external_edit(db, DraftOnDisk(row, decode_leniently(data), files.sha256_of(data)))
        number = max(version.number for version in versions) + 1
        draft = _restored(ctx, row, chosen, _origin(row, versions, chosen), number, now)
        pending = db.versions.begin_save(
            row, draft, ctx.editor or "", Save(base=base, cause="restore", number=number)
        )
        write_text(db, output, pending)
        return chosen


def _origin(row: DraftRow, versions: Sequence[Version], chosen: Version) -> str:
    """Return the last text under a version's number that no editor wrote, else the draft's."""
    same_number = [version for version in versions if version.number == chosen.number]
    texts = [version.text for version in same_number if version.cause not in BY_HAND]
    return texts[-1] if texts else row.origin


def _restored(
    ctx: EditorContext, row: DraftRow, chosen: Version, origin: str, number: int, now: datetime
) -> Draft:
    """Return a version's text as the version `number`: only `updatedAt` and `ai` change.

    `origin` attests which model wrote the text.
    """
    restored, body = loads(chosen.text, row.path)
    restored = with_note(restored, note_of(recorded_text(row.version_text)[0]))
    source, beat = draft_source(row, ctx.subscriptions), beat_of(ctx.subscriptions, row.feed_key)
    front = front_of(restored, body, beat, origin=recorded_text(origin)[0])
    metadata = {**front.metadata, "updatedAt": utc_iso(now)}
    ai = metadata.get("ai")
    metadata["ai"] = {**(ai if isinstance(ai, dict) else {}), "version": number}
    front = front.model_copy(update={"metadata": metadata})
    findings = join_stored(row, source, beat, body, run_checks(source, body, beat, front=front), front)
    return Draft(external_id=row.external_id, path=row.path, text=dumps(metadata, body), findings=findings)


def _text_on_disk(root: Path, row: DraftRow) -> str | None:
    data = files.read_bytes(root, row.path)
    return None if data is None else data.decode("utf-8", "replace")
