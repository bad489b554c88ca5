"""Which messages about a lasting error are logged, so that months of output stay readable."""

import re
import time
from collections.abc import Callable

REPEAT_S = 3600.0
"""Seconds until the same message may be logged again. Chosen, not measured."""
_CHANGING = re.compile(r"\b(?:\d+(?:\.\d+)?|\w+_\w*\d\w*|(?=[a-z-]*\d)[0-9a-f-]{8,})\b", re.IGNORECASE)
"""A number of items or an id of a request, which is another one each time."""


class RepeatFilter:
    """Lets each message pass once in a while; texts that differ in numbers and ids only are the same.

    Not thread-safe: each thread has its own.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic, repeat_s: float = REPEAT_S) -> None:
        self._clock, self._repeat_s = clock, repeat_s
        self._passed: dict[str, float] = {}
        """By message, when it passed; those that may pass again are left out."""

    def passes(self, message: str) -> bool:
        """Return whether a message is to be logged now."""
        now, text = self._clock(), _CHANGING.sub("#", message)
        self._passed = {other: at for other, at in self._passed.items() if now - at < self._repeat_s}
        if text in self._passed:
            return False
        self._passed[text] = now
        return True
