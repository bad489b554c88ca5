"""How long one item may take, all its requests together; waiting for others' calls does not count."""

import asyncio
import contextlib
from collections.abc import Iterator


class Deadline:
    """A running timeout that can stand still."""

    def __init__(self, timeout: asyncio.Timeout) -> None:
        self._timeout = timeout

    @contextlib.contextmanager
    def paused(self) -> Iterator[None]:
        """Stop the clock until the block is left."""
        when = self._timeout.when()
        if when is None:  # it has no end
            yield
            return
        clock = asyncio.get_running_loop().time
        began = clock()
        self._timeout.reschedule(None)
        try:
            yield
        finally:
            self._timeout.reschedule(when + clock() - began)
