"""Ways to be wrong: each is one line that names the fix, its exit code, and an error of `copydesk doctor`."""

import contextlib
import json
import os
import re
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from tests.commands import call_copydesk
from tests.copydesk.newsroom import Newsroom, newsroom, ports_feed
from tests.fakes.model_server import error

NOWHERE = "http://127.0.0.1:9"
"""Nothing listens there: RFC 863's port, which no system serves today."""


class Way(NamedTuple):
    """One way to be wrong."""

    name: str
    make: Callable[[Newsroom], object]
    """Makes the mistake."""
    code: int
    """Exit code of `copydesk run`."""
    message: str
    """Regular expression of the line that `run` prints."""
    check: str | None = None
    """The check of `doctor` that fails; None: all pass, since nothing is wrong with the installation."""


def variables(**values: str) -> Callable[[Newsroom], object]:
    return lambda room: room.project.environ.update(values)


def model(reply: Any, **values: str) -> Callable[[Newsroom], object]:
    def make(room: Newsroom) -> None:
        room.project.environ |= values
        room.model.refuse = lambda _request: reply

    return make


def feed(body: bytes = b"", **answer: Any) -> Callable[[Newsroom], object]:
    return lambda room: room.feeds.add("/news.xml", body, **answer)


def blocked_key(room: Newsroom) -> None:
    room.model.refuse = lambda _request: error(401, "no such key")
    room.model.listing = error(401, "no such key")


def unpriced(room: Newsroom) -> None:
    del room.project.environ["COPYDESK_PRICE"]
    room.set(CAP_DAY="1")


def robots(status: int, body: bytes = b"") -> Callable[[Newsroom], object]:
    def make(room: Newsroom) -> None:
        limits = {"full_text": "always", "min_chars": 400, "page_delay": 0}
        room.project.subscribe({"news": room.feeds.url("/news.xml")}, **limits)
        items = ports_feed(3, room.feeds.url(""))
        room.feeds.add("/news.xml", items, content_type="application/rss+xml")
        room.feeds.add("/robots.txt", body, status=status, content_type="text/plain")

    return make


def in_the_way(name: str, content: bytes = b"in the way") -> Callable[[Newsroom], object]:
    def make(room: Newsroom) -> None:
        path = room.project.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)

    return make


def target(room: Newsroom) -> None:
    path = room.project.folder / "feeds.yaml"
    content = yaml.safe_load(path.read_text())
    content["publish"] = {"site": {"kind": "folder", "path": "no/such/place"}}
    path.write_text(yaml.safe_dump(content, sort_keys=False))


def alert(room: Newsroom) -> None:
    room.set(ALERT_URL=f"{NOWHERE}/a-secret", CAP_DAY="0.001")
    room.set(ALLOW_HOSTS=f"{room.project.environ['COPYDESK_ALLOW_HOSTS']},127.0.0.1:9")


LOST = "postgresql://ada:a-secret@127.0.0.1:9/lost"
OTHER_MODEL = error(404, "The model `other` does not exist", code="model_not_found")
WAYS = [
    Way("key", blocked_key, 4, r"check OPENAI_API_KEY .*3 items stay queued", "model"),
    Way("model", model(OTHER_MODEL, COPYDESK_MODEL="other"), 4, "'other': check COPYDESK_MODEL", "model"),
    Way("no server", variables(OPENAI_BASE_URL=f"{NOWHERE}/v1", COPYDESK_MODEL_DEADLINE="1"), 4,
        "check OPENAI_BASE_URL", "model"),
    Way("no URL", variables(OPENAI_BASE_URL="model.example"), 2, r"OPENAI_BASE_URL .* is not an", "settings"),
    Way("cap", variables(COPYDESK_CAP_DAY="0.001"), 9, r"resets at .* COPYDESK_CAP_DAY sets it", "caps"),
    Way("cap of words", variables(COPYDESK_CAP_DAY="much"), 2, "COPYDESK_CAP_DAY 'much'", "settings"),
    Way("price", unpriced, 2, "price of 'fake-1' is not known: set COPYDESK_PRICE", "model"),
    Way("price of words", variables(COPYDESK_PRICE="much"), 2, "COPYDESK_PRICE 'much'", "settings"),
    Way("feed 401", feed(status=401), 8, r"needs a login \(401\); write `access` in feeds.yaml", "feed news"),
    Way("feed 404", feed(status=404), 8, r"is not there \(404\); correct its url in feeds.yaml", "feed news"),
    Way("feed 410", feed(status=410), 8, r"gone for good \(410\); remove it from feeds.yaml", "feed news"),
    Way("feed 500", feed(status=500), 8, r"server error \(500\); the next run tries again", "feed news"),
    Way("feed HTML", feed(b"<html></html>", content_type="text/html"), 8, "is a web page, not a feed; put ",
        "feed news"),
    Way("no network", lambda room: room.project.subscribe({"news": "http://no-such-host.invalid/feed"}), 8,
        "no such host, or no network", "feed news"),
    Way("robots.txt forbids", robots(200, b"User-agent: *\nDisallow: /"), 0, r"3 skipped: .*\(robots.txt\)"),
    Way("robots.txt fails", robots(500), 0, "3 items wait: robots.txt of 127.0.0.1 cannot be read just now"),
    Way("output", in_the_way("output"), 5, "output", "output"),
    Way("database", in_the_way(".copydesk/ledger.db", b"garbage" * 900), 3, "put back a backup", "database"),
    Way("lost database", variables(COPYDESK_DATABASE_URL=LOST), 3, "COPYDESK_DATABASE_URL is", "database"),
    Way("target", target, 0, "3 rewritten by fake-1", "target site"),
    Way("alert", alert, 9, "no alert could be sent: .*; check COPYDESK_ALERT_URL", "caps"),
    Way("feeds.yaml", in_the_way("feeds.yaml", b"feeds: 1\n"), 2, "feeds.yaml", "feeds.yaml"),
]  # fmt: skip


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Newsroom]:
    with newsroom(tmp_path) as made:
        yield made


@pytest.mark.parametrize("way", WAYS, ids=[way.name for way in WAYS])
def test_a_mistake_is_one_line_an_exit_code_and_an_error_of_doctor(room: Newsroom, way: Way) -> None:
    way.make(room)
    done = call_copydesk(room.project, "run")
    output = done.stdout + done.stderr
    assert done.returncode == way.code, output
    assert len([line for line in output.splitlines() if re.search(way.message, line)]) == 1, output
    assert "a-secret" not in output
    assert "Traceback" not in output
    checked = call_copydesk(room.project, "doctor", "--json")
    failed = [check["what"] for check in json.loads(checked.stdout) if not check["ok"]]
    assert failed == ([way.check] if way.check else []), checked.stdout
    assert checked.returncode == bool(way.check)


def test_a_socks_proxy_is_named(room: Newsroom) -> None:
    room.project.environ["ALL_PROXY"] = "socks5://127.0.0.1:1"
    for command in ("run", "doctor"):
        done = call_copydesk(room.project, command)
        assert done.returncode == 2
        assert "take ALL_PROXY out of the environment" in done.stderr
        assert len(done.stderr.splitlines()) == 1


def test_an_alert_that_does_not_arrive_is_an_error_of_a_tested_installation(room: Newsroom) -> None:
    room.set(ALERT_URL=f"{NOWHERE}/a-secret")
    room.set(ALLOW_HOSTS=f"{room.project.environ['COPYDESK_ALLOW_HOSTS']},127.0.0.1:9")
    done = call_copydesk(room.project, "doctor", "--test-alert")
    assert done.returncode == 1
    [line] = [line for line in done.stdout.splitlines() if line.startswith("error")]
    assert "alerts: the test did not arrive:" in line
    assert line.endswith("check COPYDESK_ALERT_URL")
    room.set(ALERT_URL=room.feeds.url("/hook"))
    room.feeds.add("/hook")
    sent = call_copydesk(room.project, "doctor", "--test-alert")
    assert "alerts: a test was sent to COPYDESK_ALERT_URL, and taken" in sent.stdout


def test_a_port_that_is_taken_is_named(room: Newsroom) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        done = call_copydesk(room.project, "desk", "--port", str(other.getsockname()[1]))
    assert done.returncode == 2
    assert "choose another one with --port" in done.stderr


@contextlib.contextmanager
def read_only(folder: Path) -> Iterator[None]:
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o500)
    try:
        yield
    finally:
        folder.chmod(0o700)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_output_folder_is_named(room: Newsroom) -> None:
    with read_only(room.project.folder / "output"):
        done = call_copydesk(room.project, "run")
        assert done.returncode == 5
        assert "error output: " in call_copydesk(room.project, "doctor").stdout
