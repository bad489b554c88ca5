"""Starts child processes that end with this process, also when it is killed, and ends them."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from typing import IO

from copydesk.console import err
from pipeline.config import disable_telemetry

_END_TIMEOUT_S = 20
_SET_PDEATHSIG = """import ctypes, os, sys
ctypes.CDLL(None).prctl(1, 15)
if os.getppid() == int(sys.argv[1]):
    os.execv(sys.argv[2], sys.argv[2:])
"""
"""1 is PR_SET_PDEATHSIG, 15 is SIGTERM: PR_SET_PDEATHSIG(2const). Exits if the parent has died already."""
Child = subprocess.Popen[bytes]


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


def end_process(process: Child, what: str) -> None:
    """End a process and its children: SIGTERM first, SIGKILL after 20 s with a message that names `what`."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    try:
        process.wait(_END_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        err.print(f"{what} did not end within {_END_TIMEOUT_S} s; it is killed.")
        with contextlib.suppress(ProcessLookupError):
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
