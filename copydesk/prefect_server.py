"""Starts runs as Prefect flow runs or without Prefect, and the Prefect server they need.

The servers end with this process, also when it is killed.
"""

import asyncio
import contextlib
import errno
import fcntl
import http.client
import logging
import os
import socket
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, NamedTuple

from copydesk.child_processes import Child, EndedTooOften, RestartedProcess, start_process
from copydesk.console import err
from flows.prefect_api import has_server, refresh_settings, require_api, require_api_url
from pipeline.config import Settings, load_feeds, private_files
from pipeline.domain.errors import ConfigError
from pipeline.storage import Database

if TYPE_CHECKING:
    from pipeline.services.run import Ports

_START_TIMEOUT_S = 120
"""Measured: a cold start of Prefect's server takes up to half a minute."""
_LOG_SIZE = 10_000_000
"""Bytes of the server's log; above that a start begins a new one and keeps the last. Chosen, not measured."""
_PORT_FILE = "prefect-server.port"
_LOCK_FILE = "copydesk-start.lock"
Report = dict[str, Any]


class RunStarter(NamedTuple):
    """Starts a run with or without Prefect."""

    carry_out: Callable[[tuple[object, ...], "Ports"], Report]
    """Carries out a run with its parameters and ports; returns its report as JSON."""
    first: str
    """Text of the progress bar before the first item."""


@contextlib.contextmanager
def run_starter(name: str, settings: Settings, *, direct: bool) -> Iterator[RunStarter]:
    """Yield the starter for the flow `name`; without Prefect if COPYDESK_PREFECT is off or `direct` is set.

    Raises ConfigError or DatabaseError early, before the seconds that Prefect needs to start.
    """
    if direct or not settings.prefect:
        logging.getLogger().setLevel(logging.CRITICAL)  # as `silence_prefect` has it
        yield RunStarter(partial(_run_directly, name), "polling feeds")
        return
    require_api_url()
    subscriptions = load_feeds(settings.feeds_file)
    with Database.open(settings.database_url) as db:
        db.feeds.sync(subscriptions.feeds)
    silence_prefect()
    with small_server(settings.base, settings.prefect_port) as ready:
        yield RunStarter(partial(_run_as_flow, name, ready), "starting Prefect, polling feeds")


def silence_prefect() -> None:
    """Turn Prefect's own log lines off, unless the operator has set a log level."""
    os.environ.setdefault("PREFECT_LOGGING_LEVEL", "CRITICAL")
    os.environ.setdefault("PREFECT_LOGGING_ROOT_LEVEL", "CRITICAL")  # warnings about slow servers go there
    os.environ.setdefault("PREFECT_SERVER_LOGGING_LEVEL", "ERROR")  # in the server's own log


def _run_directly(name: str, parameters: tuple[object, ...], ports: "Ports") -> Report:
    from pipeline.services.backfill import backfill
    from pipeline.services.ingest import ingest, requests

    runs: dict[str, Callable[..., Any]] = {"backfill": backfill, "ingest": ingest, "requests": requests}
    report: Report = asyncio.run(runs[name](*parameters, ports=ports)).model_dump(mode="json")
    return report


def _run_as_flow(
    name: str, ready: Callable[[], None], parameters: tuple[object, ...], ports: "Ports"
) -> Report:
    from flows.backfill import backfill
    from flows.ingest import ingest
    from flows.requests import requests
    from flows.runtime import command_ports as given_ports

    flows: dict[str, Callable[..., Any]] = {"backfill": backfill, "ingest": ingest, "requests": requests}

    async def run() -> Report:
        await require_api()
        report: Report = await flows[name](*parameters)
        return report

    ready()
    token = given_ports.set(ports)
    try:
        return asyncio.run(run())
    finally:
        given_ports.reset(token)


class FullServer(NamedTuple):
    """Prefect's server as `serve` uses it."""

    page: str | None
    """URL of its pages; None where PREFECT_API_URL names it."""
    keep: Callable[[], None]
    """Starts it anew if it has ended. Raises ConfigError if it ended too often."""


@contextlib.contextmanager
def full_server(base: Path, port: int | None = None) -> Iterator[FullServer]:
    """Run Prefect's server on loopback, at any free port if `port` is None, unless PREFECT_API_URL names one.

    Its log, and its port for runs that start meanwhile, are in `base`/.copydesk. PREFECT_API_URL is set while
    it runs. Raises ConfigError if it does not start.
    """
    if os.environ.get("PREFECT_API_URL"):
        yield FullServer(None, lambda: None)
        return
    command = [sys.executable, "-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port"]
    with _server_process(base, command, lambda: fixed_port(port) if port else _free_port()) as server:
        server.wait_until_ready()
        with _port_file(base, server.port):
            yield FullServer(f"http://127.0.0.1:{server.port}", server.process.keep)


@contextlib.contextmanager
def small_server(base: Path, port: int | None = None) -> Iterator[Callable[[], None]]:
    """Run Prefect's server without page and scheduler on loopback, for one run.

    Not needed if Prefect's settings name a server, or `copydesk serve` runs one in this folder. Yields a
    function that waits until the server answers, and raises ConfigError if it does not start. Prefect's
    ephemeral server would keep running after a killed run, and would end at Ctrl-C before the run. Another
    port than `port` is used while another run has that.
    """
    if has_server():
        yield lambda: None
        return
    if served := _serving_port(base):
        with _api_url(served):
            refresh_settings()
            yield lambda: None
        return
    command = [sys.executable, "-m", "uvicorn", "--factory", "prefect.server.api.server:create_app"]
    command += ["--host", "127.0.0.1", "--log-level", "error", "--lifespan", "on", "--port"]
    # The variables with which Prefect starts its ephemeral server.
    extra_env = {"PREFECT_UI_ENABLED": "0", "PREFECT__SERVER_EPHEMERAL": "1", "PREFECT__SERVER_FINAL": "1"}
    choose_port = partial(fixed_port, port, or_other=True) if port else _free_port
    with _server_process(base, command, choose_port, extra_env) as server:
        refresh_settings()
        yield server.wait_until_ready


class ServerProcess:
    """Prefect's server as a child process, which is started when this is made."""

    def __init__(
        self,
        command: list[str],
        port: int,
        log: Path,
        extra_env: Mapping[str, str] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        def start() -> Child:
            with _open_log(log) as output:
                return start_process(command, output, extra_env)

        self._port, self._path = port, log
        self._restarted = RestartedProcess("Prefect's server", start, clock=clock)

    @property
    def process(self) -> Child:
        """The process that runs now."""
        return self._restarted.process

    def keep(self) -> None:
        """Start the server anew if it has ended. Raises ConfigError if it ended too often."""
        try:
            self._restarted.keep()
        except EndedTooOften as ended:
            message = f"{ended}; correct what its log {self._path} says, and start `copydesk serve` again"
            raise ConfigError(message, file=str(self._path)) from ended

    def wait_until_ready(self) -> None:
        """Wait until it answers. Raises ConfigError if it does not."""
        _wait_until_ready(self.process, self._port, self._path)

    def end(self) -> None:
        """End it."""
        self._restarted.end()


def _lock_starts() -> contextlib.ExitStack:
    """Wait until no other process starts Prefect's server; until the result is closed, others wait for this.

    Servers of one home share a database, and two that migrate it at the same time break each other's start.
    """
    stack = contextlib.ExitStack()
    with contextlib.suppress(OSError, RuntimeError):  # the server says what is wrong with its home
        home = Path(os.environ.get("PREFECT_HOME") or "~/.prefect").expanduser()
        home.mkdir(parents=True, exist_ok=True)
        lock = stack.enter_context((home / _LOCK_FILE).open("ab"))
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            err.print(
                f"Waiting: another command starts its Prefect server (lock: {lock.name}).", markup=False
            )
            fcntl.flock(lock, fcntl.LOCK_EX)
    return stack


class StartedServer(NamedTuple):
    """A server that is being started."""

    process: ServerProcess
    port: int
    wait_until_ready: Callable[[], None]
    """Waits until it answers, and lets others start theirs. Raises ConfigError if it does not."""


@contextlib.contextmanager
def _server_process(
    base: Path,
    command: Sequence[str],
    choose_port: Callable[[], int],
    extra_env: Mapping[str, str] | None = None,
) -> Iterator[StartedServer]:
    """Start a server by a command to which its port is added; it is ended at the end."""
    with _lock_starts() as lock, contextlib.ExitStack() as started:
        port = choose_port()  # under the lock: two that start together may be set to the same one
        log = base / ".copydesk" / "prefect-server.log"
        process = ServerProcess([*command, str(port)], port, log, extra_env)
        started.callback(process.end)

        def wait_until_ready() -> None:
            process.wait_until_ready()
            lock.close()

        started.enter_context(_api_url(port))
        yield StartedServer(process, port, wait_until_ready)


@contextlib.contextmanager
def _api_url(port: int) -> Iterator[None]:
    os.environ["PREFECT_API_URL"] = f"http://127.0.0.1:{port}/api"
    try:
        yield
    finally:
        os.environ.pop("PREFECT_API_URL", None)


@contextlib.contextmanager
def _port_file(base: Path, port: int) -> Iterator[None]:
    """Store the server's port in a file, so that runs of this folder find the server."""
    path = base / ".copydesk" / _PORT_FILE
    path.write_text(str(port), encoding="ascii")
    try:
        yield
    finally:
        if _read_port(path) == port:  # otherwise another `serve` has started meanwhile
            path.unlink(missing_ok=True)


def _serving_port(base: Path) -> int | None:
    """Return the port of the server that `copydesk serve` runs in a folder; None if none answers."""
    port = _read_port(base / ".copydesk" / _PORT_FILE)
    return port if port and _answers(port) else None


def _read_port(path: Path) -> int | None:
    try:
        port = int(path.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None
    return port if 0 < port <= 65_535 else None


def _answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/health", timeout=2) as answer:
            return bool(answer.read(10) == b"true")  # another program may use the port of a killed server
    except (OSError, ValueError, http.client.HTTPException):
        return False


def _open_log(log: Path) -> IO[bytes]:
    try:
        log.parent.mkdir(parents=True, exist_ok=True)
        if log.exists() and log.stat().st_size > _LOG_SIZE:
            log.replace(f"{log}.1")
        return open(log, "ab", opener=private_files.opener)
    except OSError as error:
        message = f"{log}: {error.strerror}; Prefect's server writes its log there: make the folder writable"
        raise ConfigError(message, file=str(log)) from error


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _bind(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the server does
        probe.bind(("127.0.0.1", port))


def fixed_port(port: int, *, or_other: bool = False, bind: Callable[[int], None] = _bind) -> int:
    """Return the port that COPYDESK_PREFECT_PORT names; with `or_other` a free one while that is in use.

    `bind` binds a port for a moment, or raises OSError. Raises ConfigError where the port cannot be used.
    """
    try:
        bind(port)
    except OSError as error:
        if or_other and error.errno == errno.EADDRINUSE:
            return _free_port()
        raise ConfigError(
            f"COPYDESK_PREFECT_PORT {port} cannot be used ({error.strerror}); choose another port, or unset "
            "it for any free one",
            variable="COPYDESK_PREFECT_PORT",
        ) from error
    return port


def _wait_until_ready(process: Child, port: int, log: Path) -> None:
    deadline = time.monotonic() + _START_TIMEOUT_S
    while time.monotonic() < deadline and process.poll() is None:
        if _answers(port) and process.poll() is None:  # otherwise another program answers there
            return
        time.sleep(0.3)
    raise ConfigError(f"Prefect's server does not start; see its log {log}", file=str(log))
