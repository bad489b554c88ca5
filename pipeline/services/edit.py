"""Composes what an editor writes: saved over what was seen and nothing else, answered for, taken up again."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from pipeline.articles import files
from pipeline.articles.approved_metadata import following, overview_start
from pipeline.articles.files import exclusive_lock
from pipeline.articles.front_matter import dumps, loads
from pipeline.config import Subscriptions
from pipeline.domain.errors import EditConflict, OutputError, ReviewError
from pipeline.domain.models import Beat, FrozenModel, Sentiment, utc_iso
from pipeline.domain.reviews import Draft, Finding, Front
from pipeline.domain.text import without_elements
from pipeline.services.draft_file import (
    as_draft,
    beat_of,
    decode_leniently,
    draft_front,
    drop_editor_links,
    load_draft,
    read_text,
    record_external_edit,
    require_unchanged,
    update_counts,
    write_text,
)
from pipeline.storage import SYSTEM_FINDINGS, Database, DraftRow, Save

EDIT_SESSION = timedelta(minutes=10)
"""Saves of one editor that follow each other within it become one version."""
MAX_CHARS = 300_000
"""Characters that a body may have."""
_BLANK = "---\n{}\n---\n"
"""A file without fields, where none can be read."""
MAX_NOTE_CHARS = 2_000
"""Characters of a reason or a note."""


class DraftEdit(FrozenModel):
    """What an editor wrote into the form of a draft."""

    title: str
    description: str | None
    """Empty: the overview's beginning; None: not touched, so it is as it was or follows the overview."""
    category: str
    tags: tuple[str, ...]
    sentiment: Sentiment
    sticky_weight: int
    body: str
    cover: dict[str, Any] | None = None
    """A cover image to be set, `{}` for none; None: as it is."""


def save_edit(
    db: Database,
    root: Path,
    subscriptions: Subscriptions,
    ref: str,
    changes: DraftEdit,
    findings: Iterable[Finding],
    *,
    base: str,
    by: str,
    now: datetime,
    form: str = "",
) -> str:
    """Write what an editor changed over the text of the hash `base` and return the new text's hash.

    `findings` are about the changed text. What was kept aside of the page `form` (see `keep_refused`) is
    replaced by this. Raises EditConflict where another text stands, ReviewError where
    the draft was decided on, or a field cannot be as it is.
    """
    with exclusive_lock(root):
        standing = load_draft(db, root, ref)
        row = standing.row
        require_unchanged(standing, base)
        beat = beat_of(subscriptions, row.feed_key)
        text = apply_edit(standing.text, changes, beat, now=now, row=row)
        if text == standing.text:
            return standing.sha256
        metadata, body = loads(text, row.path)
        told = [one for one in findings if one.kind not in SYSTEM_FINDINGS]
        found = (*drop_editor_links(row, body, told, Front(metadata=metadata)), *system_findings(row))
        update_counts(metadata, row, found)
        draft = Draft(external_id=row.external_id, path=row.path, text=dumps(metadata, body), findings=found)
        record_external_edit(db, standing)
        title = str(metadata["title"])
        pending = db.versions.begin_save(
            row, draft, by, Save(base=base, session=EDIT_SESSION, title=title, form=form)
        )
        if not write_text(db, root, pending):
            raise _overtaken(root, row, draft.sha256)
        return draft.sha256


def _overtaken(root: Path, row: DraftRow, kept: str) -> EditConflict:
    text, sha256 = read_text(root, row.path, row.external_id)
    said = f"{row.path} was changed on disk in this moment"
    return EditConflict(said, text=text, sha256=sha256, kept=kept)


def keep_refused(
    db: Database,
    root: Path,
    subscriptions: Subscriptions,
    ref: str,
    changes: DraftEdit,
    *,
    base: str,
    by: str,
    form: str,
    now: datetime,
) -> str | None:
    """Keep what an editor wrote and could not be saved as a version aside; returns that text's hash.

    It is the text as the file would have been: over that of the hash `base` where that is known, else over
    what stands. `form` names the page that it was written in: what that page sends later replaces it.
    None where the editor changed nothing of what stands. Raises ReviewError where there is no such draft.
    """
    row = db.drafts.get(ref)
    seen = [one.text for one in db.versions.list(row.item_id) if one.sha256 == base]
    before = next(one for one in (*seen, *_standing(root, row), row.version_text, _BLANK) if _readable(one))
    text = _applied(before, changes, beat_of(subscriptions, row.feed_key), now=now)
    draft = Draft(external_id=row.external_id, path=row.path, text=text)
    if text != before:
        db.versions.add_refused(row, draft, by, base=base, form=form)
    return draft.sha256 if text != before or seen else None


def _standing(root: Path, row: DraftRow) -> tuple[str, ...]:
    data = files.read_bytes(root, row.path)
    return () if data is None else (decode_leniently(data),)


def _readable(text: str) -> bool:
    try:
        loads(text)
    except OutputError:
        return False
    return True


def system_findings(row: DraftRow) -> tuple[Finding, ...]:
    """Return the findings of a draft that no check makes, each once: an edit does not take them away."""
    return tuple(
        {one.key or one.message: one for one in row.findings if one.kind in SYSTEM_FINDINGS}.values()
    )


def apply_edit(
    text: str, changes: DraftEdit, beat: Beat, *, now: datetime, row: DraftRow | None = None
) -> str:
    """Return a draft's text with an editor's changes; bytes that were not changed stay. Pure.

    What the ledger's `row` of it attests is put back. Where the text's front matter cannot be read, the row's
    last version takes its place. Raises ReviewError where a field cannot be as it is.
    """
    before = text if row is None or _readable(text) else row.version_text
    title = without_elements(" ".join(changes.title.split()))
    try:
        like = loads(before)[1]
    except OutputError as error:
        said = f"{error.message}; restore a version that can be read, or mend the file"
        raise ReviewError(said) from error
    _refuse(changes.model_copy(update={"title": title}), normalize_newlines(changes.body, like=like), beat)
    return _applied(before, changes, beat, now=now, row=row)


def _applied(text: str, changes: DraftEdit, beat: Beat, *, now: datetime, row: DraftRow | None = None) -> str:
    told, body = loads(text)
    before = told.get("title"), told.get("description"), body
    metadata = draft_front(row, told, body, beat).metadata if row else told
    after = normalize_newlines(changes.body, like=body)
    title = without_elements(" ".join(changes.title.split()))
    metadata["description"] = _description(
        metadata.get("description"), changes.description, body, after, beat
    )
    metadata["title"] = title
    _classify(metadata, changes)
    if changes.cover is not None:
        metadata.pop("coverImage", None)
        metadata = _with_cover(metadata, changes.cover) if changes.cover else metadata
    if (metadata["title"], metadata["description"], after) != before:
        metadata["updatedAt"] = utc_iso(now)
    return text if (metadata, after) == loads(text) else dumps(metadata, after)


def normalize_newlines(body: str, *, like: str) -> str:
    """Return a form's text with the line ends of the file that it came from, and one at its end."""
    text = body.replace("\r\n", "\n").replace("\r", "\n")
    if like.endswith("\n") and not text.endswith("\n"):
        text += "\n"
    return text.replace("\n", "\r\n") if "\r\n" in like else text


def _refuse(changes: DraftEdit, body: str, beat: Beat) -> None:
    if not changes.title.strip():
        raise ReviewError("the title is empty; write one", field="title")
    for field, text, most in (
        ("title", changes.title, 400),
        ("description", changes.description or "", 1_000),
        ("text", body, MAX_CHARS),
    ):
        if len(text) > most:
            raise ReviewError(f"the {field} is longer than {most:,} characters; shorten it", field=field)
    unknown = [one for one in (changes.category, *changes.tags) if one not in beat.vocabulary]
    if beat.vocabulary and unknown:
        known = ", ".join(beat.vocabulary)
        raise ReviewError(f"{unknown[0]!r} is not in the vocabulary: {known}", field="tags")


def _description(before: object, wanted: str | None, old_body: str, body: str, beat: Beat) -> str:
    """Return an editor's own description; one that was the overview's beginning follows the overview."""
    stands = before if isinstance(before, str) else ""
    given = stands if wanted is None else without_elements(" ".join(wanted.split()))
    if not given:
        return overview_start(body, beat)
    return following(given, old_body, body, beat) if given == stands else given


def _classify(metadata: dict[str, Any], changes: DraftEdit) -> None:
    category, tags = changes.category, list(dict.fromkeys(changes.tags))
    metadata["category"] = category
    metadata["tags"] = tags if category in tags else [category, *tags]
    metadata["stickyWeight"] = changes.sticky_weight
    metadata["sentiment"] = changes.sentiment.value


def _with_cover(metadata: dict[str, Any], cover: dict[str, Any]) -> dict[str, Any]:
    """Return front matter with a cover in its place: before `ai`."""
    told: dict[str, Any] = {}
    for key, value in metadata.items():
        if key == "ai":
            told["coverImage"] = cover
        told[key] = value
    return told if "coverImage" in told else {**told, "coverImage": cover}


def acknowledge(
    db: Database, ref: str, key: str, findings: Sequence[Finding], reason: str, *, by: str, now: datetime
) -> None:
    """Answer for a finding, one of the `findings` that the draft has now. Raises ReviewError."""
    row = db.drafts.get(ref)
    finding = next((one for one in findings if key and one.key == key), None)
    if finding is None:
        raise ReviewError("that finding is gone: the text says something else by now", draft=ref)
    if finding.firm:
        raise ReviewError("nobody can answer for that: it has to be mended in the text", draft=ref)
    if not 0 < len(reason.strip()) <= MAX_NOTE_CHARS:
        raise ReviewError(f"say why it may stand, in {MAX_NOTE_CHARS:,} characters at most", draft=ref)
    db.findings.acknowledge(row, finding, reason.strip(), by, now)


def start_revision(
    db: Database, root: Path, ref: str, *, by: str, findings: Sequence[Finding] | None = None
) -> str:
    """Make a new draft of a published article, which stays as it is; returns the draft's path.

    `findings` are about the article beside its source as it is now; None: those that are kept.
    Raises ReviewError where it is not published or its file is missing.
    """
    with exclusive_lock(root):
        row = db.drafts.get(ref)
        if row.state != "approved":
            raise ReviewError(f"{row.path} is {row.state}: only a published article is revised", draft=ref)
        path = f"drafts/{row.path.partition('/')[2]}"
        if files.read_bytes(root, path) is not None:
            raise ReviewError(f"another file stands at {path}; move it away first", draft=ref)
        text = as_draft(read_text(root, row.path, ref)[0], row.path)
        found = row.findings if findings is None else tuple(findings)
        draft = Draft(external_id=row.external_id, path=path, text=text, findings=found)
        write_text(db, root, db.versions.begin_revision(row, draft, by))
        return path
