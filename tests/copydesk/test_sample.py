"""The sample beat: content of the bundled feeds and their server."""

import http.client
import json
import re
import socket
import struct
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import feedparser
import pytest

from copydesk.sample.server import MODIFIED, TYPES, SampleServer, read_feed, write_subscriptions
from pipeline.config import load_feeds
from pipeline.domain.errors import FeedError
from pipeline.domain.models import Item
from pipeline.feeds.parsing.parse import parse_feed

NOW = datetime(2026, 11, 1, tzinfo=UTC)
SOUND = ["harbour-ledger.xml", "meridian-wire.xml", "openchain-daily.json"]
NORTHWIND = "https://harbour-ledger.example/2026/02/northwind-mining-cuts-jobs"


def items_of(name: str) -> tuple[Item, ...]:
    return parse_feed(read_feed(name), TYPES[name], f"http://127.0.0.1/{name}", NOW).items


def every_item() -> list[Item]:
    return [item for name in SOUND for item in items_of(name)]


@pytest.mark.parametrize(
    ("name", "version"), [("harbour-ledger.xml", "rss20"), ("meridian-wire.xml", "atom10")]
)
def test_the_xml_feeds_are_well_formed(name: str, version: str) -> None:
    feed = feedparser.parse(read_feed(name))
    assert (bool(feed.bozo), feed.version, len(feed.entries)) == (False, version, 5)


def test_the_json_feed_holds_what_its_format_requires() -> None:
    feed: dict[str, Any] = json.loads(read_feed("openchain-daily.json"))
    assert feed["version"] == "https://jsonfeed.org/version/1.1"
    assert feed["title"]
    assert len({item["id"] for item in feed["items"]}) == len(feed["items"]) == 4
    assert all(item["content_html"] for item in feed["items"])


@pytest.mark.parametrize("name", SOUND)
def test_the_parser_has_no_notes_on_them(name: str) -> None:
    parsed = parse_feed(read_feed(name), TYPES[name], f"http://127.0.0.1/{name}", NOW)
    assert parsed.notes == ()
    for item in parsed.items:
        assert item.dated
        assert item.title
        assert item.link
        assert re.match(r"https://[a-z-]+\.example/", item.link), "no address that could be somebody's"


def test_at_least_a_dozen_items_are_news_of_full_length() -> None:
    originals = {item.canonical: item for item in reversed(every_item())}
    assert len(originals) == 13
    lengths = sorted(len(item.text.split()) for item in originals.values())
    assert lengths[0] < 60, "one item is two sentences"
    assert all(150 <= length <= 350 for length in lengths[1:]), lengths


def test_two_feeds_carry_the_same_story_under_different_links() -> None:
    twins = [item for item in every_item() if item.canonical == NORTHWIND]
    assert len(twins) == 2
    assert len({item.link for item in twins}) == 2
    assert len({item.guid for item in twins}) == 2


def test_one_item_was_updated_after_it_was_published() -> None:
    updated = [item for item in every_item() if item.updated_at and item.updated_at > item.published_at]
    assert [item.title.split()[0] for item in updated] == ["Tidewater"]


def test_there_are_images_and_names_beyond_ascii() -> None:
    items = every_item()
    assert any(item.image == "https://harbour-ledger.example/images/northwind-hall.jpg" for item in items)
    assert any(item.author and not item.author.isascii() for item in items)
    assert any("Håkon Lindqvist" in item.text for item in items)


def test_the_broken_feed_is_a_named_error() -> None:
    with pytest.raises(FeedError) as caught:
        items_of("broken.xml")
    assert caught.value.kind == "html"


class Client:
    """Asks one server, byte for byte: nothing tidies the path away."""

    def __init__(self, port: int) -> None:
        self._port = port

    def get(self, path: str, headers: dict[str, str] | None = None) -> tuple[int, dict[str, str], bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=10)
        try:
            connection.request("GET", path, headers=headers or {})
            answer = connection.getresponse()
            return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
        finally:
            connection.close()


@pytest.mark.parametrize("name", TYPES)
def test_a_feed_is_served_whole_with_its_type_and_validators(name: str) -> None:
    with SampleServer(0) as server:
        status, headers, body = Client(server.port).get(f"/{name}")
    assert (status, body) == (200, read_feed(name))
    assert headers["content-type"] == TYPES[name]
    assert headers["content-length"] == str(len(body))
    assert re.fullmatch(r'"[0-9a-f]+"', headers["etag"]), "a strong validator"
    assert headers["last-modified"] == MODIFIED


def test_an_unchanged_feed_is_not_sent_again() -> None:
    with SampleServer(0) as server:
        client = Client(server.port)
        etag = client.get("/meridian-wire.xml")[1]["etag"]
        for validators in ({"If-None-Match": etag}, {"If-Modified-Since": MODIFIED}):
            status, headers, body = client.get("/meridian-wire.xml", validators)
            assert (status, body, headers["etag"]) == (304, b"", etag)
            assert "content-length" not in headers


def test_an_etag_counts_for_its_own_feed_and_more_than_a_date() -> None:
    with SampleServer(0) as server:
        client = Client(server.port)
        other = client.get("/harbour-ledger.xml")[1]["etag"]
        validators = {"If-None-Match": other, "If-Modified-Since": MODIFIED}
        assert client.get("/meridian-wire.xml", validators)[0] == 200


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/nothing.xml",
        "/../server.py",
        "/feeds/../../server.py",
        "/..%2fserver.py",
        "//etc/passwd",
        "/%2e%2e/feeds.yaml",
        "/harbour-ledger.xml/",
        "/harbour-ledger.xml%00",
    ],
)
def test_nothing_but_the_feeds_is_served(path: str) -> None:
    with SampleServer(0) as server:
        status, _, body = Client(server.port).get(path)
    assert (status, body) == (404, b"")


def test_another_port_is_used_if_the_port_is_taken() -> None:
    with SampleServer(0) as first, SampleServer(first.port) as second:
        assert second.port != first.port
        assert Client(first.port).get("/broken.xml")[0] == 200
        assert Client(second.port).get("/broken.xml")[0] == 200


def test_the_port_is_free_once_the_server_is_left() -> None:
    with SampleServer(0) as server:
        port = server.port
    with pytest.raises(ConnectionRefusedError):
        Client(port).get("/broken.xml")


def test_the_server_prints_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    with SampleServer(0) as server:
        hang_up_on(server.port)
        Client(server.port).get("/broken.xml")
        Client(server.port).get("/nothing")
    assert capfd.readouterr() == ("", "")


def hang_up_on(port: int) -> None:
    """Connect and break off, in the way that makes the other side's reading fail."""
    caller = socket.create_connection(("127.0.0.1", port))
    caller.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    caller.close()


def test_the_subscriptions_name_the_port_and_every_feed(tmp_path: Path) -> None:
    path = write_subscriptions(tmp_path, 9123)
    feeds = load_feeds(path).feeds
    assert sorted(feed.url for feed in feeds) == sorted(f"http://127.0.0.1:9123/{name}" for name in TYPES)
    assert {feed.max_age_days for feed in feeds} == {None}, "the sample does not grow old"
    assert [left.name for left in tmp_path.iterdir()] == ["feeds.yaml"]


def test_the_subscriptions_follow_a_port_that_changes(tmp_path: Path) -> None:
    write_subscriptions(tmp_path, 9123)
    path = write_subscriptions(tmp_path, 9124)
    assert ":9123" not in path.read_text(encoding="utf-8")
    assert {feed.url.split("/")[2] for feed in load_feeds(path).feeds} == {"127.0.0.1:9124"}
