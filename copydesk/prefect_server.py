"""Prefect's server, and other processes that end with this one, however it ends.

How runs begin: as flow runs on that server or on another one, or without Prefect.
"""

import asyncio
import contextlib
import http.client
import logging
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, NamedTuple

from copydesk.console import err
from flows.prefect_api import is_named, renew, require_api, require_api_url
from pipeline.config import Settings, load_feeds, no_telemetry, private_files
from pipeline.domain.errors import ConfigError
from pipeline.storage import Database

if TYPE_CHECKING:
    from pipeline.services.run import Ports

_PATIENCE_S = 120
"""A cold start of Prefect's server takes up to half a minute."""
_ENDING_S = 20
_PORT = "prefect-server.port"
_TIE = """import ctypes, os, sys
ctypes.CDLL(None).prctl(1, 15)
if os.getppid() == int(sys.argv[1]):
    os.execv(sys.argv[2], sys.argv[2:])
"""
"""PR_SET_PDEATHSIG is 1, SIGTERM 15; a parent that died before is noticed, too."""
Child = subprocess.Popen[bytes]
Report = dict[str, Any]


class Begin(NamedTuple):
    """How a run begins."""

    carry_out: Callable[[tuple[object, ...], "Ports"], Report]
    """Given a run's parameters and ports, carries it out and returns its report as JSON."""
    first: str
    """What a progress bar says before anything is known of a feed."""


@contextlib.contextmanager
def beginning(name: str, settings: Settings, *, direct: bool) -> Iterator[Begin]:
    """Yield what begins the runs of a name: as flow runs, or without Prefect where that is set or `direct`.

    Raises ConfigError or DatabaseError for what a run would find only after the seconds that Prefect takes to
    start.
    """
    if direct or not settings.prefect:
        logging.getLogger().setLevel(logging.CRITICAL)  # as `silence_prefect` has it
        yield Begin(partial(_directly, name), "polling feeds")
        return
    require_api_url()
    subscriptions = load_feeds(settings.feeds_file)
    with Database.open(settings.database_url) as db:
        db.feeds.sync(subscriptions.feeds)
    silence_prefect()
    with small_server(settings.base) as ready:
        yield Begin(partial(_as_flow, name, ready), "starting Prefect, polling feeds")


def silence_prefect() -> None:
    """Silence Prefect's own lines unless somebody asks for them: the report says what happened."""
    os.environ.setdefault("PREFECT_LOGGING_LEVEL", "CRITICAL")
    os.environ.setdefault("PREFECT_LOGGING_ROOT_LEVEL", "CRITICAL")  # its workers speak of slow servers there
    os.environ.setdefault("PREFECT_SERVER_LOGGING_LEVEL", "CRITICAL")


def _directly(name: str, given: tuple[object, ...], ports: "Ports") -> Report:
    from pipeline.services.backfill import backfill
    from pipeline.services.ingest import ingest, requests

    runs: dict[str, Callable[..., Any]] = {"backfill": backfill, "ingest": ingest, "requests": requests}
    report: Report = asyncio.run(runs[name](*given, ports=ports)).model_dump(mode="json")
    return report


def _as_flow(name: str, ready: Callable[[], None], given: tuple[object, ...], ports: "Ports") -> Report:
    from flows.backfill import backfill
    from flows.ingest import ingest
    from flows.requests import requests
    from flows.runtime import given as given_ports

    flows: dict[str, Callable[..., Any]] = {"backfill": backfill, "ingest": ingest, "requests": requests}

    async def run() -> Report:
        await require_api()
        report: Report = await flows[name](*given)
        return report

    ready()
    token = given_ports.set(ports)
    try:
        return asyncio.run(run())
    finally:
        given_ports.reset(token)


@contextlib.contextmanager
def server(base: Path) -> Iterator[str | None]:
    """Have Prefect's server run on loopback; yields its address, None where the operator names one.

    `base`: the folder with its log and, for runs that begin meanwhile, its port, in .copydesk.
    PREFECT_API_URL names the server while it runs. Raises ConfigError where it does not start.
    """
    if os.environ.get("PREFECT_API_URL"):
        yield None
        return
    port = _free_port()
    command = [sys.executable, "-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port)]
    with _running(base, command, port) as ready:
        ready()
        with _told(base, port):
            yield f"http://127.0.0.1:{port}"


@contextlib.contextmanager
def small_server(base: Path) -> Iterator[Callable[[], None]]:
    """Have what one run needs of Prefect's server run on loopback.

    That is not needed where Prefect's settings name a server, or `copydesk serve` runs one in this folder.
    Yields what waits until it answers: that raises ConfigError where it does not start. Prefect's own way to
    start one would leave it behind when a run is killed, and lose it at Ctrl-C.
    """
    if is_named():
        yield lambda: None
        return
    if served := _served(base):
        with _named(served):
            renew()
            yield lambda: None
        return
    port = _free_port()
    command = [sys.executable, "-m", "uvicorn", "--factory", "prefect.server.api.server:create_app"]
    command += ["--host", "127.0.0.1", "--port", str(port), "--log-level", "error", "--lifespan", "on"]
    # No page and no scheduler: as Prefect starts it for a run.
    more = {"PREFECT_UI_ENABLED": "0", "PREFECT__SERVER_EPHEMERAL": "1", "PREFECT__SERVER_FINAL": "1"}
    with _running(base, command, port, more) as ready:
        renew()
        yield ready


def started(
    command: list[str], output: IO[bytes] | None = None, more: Mapping[str, str] | None = None
) -> Child:
    """Start a process that reports its use to nobody and ends when this one dies.

    It has a group of its own: Ctrl-C is for the runs first, which still need it.
    """
    no_telemetry()
    return subprocess.Popen(  # noqa: S603
        _tied(command),
        stdout=output,
        stderr=output,
        env={**os.environ, **(more or {})},
        start_new_session=True,
    )


def end(process: Child, what: str) -> None:
    """End a process and what it started; `what` names it where it has to be killed."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    try:
        process.wait(_ENDING_S)
    except subprocess.TimeoutExpired:
        err.print(f"{what} does not end by itself; it is killed.")
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


@contextlib.contextmanager
def _running(
    base: Path, command: list[str], port: int, more: Mapping[str, str] | None = None
) -> Iterator[Callable[[], None]]:
    path = base / ".copydesk" / "prefect-server.log"
    with _opened(path) as log:
        process = started(command, log, more)
    try:
        with _named(port):
            yield partial(_wait, process, port, path)
    finally:
        end(process, "Prefect's server")


@contextlib.contextmanager
def _named(port: int) -> Iterator[None]:
    os.environ["PREFECT_API_URL"] = f"http://127.0.0.1:{port}/api"
    try:
        yield
    finally:
        os.environ.pop("PREFECT_API_URL", None)


@contextlib.contextmanager
def _told(base: Path, port: int) -> Iterator[None]:
    """Have runs that begin in this folder find a server, as long as this lasts."""
    path = base / ".copydesk" / _PORT
    path.write_text(str(port), encoding="ascii")
    try:
        yield
    finally:
        if _served_port(path) == port:  # else another `serve` has begun since
            path.unlink(missing_ok=True)


def _served(base: Path) -> int | None:
    """Return the port of the server that `copydesk serve` runs in a folder, None where none answers."""
    port = _served_port(base / ".copydesk" / _PORT)
    return port if port and _answers(port) else None


def _served_port(path: Path) -> int | None:
    try:
        return int(path.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None


def _answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/health", timeout=2) as answer:
            return bool(answer.read(10) == b"true")  # a server that was killed has left its port to anybody
    except (OSError, ValueError, http.client.HTTPException):
        return False


def _opened(log: Path) -> IO[bytes]:
    try:
        log.parent.mkdir(parents=True, exist_ok=True)
        return open(log, "ab", opener=private_files.opener)
    except OSError as error:
        said = f"{log}: {error.strerror}; Prefect's server writes its log there: make the folder writable"
        raise ConfigError(said, file=str(log)) from error


def _tied(command: list[str]) -> list[str]:
    """Return a command whose process is told to end when this one dies, however it dies (Linux: prctl(2)).

    A Prefect server that is left behind would hold its database while the next one begins.
    """
    return [sys.executable, "-c", _TIE, str(os.getpid()), *command] if sys.platform == "linux" else command


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait(process: Child, port: int, log: Path) -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while time.monotonic() < deadline and process.poll() is None:
        if _answers(port):
            return
        time.sleep(0.3)
    raise ConfigError(f"Prefect's server does not start; {log} says why", file=str(log))
