"""Starts the runs that are due as processes, while Prefect's server answers and after it answers again.

Prefect's own loop ends the program after three failed requests, and with it the runs under way.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, NoReturn

from prefect.client.orchestration import get_client
from prefect.runner import Runner

from flows.prefect_api import may_pass, refusal_status
from flows.run_processes import run_processes
from pipeline.domain.errors import ConfigError
from pipeline.services.repeated_messages import RepeatFilter

_MAX_RUNS = 4
"""Flow runs at the same time; each is a process. Chosen, not measured."""
_NOISY = ("prefect.events.clients", "prefect.runner.event_emitter", "prefect.FlowRunCancellingObserver")
"""Loggers that tell, several times and with tracebacks, what this module says in one line."""
_NOISY_IF_LOST = ("prefect.runner", "prefect.runner.state_proposer", "prefect.runner.flow_run_executor")
"""Loggers that do so while the server is lost only; what else they say is said nowhere else."""
_MAX_PAUSE_S = 60.0
"""Longest pause after a failed request: each may need a new runner. Chosen, not measured."""
_BACK_AFTER_S = 60.0
"""Seconds without a failed request after which the server is no longer lost: with a server that fails now and
then, two lines each time would fill the log. Chosen, not measured."""
LOST = "Prefect's server does not answer: no run starts until it does; those under way go on"
BACK = "Prefect's server answers again"
log = logging.getLogger("copydesk.serve")
Register = Callable[[Runner, bool], Awaitable[None]]
"""Adds the deployments that a runner serves; called with whether the runner is new."""


class Outage:
    """Whether requests of Prefect's server fail, and since when they succeed again; logs both once."""

    def __init__(self, first_pause_s: float, clock: Callable[[], float]) -> None:
        self._first_pause_s, self._clock = first_pause_s, clock
        self._pause_s = first_pause_s
        self._logged: str | None = None
        """The line that says why requests fail; None if they do not."""
        self._messages = RepeatFilter(clock, _BACK_AFTER_S)
        self._succeeds_since: float | None = None

    def fail(self, error: Exception) -> float:
        """Note a request that failed; return the seconds to wait: twice as many each time."""
        line = _lost_line(error)
        if line != self._logged and self._messages.passes(line):
            log.warning(line)
            self._logged = line
        self._succeeds_since = None
        pause_s = self._pause_s
        self._pause_s = min(2 * pause_s, _MAX_PAUSE_S)
        return pause_s

    def succeed(self) -> None:
        """Note a request that succeeded; the server is back when others have succeeded for a minute."""
        now = self._clock()
        self._pause_s = self._first_pause_s
        if self._succeeds_since is None:
            self._succeeds_since = now
        if self._logged and now - self._succeeds_since >= _BACK_AFTER_S:
            log.warning(BACK)
            self._logged = None


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
    stop_runs: Callable[[], Awaitable[None]]
    """Ends the runs under way gracefully: called before an error that would kill them is raised."""
    new_runner: Callable[[], AbstractAsyncContextManager[Runner]] = _new_runner
    answers: Callable[[], Awaitable[bool]] = _answers
    runs: Callable[[], set[int]] = run_processes
    """Returns the processes of the runs under way."""
    look_s: float = 1.0
    """Seconds between two checks whether a lost server answers again, and the first pause after a failed
    request. Chosen, not measured."""
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    clock: Callable[[], float] = time.monotonic

    async def run(self) -> NoReturn:
        """Start due runs until cancelled, which kills the runs under way.

        Raises ConfigError where the server refuses a request for good.
        """
        for name in _NOISY:
            logging.getLogger(name).setLevel(logging.CRITICAL)
        for name in _NOISY_IF_LOST:
            logging.getLogger(name).addFilter(_tells_more)
        asyncio.get_running_loop().set_exception_handler(_skip_cancelled)
        outage = Outage(self.look_s, self.clock)
        while True:
            while not await self._answers_soon():
                pass
            async with self.new_runner() as runner:
                await self._start_due_runs(runner, outage)

    async def _start_due_runs(self, runner: Runner, outage: Outage) -> None:
        """Start runs until the server is lost and no run is under way."""
        is_new = True
        while True:
            try:
                await self.register(runner, is_new)
                await runner._get_and_submit_flow_runs()  # type: ignore[no-untyped-call] # `start` repeats it
            except Exception as error:
                if not may_pass(error):
                    await self._stop(error)
                    raise
                await self.sleep(outage.fail(error))
                if not await self._answered_before_idle():
                    return
            else:
                outage.succeed()
                is_new = False
                await self.sleep(runner.query_seconds)

    async def _stop(self, error: Exception) -> None:
        """End the runs under way. Raises ConfigError where the server refused a request."""
        await self.stop_runs()
        if (status := refusal_status(error)) is not None:
            reason = " ".join(str(error).split())[:300]
            raise ConfigError(
                f"Prefect's server refuses a request (HTTP {status}: {reason}); look whether its version is "
                "that of Prefect here, and start `copydesk serve` again",
                variable="PREFECT_API_URL",
            ) from error

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
        await self.sleep(self.look_s)
        return False


def _lost_line(error: Exception) -> str:
    """Return what to log about an error that may pass. Pure."""
    status = refusal_status(error)
    if status is None or status >= 500:
        return LOST
    login = " (look at PREFECT_API_KEY and PREFECT_API_AUTH_STRING)" if status in (401, 403) else ""
    return (
        f"Prefect's server answers with HTTP {status}{login}: no run starts until it accepts requests; "
        "those under way go on"
    )


def _tells_more(record: logging.LogRecord) -> bool:
    """Return whether an entry of Prefect's log says more than that the server is lost. Pure."""
    error = record.exc_info[1] if record.exc_info else None
    return error is None or not may_pass(error)


def _skip_cancelled(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Report no callback that was cancelled: Prefect's observer of cancellations ends with one."""
    if not isinstance(context.get("exception"), asyncio.CancelledError):
        loop.default_exception_handler(context)
