"""The monitoring port of `copydesk serve`: /health, /ready and /metrics over HTTP."""

import contextlib
import hmac
import json
import socket
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from pipeline.config import ListenAddress, Settings, own_version
from pipeline.domain.errors import ConfigError, DatabaseError
from pipeline.services.feeds_file import FeedsFile
from pipeline.services.metrics import CONTENT_TYPE
from pipeline.services.probes import Probes
from pipeline.storage import Database

_TIMEOUT_S = 10
"""Seconds that a client may take to send its request. Chosen, not measured."""
Answer = tuple[HTTPStatus, str, bytes]
"""Status, content type and body."""


@contextlib.contextmanager
def monitoring_port(settings: Settings) -> Iterator[int | None]:
    """Answer monitoring on the port of COPYDESK_METRICS_PORT within the context; yields the port.

    Yields None if the variable is not set. Raises ConfigError, DatabaseError.
    """
    address = settings.metrics_port
    if address is None:
        yield None
        return
    token = settings.desk_token.get_secret_value() if settings.desk_token else None
    if token is None and not address.is_loopback:
        raise ConfigError(
            f"COPYDESK_METRICS_PORT is at {address.host}, which other machines can reach: set "
            "COPYDESK_DESK_TOKEN, which scrapers send, or write the port alone",
            variable="COPYDESK_METRICS_PORT",
        )
    with Database.open(settings.database_url) as db:
        probes = Probes(settings, db, FeedsFile(settings))
        with _listening(address, probes, token) as port:
            yield port


@contextlib.contextmanager
def _listening(address: ListenAddress, probes: Probes, token: str | None) -> Iterator[int]:
    try:
        server = _MonitoringServer(address, probes, token)
    except (OSError, OverflowError) as error:
        message = (
            f"COPYDESK_METRICS_PORT: nothing can listen at {address.host}:{address.port} ({error}); "
            "choose another port"
        )
        raise ConfigError(message, variable="COPYDESK_METRICS_PORT") from error
    thread = threading.Thread(target=server.serve_forever, args=(0.1,), daemon=True, name="monitoring")
    thread.start()
    try:
        yield int(server.server_address[1])
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _MonitoringServer(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, address: ListenAddress, probes: Probes, token: str | None) -> None:
        self.address_family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
        super().__init__(address, _Handler)
        self.probes, self.token = probes, token

    def handle_error(self, request: object, client_address: object) -> None:
        """Print nothing when a client disconnects."""


class _Handler(BaseHTTPRequestHandler):
    server: _MonitoringServer
    timeout = _TIMEOUT_S

    def version_string(self) -> str:
        """Return the value of the header Server."""
        return f"Copydesk/{own_version()}"

    def do_GET(self) -> None:
        self.wfile.write(self._answer())

    def do_HEAD(self) -> None:
        self._answer()

    def _answer(self) -> bytes:
        """Send status and headers of a page, and return its body."""
        pages = {"/health": self._health, "/ready": self._ready, "/metrics": self._metrics}
        page = pages.get(self.path.partition("?")[0])
        status, kind, body = page() if page else _plain(HTTPStatus.NOT_FOUND, "not found")
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        return body

    def _health(self) -> Answer:
        return _plain(HTTPStatus.OK, "ok")

    def _ready(self) -> Answer:
        failed = self.server.probes.failed_checks()
        body = json.dumps({"ready": not failed, "failed": failed}).encode()
        status = HTTPStatus.SERVICE_UNAVAILABLE if failed else HTTPStatus.OK
        return status, "application/json", body

    def _metrics(self) -> Answer:
        token = self.server.token
        sent = self.headers.get("Authorization", "").removeprefix("Bearer ")
        if token is not None and not hmac.compare_digest(sent.encode(), token.encode()):
            message = "send the header Authorization: Bearer with the value of COPYDESK_DESK_TOKEN"
            return _plain(HTTPStatus.UNAUTHORIZED, message)
        try:
            text = self.server.probes.metrics(datetime.now(UTC))
        except DatabaseError:
            return _plain(HTTPStatus.SERVICE_UNAVAILABLE, "the database fails; `copydesk doctor` says why")
        return HTTPStatus.OK, CONTENT_TYPE, text.encode()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Print no access log."""


def _plain(status: HTTPStatus, message: str) -> Answer:
    return status, "text/plain; charset=utf-8", f"{message}\n".encode()
