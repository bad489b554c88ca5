"""Read and write the file of a draft: hash comparison, external edits, the source it is checked against.

Writes are optimistic: a file is only replaced if its hash is the one that the writer saw.
"""

import codecs
import contextlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from pipeline.articles import files, front_matter
from pipeline.articles.approved_metadata import front_of
from pipeline.articles.corrections import NOTE_KEY, without_section
from pipeline.articles.front_matter import dumps, loads
from pipeline.checks.injection.contact_details import extract_contacts
from pipeline.checks.source_changes import check_source_changes, join_source_changes
from pipeline.config import Subscriptions
from pipeline.domain.errors import EditConflict, OutputError, ReviewError
from pipeline.domain.models import Beat, Credit, Source, with_origin
from pipeline.domain.reviews import Draft, Finding, Front, Severity
from pipeline.storage import SYSTEM_FINDINGS, Database, DraftRow, PendingSave, Save, unacknowledged
from pipeline.verifier.findings import KIND as SENSE
from pipeline.verifier.numbered_draft import number_sentences
from pipeline.verifier.readings import join_readings, unread_sentences


@dataclass(frozen=True)
class EditorContext:
    """What an editor's action needs: database, output folder, subscriptions, the editor and the time."""

    db: Database
    output: Path
    subscriptions: Subscriptions
    editor: str | None = None
    """The editor's name; None if none is set."""
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    """Returns the current time, aware UTC."""
    review_times: bool = True
    """Whether it is stored when an editor was shown something, and when a finding ended."""

    @property
    def event_time(self) -> datetime | None:
        """The time to store of what is shown or ends now; None where times of reviews are not stored."""
        return self.clock() if self.review_times else None

    @property
    def editor_name(self) -> str:
        """The editor's name, or "unknown"."""
        return self.editor or "unknown"


class DraftOnDisk(NamedTuple):
    """A draft's row, and the text and hash of its file."""

    row: DraftRow
    text: str
    sha256: str

    @property
    def is_last_version(self) -> bool:
        """Return whether the file's text is the last version in the database."""
        return self.text == self.row.version_text


def open_draft(db: Database, ref: str) -> DraftRow:
    """Return the draft that `ref` names. Raises ReviewError if there is none or it was decided."""
    row = db.drafts.get(ref)
    if row.state != "drafted":
        raise ReviewError(f"{row.path} is {row.state} already; nothing was changed", draft=ref)
    return row


def load_draft(db: Database, root: Path, ref: str) -> DraftOnDisk:
    """Return an undecided draft with its file's text. Raises ReviewError."""
    row = open_draft(db, ref)
    return DraftOnDisk(row, *read_text(root, row.path, ref))


def read_text(root: Path, path: str, ref: str) -> tuple[str, str]:
    """Return a file's text and hash. Raises ReviewError if it is missing or not UTF-8."""
    data = files.read_bytes(root, path)
    if data is None:
        message = f"{path} is missing; put the file back (`copydesk drafts show` has its text)"
        raise ReviewError(message, draft=ref)
    return decode_text(path, data), files.sha256_of(data)


def require_unchanged(current: DraftOnDisk, seen_sha256: str | None) -> None:
    """Raise EditConflict if the file's hash is not the one that the editor saw; None: any is accepted."""
    if seen_sha256 is not None and seen_sha256 != current.sha256:
        raise EditConflict(
            f"{current.row.path} says something else by now: look at it again; nothing was changed",
            text=current.text,
            sha256=current.sha256,
        )


def decode_text(path: str, data: bytes) -> str:
    """Return the text of a draft's file. Raises ReviewError if it is not UTF-8."""
    try:
        return front_matter.decode(data, path)
    except OutputError as error:
        raise ReviewError(error.message, draft=path) from error


def decode_leniently(data: bytes) -> str:
    """Return the text of a file in any encoding, without loss.

    Tries, in this order: the byte order mark's encoding, UTF-8, Windows-1252, Latin-1.
    """
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        encodings = ["utf-16"]
    else:
        encodings = ["utf-8-sig", "cp1252"]
    for encoding in encodings:
        with contextlib.suppress(UnicodeDecodeError):
            return data.decode(encoding)
    return data.decode("latin-1")  # decodes any byte


def write_text(db: Database, root: Path, pending: PendingSave) -> bool:
    """Write a saved text if the file is still the one it replaces; return whether the file has the text now.

    Idempotent. The caller holds `exclusive_lock`.
    """
    data = files.read_bytes(root, pending.path)
    existing = None if data is None else files.sha256_of(data)
    if existing == pending.base:
        files.write_atomically(root, pending.path, pending.text.encode())
    written = existing in (pending.base, pending.sha256)
    db.versions.confirm_save(pending, aside=not written)
    return written


def record_external_edit(db: Database, current: DraftOnDisk) -> None:
    """Record a text that was written to disk by another program as a version."""
    if current.is_last_version:
        return
    row = current.row
    draft = Draft(external_id=row.external_id, path=row.path, text=current.text, findings=row.findings)
    db.versions.confirm_save(db.versions.begin_save(row, draft, "", Save(base=current.sha256)))


def as_draft(text: str, path: str, note: str = "") -> str:
    """Return an approved article's text as a draft: without `review` and the section about its corrections.

    `note` is what readers are to be told of its correction; empty: nothing.
    """
    metadata, body = loads(text, path)
    body = without_section(metadata, body)
    metadata["draft"] = True
    for key in ("review", NOTE_KEY):
        metadata.pop(key, None)
    if isinstance(ai := metadata.get("ai"), dict):
        ai.pop("disclosure", None)
    return dumps(metadata | ({NOTE_KEY: note} if note else {}), body)


def draft_source(row: DraftRow, subscriptions: Subscriptions) -> Source:
    """Return what a draft is checked against: its current source.

    A feed that is no longer subscribed is named by its key.
    """
    feed = next((feed for feed in subscriptions.feeds if feed.key == row.feed_key), None)
    return Source(
        item=row.source,
        feed_key=row.feed_key,
        feed_name=feed.name if feed else row.feed_key,
        first_key=feed.first_key if feed else row.feed_key,
        category=feed.category if feed else "",
        language=feed.language if feed else row.source.language or "en",
        also=with_origin(
            row.source,
            *(Credit(name=sibling.feed_name, url=sibling.url) for sibling in row.siblings if sibling.url),
        ),
    )


def beat_of(subscriptions: Subscriptions, feed_key: str) -> Beat:
    """Return the beat of a feed; the first beat if the feed is no longer subscribed."""
    by_key = {feed.key: feed for feed in subscriptions.feeds}
    if feed_key in by_key:
        return subscriptions.beats[by_key[feed_key].beat]
    return next(iter(subscriptions.beats.values()))


def draft_front(row: DraftRow, metadata: Mapping[str, Any], body: str, beat: Beat) -> Front:
    """Return a draft's front matter as an approval writes it: attested fields are taken from the database."""
    last, origin = recorded_text(row.version_text), recorded_text(row.origin or row.version_text)
    return front_of(metadata, body, beat, before=last[1], origin=origin[0])


def recorded_text(text: str) -> tuple[dict[str, Any], str]:
    """Return front matter and body of a recorded text; one with unreadable front matter is all body.

    An editor may have broken it on disk, and external edits are recorded as they are.
    """
    try:
        return loads(text)
    except OutputError:
        return {}, text


def drop_editor_links(
    row: DraftRow, body: str, findings: Iterable[Finding], front: Front
) -> tuple[Finding, ...]:
    """Return findings without those of kind `injection` about a contact address that an editor added."""
    model_text = row.written_by_model or row.version_text
    return tuple(
        finding
        for finding in findings
        if finding.kind != "injection"
        or finding.firm
        or finding.span is None
        or not _is_editors_address((front.text(finding.field) or body)[slice(*finding.span)], model_text)
    )


def join_stored(
    row: DraftRow, source: Source, beat: Beat, body: str, code: Iterable[Finding], front: Front
) -> tuple[Finding, ...]:
    """Return code's findings about a text of a draft, joined with what else is known of it.

    That is what the second reader said, and what a change of its source touches. Findings about an address
    that an editor added are left out.
    """
    findings = drop_editor_links(row, body, code, front)
    if row.updated:
        changes = check_source_changes(row.item, source, body, beat, front)
        findings = join_source_changes(findings, changes)
    draft = number_sentences(source, body, beat, front)
    joined = join_readings(findings, row.readings, draft, source, beat.checks)
    if not unread_sentences(row.readings, draft, source):
        return joined
    # A note may say why the second reader has not read all of the text.
    return (*joined, *(each for each in row.findings if each.kind == SENSE and each.span is None))


def system_findings(row: DraftRow) -> tuple[Finding, ...]:
    """Return the findings of a draft that no check makes, each once: an edit does not remove them."""
    findings = [finding for finding in row.findings if finding.kind in SYSTEM_FINDINGS]
    return tuple({finding.key or finding.message: finding for finding in findings}.values())


def _is_editors_address(text: str, model_text: str) -> bool:
    """Return whether a text is a contact address that is not in the model's text."""
    if text in model_text:
        return False
    return any(contact.end - contact.start >= len(text) - 2 for contact in extract_contacts(text))


def update_counts(metadata: dict[str, Any], row: DraftRow, findings: Iterable[Finding]) -> None:
    """Set `ai.checks` in front matter: the numbers of open and of acknowledged findings, notes left out."""
    ai = metadata.get("ai")
    if isinstance(ai, dict):
        counted = [finding for finding in findings if finding.severity is not Severity.NOTE]
        opened = len(unacknowledged(counted, row.acknowledged))
        ai["checks"] = {"open": opened, "acknowledged": len(counted) - opened}
