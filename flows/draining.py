"""A quiet end: who is told to end begins nothing more, and keeps the answers that are under way."""

import contextlib
import logging
import signal
import threading
import time
from collections.abc import Iterator, Mapping
from types import FrameType
from typing import Any

from pipeline.errors import CopydeskError, Interrupted

_AGAIN_S = 2.0
"""A terminal and whoever started this process may both tell it: what follows so soon is the same word."""
_SIGNALS = (signal.SIGINT, signal.SIGTERM)
log = logging.getLogger("copydesk.run")


@contextlib.contextmanager
def draining(stop: list[CopydeskError]) -> Iterator[None]:
    """Put Interrupted into `stop` at the first SIGINT or SIGTERM; at another one end as before."""
    if threading.current_thread() is not threading.main_thread():
        yield  # signals come to the main thread, which has its own way
        return
    before = {number: signal.getsignal(number) for number in _SIGNALS}
    told = 0.0

    def end(number: int, _frame: FrameType | None) -> None:
        nonlocal told
        if not told:
            told = time.monotonic()
            log.warning("ending: what is under way is finished; once more ends it at once")
            stop.append(Interrupted("interrupted; nothing is lost, the next run goes on from here"))
        elif time.monotonic() - told > _AGAIN_S:
            _restore(before)
            signal.raise_signal(number)

    for number in _SIGNALS:
        signal.signal(number, end)
    try:
        yield
    finally:
        _restore(before)


def _restore(before: Mapping[signal.Signals, Any]) -> None:
    for number, handler in before.items():
        signal.signal(number, handler)
