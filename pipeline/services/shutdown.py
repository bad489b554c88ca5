"""Graceful shutdown on SIGINT and SIGTERM: start nothing new, wait for pending model calls for a while."""

import asyncio
import contextlib
import signal
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from types import FrameType
from typing import Any

from pipeline.domain.errors import CopydeskError, ShutdownRequested

REPEAT_S = 0.5
"""Seconds in which another signal is a repetition: a parent may signal the process and its group."""
RELAYED_REPEAT_S = 30.0
"""The same if `serve` or a Prefect worker forwards signals; on a second signal it kills this process."""
MARGIN_S = 5.0
"""Seconds for the run to write its files and report after the grace time is over."""
SIGNALS = (signal.SIGINT, signal.SIGTERM)
_STOP_CHECK_S = 0.25
"""Seconds between two checks, during a sleep, whether the run is to end."""
_INTERRUPTED = "interrupted; nothing is lost, the next run goes on from here"


class SignalCounter:
    """Tells the first signal, its repetitions and a second signal apart."""

    def __init__(self, repeat_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._repeat_s, self._clock = repeat_s, clock
        self._first_at: float | None = None

    def count(self) -> int:
        """Count a signal; return 1 for the first, 0 for a repetition, 2 for a second one."""
        if self._first_at is None:
            self._first_at = self._clock()
            return 1
        return 2 if self._clock() - self._first_at > self._repeat_s else 0


class StopSwitch:
    """Ends runs on request of the process that they share, which handles the signals itself."""

    def __init__(self) -> None:
        self.is_stopped = False
        self._ends = set[Callable[[], None]]()

    def stop(self) -> None:
        """Request the shutdown of the runs under way, and of those that begin later."""
        self.is_stopped = True
        for end in tuple(self._ends):
            end()

    @contextlib.contextmanager
    def calling(self, end: Callable[[], None]) -> Iterator[None]:
        """Call `end` at `stop`, or at once after it."""
        self._ends.add(end)
        try:
            if self.is_stopped:
                end()
            yield
        finally:
            self._ends.discard(end)


@contextlib.asynccontextmanager
async def graceful_shutdown(
    fatal_errors: list[CopydeskError],
    grace_expired: asyncio.Event,
    grace_s: float,
    say: Callable[[str], object],
    *,
    relayed: bool = False,
    switch: StopSwitch | None = None,
    margin_s: float = MARGIN_S,
) -> AsyncIterator[None]:
    """At the first SIGINT or SIGTERM append ShutdownRequested to `fatal_errors`; a second one ends at once.

    `grace_expired` is set `grace_s` seconds after the first signal: pending answers are not waited for any
    longer. `margin_s` seconds later the body is cancelled and ShutdownRequested raised. `relayed`: `serve` or
    a worker forwards signals to this process, so each may arrive twice. With `switch`, that is obeyed instead
    of signals.
    """
    if switch is None and threading.current_thread() is not threading.main_thread():
        yield  # only the main thread can handle signals
        return
    loop = asyncio.get_running_loop()
    late = f"{_INTERRUPTED}; what was not answered within {grace_s:g} s (COPYDESK_STOP_GRACE) is asked again"
    waiting: list[asyncio.TimerHandle] = []

    def give_up() -> None:
        fatal_errors.insert(0, ShutdownRequested(late))
        grace_expired.set()

    def begin(limit: asyncio.Timeout) -> None:
        say(stop_message(grace_s))
        waiting.append(loop.call_later(grace_s, give_up))
        with contextlib.suppress(RuntimeError):  # the run has ended
            limit.reschedule(loop.time() + grace_s + margin_s)

    try:
        async with asyncio.timeout(None) as limit:

            def end() -> None:
                fatal_errors.append(ShutdownRequested(_INTERRUPTED))
                # A handler can run between any two instructions, of the loop or of a write to stderr.
                loop.call_soon_threadsafe(begin, limit)

            repeat_s = RELAYED_REPEAT_S if relayed else REPEAT_S
            with switch.calling(end) if switch else _handle_signals(end, repeat_s):
                yield
    except TimeoutError as error:
        if not limit.expired():
            raise
        raise ShutdownRequested(late) from error
    finally:
        for timer in waiting:
            timer.cancel()


async def sleep_unless_stopped(fatal_errors: list[CopydeskError], seconds: float) -> None:
    """Sleep `seconds`, or until `fatal_errors` is not empty."""
    deadline = time.monotonic() + seconds
    while not fatal_errors and (left := deadline - time.monotonic()) > 0:  # noqa: ASYNC110 - a signal sets it
        await asyncio.sleep(min(left, _STOP_CHECK_S))


def interrupted(fatal_errors: list[CopydeskError]) -> bool:
    """Return whether a signal requested a shutdown."""
    return any(isinstance(error, ShutdownRequested) for error in fatal_errors)


def stop_message(grace_s: float) -> str:
    """Return the message for the user who stops a run."""
    waiting = f"answers under way are waited for, up to {grace_s:g} s" if grace_s else "nothing is waited for"
    return f"stopping: nothing new is begun, {waiting}; a second Ctrl-C or SIGTERM ends at once"


@contextlib.contextmanager
def _handle_signals(end: Callable[[], None], repeat_s: float) -> Iterator[None]:
    """Call `end` at the first signal; at a second one restore the previous handlers and raise it again."""
    before = {number: signal.getsignal(number) for number in SIGNALS}
    counter = SignalCounter(repeat_s)

    def handle(number: int, _frame: FrameType | None) -> None:
        match counter.count():
            case 1:
                end()
            case 2:
                _restore(before)
                signal.raise_signal(number)

    for number in SIGNALS:
        signal.signal(number, handle)
    try:
        yield
    finally:
        _restore(before)


def _restore(before: Mapping[signal.Signals, Any]) -> None:
    for number, handler in before.items():
        signal.signal(number, handler)
