"""What an editor is shown of others' changes: who made them, and the conflicts with their own. Pure."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from desk.highlights import Piece, word_diff
from pipeline.articles.merge import Conflict
from pipeline.services.merge_edit import FILE
from pipeline.services.merge_save import Author
from pipeline.storage import Version

_EDITOR_CAUSES = ("edit", "restore", "revise")
"""Causes of versions that an editor wrote."""
_LABELS = {
    "title": "Title", "description": "Description", "body": "Text", "alt": "Alt text", "category": "Category",
    "sentiment": "Sentiment", "stickyWeight": "Sticky weight", "cover": "Cover", FILE: "The whole file",
}  # fmt: skip
_TEXTS = ("title", "description", "body", "alt")


class ConflictView(NamedTuple):
    """A conflict with what both sides wrote, for the form that decides on it."""

    key: str
    label: str
    mine: str
    theirs: str
    pieces: tuple[Piece, ...]
    """Word diff from theirs to mine."""
    chosen: str | None
    """The text that the editor chose; None: nothing was chosen yet."""
    can_edit: bool
    """Whether a third text can be written."""
    can_take_theirs: bool
    """Whether theirs can be kept: a file that cannot be read can only be replaced."""

    @property
    def own(self) -> str:
        """The text in the field for a third one."""
        return self.mine if self.chosen is None else self.chosen

    @property
    def choice(self) -> str:
        """Which radio button is on: mine, theirs, own, or none."""
        named = {self.theirs: "theirs", self.mine: "mine", None: ""}
        return named.get(self.chosen, "own")

    def has(self, *kinds: str) -> list[Piece]:
        """Return the pieces of some kinds: `same` and `gone` are their text, `same` and `new` mine."""
        return [piece for piece in self.pieces if piece.kind in kinds]


def conflict_views(conflicts: Sequence[Conflict], choices: Mapping[str, str]) -> list[ConflictView]:
    """Return conflicts as the editor page shows them."""
    return [
        ConflictView(
            key=conflict.key,
            label=_LABELS.get(conflict.field, conflict.field),
            mine=conflict.mine,
            theirs=conflict.theirs,
            pieces=_pieces(conflict),
            chosen=choices.get(conflict.key),
            can_edit=conflict.field in _TEXTS,
            can_take_theirs=conflict.field != FILE,
        )
        for conflict in conflicts
    ]


def _pieces(conflict: Conflict) -> tuple[Piece, ...]:
    """Return the word diff of a conflict; a file that cannot be read has nothing in common with a text."""
    if conflict.field == FILE:
        return Piece("gone", conflict.theirs), Piece("new", conflict.mine)
    return tuple(word_diff(conflict.theirs, conflict.mine))


def change_description(versions: Sequence[Version], theirs: str, editor: str, now: datetime) -> str:
    """Return who wrote the text with the hash `theirs` and when, as a clause for the reader `editor`."""
    saved = (version for version in reversed(versions) if version.sha256 == theirs and not version.aside)
    version = next(saved, None)
    if version is None or (version.cause in _EDITOR_CAUSES and not version.by):
        return "the file was changed on disk"
    moment = version.at
    at = f"{moment:%H:%M} UTC" if moment.date() == now.date() else f"{moment:%Y-%m-%d %H:%M} UTC"
    if version.cause not in _EDITOR_CAUSES:
        return f"the model wrote a new version at {at}"
    return (
        f"you changed this in another window at {at}"
        if version.by == editor
        else f"{version.by} changed this at {at}"
    )


def together_with(authors: Sequence[Author], editor: str) -> str:
    """Return whose changes a text was merged with, for the reader `editor`: "Ola's changes"."""
    names = [_whose(author, editor) for author in authors]
    return " and ".join(dict.fromkeys(names)) or "the changes of others"


def _whose(author: Author, editor: str) -> str:
    if author.cause not in _EDITOR_CAUSES:
        return "the model's new version"
    if not author.name:
        return "what was changed on disk"
    return "your changes in another window" if author.name == editor else f"{author.name}'s changes"
