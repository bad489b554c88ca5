"""Carries out the redraft requests of editors in this process, as soon as they are made.

One indexed query, twice a second, finds them. Each look that finds some begins a run of its own, so that a
request does not wait for the answers to earlier ones. Leases keep other processes from the same items.
"""

import asyncio
import logging
import threading
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence

from pipeline.services.repeated_messages import RepeatFilter, without_numbers
from pipeline.services.report import RunReport
from pipeline.storage import StartableRedraft

POLL_S = 0.5
"""Seconds between two queries. Chosen: an editor waits for half of that on average."""
RETRY_S = 60.0
"""Seconds between two tries of what runs left pending, for example without a model. Chosen."""
_ERROR_PAUSE_S = 5.0
"""Seconds until the next query after one that failed. Chosen, not measured."""
_LOST_REPEAT_S = 60.0
"""Seconds between two messages that the requests cannot be read. Chosen: one line a minute at most."""
_MAX_RUNS = 4
"""Runs at the same time; each has up to COPYDESK_MAX_IN_FLIGHT model calls. Chosen, not measured."""
BACK = "the requests of editors can be read again"
log = logging.getLogger("copydesk.serve")

CarryOut = Callable[[Sequence[StartableRedraft]], Awaitable[RunReport]]
"""Carries out redraft requests; an error is logged."""


class RedraftWatcher:
    """Begins runs for requests until it is stopped."""

    def __init__(
        self,
        startable: Callable[[], Sequence[StartableRedraft]],
        carry_out: CarryOut,
        *,
        poll_s: float = POLL_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._startable, self._carry_out = startable, carry_out
        self._poll_s, self._clock = poll_s, clock
        self._stopped = threading.Event()
        self._runs = set[asyncio.Task[None]]()
        self._not_before: dict[int, float] = {}
        """By id of a request that was tried, when it may be tried again."""
        self._messages = RepeatFilter(clock)
        """Of all runs: requests that wait for the same thing say so once."""

    async def watch(self) -> None:
        """Look for requests until `stop`; then wait for the runs under way. Cancelled, it cancels them."""
        try:
            # One thread for all looks: to change between two costs more than a look.
            await asyncio.to_thread(self._look_until_stopped, asyncio.get_running_loop())
            await asyncio.gather(*self._runs)
        finally:
            self.stop()
            for run in self._runs:
                run.cancel()
            await asyncio.gather(*self._runs, return_exceptions=True)

    def stop(self) -> None:
        """Begin no more runs."""
        self._stopped.set()

    def _look_until_stopped(self, loop: asyncio.AbstractEventLoop) -> None:
        pause_s, is_lost_logged = self._poll_s, False
        losses = RepeatFilter(self._clock, _LOST_REPEAT_S)
        while not self._stopped.wait(pause_s):
            try:
                startable = self._startable()
            except Exception as error:  # noqa: BLE001 - the next query may succeed
                if self._stopped.is_set():  # and the database closed
                    return
                if not is_lost_logged and losses.passes("lost"):
                    is_lost_logged = True
                    log.warning("the requests of editors cannot be read until this is corrected: %s", error)
                pause_s = _ERROR_PAUSE_S
                continue
            if is_lost_logged:
                log.warning(BACK)
            pause_s, is_lost_logged = self._poll_s, False
            if startable:
                loop.call_soon_threadsafe(self._begin, startable)

    def _begin(self, startable: Sequence[StartableRedraft]) -> None:
        """Begin a run for the requests that are due."""
        due = due_requests(startable, self._not_before, self._clock())
        if due and len(self._runs) < _MAX_RUNS and not self._stopped.is_set():
            self._not_before |= dict.fromkeys((request.id for request in due), float("inf"))
            run = asyncio.create_task(self._run(due))
            self._runs.add(run)
            run.add_done_callback(self._runs.discard)

    async def _run(self, due: Sequence[StartableRedraft]) -> None:
        try:
            if stopped := (await self._carry_out(due)).stopped:
                self._warn(f"a rewrite ended early: {stopped}")
        except Exception as error:  # noqa: BLE001 - of one run: the next one may succeed
            self._warn(f"a rewrite cannot be carried out now; it is tried again each minute: {error}")
        finally:
            now = self._clock()
            later = {number: at for number, at in self._not_before.items() if at > now}
            # All at the same times, so that one run tries them all.
            self._not_before = later | dict.fromkeys((request.id for request in due), next_retry(now))

    def _warn(self, message: str) -> None:
        if self._messages.passes(without_numbers(message)):
            log.warning("%s", message)


def next_retry(now: float) -> float:
    """Return the next of the times at which requests are tried again, `RETRY_S` apart. Pure."""
    return (now // RETRY_S + 1) * RETRY_S


def due_requests(
    startable: Iterable[StartableRedraft], not_before: Mapping[int, float], now: float
) -> list[StartableRedraft]:
    """Return the requests that may be tried now. Pure."""
    return [request for request in startable if not_before.get(request.id, now) <= now]
