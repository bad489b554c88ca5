"""Which events that come again and again are logged, so that months of output stay readable."""

import math
import re
import time
from collections.abc import Callable, Hashable

REPEAT_S = 3600.0
"""Seconds until the same message about a lasting error is logged again. Chosen, not measured."""
_MAX_EVENTS = 1_000
"""Most events remembered; with more, the oldest are forgotten. Chosen, not measured."""
_CHANGING = re.compile(r"\b(?:\d+(?:\.\d+)?|\w+_\w*\d\w*|(?=[a-z-]*\d)[0-9a-f-]{8,})\b", re.IGNORECASE)
"""A number of items or an id of a request, which is another one each time."""


class RepeatFilter:
    """Lets each event pass once in a while. Not thread-safe: each thread has its own."""

    def __init__(self, clock: Callable[[], float] = time.monotonic, repeat_s: float = REPEAT_S) -> None:
        self._clock, self._repeat_s = clock, repeat_s
        self._passed: dict[Hashable, float] = {}
        """Events and when they passed, the oldest first."""

    def passes(self, event: Hashable) -> bool:
        """Return whether an event, such as a message, is to be logged now."""
        now = self._clock()
        if now - self._passed.get(event, -math.inf) < self._repeat_s:
            return False
        self._passed.pop(event, None)  # to its place at the end
        self._passed[event] = now
        if len(self._passed) > _MAX_EVENTS:
            del self._passed[next(iter(self._passed))]
        return True


def without_numbers(message: str) -> str:
    """Return a message without numbers and ids, by which messages about one cause differ. Pure."""
    return _CHANGING.sub("#", message)
