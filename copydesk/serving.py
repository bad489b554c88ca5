"""`copydesk serve`: Prefect's server where none is named, then the flows on their schedules."""

import asyncio
import contextlib
import logging
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from copydesk.console import counted, err, plain, say
from copydesk.sample import serving
from flows.api import require_api, require_api_url
from pipeline import private
from pipeline.errors import ConfigError
from pipeline.ledger import Ledger
from pipeline.net import require_usable_proxies
from pipeline.settings import Subscriptions, load_feeds, load_settings

_PATIENCE_S = 120
"""A cold start of Prefect's server takes up to half a minute."""
_ENDING_S = 20
_TIE = "import ctypes, os, sys; ctypes.CDLL(None).prctl(1, 15); os.execv(sys.argv[1], sys.argv[1:])"
"""PR_SET_PDEATHSIG is 1, SIGTERM 15."""


def serve(desk: int | None = None) -> None:
    """Serve until interrupted, the desk at port `desk` beside the flows where one is given.

    Raises ConfigError, LedgerError where it cannot begin.
    """
    settings = load_settings()
    require_usable_proxies()
    require_api_url()
    subscriptions = load_feeds(settings.feeds_file)
    Ledger.open(settings.database_url).close()
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    os.environ.setdefault("PREFECT_LOGGING_LEVEL", "WARNING")
    if os.environ.get("PREFECT_API_URL"):  # else one is started, and told to Prefect before it is imported
        asyncio.run(require_api())
    with serving(), _desk(desk), _server(settings.base):
        from flows.serve import serve_flows

        _say(subscriptions)
        with contextlib.suppress(KeyboardInterrupt, asyncio.CancelledError):
            asyncio.run(serve_flows())
    say("Ended; what was under way is kept, and the next run goes on from there.")


def _say(subscriptions: Subscriptions) -> None:
    from flows.schedule import groups

    for group in groups(subscriptions.feeds):
        feeds = f"{counted(len(group.feeds), 'feed')}: {plain(', '.join(group.feeds))}"
        say(f"{plain(group.schedule):>16}  {feeds}")
    say("What editors ask for is carried out within a minute. Ctrl-C ends it.")


@contextlib.contextmanager
def _desk(port: int | None) -> Iterator[None]:
    """Have the review desk run in a process of its own: it stays open while runs are slow."""
    if port is None:
        yield
        return
    command = [sys.executable, "-m", "copydesk", "desk", "--port", str(port)]
    process = subprocess.Popen(_tied(command), start_new_session=True)  # noqa: S603
    try:
        yield
    finally:
        _end(process, "The desk")


@contextlib.contextmanager
def _server(base: Path) -> Iterator[None]:
    """Have Prefect's server run on loopback, unless the operator names one (PREFECT_API_URL)."""
    if os.environ.get("PREFECT_API_URL"):
        yield
        return
    port = _free_port()
    command = [sys.executable, "-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port)]
    folder = base / ".copydesk"
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "prefect-server.log", "ab", opener=private.opener) as log:
        # A group of its own: Ctrl-C is for the runs first, which still need the server.
        process = subprocess.Popen(  # noqa: S603
            _tied(command), stdout=log, stderr=log, start_new_session=True
        )
    try:
        _wait(process, port, folder / "prefect-server.log")
        os.environ["PREFECT_API_URL"] = f"http://127.0.0.1:{port}/api"
        say(f"Prefect's page: http://127.0.0.1:{port}")
        yield
    finally:
        os.environ.pop("PREFECT_API_URL", None)
        _end(process, "Prefect's server")


def _tied(command: list[str]) -> list[str]:
    """Return a command whose process is told to end when this one dies, however it dies (Linux: prctl(2)).

    A Prefect server that is left behind would hold its database while the next one begins.
    """
    return [sys.executable, "-c", _TIE, *command] if sys.platform == "linux" else command


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait(process: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/health", timeout=2):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.3)
    raise ConfigError(f"Prefect's server does not start; {log} says why", file=str(log))


def _end(process: "subprocess.Popen[bytes]", what: str) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    try:
        process.wait(_ENDING_S)
    except subprocess.TimeoutExpired:
        err.print(f"{what} does not end by itself; it is killed.")
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
