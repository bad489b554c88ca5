"""Starts the runs that are due as processes, while Prefect's server answers and after it answers again.

Prefect's own loop ends the program after three failed requests, and with it the runs under way.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any, NoReturn

import httpx
from prefect.client.orchestration import get_client
from prefect.runner import Runner

from flows.prefect_api import is_lost
from flows.run_processes import run_processes

_MAX_RUNS = 4
"""Flow runs at the same time; each is a process. Chosen, not measured."""
_LOOK_S = 1.0
"""Seconds between two checks whether a lost server answers again. Chosen, not measured."""
_NOISY = ("prefect.events.clients", "prefect.runner.event_emitter", "prefect.FlowRunCancellingObserver")
"""Loggers that tell, several times and with tracebacks, what this module says in one line."""
LOST = "Prefect's server does not answer: no run starts until it does; those under way go on"
BACK = "Prefect's server answers again"
log = logging.getLogger("copydesk.serve")


async def serve_runs(register: Callable[[Runner, bool], Awaitable[None]]) -> NoReturn:
    """Start due runs until cancelled, which kills the runs under way.

    `register` is called before each request for due runs, with whether the runner is new: it adds the
    deployments that the runner serves. A runner is left once the server is lost and no run is under way.
    """
    for name in _NOISY:
        logging.getLogger(name).setLevel(logging.CRITICAL)
    asyncio.get_running_loop().set_exception_handler(_skip_cancelled)
    was_lost = False
    while True:
        while not await _answers_soon():
            pass
        if was_lost:
            log.warning(BACK)
        async with Runner(pause_on_shutdown=False, limit=_MAX_RUNS) as runner:
            await _start_due_runs(runner, register)
        was_lost = True


def _skip_cancelled(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Report no callback that was cancelled: Prefect's observer of cancellations ends with one."""
    if not isinstance(context.get("exception"), asyncio.CancelledError):
        loop.default_exception_handler(context)


async def _start_due_runs(runner: Runner, register: Callable[[Runner, bool], Awaitable[None]]) -> None:
    """Start runs until the server is lost and no run is under way."""
    is_new = True
    while True:
        try:
            await register(runner, is_new)
            await runner._get_and_submit_flow_runs()  # type: ignore[no-untyped-call] # what its `start` repeats
        except (httpx.HTTPError, OSError) as error:
            if not is_lost(error):
                raise
            log.warning(LOST)
            if not await _answered_before_idle():
                return
            log.warning(BACK)
        else:
            is_new = False
            await asyncio.sleep(runner.query_seconds)


async def _answered_before_idle() -> bool:
    """Wait until the server answers, or no run is under way; return whether it answers."""
    while await asyncio.to_thread(run_processes):
        if await _answers_soon():
            return True
    return False


async def _answers_soon() -> bool:
    """Return whether the server answers; if it does not, only after a pause."""
    async with get_client() as client:
        if await client.api_healthcheck() is None:
            return True
    await asyncio.sleep(_LOOK_S)
    return False
