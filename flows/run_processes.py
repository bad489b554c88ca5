"""The processes of flow runs that `serve` has started."""

import contextlib
import os
import signal
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path

_PROC = Path("/proc")


def runs() -> set[int]:
    """Return the processes of flow runs: our children, but for Prefect's server, which has its own group."""
    ours = (os.getpid(), os.getpgrp())
    return {pid for pid, parent, group, line in _listed() if (parent, group) == ours and "prefect" in line}


def tell(processes: Iterable[int], number: signal.Signals) -> None:
    """Send a signal to those of the processes that are still there."""
    for pid in processes:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


def _listed() -> Iterator[tuple[int, int, int, str]]:
    """Return id, parent, group and command line of every process that we may see."""
    if (_PROC / "self/stat").exists():  # Linux; slim containers have no ps
        return _in_proc()
    command = ["ps", "-axo", "pid=,ppid=,pgid=,args="]
    listed = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    rows = (line.split(None, 3) for line in listed.stdout.splitlines())
    return ((int(row[0]), int(row[1]), int(row[2]), row[-1]) for row in rows if len(row) > 2)


def _in_proc() -> Iterator[tuple[int, int, int, str]]:
    for folder in _PROC.glob("[0-9]*"):
        try:
            # Its name, in parentheses, may hold anything, spaces and parentheses included.
            _state, parent, group, *_ = (
                (folder / "stat").read_text("utf-8", "replace").rpartition(")")[2].split()
            )
            line = (folder / "cmdline").read_text("utf-8", "replace").replace("\0", " ")
        except OSError:  # it has ended meanwhile
            continue
        yield int(folder.name), int(parent), int(group), line
