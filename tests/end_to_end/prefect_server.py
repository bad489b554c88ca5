"""One Prefect server for all worker processes of a test run: to start and to migrate costs 12 CPU seconds."""

import contextlib
import fcntl
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from tests.end_to_end.project import free_port

_EMPTY = "prefect.empty.db"
"""The server's database before its first run."""


@contextlib.contextmanager
def shared_prefect(folder: Path) -> Iterator[str]:
    """Yield the API URL of the server of `folder`; the first user starts it, the last one ends it.

    Each user holds a shared lock on a file, which only the last one can turn into an exclusive lock.
    """
    with (folder / "prefect.users").open("a") as users, (folder / "prefect.server").open("a+") as server:
        fcntl.flock(server, fcntl.LOCK_EX)
        fcntl.flock(users, fcntl.LOCK_SH)
        server.seek(0)
        line = server.read() or _start(folder)
        server.truncate(0)
        server.write(line)
        server.flush()
        fcntl.flock(server, fcntl.LOCK_UN)
        pid, api = line.split()
        try:
            yield api
        finally:
            fcntl.flock(server, fcntl.LOCK_EX)
            with contextlib.suppress(BlockingIOError):
                fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
                server.truncate(0)
                os.kill(int(pid), signal.SIGTERM)


def copy_empty_database(folder: Path, home: Path) -> None:
    """Give a home without Prefect the empty database of the server of `folder`: its own need not migrate."""
    (home / ".prefect").mkdir()
    shutil.copyfile(folder / _EMPTY, home / ".prefect" / "prefect.db")


def _start(folder: Path) -> str:
    """Start a server and return its process id and API URL."""
    port = free_port()
    environ = os.environ | {
        "PREFECT_HOME": str(folder / "prefect"),
        "DO_NOT_TRACK": "1",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_LOGGING_LEVEL": "CRITICAL",
    }
    command = [sys.executable, "-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port)]
    process = subprocess.Popen(
        command, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    api = f"http://127.0.0.1:{port}/api"
    try:
        _await_health(process, f"{api}/health")
    except BaseException:
        process.kill()
        raise
    with (
        contextlib.closing(sqlite3.connect(folder / "prefect" / "prefect.db")) as live,
        contextlib.closing(sqlite3.connect(folder / _EMPTY)) as copy,
    ):
        live.backup(copy)
    process.returncode = 0  # it outlives this worker: no warning that it still runs
    return f"{process.pid} {api}"


def _await_health(process: "subprocess.Popen[bytes]", url: str) -> None:
    deadline = time.monotonic() + 300
    while time.monotonic() < deadline:
        assert process.poll() is None, "Prefect's server died while starting"
        with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=10) as response:
            if response.status == 200:
                return
        time.sleep(0.2)
    raise AssertionError("Prefect's server did not start in 300 s")
