"""The time that one item may take: a timeout that is paused while the item waits for others."""

import asyncio
import contextlib
import math
from collections.abc import Iterator


class Deadline:
    """A running timeout that can be paused."""

    def __init__(self, timeout: asyncio.Timeout) -> None:
        self._timeout = timeout

    @contextlib.contextmanager
    def paused(self) -> Iterator[None]:
        """Do not count the time inside the block."""
        when = self._timeout.when()
        if when is None:  # no deadline is set
            yield
            return
        clock = asyncio.get_running_loop().time
        began = clock()
        self._timeout.reschedule(None)
        try:
            yield
        finally:
            self._timeout.reschedule(when + clock() - began)

    def left_s(self) -> float:
        """Return the seconds that are left; infinity if no deadline is set."""
        when = self._timeout.when()
        return math.inf if when is None else when - asyncio.get_running_loop().time()
