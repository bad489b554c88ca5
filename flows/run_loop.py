"""Starts the runs that are due as processes, while Prefect's server answers and after it answers again.

Prefect's own loop ends the program after three failed requests, and with it the runs under way.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, NoReturn

import httpx
from prefect.client.orchestration import get_client
from prefect.runner import Runner

from flows.prefect_api import is_lost
from flows.run_processes import run_processes

_MAX_RUNS = 4
"""Flow runs at the same time; each is a process. Chosen, not measured."""
_NOISY = ("prefect.events.clients", "prefect.runner.event_emitter", "prefect.FlowRunCancellingObserver")
"""Loggers that tell, several times and with tracebacks, what this module says in one line."""
LOST = "Prefect's server does not answer: no run starts until it does; those under way go on"
BACK = "Prefect's server answers again"
log = logging.getLogger("copydesk.serve")
Register = Callable[[Runner, bool], Awaitable[None]]
"""Adds the deployments that a runner serves; called with whether the runner is new."""


def _new_runner() -> AbstractAsyncContextManager[Runner]:
    return Runner(pause_on_shutdown=False, limit=_MAX_RUNS)


async def _answers() -> bool:
    async with get_client() as client:
        return await client.api_healthcheck() is None


@dataclass(frozen=True)
class RunLoop:
    """Starts due runs, with a new runner after each time that the server was lost and no run was under way.

    Left with an error of its own, a runner kills the runs under way.
    """

    register: Register
    """Called before each request for due runs."""
    new_runner: Callable[[], AbstractAsyncContextManager[Runner]] = _new_runner
    answers: Callable[[], Awaitable[bool]] = _answers
    runs: Callable[[], set[int]] = run_processes
    """Returns the processes of the runs under way."""
    look_s: float = 1.0
    """Seconds between two checks whether a lost server answers again. Chosen, not measured."""

    async def run(self) -> NoReturn:
        """Start due runs until cancelled, which kills the runs under way."""
        for name in _NOISY:
            logging.getLogger(name).setLevel(logging.CRITICAL)
        asyncio.get_running_loop().set_exception_handler(_skip_cancelled)
        was_lost = False
        while True:
            while not await self._answers_soon():
                pass
            async with self.new_runner() as runner:
                await self._start_due_runs(runner, was_lost=was_lost)
            was_lost = True

    async def _start_due_runs(self, runner: Runner, *, was_lost: bool) -> None:
        """Start runs until the server is lost and no run is under way."""
        is_new = True
        while True:
            try:
                await self.register(runner, is_new)
                await runner._get_and_submit_flow_runs()  # type: ignore[no-untyped-call] # `start` repeats it
            except httpx.HTTPError as error:
                if not is_lost(error):
                    raise
                if not was_lost:
                    log.warning(LOST)
                was_lost = True
                await asyncio.sleep(self.look_s)
                if not await self._answered_before_idle():
                    return
            else:
                if was_lost:
                    log.warning(BACK)
                is_new = was_lost = False
                await asyncio.sleep(runner.query_seconds)

    async def _answered_before_idle(self) -> bool:
        """Wait until the server answers, or no run is under way; return whether it answers."""
        while await asyncio.to_thread(self.runs):
            if await self._answers_soon():
                return True
        return False

    async def _answers_soon(self) -> bool:
        """Return whether the server answers; if it does not, only after a pause."""
        if await self.answers():
            return True
        await asyncio.sleep(self.look_s)
        return False


def _skip_cancelled(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Report no callback that was cancelled: Prefect's observer of cancellations ends with one."""
    if not isinstance(context.get("exception"), asyncio.CancelledError):
        loop.default_exception_handler(context)
