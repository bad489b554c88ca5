"""`copydesk serve` in a project folder, watched from outside: what the long trials of it share."""

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from machines import waited

_TICK_S = 1 / os.sysconf("SC_CLK_TCK")


class Serving(NamedTuple):
    """A serving process and its Prefect server."""

    process: "subprocess.Popen[bytes]"
    log: Path

    @property
    def api(self) -> str:
        """Return the URL of its Prefect server; empty while there is none."""
        found = re.findall(r"Prefect's user interface: (http://[^\s]+)", self.log.read_text(encoding="utf-8"))
        return f"{found[-1]}/api" if found else ""

    @property
    def server(self) -> int:
        """Return the process of its Prefect server."""
        port = self.api.removesuffix("/api").rpartition(":")[2]
        for process in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                said = (process / "cmdline").read_bytes()
                if f"--port\0{port}\0".encode() in said and b"server\0start" in said:
                    return int(process.name)
        return 0


@contextlib.contextmanager
def serving(folder: Path, environ: dict[str, str], *before: str) -> Iterator[Serving]:
    """Serve a project folder until the block is left; then it is told to end, and must.

    `before` are words before the command, such as those that give it another clock.
    """
    log = folder / "serve.log"
    with log.open("ab") as output:
        process = subprocess.Popen(
            [*before, sys.executable, "-m", "copydesk", "serve"], cwd=folder, stdout=output, stderr=output,
            env={"PATH": os.environ["PATH"], "PYTHONUNBUFFERED": "1", **environ}, start_new_session=True,
        )  # fmt: skip
    try:
        running = Serving(process, log)
        waited(lambda: "Ctrl-C stops the server" in log.read_text(encoding="utf-8"), 180, "serve")
        yield running
    finally:
        os.kill(running_serve(process.pid), signal.SIGINT)
        try:
            process.wait(120)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def running_serve(root: int) -> int:
    """Return the process of `copydesk serve` among a process and what it started."""
    for pid in tree(root):
        with contextlib.suppress(OSError):
            if b"-m\0copydesk\0serve" in Path(f"/proc/{pid}/cmdline").read_bytes().rpartition(b"python")[2]:
                return pid
    return root


def tree(root: int) -> list[int]:
    """Return a process and all that descend from it."""
    parents: dict[int, list[int]] = {}
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            fields = (process / "stat").read_text().rpartition(")")[2].split()
            parents.setdefault(int(fields[1]), []).append(int(process.name))
    found, todo = [], [root]
    while todo:
        found.append(todo.pop())
        todo += parents.get(found[-1], [])
    return found


def seconds_used(pid: int) -> float:
    """Return the processor time of a process, with that of the children that it has waited for."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(int(field) for field in fields[11:15]) * _TICK_S


def memory_mb(pid: int) -> float:
    """Return the resident memory of a process, shared pages counted whole."""
    said = Path(f"/proc/{pid}/status").read_text()
    return int(said.partition("VmRSS:")[2].split()[0]) / 1024


def proportional_mb(pid: int) -> float:
    """Return the memory of a process with pages that it shares counted in parts (PSS); 0 where it is gone."""
    with contextlib.suppress(OSError):
        said = Path(f"/proc/{pid}/smaps_rollup").read_text()
        return int(said.partition("\nPss:")[2].split()[0]) / 1024
    return 0.0


def wait_and_look(seconds: float, every_s: float) -> Iterator[float]:
    """Yield the seconds gone by, now and then, until so many have."""
    begun = time.monotonic()
    while (gone := time.monotonic() - begun) < seconds:
        yield gone
        time.sleep(every_s)
