"""A draft and what stands on disk of it: read, told apart from what others wrote, written with care."""

import codecs
import contextlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from pipeline.articles import files, front_matter
from pipeline.articles.approved_metadata import front_of
from pipeline.articles.front_matter import dumps, loads
from pipeline.checks.injection.contact_details import extract_contacts
from pipeline.config import Subscriptions
from pipeline.domain.errors import EditConflict, OutputError, ReviewError
from pipeline.domain.models import Beat, Credit, Source
from pipeline.domain.reviews import Draft, Finding, Front, Severity
from pipeline.storage import Database, DraftRow, PendingSave, Save, unacknowledged


class DraftOnDisk(NamedTuple):
    """A draft, and what stands on disk of it."""

    row: DraftRow
    text: str
    sha256: str

    @property
    def is_ours(self) -> bool:
        """Tell whether the ledger has this very text as the last version."""
        return self.text == self.row.version_text


def open_draft(db: Database, ref: str) -> DraftRow:
    """Return the draft that `ref` means and that waits for a verdict. Raises ReviewError."""
    row = db.drafts.get(ref)
    if row.state != "drafted":
        raise ReviewError(f"{row.path} is {row.state} already; nothing was changed", draft=ref)
    return row


def load_draft(db: Database, root: Path, ref: str) -> DraftOnDisk:
    """Return a draft that waits for a verdict and what stands on disk. Raises ReviewError."""
    row = open_draft(db, ref)
    return DraftOnDisk(row, *read_text(root, row.path, ref))


def read_text(root: Path, path: str, ref: str) -> tuple[str, str]:
    """Return a file's text and its hash. Raises ReviewError where it is missing or not UTF-8."""
    data = files.read_bytes(root, path)
    if data is None:
        said = f"{path} is missing; put the file back (`copydesk drafts show` has its text)"
        raise ReviewError(said, draft=ref)
    return decode_text(path, data), files.sha256_of(data)


def require_unchanged(standing: DraftOnDisk, seen: str | None) -> None:
    """Raise EditConflict where another text stands than an editor saw."""
    if seen is not None and seen != standing.sha256:
        raise EditConflict(
            f"{standing.row.path} says something else by now: look at it again; nothing was changed",
            text=standing.text,
            sha256=standing.sha256,
        )


def decode_text(path: str, data: bytes) -> str:
    """Return the text of a draft's file. Raises ReviewError where it is not UTF-8."""
    try:
        return front_matter.decode(data, path)
    except OutputError as error:
        raise ReviewError(error.message, draft=path) from error


def decode_leniently(data: bytes) -> str:
    """Return the text of a file in whatever encoding, without loss.

    A byte order mark tells the encoding; else it is UTF-8 where it can be, else Windows-1252, else Latin-1.
    """
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        encodings = ["utf-16"]
    else:
        encodings = ["utf-8-sig", "cp1252"]
    for encoding in encodings:
        with contextlib.suppress(UnicodeDecodeError):
            return data.decode(encoding)
    return data.decode("latin-1")  # every byte is a character of it


def write_text(db: Database, root: Path, pending: PendingSave) -> bool:
    """Write what an editor saved, where still stands what it is to replace; tells whether it stands now.

    The caller is `alone`.
    """
    data = files.read_bytes(root, pending.path)
    there = None if data is None else files.sha256_of(data)
    if there == pending.base:
        files.write_atomically(root, pending.path, pending.text.encode())
    stands = there in (pending.base, pending.sha256)
    db.versions.confirm_save(pending, aside=not stands)
    return stands


def record_external_edit(db: Database, standing: DraftOnDisk) -> None:
    """Keep a text that somebody wrote to disk without us as a version of its own."""
    if standing.is_ours:
        return
    row = standing.row
    draft = Draft(external_id=row.external_id, path=row.path, text=standing.text, findings=row.findings)
    db.versions.confirm_save(db.versions.begin_save(row, draft, "", Save(base=standing.sha256)))


def as_draft(text: str, path: str) -> str:
    """Return an approved article's text as a draft's."""
    metadata, body = loads(text, path)
    metadata["draft"] = True
    metadata.pop("review", None)
    return dumps(metadata, body)


def draft_source(row: DraftRow, subscriptions: Subscriptions) -> Source:
    """Return what a draft is checked against: its source as it is now.

    Its feed may have left the subscriptions since.
    """
    feed = next((feed for feed in subscriptions.feeds if feed.key == row.feed_key), None)
    return Source(
        item=row.source,
        feed_key=row.feed_key,
        feed_name=feed.name if feed else row.feed_key,
        first_key=feed.first_key if feed else row.feed_key,
        category=feed.category if feed else "",
        language=feed.language if feed else row.source.language or "en",
        also=tuple(Credit(name=one.feed_name, url=one.url) for one in row.siblings if one.url),
    )


def beat_of(subscriptions: Subscriptions, feed_key: str) -> Beat:
    """Return the beat of a feed; of any feed, where this one is no longer subscribed."""
    by_key = {feed.key: feed for feed in subscriptions.feeds}
    if feed_key in by_key:
        return subscriptions.beats[by_key[feed_key].beat]
    return next(iter(subscriptions.beats.values()))


def draft_front(row: DraftRow, metadata: Mapping[str, Any], body: str, beat: Beat) -> Front:
    """Return what an approval would make of a draft's front matter, with what the ledger knows of it."""
    last, origin = known_text(row.version_text), known_text(row.origin or row.version_text)
    return front_of(metadata, body, beat, before=last[1], origin=origin[0])


def known_text(text: str) -> tuple[dict[str, Any], str]:
    """Return front matter and body of a text that the ledger has; one that cannot be read is all body.

    An editor may have broken it on disk, and the ledger keeps whatever stood there.
    """
    try:
        return loads(text)
    except OutputError:
        return {}, text


def drop_editor_links(
    row: DraftRow, body: str, found: Iterable[Finding], front: Front
) -> tuple[Finding, ...]:
    """Return findings without those about an address that an editor wrote: it is the editor's own."""
    ours = row.written_by_model or row.version_text
    return tuple(
        one
        for one in found
        if one.kind != "injection"
        or one.firm
        or one.span is None
        or not _is_own((front.text(one.field) or body)[slice(*one.span)], ours)
    )


def _is_own(words: str, ours: str) -> bool:
    """Tell whether words are an address that no model wrote."""
    if words in ours:
        return False
    return any(one.end - one.start >= len(words) - 2 for one in extract_contacts(words))


def update_counts(metadata: dict[str, Any], row: DraftRow, findings: Iterable[Finding]) -> None:
    """Write into front matter how many findings are open, and how many an editor answers for."""
    ai = metadata.get("ai")
    if isinstance(ai, dict):
        counted = [finding for finding in findings if finding.severity is not Severity.NOTE]
        opened = len(unacknowledged(counted, row.acknowledged))
        ai["checks"] = {"open": opened, "acknowledged": len(counted) - opened}
