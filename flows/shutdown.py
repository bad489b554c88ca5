"""A quiet end: who is told to end begins nothing more, and keeps the answers that are under way."""

import asyncio
import contextlib
import signal
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from types import FrameType
from typing import Any

from pipeline.domain.errors import CopydeskError, ShutdownRequested

ONCE_S = 0.5
"""Seconds in which a second signal is the same word: who started this process may tell it and its group."""
RELAYED_S = 30.0
"""The same where `serve` or a worker passes signals on: told again, that one kills this process."""
MARGIN_S = 5.0
"""Seconds in which a run ends whose answers are not waited for any longer: its report, its files."""
SIGNALS = (signal.SIGINT, signal.SIGTERM)
_LOOK_S = 0.25
"""Seconds between two looks whether a pause is to be cut short."""
_INTERRUPTED = "interrupted; nothing is lost, the next run goes on from here"


class Word:
    """Tells the first signal from its repetition, and from a second one."""

    def __init__(self, once_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._once_s, self._clock = once_s, clock
        self._told: float | None = None

    def heard(self) -> int:
        """Note a signal; returns 1 for the first, 0 for its repetition, 2 for another one."""
        if self._told is None:
            self._told = self._clock()
            return 1
        return 2 if self._clock() - self._told > self._once_s else 0


@contextlib.asynccontextmanager
async def graceful_shutdown(
    stop: list[CopydeskError],
    over: asyncio.Event,
    grace_s: float,
    say: Callable[[str], object],
    *,
    relayed: bool = False,
    margin_s: float = MARGIN_S,
) -> AsyncIterator[None]:
    """Put Interrupted into `stop` at the first SIGINT or SIGTERM, and say so; at another one end as before.

    `over` is set `grace_s` seconds after the first: answers are not waited for any longer. Whatever is still
    under way `margin_s` seconds later is cancelled, and Interrupted raised. `relayed`: `serve` or a worker
    passes signals on to this process, so that each may come twice.
    """
    if threading.current_thread() is not threading.main_thread():
        yield  # signals come to the main thread, which has its own way
        return
    loop = asyncio.get_running_loop()
    late = f"{_INTERRUPTED}; what was not answered within {grace_s:g} s (COPYDESK_STOP_GRACE) is asked again"
    waiting: list[asyncio.TimerHandle] = []

    def give_up() -> None:
        stop.insert(0, ShutdownRequested(late))
        over.set()

    def begin(limit: asyncio.Timeout) -> None:
        say(told(grace_s))
        waiting.append(loop.call_later(grace_s, give_up))
        with contextlib.suppress(RuntimeError):  # the run has ended meanwhile
            limit.reschedule(loop.time() + grace_s + margin_s)

    try:
        async with asyncio.timeout(None) as limit:

            def end() -> None:
                stop.append(ShutdownRequested(_INTERRUPTED))
                # A handler runs between any two instructions, of the loop or of a write to stderr.
                loop.call_soon_threadsafe(begin, limit)

            with _listening(end, RELAYED_S if relayed else ONCE_S):
                yield
    except TimeoutError as error:
        if not limit.expired():
            raise
        raise ShutdownRequested(late) from error
    finally:
        for timer in waiting:
            timer.cancel()


async def unless_stopped(stop: list[CopydeskError], seconds: float) -> None:
    """Sleep so many seconds, or until something is put into `stop`."""
    until = time.monotonic() + seconds
    while not stop and (left := until - time.monotonic()) > 0:  # noqa: ASYNC110 - a signal sets it
        await asyncio.sleep(min(left, _LOOK_S))


def interrupted(stop: list[CopydeskError]) -> bool:
    """Tell whether somebody told the run to end."""
    return any(isinstance(one, ShutdownRequested) for one in stop)


def told(grace_s: float) -> str:
    """Return what somebody who stops a run is to read."""
    waited = f"answers under way are waited for, up to {grace_s:g} s" if grace_s else "nothing is waited for"
    return f"stopping: nothing new is begun, {waited}; a second Ctrl-C or SIGTERM ends at once"


@contextlib.contextmanager
def _listening(end: Callable[[], None], once_s: float) -> Iterator[None]:
    """Call `end` at the first signal; at a second one let the handlers from before have it."""
    before = {number: signal.getsignal(number) for number in SIGNALS}
    word = Word(once_s)

    def hear(number: int, _frame: FrameType | None) -> None:
        match word.heard():
            case 1:
                end()
            case 2:
                _restore(before)
                signal.raise_signal(number)

    for number in SIGNALS:
        signal.signal(number, hear)
    try:
        yield
    finally:
        _restore(before)


def _restore(before: Mapping[signal.Signals, Any]) -> None:
    for number, handler in before.items():
        signal.signal(number, handler)
