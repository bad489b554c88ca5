"""Composes what an editor asks for beside a verdict: a redraft, an earlier version put back."""

from datetime import datetime
from pathlib import Path

from pipeline.checks import run_checks
from pipeline.errors import ReviewError
from pipeline.ledger import DraftRow, Ledger, Version
from pipeline.models import Draft, utc_iso
from pipeline.output import files
from pipeline.output.frontmatter import dumps, loads
from pipeline.output.sections import part
from pipeline.review import beat_of, decoded, open_draft, source_of
from pipeline.settings import Subscriptions


def request_redraft(
    ledger: Ledger,
    root: Path,
    ref: str,
    *,
    by: str | None,
    note: str | None,
    section: str | None,
    now: datetime,
) -> DraftRow:
    """Ask for a draft, or one section of it, to be written anew by the next run.

    Raises ReviewError where no draft or several answer to `ref`, it was decided on, it has no such section, a
    redraft waits already, or the whole of a draft is asked for that somebody edited.
    """
    row = open_draft(ledger, ref)
    text = decoded(row, _standing(root, row))
    if section is not None:
        section = part(loads(text, row.path)[1], section).heading
    elif text != row.version_text:
        raise ReviewError(
            f"{row.path} was edited: a redraft of the whole would throw that away; name a --section, or "
            "`copydesk restore` it to a version first",
            draft=ref,
        )
    ledger.request_redraft(row, by or "unknown", now, note=note, section=section)
    return row


def briefs(ledger: Ledger, root: Path) -> list[DraftRow]:
    """Return the drafts that are offline briefs still, untouched by anybody, and not asked for yet."""
    return [
        row
        for row in ledger.drafts()
        if row.request is None and _is_brief(row) and _standing_text(root, row) == row.version_text
    ]


def _is_brief(row: DraftRow) -> bool:
    ai = loads(row.version_text, row.path)[0].get("ai")
    return isinstance(ai, dict) and ai.get("rewritten") is False


def restore(
    ledger: Ledger, root: Path, subscriptions: Subscriptions, ref: str, label: str, now: datetime
) -> Version:
    """Put an earlier text of a draft back, as its next version; what stands is kept as a version of its own.

    Raises ReviewError where it was decided on, a run works on it, or there is no such version.
    """
    row = open_draft(ledger, ref)
    every = ledger.versions(row.item_id)
    chosen = next((one for one in every if one.label == label), None)
    if chosen is None:
        names = ", ".join(one.label for one in every)
        raise ReviewError(f"{row.path} has no version {label}; it has {names}", draft=ref)
    data = files.read_bytes(root, row.path)
    number = every[-1].number
    if data is not None and data.decode("utf-8", "replace") != row.version_text:
        edited = Draft(external_id=row.external_id, path=row.path, text=data.decode("utf-8", "replace"))
        ledger.keep_text(row, edited, number=number, cause="edit", stands=True)
    draft = _restored(row, subscriptions, chosen, number + 1, now)
    ledger.keep_text(row, draft, number=number + 1, cause="restore", stands=False)
    files.write_atomically(root, row.path, draft.text.encode())
    ledger.confirm_text(row)
    return chosen


def _restored(
    row: DraftRow, subscriptions: Subscriptions, chosen: Version, number: int, now: datetime
) -> Draft:
    """Return a version's text as another version: only what tells of it is changed."""
    metadata, body = loads(chosen.text, row.path)
    metadata["updatedAt"] = utc_iso(now)
    ai = metadata.get("ai")
    metadata["ai"] = {**(ai if isinstance(ai, dict) else {}), "version": number}
    source = source_of(row, subscriptions)
    findings = run_checks(source, body, beat_of(subscriptions, row.feed_key))
    return Draft(external_id=row.external_id, path=row.path, text=dumps(metadata, body), findings=findings)


def _standing(root: Path, row: DraftRow) -> bytes:
    data = files.read_bytes(root, row.path)
    if data is None:
        raise ReviewError(
            f"{row.path} is missing; put the file back, or `copydesk restore` it", draft=row.path
        )
    return data


def _standing_text(root: Path, row: DraftRow) -> str | None:
    data = files.read_bytes(root, row.path)
    return None if data is None else data.decode("utf-8", "replace")
