"""Polite fetching of pages: robots.txt, crawl delay, redirects, errors."""

import asyncio
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import pytest

from pipeline.domain.errors import FeedError
from pipeline.domain.models import FeedConfig, Item
from pipeline.feeds.pages.extract import Page
from pipeline.feeds.pages.fetch import PageFetcher, merge_page_text, needs_page, source_gap
from pipeline.http_client import HttpClient
from tests.fakes.feed_server import FeedServer
from tests.pipeline.feeds.webpages import PARAGRAPHS, news

TEXT = PARAGRAPHS[0]
PAGE = news().encode()


class FakeTime:
    """A clock that only sleeping moves on."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []

    def clock(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


@pytest.fixture
def time() -> FakeTime:
    return FakeTime()


@pytest.fixture
def pages(net: HttpClient, time: FakeTime) -> PageFetcher:
    return PageFetcher(net, clock=time.clock, sleep=time.sleep)


async def kind(pages: PageFetcher, url: str) -> str:
    with pytest.raises(FeedError) as caught:
        await pages.page(url, feed="one")
    return caught.value.kind


async def test_a_page_is_read_after_its_robots_txt(pages: PageFetcher, server: FeedServer) -> None:
    url = server.add("/story", PAGE, content_type="text/html")
    assert TEXT in (await pages.page(url, feed="one")).text
    await pages.page(url, feed="one")
    paths = [request.path for request in server.seen]
    assert paths == ["/robots.txt", "/.well-known/tdmrep.json", "/story", "/story"]


async def test_a_closed_page_is_not_fetched(pages: PageFetcher, server: FeedServer) -> None:
    server.add("/robots.txt", b"User-agent: *\nDisallow: /private\n")
    assert await kind(pages, server.add("/private/story", PAGE, content_type="text/html")) == "robots"
    assert server.requests_of("/private/story") == 0


async def test_a_robots_txt_that_cannot_be_had_closes_the_host_for_now(
    pages: PageFetcher, server: FeedServer
) -> None:
    server.add("/robots.txt", status=503)
    assert await kind(pages, server.add("/story", PAGE)) == "server"
    assert server.requests_of("/story") == 0


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (401, "refused"),
        (202, "challenge"),
        (402, "refused"),
        (403, "refused"),
        (404, "not-found"),
        (410, "gone"),
        (429, "rate-limited"),
        (500, "server"),
    ],
)
async def test_a_refusal_is_named(pages: PageFetcher, server: FeedServer, status: int, expected: str) -> None:
    assert await kind(pages, server.add("/story", b"", status=status)) == expected


async def reserved_by(pages: PageFetcher, url: str) -> str:
    with pytest.raises(FeedError) as caught:
        await pages.page(url, feed="one")
    assert caught.value.kind == "reserved"
    return caught.value.message.partition("reserved by its publisher: ")[2]


@pytest.mark.parametrize(
    ("header", "what"),
    [
        ({"TDM-Reservation": "1"}, "tdm-reservation: 1 in its HTTP headers"),
        ({"X-Robots-Tag": "index, noai"}, "X-Robots-Tag: noai in its HTTP headers"),
        ({"Content-Usage": "train-ai=n, ai-input=n"}, "Content-Usage: ai-input=n in its HTTP headers"),
    ],
)
async def test_a_reserved_page_is_refused(
    pages: PageFetcher, server: FeedServer, header: dict[str, str], what: str
) -> None:
    assert (
        await reserved_by(pages, server.add("/story", PAGE, content_type="text/html", headers=header)) == what
    )
    empty = server.add("/empty", b"<html></html>", content_type="text/html", headers=header)
    assert await reserved_by(pages, empty) == what, "also where no article is found"


async def test_a_site_reserves_its_pages(pages: PageFetcher, server: FeedServer) -> None:
    server.add("/robots.txt", b"User-agent: *\nContent-Signal: /signal ai-input=no\n")
    rules = b'[{"location": "/tdm", "tdm-reservation": 1}]'
    server.add("/.well-known/tdmrep.json", rules, content_type="application/json")
    signal, tdm, free, lifted = (
        server.add(path, PAGE, content_type="text/html", headers=headers)
        for path, headers in (
            ("/signal", {}),
            ("/tdm", {}),
            ("/free", {}),
            ("/tdm/free", {"TDM-Reservation": "0"}),
        )
    )
    assert await reserved_by(pages, signal) == "Content-Signal: ai-input=no in robots.txt"
    assert server.requests_of("/signal") == 0
    assert await reserved_by(pages, tdm) == "tdm-reservation: 1 in its site's tdmrep.json"
    assert TEXT in (await pages.page(free, feed="one")).text
    assert TEXT in (await pages.page(lifted, feed="one")).text
    assert server.requests_of("/.well-known/tdmrep.json") == 1


async def test_the_licence_of_a_site_is_read_once(pages: PageFetcher, server: FeedServer) -> None:
    use = b"<license><prohibits type='usage'>ai-all</prohibits></license>"
    licence = b"<rsl xmlns='https://rslstandard.org/rsl'><content url='/paid/'>%s</content></rsl>" % use
    address = server.add("/license.xml", licence)
    server.add("/robots.txt", b"License: %s\n" % address.encode())
    paid, free = (server.add(path, PAGE, content_type="text/html") for path in ("/paid/story", "/free"))
    assert await reserved_by(pages, paid) == f"the RSL licence prohibits ai-all in {address}"
    assert TEXT in (await pages.page(free, feed="one")).text
    assert server.requests_of("/license.xml") == 1


async def test_a_host_gets_one_request_at_a_time(pages: PageFetcher, server: FeedServer) -> None:
    urls = [server.add(f"/{n}", PAGE, content_type="text/html", delay_s=0.02) for n in range(5)]
    await asyncio.gather(*(pages.page(url, feed="one") for url in urls))
    assert server.most_at_once == 1


@pytest.mark.parametrize(
    ("robots", "pause"),
    [
        (b"", 1),
        (b"User-agent: *\nCrawl-delay: 7\n", 7),
        (b"User-agent: *\nCrawl-delay: 0.25\n", 1),
        (b"User-agent: *\nCrawl-delay: 86400\n", 30),
    ],
)
async def test_a_host_has_a_pause_between_two_pages(
    pages: PageFetcher, server: FeedServer, time: FakeTime, robots: bytes, pause: float
) -> None:
    server.add("/robots.txt", robots)
    url = server.add("/story", PAGE, content_type="text/html")
    moments = [time.now]
    for _ in range(3):
        await pages.page(url, feed="one")
        moments.append(time.now)
    assert [later - earlier for earlier, later in pairwise(moments)] == [0, pause, pause]


async def test_a_page_that_failed_counts_for_the_pause(
    pages: PageFetcher, server: FeedServer, time: FakeTime
) -> None:
    await kind(pages, server.add("/wall", b"", status=403))
    await kind(pages, server.add("/cut", PAGE, cut_at=9))
    await kind(pages, server.url("/gone"))
    assert time.slept == [1, 1]


async def test_a_redirect_may_not_lead_where_robots_may_not_go(
    pages: PageFetcher, server: FeedServer
) -> None:
    server.add("/robots.txt", b"User-agent: *\nDisallow: /private\n")
    server.add("/private/story", PAGE, content_type="text/html")
    assert await kind(pages, redirected(server, "/private/story")) == "robots"
    server.add("/open/story", PAGE, content_type="text/html")
    assert TEXT in (await pages.page(redirected(server, "/open/story"), feed="one")).text


async def test_a_redirect_to_the_front_page_is_not_found(pages: PageFetcher, server: FeedServer) -> None:
    front = server.add("/", PAGE, content_type="text/html")
    assert await kind(pages, redirected(server, "/")) == "not-found"
    assert TEXT in (await pages.page(front, feed="one")).text, "a front page that was asked for is a page"


def redirected(server: FeedServer, target: str) -> str:
    return server.add("/moved", status=302, headers={"Location": target})


async def test_a_challenge_header_is_recognised(pages: PageFetcher, server: FeedServer) -> None:
    url = server.add("/story", b"", status=403, headers={"CF-Mitigated": "challenge"})
    assert await kind(pages, url) == "challenge"


async def test_other_files_than_pages_are_not_read(pages: PageFetcher, server: FeedServer) -> None:
    assert await kind(pages, server.add("/a", b"%PDF-1.7 ...", content_type="application/pdf")) == "not-html"


async def test_an_address_that_is_none_is_named(pages: PageFetcher) -> None:
    assert await kind(pages, "http://[oops/story") == "url"


async def test_the_callers_extractor_is_used(net: HttpClient, server: FeedServer) -> None:
    calls: list[tuple[bytes, str | None, str, str | None]] = []

    async def record(body: bytes, content_type: str | None, url: str, selector: str | None) -> Page:
        calls.append((body, content_type, url, selector))
        return Page(text="x")

    url = server.add("/story", PAGE, content_type="text/html; charset=utf-8")
    assert (await PageFetcher(net, record).page(url, "main", feed="one")).text == "x"
    assert calls == [(PAGE, "text/html; charset=utf-8", url, "main")]


def item(text: str, **changes: Any) -> Item:
    values = {"guid": "g", "link": "https://a.example/x", "published_at": datetime(2026, 3, 1, tzinfo=UTC)}
    return Item(**{**values, "title": "Basin closes", "text": text, **changes})


def feed(**changes: Any) -> FeedConfig:
    values = {"key": "f", "name": "F", "url": "https://a.example/rss", "beat": "b", "category": "N"}
    return FeedConfig(**values | changes)


def test_a_page_is_needed_where_the_feed_text_is_incomplete() -> None:
    assert needs_page(item("The port closes."), feed())
    assert not needs_page(item(TEXT * 2), feed())
    assert needs_page(item(TEXT * 2), feed(full_text="always"))
    assert not needs_page(item("The port closes."), feed(full_text="never"))
    assert needs_page(item(TEXT * 2), feed(use="link"))
    assert needs_page(item(TEXT * 2, summary="The port closes."), feed(use="summary"))
    assert not needs_page(item("The port closes.", link=None), feed())


def test_a_clip_beside_an_article_is_no_reason_not_to_fetch_its_page() -> None:
    assert needs_page(item("The port closes.", media="video"), feed())
    assert not needs_page(item(TEXT * 2, media="audio"), feed())


def test_an_excerpt_by_the_feed_needs_its_page_and_a_cut_one_is_not_drafted_without() -> None:
    teaser, cut = (item(TEXT * 2, excerpt=excerpt) for excerpt in ("teaser", "cut"))
    assert needs_page(teaser, feed())
    assert needs_page(cut, feed())
    assert not needs_page(cut, feed(full_text="never"))
    assert not needs_page(teaser.model_copy(update={"summary": TEXT * 2}), feed(use="summary"))
    assert source_gap(teaser, feed()) is None
    assert "as other texts of its feed" in (source_gap(cut, feed()) or "")
    assert "as other texts of its feed" in (source_gap(merge_page_text(cut, None, feed()), feed()) or "")
    longer = Page(text=TEXT * 3)
    assert source_gap(merge_page_text(cut, longer, feed()), feed()) is None


async def test_the_longer_text_is_taken(pages: PageFetcher, server: FeedServer) -> None:
    page = await pages.page(server.add("/story", PAGE, content_type="text/html"), feed="one")
    assert merge_page_text(item("The port closes."), page, feed()).text == page.text
    longer = TEXT * 9
    assert merge_page_text(item(longer), page, feed()).text == longer
    assert merge_page_text(item(longer), page, feed(use="link")).text == page.text
    assert merge_page_text(item(longer, summary="Short."), None, feed(use="summary")).text == "Short."


def test_a_cut_page_text_does_not_replace_a_complete_one() -> None:
    excerpt = Page(text=f"{TEXT} {TEXT} The ferry company expects […]")
    assert merge_page_text(item(TEXT), excerpt, feed(full_text="always", min_chars=100)).text == TEXT
    cut = f"{TEXT} The ferry […]"
    assert merge_page_text(item(cut), excerpt, feed()).text == excerpt.text, (
        "the longer one of two that are cut"
    )


def test_trailers_do_not_count_for_the_length() -> None:
    feed_text = f"{TEXT}\n\nThe post {'Basin closes ' * 20} appeared first on Varnhem Courier."
    page = Page(text=f"{TEXT} About 40 boats have to move.")
    assert merge_page_text(item(feed_text), page, feed(min_chars=100)).text == page.text


def test_a_page_fills_in_what_the_feed_left_out() -> None:
    page = Page(text=TEXT, title="Page", author="Ines Falk", image="https://a.example/q.jpg")
    filled = merge_page_text(item("", title=""), page, feed())
    assert (filled.title, filled.author, filled.image) == (page.title, page.author, page.image)
    own = {"title": "Feed", "author": "Olav Brandt", "image": "https://a.example/own.jpg"}
    merged = merge_page_text(item("", **own), page, feed())
    assert {name: getattr(merged, name) for name in own} == own


async def test_a_host_that_asks_to_be_left_alone_is_left_alone(
    pages: PageFetcher, server: FeedServer, time: FakeTime
) -> None:
    first = server.add("/1", status=503, headers={"Retry-After": "60"})
    second = server.add("/2", PAGE, content_type="text/html")
    assert await kind(pages, first) == "server"
    assert await kind(pages, second) == "resting"
    assert server.requests_of("/2") == 0
    time.now += 61
    assert TEXT in (await pages.page(second, feed="one")).text


async def test_a_licence_may_be_named_by_its_path(pages: PageFetcher, server: FeedServer) -> None:
    rsl = b"<rsl xmlns='https://rslstandard.org/rsl'><content url='/'><license><prohibits type='usage'>ai-all"
    server.add("/terms/l.xml", rsl + b"</prohibits></license></content></rsl>")
    server.add("/robots.txt", b"License: /terms/l.xml")
    assert await kind(pages, server.add("/story", PAGE, content_type="text/html")) == "reserved"
