"""Finds the processes of flow runs under `copydesk serve`, and sends them signals."""

import contextlib
import os
import signal
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path

_PROC = Path("/proc")


def run_processes() -> set[int]:
    """Return the process ids of flow runs: Prefect children in this process group.

    Prefect's server is not among them: it has its own group.
    """
    own = (os.getpid(), os.getpgrp())
    return {pid for pid, parent, group, line in _processes() if (parent, group) == own and "prefect" in line}


def send_signal(processes: Iterable[int], number: signal.Signals) -> None:
    """Send a signal to each process that still exists."""
    for pid in processes:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


def _processes() -> Iterator[tuple[int, int, int, str]]:
    """Yield id, parent id, group id and command line of every visible process."""
    if (_PROC / "self/stat").exists():  # Linux: slim container images have no ps
        return _processes_in_proc()
    command = ["ps", "-axo", "pid=,ppid=,pgid=,args="]
    listed = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    rows = (line.split(None, 3) for line in listed.stdout.splitlines())
    return ((int(row[0]), int(row[1]), int(row[2]), row[-1]) for row in rows if len(row) > 2)


def _processes_in_proc() -> Iterator[tuple[int, int, int, str]]:
    for folder in _PROC.glob("[0-9]*"):
        try:
            # The process name, in parentheses, may contain spaces and parentheses: proc_pid_stat(5).
            _state, parent, group, *_ = (
                (folder / "stat").read_text("utf-8", "replace").rpartition(")")[2].split()
            )
            line = (folder / "cmdline").read_text("utf-8", "replace").replace("\0", " ")
        except OSError:  # the process has ended meanwhile
            continue
        yield int(folder.name), int(parent), int(group), line
