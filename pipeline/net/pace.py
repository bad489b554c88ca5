"""Tells answers that come in drops, each of which would hold a turn until the deadline. Pure."""

import aiohttp

WINDOW_S = 3.0
"""Seconds of an answer that are looked at together."""
_DROPS = 3
"""Pieces within a window: a server that thinks, and then sends, sends fewer."""
_LEAST = 750
"""Bytes of a window's pieces: at that pace hardly a feed is whole before the deadline."""


class Drips(aiohttp.SocketTimeoutError):
    """An answer comes drop by drop."""


class Pace:
    """Watches how fast one answer comes. Silence is none of its business: the deadline ends that."""

    def __init__(self) -> None:
        self._since: float | None = None
        self._came = self._pieces = 0

    def drips(self, size: int, now: float) -> bool:
        """Note a piece of so many bytes, at a time in seconds; tell whether the last ones were drops."""
        if self._since is None:
            self._since = now
            return False
        self._came += size
        self._pieces += 1
        if now - self._since < WINDOW_S:
            return False
        dripping = self._pieces >= _DROPS and self._came < _LEAST
        self._since, self._came, self._pieces = now, 0, 0
        return dripping
