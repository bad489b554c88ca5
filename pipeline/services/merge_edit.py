"""Merge an editor's changes with a text saved meanwhile: texts by sentence, other fields by value.

The result is again an edit, of the text that is on disk: what its file has besides stays as it is. Pure.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple, TypeVar

from pipeline.articles.approved_metadata import following
from pipeline.articles.article import Sentiment
from pipeline.articles.front_matter import loads, plain_lines
from pipeline.articles.merge import Conflict, Merged, merge, two_way
from pipeline.domain.alt_text import alt_of
from pipeline.domain.errors import OutputError
from pipeline.domain.models import Beat
from pipeline.services.edit import DraftEdit, apply_edit

_Value = TypeVar("_Value")
Choices = Mapping[str, str]
"""What an editor decided on conflicts: the text by the key of the conflict."""
FILE = "file"
"""The field of a conflict with a file that cannot be read."""


class EditMerge(NamedTuple):
    """An edit of the text on disk, and what somebody has to decide on before it can be saved."""

    edit: DraftEdit
    conflicts: tuple[Conflict, ...]


class _Fields(NamedTuple):
    """The fields of a text that an editor can change."""

    metadata: dict[str, Any]
    body: str
    """With LF line ends."""

    def text(self, name: str) -> str:
        """Return a field of the front matter as text."""
        value = self.metadata.get(name)
        return "" if value is None else str(value)

    @property
    def tags(self) -> tuple[str, ...]:
        """The tags; none where the front matter has something else."""
        tags = self.metadata.get("tags")
        return tuple(str(tag) for tag in tags) if isinstance(tags, list) else ()

    @property
    def cover(self) -> dict[str, Any]:
        """The cover image; empty where there is none."""
        cover = self.metadata.get("coverImage")
        return cover if isinstance(cover, dict) else {}


class _Merger:
    """Merges field after field, and collects the conflicts."""

    def __init__(self, base: _Fields | None, mine: _Fields, theirs: _Fields, choices: Choices) -> None:
        self.base, self.mine, self.theirs = base, mine, theirs
        self._choices = choices
        self.conflicts: list[Conflict] = []

    def words(self, field: str, base: str | None, mine: str, theirs: str) -> str:
        """Return the merged text of a field, by sentence; mine as long as there are conflicts."""
        merged = two_way(mine, theirs) if base is None else merge(base, mine, theirs)
        named = Merged(tuple(_in_field(piece, field) for piece in merged.pieces)).settled(self._choices)
        self.conflicts.extend(named.conflicts)
        return mine if named.text is None else named.text

    def line(self, name: str) -> str:
        """Return the merged text of a field of the front matter."""
        base = None if self.base is None else self.base.text(name)
        return self.words(name, base, self.mine.text(name), self.theirs.text(name))

    def value(self, name: str, read: Callable[[str], _Value]) -> _Value:
        """Return the merged value of a field that is no text."""
        mine, theirs = read(self.mine.text(name)), read(self.theirs.text(name))
        base = None if self.base is None else read(self.base.text(name))
        if theirs in (mine, base):
            return mine
        return theirs if mine == base or not self._is_mine(name, base, mine, theirs) else mine

    def tags(self) -> tuple[str, ...]:
        """Return their tags, with those that mine has more than the base and without those it has less."""
        base = self.theirs.tags if self.base is None else self.base.tags
        added = [tag for tag in self.mine.tags if tag not in base]
        removed = set(base) - set(self.mine.tags)
        return tuple(dict.fromkeys(tag for tag in (*self.theirs.tags, *added) if tag not in removed))

    def cover(self, chosen: dict[str, Any] | None) -> dict[str, Any] | None:
        """Return the cover that replaces theirs; None: theirs stays."""
        theirs, base = self.theirs.cover, self.base.cover if self.base else None
        if chosen is None or chosen in (base, theirs):
            return None
        if theirs == base:
            return chosen
        covers = (base or {}, chosen, theirs)
        if base and len({str(cover | {"alt": ""}) for cover in covers}) == 1:
            return chosen | {"alt": self.words("alt", *(str(cover.get("alt") or "") for cover in covers))}
        names = [str(cover.get("regular") or "no cover") for cover in covers]
        return chosen if self._is_mine("cover", *names) else None

    def _is_mine(self, name: str, base: object, mine: object, theirs: object) -> bool:
        """Tell whether the editor keeps their value of a field; until they chose, there is a conflict."""
        conflict = Conflict("" if base is None else str(base), str(mine), str(theirs), 0, name)
        chosen = self._choices.get(conflict.key)
        if chosen not in (conflict.mine, conflict.theirs):
            self.conflicts.append(conflict)
        return chosen != conflict.theirs


def merge_edit(
    base: str | None, edit: DraftEdit, theirs: str, beat: Beat, choices: Choices | None = None
) -> EditMerge:
    """Merge an edit of the text `base` with the text `theirs`; None: what it started from is not known.

    `choices` settle conflicts. Raises ReviewError if a field of the edit is not valid.
    """
    choices = choices or {}
    on_disk = _fields(theirs)
    if on_disk is None:
        conflict = Conflict("", edit.body, theirs, 0, FILE)
        settled = choices.get(conflict.key) == conflict.mine
        return EditMerge(edit, () if settled else (conflict,))
    before = None if base is None else _fields(base)
    start = theirs if base is None or before is None else base
    mine = _fields(apply_edit(start, edit, beat, now=datetime.now(UTC))) or on_disk
    merger = _Merger(before, mine, on_disk, choices)
    merged = edit.model_copy(
        update={
            "title": merger.line("title"),
            "description": _description(merger, edit.description, beat),
            "body": merger.words("body", before and before.body, mine.body, on_disk.body),
            "cover": merger.cover(edit.cover),
            "alt": _alt(merger, edit.alt),
            "category": merger.value("category", str),
            "sentiment": merger.value("sentiment", _sentiment),
            "sticky_weight": merger.value("stickyWeight", _whole_number),
            "tags": merger.tags(),
        }
    )
    return EditMerge(merged, tuple(merger.conflicts))


def _in_field(piece: str | Conflict, field: str) -> str | Conflict:
    return piece._replace(field=field) if isinstance(piece, Conflict) else piece


def _description(merger: _Merger, chosen: str | None, beat: Beat) -> str | None:
    """Return the description that replaces theirs; None: theirs stays, or follows the merged overview."""
    theirs = merger.theirs.text("description")
    base = merger.base and merger.base.text("description")
    if chosen is None or " ".join(chosen.split()) in (base, theirs):
        return None
    if base is not None and merger.base is not None:
        unchanged = {base, following(base, merger.base.body, merger.theirs.body, beat)}
        if theirs in unchanged:
            return chosen
    return merger.words("description", base, " ".join(chosen.split()), theirs)


def _alt(merger: _Merger, written: str | None) -> str | None:
    """Return the alt text that replaces theirs; None: theirs stays."""
    base, theirs = merger.base and alt_of(merger.base.metadata), alt_of(merger.theirs.metadata)
    alt = None if written is None else " ".join(written.split())
    return None if alt is None or alt in (base, theirs) else merger.words("alt", base, alt, theirs)


def _fields(text: str) -> _Fields | None:
    """Return the fields of a text; None if its front matter cannot be read."""
    try:
        metadata, body = loads(text)
    except OutputError:
        return None
    return _Fields(metadata, plain_lines(body))


def _sentiment(value: str) -> Sentiment:
    try:
        return Sentiment(value)
    except ValueError:
        return Sentiment.NEUTRAL


def _whole_number(value: str) -> int:
    return int(value) if value.removeprefix("-").isdecimal() else 0
