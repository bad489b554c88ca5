"""Who has which draft open: signs of life of the desk's pages, in memory, forgotten after a while."""

import time
from collections.abc import Callable, Iterable
from typing import NamedTuple

FORGET_AFTER_S = 45.0
"""Seconds without a sign after which an editor has left. Chosen: three signs of a page, 15 seconds apart."""
_MAX_DRAFTS = 2_000
"""Most drafts remembered; with more, those whose editors left are forgotten. Chosen, not measured."""


class Holder(NamedTuple):
    """An editor who has a draft open."""

    name: str
    edits: bool
    """Whether they edit it; False: they read it."""

    @property
    def message(self) -> str:
        """What the others are told."""
        return f"{self.name} edits this" if self.edits else f"{self.name} reads this too"


class _Sign(NamedTuple):
    at: float
    edits: bool


class Presence:
    """Remembers the last sign of each editor at each draft. Used by one event loop only."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._signs: dict[str, dict[str, _Sign]] = {}

    def note(self, ref: str, editor: str, *, edits: bool) -> None:
        """Note that an editor has a draft open, and whether they edit it."""
        if len(self._signs) >= _MAX_DRAFTS:
            self._signs = {each: signs for each in self._signs if (signs := self._alive(each))}
        self._signs[ref] = self._alive(ref) | {editor: _Sign(self._clock(), edits)}

    def leave(self, ref: str, editor: str) -> None:
        """Note that an editor closed a draft."""
        self._signs.get(ref, {}).pop(editor, None)

    def others(self, ref: str, editor: str) -> list[Holder]:
        """Return the other editors who have a draft open, those who edit it first."""
        return [holder for holder in self._holders(ref) if holder.name != editor]

    def holders(self, refs: Iterable[str]) -> dict[str, list[Holder]]:
        """Return the editors who have drafts open, by draft; without drafts that nobody has open."""
        return {ref: holders for ref in refs if (holders := self._holders(ref))}

    def _holders(self, ref: str) -> list[Holder]:
        holders = [Holder(name, sign.edits) for name, sign in self._alive(ref).items()]
        return sorted(holders, key=lambda holder: (not holder.edits, holder.name))

    def _alive(self, ref: str) -> dict[str, _Sign]:
        oldest = self._clock() - FORGET_AFTER_S
        return {name: sign for name, sign in self._signs.get(ref, {}).items() if sign.at > oldest}
