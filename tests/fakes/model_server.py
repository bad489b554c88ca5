"""A fake OpenAI-compatible server on loopback with enqueued replies; it counts its answers.

As a program: `python -m tests.fakes.model_server --port N --fail-rate 0.3 --latency 0.2 --count-file F`
appends a line with the hash of the user message to F for every request that it answers.
"""

import argparse
import hashlib
import json
import random
import re
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Self


@dataclass(frozen=True)
class Reply:
    """A reply to one request. Without a body: the default article about the request's item."""

    status: int = 200
    body: bytes | None = None
    headers: dict[str, str] = field(default_factory=dict)
    content_type: str = "application/json"
    stall: bool = False
    """Send nothing until the server stops or the client disconnects."""
    disconnect: bool = False
    """Close the connection after half of the reply."""


def error(status: int, message: str = "injected", *, code: str | None = None, **headers: str) -> Reply:
    """Return a reply with OpenAI's error object; header names have `_` for `-`."""
    body = json.dumps({"error": {"message": message, "type": code or "error", "param": None, "code": code}})
    return Reply(status, body.encode(), {name.replace("_", "-"): value for name, value in headers.items()})


def completion(
    content: str | None,
    *,
    finish: str = "stop",
    refusal: str | None = None,
    usage: dict[str, Any] | None = None,
) -> Reply:
    """Return a reply with a chat completion of this content."""
    message = {"role": "assistant", "content": content, "refusal": refusal}
    return Reply(
        body=json.dumps(
            {
                "id": "chatcmpl-1",
                "object": "chat.completion",
                "created": 1,
                "model": "fake-1",
                "choices": [{"index": 0, "message": message, "finish_reason": finish}],
                "usage": usage or {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18},
            }
        ).encode()
    )


def article(**changes: object) -> dict[str, Any]:
    """Return the JSON of a valid answer, with some fields changed."""
    good: dict[str, Any] = {
        "overview": "Example Corp mined 1,250 coins in May.",
        "sections": [{"heading": "Output rises in May", "body": "Example Corp mined 1,250 coins."}],
        "from_author": "This looks like a steady month.",
        "impact": ["Supply may grow a little."],
        "category": "BTC",
        "tags": ["BTC"],
        "sentiment": "NEUTRAL",
    }
    return good | changes


def whole_article(**changes: object) -> str:
    """Return a valid answer with its own title and description, as JSON, with some fields changed."""
    title = {
        "title": "Example Corp mines more in May",
        "description": "Example Corp mined 1,250 coins in May.",
    }
    return json.dumps(article(**(title | changes)))


def echo(user_message: str, usage: dict[str, Any] | None = None) -> Reply:
    """Return an article that repeats the last line with a digit, or the last line, of the user message."""
    lines = [line for line in user_message.splitlines() if line.strip() and not line.startswith("===")]
    facts = [line for line in lines if re.search(r"\d", line)] or lines or ["nothing"]
    fact = facts[-1].strip()[:300].replace("#", "")
    sections = [{"heading": "What the source reports", "body": fact}]
    return completion(json.dumps(article(overview=fact, sections=sections)), usage=usage)


class ModelServer:
    """A context manager that serves on 127.0.0.1 in threads, after `latency_s` to `latency_s + spread_s`.

    `received` holds the JSON of every request, `headers` its headers and `paths` its path with the query,
    `answered` the hash of the user message of every request that got a completion. `fail_rate` of the
    requests without an enqueued reply fail, by a generator with a fixed seed.
    """

    def __init__(
        self,
        *,
        port: int = 0,
        fail_rate: float = 0.0,
        latency_s: float = 0.0,
        spread_s: float = 0.0,
        count_file: Path | None = None,
        seed: int = 1,
    ) -> None:
        self.received: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.paths: list[str] = []
        self.answered: list[str] = []
        self.models = ["fake-1"]
        self.listing: Reply | None = None
        """Sent instead of the list of models."""
        self.refuse: Callable[[dict[str, Any]], Reply | None] = lambda _request: None
        """Returns the reply to a request that this server rejects; used before enqueued replies."""
        self.usage: dict[str, Any] | None = None
        """Usage of the default article."""
        self.stopping = threading.Event()
        self._queue: deque[Reply] = deque()
        self._fail_rate, self._latency_s, self._count_file = fail_rate, latency_s, count_file
        self._spread_s = spread_s
        self._random = random.Random(seed)
        self._lock = threading.Lock()
        handler = type("Handler", (_Handler,), {"fake": self})
        self.http = _Http(("127.0.0.1", port), handler)
        self._thread = threading.Thread(target=self.http.serve_forever, args=(0.05,), daemon=True)

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.http.server_address[1]}/v1"

    @property
    def requests(self) -> int:
        """Number of requests for a completion."""
        return len(self.received)

    def enqueue(self, *replies: Reply, **fields: Any) -> None:
        """Add replies, or one of these fields, for the next requests; a dict as body is sent as JSON."""
        if isinstance(fields.get("body"), dict):
            fields["body"] = json.dumps(fields["body"]).encode()
        self._queue.extend((*replies, Reply(**fields)) if fields else replies)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stopping.set()
        self.http.shutdown()
        self._thread.join()
        self.http.server_close()

    def receive(self, request: dict[str, Any], headers: dict[str, str]) -> Reply:
        """Record a request and return its reply."""
        with self._lock:
            self.received.append(request)
            self.headers.append(headers)
            refused = self.refuse(request)
            latency_s = self._latency_s + self._spread_s * self._random.random()
            planned = refused or (self._queue.popleft() if self._queue else self._by_chance())
        self.stopping.wait(latency_s)
        return (
            planned if planned.body is not None or planned.stall else echo(user_message(request), self.usage)
        )

    def note_answered(self, request: dict[str, Any]) -> None:
        """Count a completion before it is sent: it is billed even if it does not arrive."""
        digest = hashlib.sha256(item_of(user_message(request)).encode("utf-8", "replace")).hexdigest()
        with self._lock:
            self.answered.append(digest)
            if self._count_file:
                with self._count_file.open("a", encoding="utf-8") as file:
                    file.write(digest + "\n")

    def _by_chance(self) -> Reply:
        if self._random.random() >= self._fail_rate:
            return Reply()
        return self._random.choice(
            [error(429, retry_after="0"), error(500), error(503), Reply(body=b"<html>bad</html>")]
        )


def user_message(request: dict[str, Any]) -> str:
    """Return the last message's text."""
    messages = request.get("messages") or [{}]
    return str(messages[-1].get("content", ""))


def item_of(message: str) -> str:
    """Return a user message without its marker lines, which differ in every request."""
    return "\n".join(line for line in message.splitlines() if not line.startswith("==="))


class _Http(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Log nothing when a client disconnects: tests do so on purpose."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    fake: ModelServer

    def do_GET(self) -> None:
        listed = {"object": "list", "data": [{"id": name, "object": "model"} for name in self.fake.models]}
        self._send(self.fake.listing or Reply(body=json.dumps(listed).encode()))

    def do_POST(self) -> None:
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.fake.paths.append(self.path)
        reply = self.fake.receive(request, {name.lower(): value for name, value in self.headers.items()})
        if reply.stall:
            self.fake.stopping.wait()
            self.close_connection = True
            return
        if reply.status == 200 and b'"chat.completion"' in (reply.body or b"") and not reply.disconnect:
            self.fake.note_answered(request)
        self._send(reply)

    def _send(self, reply: Reply) -> None:
        body = reply.body or b""
        self.send_response(reply.status)
        for name, value in {"Content-Type": reply.content_type, **reply.headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: len(body) // 2] if reply.disconnect else body)
        self.close_connection = self.close_connection or reply.disconnect

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
        """Keep the tests' output clean."""


def main() -> None:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--fail-rate", type=float, default=0.0)
    parser.add_argument("--latency", type=float, default=0.0, help="seconds")
    parser.add_argument("--count-file", type=Path)
    options = parser.parse_args()
    server = ModelServer(
        port=options.port,
        fail_rate=options.fail_rate,
        latency_s=options.latency,
        count_file=options.count_file,
    )
    print(server.base_url, flush=True)
    try:
        server.http.serve_forever()
    except KeyboardInterrupt:
        server.http.server_close()


if __name__ == "__main__":
    main()
