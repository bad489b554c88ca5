"""Programs that are killed and come back: PostgreSQL, Prefect's server, workers."""

import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

PREFECT = [sys.executable, "-m", "prefect"]


def free_port() -> int:
    """Return a port that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Program:
    """A program under a supervisor: whoever kills it finds it started again."""

    def __init__(
        self,
        name: str,
        command: list[str],
        environ: Mapping[str, str],
        log: Path,
        *,
        user: str | None = None,
        cwd: Path | None = None,
    ) -> None:
        self.name = name
        self.starts = 0
        self._command, self._environ, self._log, self._user, self._cwd = command, environ, log, user, cwd
        self._process: subprocess.Popen[bytes] | None = None

    def keep(self) -> None:
        """Start it where it does not run."""
        if self._process is not None and self._process.poll() is None:
            return
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command, stdout=log, stderr=log, env=dict(self._environ), user=self._user,
                cwd=self._cwd or "/", start_new_session=True,
            )  # fmt: skip
        self.starts += 1

    @property
    def pid(self) -> int:
        """Return its process; 0 where it does not run."""
        return self._process.pid if self._process and self._process.poll() is None else 0

    def kill(self) -> None:
        """Kill it, and not its children, as a crash does."""
        if self.pid:
            os.kill(self.pid, signal.SIGKILL)

    def end(self) -> None:
        """End it with everything that it started."""
        if self._process is None:
            return
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(15)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()


def waited(ready: Callable[[], bool], seconds: float, what: str) -> None:
    """Wait until something is so. Raises SystemExit."""
    deadline = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > deadline:
            raise SystemExit(f"{what}: not in {seconds:.0f} s")
        time.sleep(0.2)


def postgresql(folder: Path, port: int) -> Program:
    """Return a PostgreSQL of our own, durable as it comes. Raises SystemExit where it is not installed."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    if not found:
        raise SystemExit("PostgreSQL is not installed: apt-get install postgresql")
    user = "postgres" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
    folder.mkdir(parents=True)
    if os.geteuid() == 0:
        shutil.chown(folder, user)
    data = str(folder / "data")
    environ = {"LC_ALL": "C", "PATH": os.environ["PATH"]}
    made = [str(found[-1] / "initdb"), "-D", data, "-A", "trust", "-U", "copydesk", "-E", "UTF8"]
    subprocess.run(
        made, check=True, capture_output=True, cwd="/", env=environ,
        user=user if os.geteuid() == 0 else None,
    )  # fmt: skip
    command = [str(found[-1] / "postgres"), "-D", data, "-p", str(port), "-k", str(folder)]
    command += ["-c", "listen_addresses=127.0.0.1", "-c", "max_connections=300"]
    return Program(
        "PostgreSQL", command, environ, folder.parent / "postgresql.log",
        user=user if os.geteuid() == 0 else None,
    )  # fmt: skip


@contextlib.contextmanager
def running_postgresql(folder: Path) -> Iterator[str]:
    """Run a PostgreSQL of our own below a folder; yield the URL of its database `postgres`."""
    folder.chmod(0o755)  # it runs as another user
    port = free_port()
    server = postgresql(folder / "pg", port)
    url = f"postgresql://copydesk@127.0.0.1:{port}/postgres"
    server.keep()
    try:
        waited(lambda: answers(url), 60, "PostgreSQL")
        yield url
    finally:
        server.end()


def prefect_server(port: int, environ: Mapping[str, str], log: Path, folder: Path) -> Program:
    """Return Prefect's own server on loopback."""
    command = [*PREFECT, "server", "start", "--host", "127.0.0.1", "--port", str(port)]
    variables = {"PATH": os.environ["PATH"], **environ}
    return Program("Prefect's server", command, variables, log, cwd=folder)


def healthy(port: int) -> bool:
    """Tell whether Prefect's server answers."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/health", timeout=2):
            return True
    except OSError:
        return False


def answers(url: str) -> bool:
    """Tell whether a database answers."""
    import psycopg

    try:
        with psycopg.connect(url, connect_timeout=2):
            return True
    except psycopg.Error:
        return False


def flow_processes(home: Path) -> list[int]:
    """Return the processes in which workers of a home folder run flows."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            variables = (process / "environ").read_bytes().split(b"\0")
            ours = f"HOME={home}".encode() in variables
            if ours and any(one.startswith(b"PREFECT__FLOW_RUN_ID=") for one in variables):
                found.append(int(process.name))
    return found
