"""Save edits of a draft, acknowledge findings, start revisions.

Optimistic concurrency: a save names the hash that it replaces, and a conflict keeps both texts.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from pipeline.articles import files
from pipeline.articles.approved_metadata import following, overview_start
from pipeline.articles.article import Sentiment
from pipeline.articles.files import exclusive_lock
from pipeline.articles.front_matter import dumps, loads
from pipeline.domain.alt_text import MAX_ALT_CHARS, alt_of
from pipeline.domain.errors import EditConflict, OutputError, ReviewError
from pipeline.domain.models import Beat, FrozenModel
from pipeline.domain.reviews import (
    OTHER_REASON,
    PRESETS,
    Draft,
    Finding,
    Front,
    acknowledgement_reason,
    equal_findings,
)
from pipeline.domain.text import utc_iso, without_elements
from pipeline.services.draft_file import (
    EditorContext,
    as_draft,
    beat_of,
    decode_leniently,
    draft_front,
    drop_editor_links,
    load_draft,
    read_text,
    record_external_edit,
    require_unchanged,
    system_findings,
    update_counts,
    write_text,
)
from pipeline.services.finding_ends import record_edited
from pipeline.storage import NO_TIME, SYSTEM_FINDINGS, DraftRow, Save

EDIT_SESSION = timedelta(minutes=10)
"""Saves of one editor within this time of each other become one version. Chosen, not measured."""
MAX_CHARS = 300_000
"""Most characters of a body. Chosen, not measured."""
_BLANK = "---\n{}\n---\n"
"""A text without fields, used if no text of the draft can be read."""
MAX_NOTE_CHARS = 2_000
"""Most characters of a reason or a note. Chosen, not measured."""
_MAX_TITLE_CHARS, _MAX_DESCRIPTION_CHARS = 400, 1_000


class DraftEdit(FrozenModel):
    """The fields of the edit form of a draft."""

    title: str
    description: str | None
    """Empty: use the beginning of the overview; None: keep it, or follow the overview it was taken from."""
    category: str
    tags: tuple[str, ...]
    sentiment: Sentiment
    sticky_weight: int
    body: str
    cover: dict[str, Any] | None = None
    """The new cover image, `{}` for no cover; None: unchanged."""
    alt: str | None = None
    """The description of the cover image; None: unchanged."""


def edit_of(text: str, **changed: Any) -> DraftEdit:  # noqa: ANN401 - values of the fields of DraftEdit
    """Return the edit of a draft's text that changes these fields only. Raises ReviewError.

    A description and an alt text that are not changed stay as they are, or follow the Overview.
    """
    metadata, body = loads(text)
    tags = metadata.get("tags")
    try:
        fields = {
            "title": str(metadata.get("title") or ""),
            "description": None,
            "category": str(metadata.get("category") or ""),
            "tags": tuple(str(tag) for tag in tags) if isinstance(tags, list) else (),
            "sentiment": Sentiment(str(metadata.get("sentiment"))),
            "sticky_weight": int(metadata.get("stickyWeight") or 0),
            "body": body,
        }
        return DraftEdit(**{**fields, **changed})
    except (TypeError, ValueError) as error:
        message = "the draft's front matter is not valid: open the editor and save it once"
        raise ReviewError(message) from error


def save_edit(
    ctx: EditorContext,
    ref: str,
    changes: DraftEdit,
    findings: Iterable[Finding],
    *,
    base: str,
    form: str = "",
    sent: str | None = None,
) -> str:
    """Apply an editor's changes to the text with the hash `base` and return the new text's hash.

    `findings` are about the changed text. The refused text of the same `form` (see `keep_refused`) is
    deleted. `sent` is the text as the page sent it, where the changes are merged with others'.
    Raises EditConflict if the file has another hash, ReviewError if the draft was decided or a field is not
    valid.
    """
    with exclusive_lock(ctx.output):
        current = load_draft(ctx.db, ctx.output, ref)
        row = current.row
        require_unchanged(current, base)
        beat = beat_of(ctx.subscriptions, row.feed_key)
        text = apply_edit(current.text, changes, beat, now=ctx.clock(), row=row)
        if text == current.text:
            return current.sha256
        metadata, body = loads(text, row.path)
        checked = [finding for finding in findings if finding.kind not in SYSTEM_FINDINGS]
        checked = list(drop_editor_links(row, body, checked, Front(metadata=metadata)))
        every = (*checked, *system_findings(row))
        update_counts(metadata, row, every)
        draft = Draft(external_id=row.external_id, path=row.path, text=dumps(metadata, body), findings=every)
        record_external_edit(ctx.db, current)
        title = str(metadata["title"])
        save = Save(base=base, session=EDIT_SESSION, title=title, form=form, sent=sent if form else None)
        pending = ctx.db.versions.begin_save(row, draft, ctx.editor_name, save)
        if not write_text(ctx.db, ctx.output, pending):
            raise _conflict(ctx, row, draft.sha256)
        record_edited(ctx, row, pending, draft)
        return draft.sha256


def _conflict(ctx: EditorContext, row: DraftRow, version_sha256: str) -> EditConflict:
    text, sha256 = read_text(ctx.output, row.path, row.external_id)
    message = f"{row.path} was changed on disk in this moment"
    return EditConflict(message, text=text, sha256=sha256, kept=version_sha256)


def keep_refused(ctx: EditorContext, ref: str, changes: DraftEdit, *, base: str, form: str) -> str | None:
    """Keep the text of an edit that could not be saved, beside the versions; return that text's hash.

    It is the text as the file would have been: the changes applied to the version with the hash `base` if
    there is one, else to the file. `form` names the page it was written in: a later text of that page
    replaces it. None if the changes change nothing. Raises ReviewError if there is no such draft.
    """
    row = ctx.db.drafts.get(ref)
    start = ctx.db.page_texts.base(row.item_id, base)
    base_texts = [] if start is None else [start.text]
    data = files.read_bytes(ctx.output, row.path)
    on_disk = () if data is None else (decode_leniently(data),)
    candidates = (*base_texts, *on_disk, row.version_text, _BLANK)
    before = next(text for text in candidates if _readable(text))
    text = _applied(before, changes, beat_of(ctx.subscriptions, row.feed_key), now=ctx.clock())
    draft = Draft(external_id=row.external_id, path=row.path, text=text)
    if text != before:
        ctx.db.versions.add_refused(row, draft, ctx.editor_name, base=base, form=form)
    return draft.sha256 if text != before or base_texts else None


def _readable(text: str) -> bool:
    try:
        loads(text)
    except OutputError:
        return False
    return True


def apply_edit(
    text: str, changes: DraftEdit, beat: Beat, *, now: datetime, row: DraftRow | None = None
) -> str:
    """Return a draft's text with an editor's changes; unchanged bytes stay. Pure.

    Fields that the database attests (`row`) are restored. If the text's front matter cannot be read, the
    row's last version is used. Raises ReviewError if a field is not valid.
    """
    before = text if row is None or _readable(text) else row.version_text
    title = without_elements(" ".join(changes.title.split()))
    try:
        body_before = loads(before)[1]
    except OutputError as error:
        raise ReviewError(f"{error.message}; restore a version that can be read, or fix the file") from error
    body = normalize_newlines(changes.body, like=body_before)
    _require_valid(changes.model_copy(update={"title": title}), body, beat)
    return _applied(before, changes, beat, now=now, row=row)


def _applied(text: str, changes: DraftEdit, beat: Beat, *, now: datetime, row: DraftRow | None = None) -> str:
    on_disk, body = loads(text)
    before = on_disk.get("title"), on_disk.get("description"), body
    metadata = draft_front(row, on_disk, body, beat).metadata if row else on_disk
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
    alt_before = alt_of(on_disk)
    _describe_cover(metadata, changes, alt_before)
    if (metadata["title"], metadata["description"], after) != before or alt_of(metadata) != alt_before:
        metadata["updatedAt"] = utc_iso(now)
    return text if (metadata, after) == loads(text) else dumps(metadata, after)


def _describe_cover(metadata: dict[str, Any], changes: DraftEdit, before: str) -> None:
    """Set the cover's alt text. A form that replaces the cover has that of the old one, unless it changed."""
    cover = metadata.get("coverImage")
    if changes.alt is None or not isinstance(cover, dict):
        return
    alt = without_elements(" ".join(changes.alt.split()))
    if changes.cover and alt == before:
        return
    metadata["coverImage"] = {**cover, "alt": alt} if alt else {k: v for k, v in cover.items() if k != "alt"}


def normalize_newlines(body: str, *, like: str) -> str:
    """Return a form's text with the line ends of the text `like`, and with one at its end if that has one."""
    text = body.replace("\r\n", "\n").replace("\r", "\n")
    if like.endswith("\n") and not text.endswith("\n"):
        text += "\n"
    return text.replace("\n", "\r\n") if "\r\n" in like else text


def _require_valid(changes: DraftEdit, body: str, beat: Beat) -> None:
    if not changes.title.strip():
        raise ReviewError("the title is empty; write one", field="title")
    for field, text, limit in (
        ("title", changes.title, _MAX_TITLE_CHARS),
        ("description", changes.description or "", _MAX_DESCRIPTION_CHARS),
        ("alt text", changes.alt or "", MAX_ALT_CHARS),
        ("text", body, MAX_CHARS),
    ):
        if len(text) > limit:
            raise ReviewError(f"the {field} is longer than {limit:,} characters; shorten it", field=field)
    unknown = [tag for tag in (changes.category, *changes.tags) if tag not in beat.vocabulary]
    if beat.vocabulary and unknown:
        vocabulary = ", ".join(beat.vocabulary)
        raise ReviewError(f"{unknown[0]!r} is not in the vocabulary: {vocabulary}", field="tags")


def _description(before: object, changed: str | None, old_body: str, body: str, beat: Beat) -> str:
    """Return an editor's own description; one that was the beginning of the overview follows its change."""
    current = before if isinstance(before, str) else ""
    description = current if changed is None else without_elements(" ".join(changed.split()))
    if not description:
        return overview_start(body, beat)
    return following(description, old_body, body, beat) if description == current else description


def _classify(metadata: dict[str, Any], changes: DraftEdit) -> None:
    category, tags = changes.category, list(dict.fromkeys(changes.tags))
    metadata["category"] = category
    metadata["tags"] = tags if category in tags else [category, *tags]
    metadata["stickyWeight"] = changes.sticky_weight
    metadata["sentiment"] = changes.sentiment.value


def _with_cover(metadata: dict[str, Any], cover: dict[str, Any]) -> dict[str, Any]:
    """Return front matter with a cover, before the key `ai`."""
    result: dict[str, Any] = {}
    for key, value in metadata.items():
        if key == "ai":
            result["coverImage"] = cover
        result[key] = value
    return result if "coverImage" in result else {**result, "coverImage": cover}


def acknowledge(
    ctx: EditorContext,
    ref: str,
    key: str,
    findings: Sequence[Finding],
    reason: str,
    *,
    preset: str | None = None,
) -> None:
    """Record that the editor accepts a finding, one of the draft's current `findings`, and those equal to it.

    `preset` is a key of PRESETS, which needs no `reason`, or OTHER_REASON. Raises ReviewError.
    """
    row = ctx.db.drafts.get(ref)
    finding = next((finding for finding in findings if key and finding.key == key), None)
    if finding is None:
        raise ReviewError("that finding is gone: the text says something else by now", draft=ref)
    if finding.firm:
        raise ReviewError("this finding cannot be accepted: correct the text", draft=ref)
    if preset not in (None, OTHER_REASON, *PRESETS):
        choices = ", ".join((*PRESETS, OTHER_REASON))
        raise ReviewError(f"{preset!r} is no reason of the list; choose one of: {choices}", draft=ref)
    text = acknowledgement_reason(preset, reason)
    if not 0 < len(text) <= MAX_NOTE_CHARS:
        raise ReviewError(f"give a reason, in {MAX_NOTE_CHARS:,} characters at most", draft=ref)
    equal = equal_findings(finding, findings)
    at = ctx.event_time or NO_TIME
    ctx.db.findings.acknowledge(row, finding, text, ctx.editor_name, at, preset=preset, equal=equal)


def start_revision(
    ctx: EditorContext, ref: str, *, findings: Sequence[Finding] | None = None, note: str = ""
) -> str:
    """Make a new draft of a published article, which stays published; return the draft's path.

    `findings` are about the article and its current source; None: the recorded ones. `note` is what readers
    are to be told of its correction; empty: nothing.
    Raises ReviewError if it is not published or its file is missing.
    """
    with exclusive_lock(ctx.output):
        row = ctx.db.drafts.get(ref)
        if row.state != "approved":
            raise ReviewError(f"{row.path} is {row.state}: only a published article is revised", draft=ref)
        path = f"drafts/{row.path.partition('/')[2]}"
        if files.read_bytes(ctx.output, path) is not None:
            raise ReviewError(f"another file is at {path}; move it away first", draft=ref)
        text = as_draft(read_text(ctx.output, row.path, ref)[0], row.path, note)
        current = row.findings if findings is None else tuple(findings)
        draft = Draft(external_id=row.external_id, path=path, text=text, findings=current)
        write_text(ctx.db, ctx.output, ctx.db.versions.begin_revision(row, draft, ctx.editor_name))
        return path
