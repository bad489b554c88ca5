"""What the editing page says of a text that was not saved: why, who came first, where the text is kept."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from desk.diff import Piece
from pipeline.storage import Version

_EDITORS = ("edit", "restore", "revise")
"""Causes of versions that an editor brought about."""


class Conflict(NamedTuple):
    """Two texts where there should be one."""

    base: str
    """Hash of the text that the editor saw."""
    theirs: str
    """Hash of the text that stands."""
    pieces: list[Piece]


class Unsaved(NamedTuple):
    """Why a text was not saved, and where it is."""

    why: str
    """A clause, without a full stop."""
    kept: str | None
    """Hash of the version that the editor's text is kept as."""
    conflict: Conflict | None = None


def who_changed(versions: Sequence[Version], theirs: str, name: str, now: datetime) -> str:
    """Return who wrote the text of the hash `theirs`, and when, as a clause; `name` is who asks."""
    found = next((one for one in reversed(versions) if one.sha256 == theirs and not one.aside), None)
    if found is None or (found.cause in _EDITORS and not found.by):
        return "the file was changed on disk"
    if found.cause not in _EDITORS:
        return f"a new version by the model came in at {_moment(found.at, now)}"
    who = "it was changed in another window of yours" if found.by == name else f"{found.by} changed this"
    return f"{who} at {_moment(found.at, now)}"


def _moment(at: datetime, now: datetime) -> str:
    return f"{at:%H:%M} UTC" if at.date() == now.date() else f"{at:%Y-%m-%d %H:%M} UTC"
