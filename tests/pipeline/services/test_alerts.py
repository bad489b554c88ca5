"""Alerts: which problems are sent to the webhook, at most once a day; its URL stays secret."""

import http.server
import json
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from pipeline.config import Settings
from pipeline.domain.errors import BudgetExceeded, LLMRejected, ShutdownRequested
from pipeline.domain.models import PollState
from pipeline.http_client import HttpClient
from pipeline.services.alerts import active_alerts, send_alerts
from pipeline.storage import Database, FeedStatus, Metrics
from tests.databases import prepared
from tests.pipeline.storage.records import NOW, feed

QUIET = Metrics(spent=(), drafts=0, oldest_draft=None, requests=0, oldest_request=None, blocks=0, warns=0)
DAY = timedelta(hours=24)


class Hook:
    """A webhook that notes what it is told."""

    def __init__(self) -> None:
        self.posted: list[dict[str, Any]] = []
        self.status = 200
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                assert self.headers["Content-Type"] == "application/json"
                if outer.status == 200:
                    outer.posted.append(json.loads(body))
                self.send_response(outer.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                """Keep the tests' output clean."""

        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.place = f"127.0.0.1:{self.http.server_address[1]}"


@pytest.fixture
def hook() -> Iterator[Hook]:
    running = Hook()
    threading.Thread(target=running.http.serve_forever, args=(0.05,), daemon=True).start()
    yield running
    running.http.shutdown()
    running.http.server_close()


def status(key: str = "one", **poll: Any) -> FeedStatus:
    return FeedStatus(key=key, url="https://x.example/f", poll=PollState(**poll), counts={})


def keys(*feeds: FeedStatus, stop: Any = (), figures: Metrics = QUIET) -> list[str]:
    return [
        alert.key
        for alert in active_alerts(feeds, [feed("one"), feed("two", enabled=False)], figures, stop, NOW, DAY)
    ]


def test_no_alert_without_a_problem() -> None:
    assert keys(status(failures=9), status("two", failures=99), status("gone", retired=True)) == []


def test_each_problem_is_an_alert() -> None:
    assert keys(status(failures=10, last_error="timeout")) == ["paused one"]
    assert keys(status(retired=True, failures=99)) == ["retired one"]
    assert keys(stop=[BudgetExceeded("spent", cap="day", spent=1)]) == ["budget day"]
    assert keys(stop=[LLMRejected("wrong key")]) == ["stopped ModelRefused"]
    assert keys(stop=[ShutdownRequested("Ctrl-C")]) == []


def test_overdue_drafts_and_requests_are_alerts() -> None:
    late = QUIET._replace(
        drafts=3, oldest_draft=NOW - timedelta(hours=25), oldest_request=NOW - timedelta(hours=2)
    )
    assert keys(figures=late) == ["drafts wait", "requests wait"]
    soon = NOW - timedelta(minutes=50)
    assert keys(figures=late._replace(oldest_draft=NOW - timedelta(hours=23), oldest_request=soon)) == []


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    with Database.open(prepared(f"sqlite:///{tmp_path / 'ledger.db'}")) as opened:
        opened.feeds.sync([feed()])
        opened.feeds.record_polls({"one": PollState(failures=12, last_error="no answer")})
        yield opened


def settings(tmp_path: Path, hook: Hook) -> Settings:
    return Settings(
        base=tmp_path, feeds_file=tmp_path, output=tmp_path, database_url="",
        alert_url=SecretStr(f"http://{hook.place}/secret-path"),
    )  # fmt: skip


async def test_a_lasting_problem_is_sent_once_a_day(db: Database, hook: Hook, tmp_path: Path) -> None:
    async with HttpClient("test", allowed=[hook.place]) as net:
        for hours in (0, 1, 23, 25, 26):
            now = NOW + timedelta(hours=hours)
            assert await send_alerts(db, net, settings(tmp_path, hook), [feed()], [], now) is None
    assert [message["alerts"][0]["key"] for message in hook.posted] == ["paused one"] * 2
    assert hook.posted[0]["text"] == "Copydesk: one is paused after 12 failures in a row: no answer"
    assert hook.posted[0]["content"] == hook.posted[0]["text"]


async def test_an_alert_of_a_wrong_clock_silences_no_later_one(
    db: Database, hook: Hook, tmp_path: Path
) -> None:
    async with HttpClient("test", allowed=[hook.place]) as net:
        for days in (366, 0, 0):
            now = NOW + timedelta(days=days)
            assert await send_alerts(db, net, settings(tmp_path, hook), [feed()], [], now) is None
    assert len(hook.posted) == 2


async def test_an_alert_that_was_not_delivered_is_sent_again(
    db: Database, hook: Hook, tmp_path: Path
) -> None:
    async with HttpClient("test", allowed=[hook.place]) as net:
        hook.status = 500
        message = await send_alerts(db, net, settings(tmp_path, hook), [feed()], [], NOW)
        assert message == "127.0.0.1 takes no alert (status 500); check COPYDESK_ALERT_URL"
        hook.status = 200
        assert await send_alerts(db, net, settings(tmp_path, hook), [feed()], [], NOW) is None
    assert len(hook.posted) == 1


async def test_no_message_contains_the_secret(db: Database, hook: Hook, tmp_path: Path) -> None:
    async with HttpClient("test") as net:  # loopback is not allowed here
        message = await send_alerts(db, net, settings(tmp_path, hook), [feed()], [], NOW)
    assert message
    assert "secret-path" not in message
    assert hook.posted == []
