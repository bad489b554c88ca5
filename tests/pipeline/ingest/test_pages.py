"""Pages are fetched where their publisher lets us, one at a time a host."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from pipeline.errors import FeedError
from pipeline.ingest.pages import Pages, choose, wants_page
from pipeline.ingest.robots import Rules, reserved
from pipeline.models import FeedConfig, Item
from pipeline.net import Net
from tests.fakes.feed_server import FeedServer
from tests.pipeline.ingest.test_extract import ARTICLE, TEXT

PAGE = f"<html><body><article>{ARTICLE}</article></body></html>".encode()


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[FeedServer]:
    monkeypatch.setenv("NO_PROXY", "*")
    with FeedServer() as running:
        yield running


@pytest.fixture
async def pages(server: FeedServer) -> AsyncIterator[Pages]:
    async with Net("test", timeout_s=5, allowed=server.hosts) as net:
        yield Pages(net, pause_s=0)


async def kind(pages: Pages, url: str) -> str:
    with pytest.raises(FeedError) as caught:
        await pages.page(url)
    return caught.value.kind


async def test_a_page_is_read_after_its_robots_txt(pages: Pages, server: FeedServer) -> None:
    url = server.add("/story", PAGE, content_type="text/html")
    assert TEXT in (await pages.page(url)).text
    await pages.page(url)
    assert [seen.path for seen in server.seen] == ["/robots.txt", "/story", "/story"]


async def test_a_closed_page_is_not_fetched(pages: Pages, server: FeedServer) -> None:
    server.add("/robots.txt", b"User-agent: *\nDisallow: /private\n")
    assert await kind(pages, server.add("/private/story", PAGE, content_type="text/html")) == "robots"
    assert server.requests_of("/private/story") == 0


async def test_a_robots_txt_that_cannot_be_had_closes_the_host_for_now(
    pages: Pages, server: FeedServer
) -> None:
    server.add("/robots.txt", status=503)
    assert await kind(pages, server.add("/story", PAGE)) == "server"
    assert server.requests_of("/story") == 0


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (401, "refused"),
        (403, "refused"),
        (404, "not-found"),
        (410, "gone"),
        (429, "rate-limited"),
        (500, "server"),
    ],
)
async def test_a_refusal_is_named(pages: Pages, server: FeedServer, status: int, expected: str) -> None:
    assert await kind(pages, server.add("/story", b"", status=status)) == expected


@pytest.mark.parametrize("header", [{"TDM-Reservation": "1"}, {"X-Robots-Tag": "index, noai"}])
async def test_what_a_publisher_reserves_is_left_alone(
    pages: Pages, server: FeedServer, header: dict[str, str]
) -> None:
    url = server.add("/story", PAGE, content_type="text/html", headers=header)
    assert await kind(pages, url) == "reserved"


async def test_a_host_is_asked_for_one_page_at_a_time(pages: Pages, server: FeedServer) -> None:
    urls = [server.add(f"/{n}", PAGE, content_type="text/html", delay_s=0.02) for n in range(5)]
    await asyncio.gather(*(pages.page(url) for url in urls))
    assert server.most_at_once == 1


def test_a_directive_for_another_robot_is_none_for_us() -> None:
    assert reserved({"x-robots-tag": "otherbot: noai"}) is None
    assert reserved({"x-robots-tag": "copydesk: noai"}) is not None
    assert reserved({"x-robots-tag": "noindex, max-image-preview: large"}) is None


def test_rules_by_status() -> None:
    assert Rules(404).allows("https://a.example/x")
    assert not Rules(500).allows("https://a.example/x")
    assert not Rules(None).allows("https://a.example/x")
    assert Rules(200, b"User-agent: Copydesk\nCrawl-delay: 900\n").delay_s() == 30


def item(text: str, **changes: Any) -> Item:
    values = {"guid": "g", "link": "https://a.example/x", "published_at": datetime(2026, 3, 1, tzinfo=UTC)}
    return Item(**{**values, "title": "Basin closes", "text": text, **changes})


def feed(**changes: Any) -> FeedConfig:
    values = {"key": "f", "name": "F", "url": "https://a.example/rss", "beat": "b", "category": "N"}
    return FeedConfig(**values | changes)


def test_a_page_is_wanted_where_the_feed_will_not_do() -> None:
    assert wants_page(item("The port closes."), feed())
    assert not wants_page(item(TEXT * 2), feed())
    assert wants_page(item(TEXT * 2), feed(full_text="always"))
    assert not wants_page(item("The port closes."), feed(full_text="never"))
    assert wants_page(item(TEXT * 2), feed(use="link"))
    assert wants_page(item(TEXT * 2, summary="The port closes."), feed(use="summary"))
    assert not wants_page(item("The port closes.", link=None), feed())


async def test_the_longer_text_is_taken(pages: Pages, server: FeedServer) -> None:
    page = await pages.page(server.add("/story", PAGE, content_type="text/html"))
    assert choose(item("The port closes."), page, feed()).text == page.text
    longer = TEXT * 9
    assert choose(item(longer), page, feed()).text == longer
    assert choose(item(longer), page, feed(use="link")).text == page.text
    assert choose(item(longer, summary="Short."), None, feed(use="summary")).text == "Short."
