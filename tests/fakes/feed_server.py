"""A real HTTP server on loopback whose answers a test decides.

    with FeedServer() as server:
        server.add("/feed.xml", b"<rss/>", content_type="application/rss+xml", etag='"1"')
        fetch(server.url("/feed.xml"))
        assert server.requests == 1

A path that was not added answers 404. Where `etag` or `last_modified` is given, a request that carries it
is answered with 304.
"""

import gzip
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType

import pytest

several_hosts = pytest.mark.skipif(sys.platform == "darwin", reason="macOS has one address of loopback")
"""Marks tests whose servers have other addresses than 127.0.0.1."""


@dataclass(frozen=True)
class Answer:
    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    etag: str | None = None
    last_modified: str | None = None
    delay_s: float = 0
    """Before the first byte."""
    drip_s: float = 0
    """Between one byte of the body, or one piece sent `forever`, and the next."""
    cut_at: int | None = None
    """Closes the connection after so many bytes of the body."""
    raw: bytes | None = None
    """Sent as it is, in place of all of the above; then the connection is closed."""
    forever: bytes = b""
    """Sent after `raw`, again and again, until the client goes away."""


@dataclass(frozen=True)
class Seen:
    path: str
    headers: dict[str, str]
    """Names in lower case."""
    method: str = "GET"
    body: bytes = b""


class FeedServer:
    """`host` is an address of loopback. `hold` is called with the path of each request, before its answer."""

    def __init__(self, host: str = "127.0.0.1", hold: Callable[[str], None] = lambda _path: None) -> None:
        self._server = _Server((host, 0), _Handler)
        self._server.hold = hold
        # Closes within its poll interval; the default costs every test half a second.
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})

    def __enter__(self) -> "FeedServer":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.closing.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def add(
        self,
        path: str,
        body: bytes = b"",
        *,
        status: int = 200,
        content_type: str | None = None,
        headers: dict[str, str] | None = None,
        etag: str | None = None,
        last_modified: str | None = None,
        delay_s: float = 0,
        drip_s: float = 0,
        cut_at: int | None = None,
        compress: bool = False,
    ) -> str:
        """Decide what a path answers from now on; returns its URL."""
        sent = dict(headers or {})
        if content_type:
            sent["Content-Type"] = content_type
        if compress:
            body, sent["Content-Encoding"] = gzip.compress(body), "gzip"
        self._server.answers[path] = Answer(body, status, sent, etag, last_modified, delay_s, drip_s, cut_at)
        return self.url(path)

    def add_raw(self, path: str, raw: bytes, *, forever: bytes = b"", drip_s: float = 0) -> str:
        """Decide the very bytes that a path answers with, status line and all; returns its URL."""
        self._server.answers[path] = Answer(raw=raw, forever=forever, drip_s=drip_s)
        return self.url(path)

    def url(self, path: str) -> str:
        return f"http://{self._origin}{path}"

    @property
    def hosts(self) -> frozenset[str]:
        """The exception that lets our client talk to loopback."""
        return frozenset((self._origin,))

    @property
    def _origin(self) -> str:
        host, port = self._server.server_address[:2]
        return f"{host!s}:{port}"

    @property
    def seen(self) -> list[Seen]:
        with self._server.lock:
            return list(self._server.seen)

    @property
    def most_at_once(self) -> int:
        """How many requests waited for the first byte of an answer at one time, at most."""
        return self._server.most

    @property
    def requests(self) -> int:
        return len(self.seen)

    def requests_of(self, path: str) -> int:
        return sum(seen.path == path for seen in self.seen)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> None:
        super().__init__(address, handler)
        self.answers: dict[str, Answer] = {}
        self.seen: list[Seen] = []
        self.lock = threading.Lock()
        self.closing = threading.Event()
        self.now = self.most = 0
        self.hold: Callable[[str], None]

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: a client that goes away, or speaks TLS to us, is what some tests are about."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_GET(self) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        body = self.rfile.read(int(headers.get("content-length", "0")))
        with self.server.lock:
            self.server.seen.append(Seen(self.path, headers, self.command, body))
            self.server.now += 1
            self.server.most = max(self.server.most, self.server.now)
        answer = self.server.answers.get(self.path, Answer(b"nothing here", 404))
        self.server.hold(self.path)
        gone = self.server.closing.wait(answer.delay_s)
        with self.server.lock:  # before the client has the answer, and may ask again
            self.server.now -= 1
        if not gone:
            self._answer(answer, headers)

    do_POST = do_GET  # noqa: N815 - the name that http.server looks for

    def _answer(self, answer: Answer, headers: dict[str, str]) -> None:
        if answer.raw is not None:
            self._send_raw(answer.raw, answer.forever, answer.drip_s)
        elif _unchanged(answer, headers):
            self._send(Answer(status=304, etag=answer.etag, last_modified=answer.last_modified))
        else:
            self._send(answer)

    def _send_raw(self, raw: bytes, forever: bytes, drip_s: float) -> None:
        self.wfile.write(raw)
        while forever and not self.server.closing.wait(drip_s):
            self.wfile.write(forever)
        self.close_connection = True

    def _send(self, answer: Answer) -> None:
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        if answer.etag:
            self.send_header("ETag", answer.etag)
        if answer.last_modified:
            self.send_header("Last-Modified", answer.last_modified)
        if answer.status != 304:
            self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        body = answer.body[: answer.cut_at]
        if not answer.drip_s:
            self.wfile.write(body)
            return
        for place in range(len(body)):
            self.wfile.write(body[place : place + 1])
            if self.server.closing.wait(answer.drip_s):
                return

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing: the tests speak."""


def _unchanged(answer: Answer, headers: dict[str, str]) -> bool:
    if answer.etag and headers.get("if-none-match") == answer.etag:
        return True
    return bool(answer.last_modified) and headers.get("if-modified-since") == answer.last_modified
