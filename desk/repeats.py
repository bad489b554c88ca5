"""Tells repeated events from new ones, so that a log has each once a minute; its memory is bounded."""

import time
from collections.abc import Callable, Hashable

_EVERY_S = 60.0
"""Seconds in which an event that comes again is not new. Chosen: one line a minute at most."""
_MAX_EVENTS = 1_000
"""Most events remembered; with more, the oldest are forgotten. Chosen, not measured."""


class Repeats:
    """Remembers the events of the last minute. Used by one event loop only."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._noted: dict[Hashable, float] = {}
        """Events and when they were new, the oldest first."""

    def is_new(self, event: Hashable) -> bool:
        """Return whether an event was not new within the last minute; it is remembered then."""
        now = self._clock()
        if now - self._noted.get(event, now - _EVERY_S) < _EVERY_S:
            return False
        self._noted.pop(event, None)  # to its place at the end
        self._noted[event] = now
        if len(self._noted) > _MAX_EVENTS:
            del self._noted[next(iter(self._noted))]
        return True
