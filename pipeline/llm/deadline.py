"""The time that one item may take; it does not pass while the item waits for others."""

import asyncio
import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipeline.llm.errors import TransientError


class Deadline:
    """The deadline of one item, and what became of its last request."""

    def __init__(self, seconds: float) -> None:
        self._clock = asyncio.get_running_loop().time
        self.at = self._clock() + seconds
        """In the time of the running loop."""
        self.last_failure: TransientError | None = None
        self.in_flight = False
        """A request was sent, and its answer has not arrived."""

    @contextlib.contextmanager
    def paused(self) -> Iterator[None]:
        """Do not count the time inside the block."""
        began = self._clock()
        try:
            yield
        finally:
            self.at += self._clock() - began

    def left_s(self) -> float:
        """Return the seconds that are left."""
        return self.at - self._clock()
