"""Starts the flow `requests` while something waits for it, and marks zombie runs as crashed."""

import asyncio
import itertools
import logging
import time
from collections.abc import Awaitable, Callable

from prefect.deployments.flow_runs import arun_deployment

from flows.prefect_api import is_lost
from flows.scheduled_deployments import REQUESTS
from flows.zombie_runs import crash_zombie_runs
from pipeline.services.pending_requests import PendingRequests, RequestPause
from pipeline.services.repeated_messages import RepeatFilter

_POLL_S = 5.0
"""Seconds between two queries of the database for what that flow does. Chosen, not measured."""
_RETRY_S = 60.0
"""Seconds to the next query after an error. Chosen, not measured."""
_ZOMBIE_CHECK_EVERY = 12
"""Number of such queries between two searches for zombie runs. Chosen: once a minute."""
log = logging.getLogger("copydesk.serve")


async def _start_run() -> None:
    """Start a run of the flow, and wait until it ends, two minutes at most."""
    await arun_deployment(f"requests/{REQUESTS}", timeout=120, as_subflow=False)


class RequestWatch:
    """Starts a run at once for what is new, and after growing pauses for what runs left pending.

    The redrafts that editors request are carried out by this process: see flows/redrafts.py.
    """

    def __init__(
        self,
        pending: Callable[[], PendingRequests],
        *,
        start_run: Callable[[], Awaitable[None]] = _start_run,
        end_zombies: Callable[[], Awaitable[object]] = crash_zombie_runs,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._pending, self._start_run, self._end_zombies = pending, start_run, end_zombies
        self._clock = clock
        self._pause = RequestPause()
        self._messages = RepeatFilter(clock)

    async def watch(self, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        """Look until cancelled; an error is logged once an hour."""
        pause_s = _POLL_S
        for look in itertools.count(1):
            await sleep(pause_s)
            pause_s = _POLL_S
            try:
                if look % _ZOMBIE_CHECK_EVERY == 0:
                    await self._end_zombies()
                await self._look()
            except Exception as error:  # noqa: BLE001 - the next attempt may succeed
                if not is_lost(error):  # said by flows/run_loop
                    pause_s = _RETRY_S
                    self._warn(error)

    async def _look(self) -> None:
        pending = await asyncio.to_thread(self._pending)
        self._pause = self._pause.without_done(pending)
        if self._pause.may_start(pending, self._clock()):
            await self._start_run()
            self._pause = self._pause.after_run(pending, self._clock())

    def _warn(self, error: Exception) -> None:
        message = f"requests cannot be carried out now; they are tried again each minute: {error}"
        if self._messages.passes(message):
            log.warning("%s", message)
