"""Child processes that end with this process, also when it is killed: started, started anew, ended."""

import contextlib
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from typing import IO

from copydesk.console import err, pluralize
from pipeline.config import disable_telemetry

RECENT_S, MAX_ENDS = 600.0, 4
"""More ends than this in so many seconds are too many. Chosen, not measured."""
_END_TIMEOUT_S = 20
_SET_PDEATHSIG = """import ctypes, os, sys
ctypes.CDLL(None).prctl(1, 15)
if os.getppid() == int(sys.argv[1]):
    os.execv(sys.argv[2], sys.argv[2:])
"""
"""1 is PR_SET_PDEATHSIG, 15 is SIGTERM: PR_SET_PDEATHSIG(2const). Exits if the parent has died already."""
Child = subprocess.Popen[bytes]
log = logging.getLogger("copydesk.serve")


def start_process(
    command: list[str], output: IO[bytes] | None = None, extra_env: Mapping[str, str] | None = None
) -> Child:
    """Start a process without telemetry that ends when this one dies.

    It has its own process group, so that Ctrl-C reaches the runs, which need it, and not the process itself.
    """
    disable_telemetry()
    return subprocess.Popen(  # noqa: S603
        _end_with_parent(command),
        stdout=output,
        stderr=output,
        env={**os.environ, **(extra_env or {})},
        start_new_session=True,
    )


class EndedTooOften(Exception):
    """A process has ended more than `MAX_ENDS` times in ten minutes; the message says how often."""


class RestartedProcess:
    """A child process that is started when this is made, and again when it has ended."""

    def __init__(
        self,
        name: str,
        start: Callable[[], Child],
        pause_s: float = 0.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Start it. `pause_s`: seconds between two starts, at least."""
        self._name, self._start, self._pause_s, self._clock = name, start, pause_s, clock
        self._ends: list[float] = []
        self._start_at: float | None = None
        """When it is started again; None while it runs, as far as is noticed."""
        self._started_at = clock()
        self.process = start()

    def keep(self) -> None:
        """Start it again if it has ended; log one line for each end.

        Raises EndedTooOften once; called after that, this starts it again after ten minutes.
        """
        code = self.process.poll()
        if code is None:
            return
        if self._start_at is None:
            self._note_end(code)
        if self._start_at is None or self._clock() < self._start_at:
            return
        self._start_at, self._started_at = None, self._clock()
        try:
            self.process = self._start()
        except OSError as error:  # no memory, for example: counts as another end
            log.warning("%s cannot be started: %s", self._name, error.strerror)

    def _note_end(self, code: int) -> None:
        """Set when it is started again. Raises EndedTooOften."""
        _kill_group(self.process)  # what is left of it would keep its port
        now = self._clock()
        self._ends = [*(end for end in self._ends if now - end < RECENT_S), now]
        times = pluralize(len(self._ends), "time")
        ended = f"{self._name} has ended with code {code}, {times} in ten minutes"
        if len(self._ends) > MAX_ENDS:
            self._start_at = now + RECENT_S
            raise EndedTooOften(ended)
        pause_s = max(0.0, self._started_at + self._pause_s - now)
        self._start_at = now + pause_s
        log.warning("%s: it is started anew%s", ended, f" in {pause_s:.0f} s" if pause_s else "")

    def end(self) -> None:
        """End it."""
        end_process(self.process, self._name)


def end_process(process: Child, what: str) -> None:
    """End a process and its children: SIGTERM first, SIGKILL after 20 s with a message that names `what`."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    try:
        process.wait(_END_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        err.print(f"{what} did not end within {_END_TIMEOUT_S} s; it is killed.")
        _kill_group(process)


def _kill_group(process: Child) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)


def _end_with_parent(command: list[str]) -> list[str]:
    """Return a command whose process ends when this one dies (Linux only: prctl(2)).

    A Prefect server that keeps running would lock its database while the next one starts.
    """
    return (
        [sys.executable, "-c", _SET_PDEATHSIG, str(os.getpid()), *command]
        if sys.platform == "linux"
        else command
    )
