"""What a save has to write: an editor's changes, merged with what was saved since their page was loaded."""

from typing import NamedTuple

from pipeline.domain.errors import EditConflict, ReviewError
from pipeline.services.draft_file import DraftOnDisk, EditorContext, beat_of
from pipeline.services.edit import DraftEdit, apply_edit
from pipeline.services.merge_edit import Choices, merge_edit
from pipeline.storage import PageText


class Author(NamedTuple):
    """Who wrote a text."""

    cause: str
    """The cause of the version; `edit` for a text that another program wrote."""
    name: str
    """Empty for a model and for another program."""


class PlannedSave(NamedTuple):
    """An edit of the text on disk."""

    edit: DraftEdit
    authors: tuple[Author, ...] = ()
    """Who wrote what it is merged with."""
    sent: str | None = None
    """The text as it was sent, where it was merged; None: it was not."""

    @property
    def is_merged(self) -> bool:
        """Whether somebody else's changes are in it."""
        return self.sent is not None


def plan_save(
    ctx: EditorContext,
    current: DraftOnDisk,
    edit: DraftEdit,
    *,
    base: str,
    form: str = "",
    choices: Choices | None = None,
) -> PlannedSave:
    """Merge an edit of the text with the hash `base` with the text on disk.

    `form` names the page that sent it: a save of that page whose response was lost is no change by others.
    `choices` settle conflicts. Raises EditConflict (context: conflicts) where somebody has to decide,
    ReviewError where a field is not valid.
    """
    if current.sha256 == base:
        return PlannedSave(edit)
    row = current.row
    start = ctx.db.page_texts.base(row.item_id, base, editor=ctx.editor_name, form=form)
    beat = beat_of(ctx.subscriptions, row.feed_key)
    merged = merge_edit(start and start.text, edit, current.text, beat, choices)
    if merged.conflicts:
        raise EditConflict(
            f"{row.path} was changed meanwhile: choose which text to keep",
            text=current.text,
            sha256=current.sha256,
            conflicts=merged.conflicts,
        )
    if start is not None and start.text == current.text:
        return PlannedSave(merged.edit)
    sent = apply_edit(current.text if start is None else start.text, edit, beat, now=ctx.clock(), row=row)
    return PlannedSave(merged.edit, _authors(ctx, current, start), sent)


def _authors(ctx: EditorContext, current: DraftOnDisk, start: PageText | None) -> tuple[Author, ...]:
    """Return who changed the text since a page started from it; the last author where that is not known."""
    versions = [version for version in ctx.db.versions.list(current.row.item_id) if not version.aside]
    if start is not None:
        versions = [each for each in versions if each.at > start.at and each.sha256 != start.own]
    later = versions[-1:] if start is None else versions
    authors = [Author(version.cause, version.by or "") for version in later]
    if not current.is_last_version:
        authors.append(Author("edit", ""))
    return tuple(dict.fromkeys(authors))


def is_saved(ctx: EditorContext, current: DraftOnDisk, edit: DraftEdit, base: str, form: str) -> bool:
    """Tell whether the text on disk has all of an edit's changes. Parameters as of `plan_save`."""
    try:
        planned = plan_save(ctx, current, edit, base=base, form=form)
        beat = beat_of(ctx.subscriptions, current.row.feed_key)
        return apply_edit(current.text, planned.edit, beat, now=ctx.clock(), row=current.row) == current.text
    except ReviewError:
        return False
