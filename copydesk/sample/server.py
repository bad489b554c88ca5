"""HTTP server on loopback for the bundled feeds, with validators, content types and 404."""

import hashlib
import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from pathlib import Path
from types import TracebackType
from typing import Self

from pipeline.articles.files import write_atomically

PORT = 8808
"""Default port; if it is in use, any free port is taken."""
MODIFIED = "Fri, 06 Feb 2026 09:00:00 GMT"
TYPES = {
    "harbour-ledger.xml": "application/rss+xml",
    "meridian-wire.xml": "application/atom+xml",
    "openchain-daily.json": "application/feed+json",
    "broken.xml": "application/rss+xml",
}


class SampleServer:
    """Context manager that serves the feeds on 127.0.0.1:`port`."""

    def __init__(self, port: int = PORT) -> None:
        try:
            self._http = _QuietServer(("127.0.0.1", port), _Handler)
        except OSError:  # the port is in use
            self._http = _QuietServer(("127.0.0.1", 0), _Handler)
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.05,), daemon=True)

    @property
    def port(self) -> int:
        """The port in use."""
        return int(self._http.server_address[1])

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()


def write_subscriptions(folder: Path, port: int) -> Path:
    """Write the sample's feeds.yaml with the port in use; returns its path."""
    text = files("copydesk.sample").joinpath("feeds.yaml").read_text(encoding="utf-8")
    write_atomically(folder, "feeds.yaml", text.replace(f"127.0.0.1:{PORT}", f"127.0.0.1:{port}").encode())
    return folder / "feeds.yaml"


def read_feed(name: str) -> bytes:
    """Return a bundled feed's bytes; `name` is a key of TYPES."""
    return files("copydesk.sample").joinpath("feeds", name).read_bytes()


class _QuietServer(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Print nothing when a client disconnects, as at Ctrl-C."""


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        name = self.path.removeprefix("/")
        if name not in TYPES:  # only these names: no request path reaches the file system
            self._send(HTTPStatus.NOT_FOUND, {}, b"")
            return
        body = read_feed(name)
        etag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
        headers = {"Content-Type": TYPES[name], "ETag": etag, "Last-Modified": MODIFIED}
        fresh = self.headers.get("If-None-Match", "")
        unchanged = etag in fresh if fresh else self.headers.get("If-Modified-Since") == MODIFIED
        self._send(
            HTTPStatus.NOT_MODIFIED if unchanged else HTTPStatus.OK, headers, b"" if unchanged else body
        )

    def _send(self, status: HTTPStatus, headers: dict[str, str], body: bytes) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if status != HTTPStatus.NOT_MODIFIED:  # a 304 has no body
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Print no access log: it would hide the run's report."""
