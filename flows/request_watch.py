"""Starts the flow `requests` while something waits for it, and marks zombie runs as crashed."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable

from prefect.deployments.flow_runs import arun_deployment

from flows.prefect_api import may_pass
from flows.scheduled_deployments import REQUESTS
from flows.zombie_runs import crash_zombie_runs
from pipeline.services.pending_requests import PendingRequests, RequestPause
from pipeline.services.repeated_messages import RepeatFilter, without_numbers

_POLL_S = 5.0
"""Seconds between two queries of the database for what that flow does. Chosen, not measured."""
_RETRY_S = 60.0
"""Seconds to the next query after an error. Chosen, not measured."""
_BUSY_S = 30.0
"""Seconds to the next query while another run of the flow is active, or Prefect's server is lost. Chosen, not
measured."""
_ZOMBIE_CHECK_S = 60.0
"""Seconds between two searches for zombie runs. Chosen, not measured."""
log = logging.getLogger("copydesk.serve")


async def _start_run() -> bool:
    """Start a run of the flow, and wait until it ends, two minutes at most; return whether it has.

    It has not where another one is active, since the server then cancels it.
    """
    run = await arun_deployment(f"requests/{REQUESTS}", timeout=120, as_subflow=False)
    return run.state is not None and run.state.is_final() and not run.state.is_cancelled()


class RequestWatch:
    """Starts a run at once for what is new, and after growing pauses for what runs left pending.

    The redrafts that editors request are carried out by this process: see flows/redrafts.py.
    """

    def __init__(
        self,
        pending: Callable[[], PendingRequests],
        *,
        start_run: Callable[[], Awaitable[bool]] = _start_run,
        end_zombies: Callable[[], Awaitable[object]] = crash_zombie_runs,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._pending, self._start_run, self._end_zombies = pending, start_run, end_zombies
        self._clock = clock
        self._pause = RequestPause()
        self._messages = RepeatFilter(clock)

    async def watch(self, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        """Look until cancelled; an error is logged once an hour."""
        pause_s, next_check_at = _POLL_S, self._clock() + _ZOMBIE_CHECK_S
        while True:
            await sleep(pause_s)
            try:
                if self._clock() >= next_check_at:
                    next_check_at = self._clock() + _ZOMBIE_CHECK_S
                    await self._end_zombies()
                pause_s = await self._look()
            except Exception as error:  # noqa: BLE001 - the next attempt may succeed
                if may_pass(error):  # said by flows/run_loop
                    pause_s = _BUSY_S
                    continue
                pause_s = _RETRY_S
                self._warn(error)

    async def _look(self) -> float:
        """Start a run if it is time; return the seconds to the next look."""
        pending = await asyncio.to_thread(self._pending)
        self._pause = self._pause.without_done(pending)
        if not self._pause.may_start(pending, self._clock()):
            return _POLL_S
        if not await self._start_run():
            return _BUSY_S
        self._pause = self._pause.after_run(pending, self._clock())
        return _POLL_S

    def _warn(self, error: Exception) -> None:
        message = f"requests cannot be carried out now; they are tried again each minute: {error}"
        if self._messages.passes(without_numbers(message)):
            log.warning("%s", message)
