"""What `copydesk feeds check` finds in one feed."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from copydesk.feeds import unsubscribed
from copydesk.feeds_check import Answer, check_feed, kind_of, language_advice, warnings
from copydesk.forecast import ask_pages, forecast, item_outcomes
from pipeline.domain.errors import ConfigError
from pipeline.domain.models import FeedConfig, Item
from pipeline.feeds.fetch import FetchedFeed
from pipeline.feeds.pages.fetch import PageFetcher
from pipeline.http_client import HttpClient
from pipeline.http_client.headers import CacheHints
from tests.fakes.feed_server import FeedServer
from tests.pipeline.feeds.webpages import news
from tests.pipeline.services.desk import parse_here

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
TEXT = "Miners sold coins to pay for power. " * 20


def feed(**changes: Any) -> FeedConfig:
    base = {"key": "wire", "name": "Wire", "url": "https://w.example/f", "beat": "crypto", "category": "BTC"}
    return FeedConfig.model_validate(base | {"page_delay": 0} | changes)


def item(guid: str = "1", **changes: Any) -> Item:
    base: dict[str, Any] = {"guid": guid, "title": f"Story {guid}", "text": TEXT, "published_at": NOW}
    base |= {"link": f"https://w.example/{guid}", "image": "https://w.example/i.png"}
    return Item.model_validate(base | changes)


def fetched(body: bytes = b"<rss/>", **changes: Any) -> FetchedFeed:
    base: dict[str, Any] = {
        "body": body,
        "body_hash": "",
        "content_type": None,
        "url": "https://w.example/f",
    }
    return FetchedFeed.model_validate(base | {"hints": CacheHints()} | changes)


RSS = b"""<rss version="2.0"><channel><title>The Wire</title>
<item><guid>1</guid><link>https://w.example/1</link><title>Miners sell</title><description>%s</description>
<pubDate>Sun, 01 Mar 2026 10:00:00 GMT</pubDate></item></channel></rss>""" % TEXT.encode()


async def test_a_feed_is_fetched_and_parsed() -> None:
    with FeedServer() as server:
        cached = {"Cache-Control": "max-age=1800"}
        url = server.add("/feed", RSS, content_type="application/rss+xml", headers=cached, etag='"1"')
        old = server.add("/old", status=301, headers={"Location": "/feed"})
        async with HttpClient("test", allowed=server.hosts) as net:
            result = await check_feed(net, parse_here, feed(url=old), NOW, PageFetcher(net))
    assert result.ok
    assert (result.title, result.kind, result.asked) == ("The Wire", "RSS 2.0", old)
    assert [(row.title, row.fate) for row in result.rows] == [("Miners sell", "drafted")]
    assert result.answer == Answer(
        url=url,
        moved=True,
        content_type="application/rss+xml",
        size=len(RSS),
        etag='"1"',
        fresh_s=1800,
        again_s=1800,
    )
    assert result.odd[0] == f"moved permanently: change its url in feeds.yaml to {url}"


async def test_a_missing_feed_and_an_unreadable_feed_differ() -> None:
    with FeedServer() as server:
        wrong = server.add("/page", b"<html><body>Welcome</body></html>", content_type="text/html")
        async with HttpClient("test", allowed=server.hosts) as net:
            missing = await check_feed(net, parse_here, feed(url=server.url("/none")), NOW, PageFetcher(net))
            html = await check_feed(net, parse_here, feed(url=wrong), NOW, PageFetcher(net))
    assert (missing.ok, missing.answer) == (False, None)
    assert "404" in (missing.error or "")
    assert not html.ok
    assert html.answer is not None
    assert html.answer.content_type == "text/html"


def test_each_item_has_an_outcome_in_the_feeds_order() -> None:
    items = [
        item("1", published_at=NOW - timedelta(days=2)),
        item("2", published_at=NOW - timedelta(days=9)),
        item("3", text="Too little."),
        item("4", text="Too little.", link=None),
        item("5", canonical="https://w.example/5"),
        item("6", canonical="https://w.example/5"),
        item("7", title="Casino"),
    ]
    rows = item_outcomes(feed(max_items=2, exclude=["casino"]), items, NOW)
    assert [row.fate for row in rows] == [
        "waits",
        "skipped",
        "page",
        "skipped",
        "drafted",
        "merged",
        "skipped",
    ]
    assert rows[0].why == "more than 2 items in one run"
    assert rows[1].why == "too old: published 2026-02-20, more than 7 days ago"
    assert "11" in rows[3].why, "the figure is said"
    assert rows[6].why == "excluded word: casino"


async def test_items_that_a_first_run_skips_leave_their_places_to_the_next() -> None:
    with FeedServer() as server:
        paths = [f"/{number}" for number in range(12)]
        items = [
            item(
                path,
                text="Too little.",
                link=server.add(path, status=404),
                published_at=NOW - timedelta(hours=n),
            )
            for n, path in enumerate(paths)
        ]
        whole = [
            item("a", published_at=NOW - timedelta(days=1)),
            item("b", published_at=NOW - timedelta(days=2)),
        ]
        async with HttpClient("test", allowed=server.hosts) as net:
            pages = PageFetcher(net)
            for refused, waiting in ((2, 1), (11, 2)):  # within and beyond the pages of a run
                some = [*items[:refused], *whole]
                rows = item_outcomes(feed(max_items=1), some, NOW)
                rows = await ask_pages(pages, feed(max_items=1), some, rows)
                assert sum(row.fate == "waits" for row in rows) == waiting
                assert forecast(rows).endswith("a page that is not there (404)")


def test_the_full_text_settings_decide_about_the_page() -> None:
    assert [row.fate for row in item_outcomes(feed(full_text="always"), [item()], NOW)] == ["page"]
    [thin] = item_outcomes(feed(full_text="never"), [item(text="Too little.")], NOW)
    assert thin.fate == "skipped"


def test_a_day_has_its_own_limit() -> None:
    rows = list(item_outcomes(feed(max_items_per_day=1), [item("1"), item("2")], NOW))
    assert sorted(row.fate for row in rows) == ["drafted", "waits"]


@pytest.mark.parametrize(
    ("items", "message"),
    [
        ([item("1", dated=False), item("2")], "1 item without a usable date: the time of the first poll"),
        ([item("1", link=None)], "1 item without a link"),
        ([item("1", media="audio"), item("2", media="video")], "2 items with audio or video"),
        ([item("1", text="")], "no item has any text"),
        ([item("1", image=None)], "no item has an image"),
        ([item("1", published_at=NOW - timedelta(days=400))], "no new item since 2025-01-25"),
    ],
)
def test_warnings_about_items(items: list[Item], message: str) -> None:
    [result] = warnings(fetched(), items, NOW)
    assert result.startswith(message)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"moved_to": "https://w.example/new"},
            "moved permanently: change its url in feeds.yaml to https://w.example/new",
        ),
        (
            {"content_type": "text/xml; charset=utf-8", "body": b"<rss>\x92</rss>"},
            "its Content-Type header says utf-8, but",
        ),
        ({"body": b"<?xml version='1.0' encoding='ascii'?><rss>\xe9"}, "its XML declaration says ascii, but"),
        (
            {"content_type": "text/xml; charset=klingon"},
            "its Content-Type header names an unknown charset: klingon",
        ),
        ({"content_type": "text/xml; charset=hex"}, "its Content-Type header names an unknown charset: hex"),
        ({"content_type": "text/xml; charset=punycode"}, "its Content-Type header names an unknown charset"),
    ],
)
def test_warnings_about_the_response(changes: dict[str, Any], message: str) -> None:
    [result] = warnings(fetched(**changes), [], NOW)
    assert result.startswith(message)


@pytest.mark.parametrize(
    ("configured", "declared", "advice"),
    [
        ("en", ["de-at", "de", None], ["write `language: de` in feeds.yaml"]),
        ("en", ["de", None, None], []),
        ("en", ["en-gb", "en"], []),
        ("pt-BR", ["pt", "pt"], []),
        ("en", [], []),
    ],
)
def test_another_language_than_that_of_feeds_yaml_is_named(
    configured: str, declared: list[str | None], advice: list[str]
) -> None:
    items = [item(str(number), language=language) for number, language in enumerate(declared)]
    feed = unsubscribed("https://w.example/feed").model_copy(update={"language": configured})
    lines = list(language_advice(feed, items))
    assert len(lines) == len(advice)
    assert all(words in line for words, line in zip(advice, lines, strict=True))


def test_a_good_feed_has_no_warnings() -> None:
    good = fetched("<rss>é</rss>".encode(), content_type="application/rss+xml; charset=utf-8")
    assert list(warnings(good, [item("1"), item("2")], NOW)) == []


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ('<?xml version="1.0"?><!-- a --><rss xmlns:a="b" version="2.0">', "RSS 2.0"),
        ("<rss><channel>", "RSS"),
        ('<rdf:RDF xmlns="http://purl.org/rss/1.0/">', "RSS 1.0 (RDF)"),
        ('<feed xmlns="http://www.w3.org/2005/Atom">', "Atom"),
        ("{}", "JSON Feed"),
        ("<html>", ""),
    ],
)
def test_the_format_is_the_one_the_feed_declares(text: str, kind: str) -> None:
    assert kind_of(text) == kind


def test_a_url_without_subscription_is_a_feed_with_the_defaults() -> None:
    result = unsubscribed("example.org/feed.xml")
    assert (result.url, result.beat, result.name) == ("https://example.org/feed.xml", "any", "example.org")
    assert result.key == "example-org-feed-xml"
    assert result.max_items == FeedConfig.model_fields["max_items"].default
    for wrong in ("ftp://example.org/feed", "https://", "exa mple.org/x"):
        with pytest.raises(ConfigError, match=r"not an http\(s\) URL"):
            unsubscribed(wrong)


def thin(*texts: str) -> bytes:
    items = "".join(
        f"<item><guid>{number}</guid><link>LINK/{number}</link><title>Story {number}</title>"
        f"<description>{text}</description><pubDate>Sun, 01 Mar 2026 10:00:00 GMT</pubDate></item>"
        for number, text in enumerate(texts)
    )
    return f"<rss version='2.0'><channel><title>F</title>{items}</channel></rss>".encode()


@pytest.mark.parametrize(
    ("site", "said"),
    [
        (
            {"/robots.txt": b"User-agent: *\nDisallow: /"},
            "0 of 3 items can be drafted: texts of 6–16 characters, pages refused by robots.txt",
        ),
        (
            {"/robots.txt": b"User-agent: *\nContent-Signal: /1 ai-input=no\n", "/0": b"", "/2": b""},
            "0 of 3 items can be drafted: 2 with texts of 6–10 characters, a page that answers 418; "
            "1 with texts of 16 characters, a page that is reserved by its publisher: "
            "Content-Signal: ai-input=no in robots.txt",
        ),
        ({"/0": news().encode(), "/1": b"", "/2": b""}, "3 of 3 items can be drafted"),
        (
            {"/.well-known/tdmrep.json": b'[{"location": "/feed", "tdm-reservation": 1}]'},
            "0 of 3 items can be drafted: all reserved by its publisher: "
            "tdm-reservation: 1 in its site's tdmrep.json",
        ),
    ],
    ids=["robots.txt", "some", "pages", "the feed"],
)
async def test_it_is_said_how_many_items_can_be_drafted(site: dict[str, bytes], said: str) -> None:
    with FeedServer() as server:
        body = thin("Short.", "A longer teaser.", "So much it").replace(b"LINK", server.url("").encode())
        url = server.add("/feed", body, content_type="application/rss+xml")
        for path, file in site.items():
            server.add(path, file, status=200 if file else 418, content_type="text/html")
        async with HttpClient("test", allowed=server.hosts) as net:
            pages = PageFetcher(net)
            report = await check_feed(net, parse_here, feed(url=url), NOW, pages)
        assert forecast(report.rows) == said
        assert sum(server.requests_of(f"/{number}") for number in range(3)) <= 2


@pytest.mark.parametrize(
    ("page_delay", "robots"), [(0, b"User-agent: *\nCrawl-delay: 30\n"), (29, b""), (600, b"")]
)
async def test_a_page_in_vain_counts_where_the_delay_leaves_no_time_for_another(
    page_delay: float, robots: bytes
) -> None:
    async def sleep(_seconds: float) -> None:
        raise TimeoutError  # as once the time is up

    config = feed(page_delay=page_delay)
    with FeedServer() as server:
        server.add("/robots.txt", robots)
        some = [item(path, text="Too little.", link=server.url(path)) for path in ("/1", "/2", "/3")]
        async with HttpClient("test", allowed=server.hosts) as net:
            pages = PageFetcher(net, sleep=sleep)
            rows = await ask_pages(pages, config, some, item_outcomes(config, some, NOW))
        assert forecast(rows) == (
            "0 of 3 items can be drafted: texts of 11 characters, a page that is not there (404)"
        )
        assert sum(server.requests_of(path) for path in ("/1", "/2", "/3")) == 1


async def test_a_whole_teaser_is_drafted_where_its_page_may_not_be_fetched() -> None:
    with FeedServer() as server:
        server.add("/robots.txt", b"User-agent: *\nDisallow: /", content_type="text/plain")
        some = [
            item(link=server.url("/1"), excerpt="teaser"),
            item("2", link=server.url("/2"), excerpt="cut"),
        ]
        async with HttpClient("test", allowed=server.hosts) as net:
            rows = await ask_pages(PageFetcher(net), feed(), some, item_outcomes(feed(), some, NOW))
    assert [row.fate for row in rows] == ["drafted", "skipped"]


def test_the_causes_are_counted() -> None:
    old = [item(str(number), published_at=NOW - timedelta(days=30)) for number in range(200)]
    assert forecast(list(item_outcomes(feed(), old, NOW))) == (
        "0 of 200 items can be drafted: all older than 7 days"
    )
    mixed = [*old[:3], item("a"), item("b"), item("c", link=None, text="No."), item("d", title="Casino")]
    rows = list(item_outcomes(feed(max_items=1, exclude=["casino"]), mixed, NOW))
    assert forecast(rows) == (
        "2 of 7 items can be drafted, 1 of them in later runs: 3 older than 7 days; "
        "1 too short (texts of 3 characters); 1 excluded word"
    )
    assert forecast([]) == "no items"
