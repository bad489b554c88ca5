"""Refused requests in the log and the audit log: each refused change, and what comes again once a minute."""

import json
import logging

import pytest
from starlette.types import Message, Receive, Scope, Send

from desk.auth import AccessPolicy
from desk.middleware import AccessMiddleware

ACCESS = AccessPolicy(port=8484, token="a token")
READING = "/drafts/0123456789abcdef/reading"


class Refused:
    """A desk whose clock moves a second with each request; nobody is signed in."""

    def __init__(self) -> None:
        self.now = 0.0
        self._desk = AccessMiddleware(self._app, ACCESS, clock=lambda: self.now)

    async def _app(self, _scope: Scope, _receive: Receive, _send: Send) -> None:
        raise AssertionError("a route sees the request")

    async def request(self, method: str, path: str, client: str = "10.0.0.1") -> int:
        """Return the status of the response."""
        self.now += 1
        own = [(b"host", b"127.0.0.1:8484"), (b"origin", b"http://127.0.0.1:8484")]
        scope = {
            "type": "http", "method": method, "path": path, "query_string": b"", "headers": own,
            "client": (client, 50_000),
        }  # fmt: skip
        statuses = []

        async def receive() -> Message:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: Message) -> None:
            if message["type"] == "http.response.start":
                statuses.append(message["status"])

        await self._desk(scope, receive, send)
        [status] = statuses
        return int(status)


@pytest.fixture
def logged(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.INFO, "copydesk.desk")
    return caplog


def lines(logged: pytest.LogCaptureFixture, name: str) -> list[str]:
    return [record.getMessage() for record in logged.records if record.name == name]


def audited(logged: pytest.LogCaptureFixture) -> list[tuple[str, str]]:
    entries = map(json.loads, lines(logged, "copydesk.desk.audit"))
    return [(entry["from"], entry["asked"]) for entry in entries]


async def test_a_page_that_asks_again_and_again_is_one_line_a_minute(
    logged: pytest.LogCaptureFixture,
) -> None:
    desk = Refused()
    for _ in range(10 * 60):
        assert await desk.request("GET", READING) == 401
    assert audited(logged) == [("10.0.0.1", f"GET {READING}")] * 10
    assert len(lines(logged, "copydesk.desk")) == 10


async def test_another_path_or_client_is_a_line_of_its_own(logged: pytest.LogCaptureFixture) -> None:
    desk = Refused()
    for client, path in (("10.0.0.1", "/a"), ("10.0.0.1", "/b"), ("10.0.0.2", "/a"), ("10.0.0.2", "/a")):
        await desk.request("GET", path, client)
    assert audited(logged) == [("10.0.0.1", "GET /a"), ("10.0.0.1", "GET /b"), ("10.0.0.2", "GET /a")]


async def test_every_refused_change_is_audited(logged: pytest.LogCaptureFixture) -> None:
    desk = Refused()
    for _ in range(30):
        assert await desk.request("POST", "/bulk") == 401
    assert audited(logged) == [("10.0.0.1", "POST /bulk")] * 30
    assert len(lines(logged, "copydesk.desk")) == 1
