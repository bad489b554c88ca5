"""What changed between two texts of a draft, sentence by sentence, and since an editor last saw it."""

import asyncio
from collections.abc import Sequence
from typing import Literal, NamedTuple

from desk.context import DraftView, WebContext
from desk.highlights import Piece, word_diff
from pipeline.articles.front_matter import loads
from pipeline.checks.document import DraftDocument
from pipeline.domain.errors import OutputError
from pipeline.domain.models import Beat
from pipeline.domain.reviews import LINES, Place
from pipeline.domain.sentence_diff import aligned
from pipeline.domain.text import one_line
from pipeline.storage import FinishedRedraft, ViewedVersion

_ANY_BEAT = Beat(key="any", market="", vocabulary=())

Kind = Literal["changed", "new", "gone"]
Span = tuple[int, int]


class Change(NamedTuple):
    """A sentence that is another, new or gone."""

    kind: Kind
    old: str
    """Empty where it is new."""
    new: str
    """Empty where it is gone."""
    span: Span
    """Of `new` in the new text of its field, half-open; empty, where it stood, if it is gone."""
    field: Place = "body"

    @property
    def pieces(self) -> list[Piece]:
        """The word diff of both."""
        return word_diff(self.old, self.new)


class ChangesSince(NamedTuple):
    """What changed in a draft since an editor last saw it."""

    changes: tuple[Change, ...]
    viewed: ViewedVersion
    request: FinishedRedraft | None
    """The rewrite that changed it; None where it was none."""


async def changes_since(ctx: WebContext, view: DraftView, editor: str) -> ChangesSince | None:
    """Return what changed since the last text that an editor saw or wrote; None if nothing did.

    The editor's own last text has no changes, nor has a draft that the editor sees for the first time.
    """
    return await asyncio.to_thread(_changes_since, ctx, view, editor)


def _changes_since(ctx: WebContext, view: DraftView, editor: str) -> ChangesSince | None:
    viewed = ctx.db.versions.last_viewed(view.row.item_id, editor, view.sha256)
    if viewed is None or view.text is None:
        return None
    try:
        changes = article_changes(viewed.text, view.text, view.beat)
    except OutputError:  # the page says why a text cannot be read
        return None
    request = ctx.db.redrafts.last_finished(view.row.item_id) if viewed.redrafted_since else None
    return ChangesSince(changes, viewed, request) if changes else None


def article_changes(old: str, new: str, beat: Beat) -> tuple[Change, ...]:
    """Return the changes of title, description and body between two texts of a draft. Raises OutputError."""
    (before, old_body), (after, new_body) = loads(old), loads(new)
    lines = ((field, str(before.get(field) or ""), str(after.get(field) or "")) for field in LINES)
    changed = tuple(_line_change(*line) for line in lines if line[1] != line[2])
    return changed + sentence_changes(old_body, new_body, beat)


def _line_change(field: Place, old: str, new: str) -> Change:
    kind: Kind = "changed" if old and new else "new" if new else "gone"
    return Change(kind, old, new, (0, len(new)), field)


def sentence_changes(old_body: str, new_body: str, beat: Beat = _ANY_BEAT) -> tuple[Change, ...]:
    """Return the sentences, headings and list items that differ between two bodies, in order. Pure.

    Headings that every article of the beat has are left out.
    """
    old_spans, new_spans = _spans(old_body, beat), _spans(new_body, beat)
    old = [one_line(old_body[slice(*span)]) for span in old_spans]
    new = [one_line(new_body[slice(*span)]) for span in new_spans]
    changes, behind = [], 0
    for before, after in aligned(old, new):
        if after is None and before is not None:
            starts_block = "\n" in old_body[old_spans[before - 1][1] if before else 0 : old_spans[before][0]]
            place = _place(new_spans, behind, starts_block=starts_block)
            changes.append(Change("gone", old[before], "", (place, place)))
        elif after is not None:
            behind = after + 1
            if before is None:
                changes.append(Change("new", "", new[after], new_spans[after]))
            elif old[before] != new[after]:
                changes.append(Change("changed", old[before], new[after], new_spans[after]))
    return tuple(changes)


def _spans(body: str, beat: Beat) -> list[Span]:
    document = DraftDocument(body, beat)
    return [document.span(sentence.start, sentence.end) for sentence in document.sentences]


def _place(spans: Sequence[Span], behind: int, *, starts_block: bool) -> int:
    """Return where a sentence stood after `behind` others: before the next one if it began a block."""
    if behind < len(spans) and (starts_block or not behind):
        return spans[behind][0]
    return spans[behind - 1][1] if behind else 0
