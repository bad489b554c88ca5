"""Whose text an item is: named by the feed (`<source>`, `external_url`) or by its page (`rel=canonical`)."""

from datetime import UTC, datetime, timedelta

import pytest

from pipeline.domain.models import Credit, FeedConfig, Item, build_source
from pipeline.feeds.pages.extract import Page, extract
from pipeline.feeds.pages.fetch import merge_page_text
from pipeline.feeds.parsing.parse import parse_feed
from tests.pipeline.feeds.webpages import linked, news

NOW = datetime(2026, 11, 28, 9, tzinfo=UTC)
URL = "https://courier.example/island"
WIRE = "https://northernwire.example/island"
FEED = FeedConfig(
    key="courier", name="Courier", url="https://courier.example/feed", beat="b", category="NEWS"
)


def page(head: str, url: str = URL) -> Page:
    return extract(news(head=head).encode(), "text/html", url)


def item(**values: object) -> Item:
    return Item.model_validate({"guid": "1", "link": URL, "published_at": NOW, "text": "Short.", **values})


def origin_of(body: str) -> Credit | None:
    return parse_feed(body.encode(), None, "https://courier.example/feed", NOW).items[0].origin


RSS = (
    "<rss version='2.0'><channel><title>Courier</title><link>https://courier.example/</link><item>"
    "<title>A</title><link>https://courier.example/a</link>{}</item></channel></rss>"
)
ATOM = (
    "<feed xmlns='http://www.w3.org/2005/Atom'><title>Courier</title><entry><id>1</id><title>A</title>"
    "<link href='https://courier.example/a'/>{}</entry></feed>"
)
JSON = '{{"version": "https://jsonfeed.org/version/1.1", "items": [{{"id": "1", "title": "A", {}}}]}}'


@pytest.mark.parametrize(
    ("body", "origin"),
    [
        (
            RSS.format("<source url='https://wire.example/feed'>Northern Wire</source>"),
            ("Northern Wire", "https://wire.example/feed"),
        ),
        (RSS.format("<source url='https://www.courier.example/all.xml'>Courier</source>"), None),
        (RSS.format("<source>Northern Wire</source>"), None),
        (RSS.format(""), None),
        (
            ATOM.format(
                "<source><title>Northern &amp; Wire</title><link href='https://wire.example/'/></source>"
            ),
            ("Northern & Wire", "https://wire.example/"),
        ),
        (ATOM.format("<source><title>Courier</title><link href='https://courier.example/'/></source>"), None),
        (
            JSON.format('"url": "https://courier.example/a", "external_url": "https://www.wire.example/b"'),
            ("wire.example", "https://www.wire.example/b"),
        ),
        (
            JSON.format('"url": "https://courier.example/a", "external_url": "https://courier.example/b"'),
            None,
        ),
        (JSON.format('"external_url": "https://wire.example/b"'), ("wire.example", "https://wire.example/b")),
    ],
)
def test_a_feed_names_the_publisher_of_an_item(body: str, origin: tuple[str, str] | None) -> None:
    assert origin_of(body) == (Credit(name=origin[0], url=origin[1]) if origin else None)


def test_a_page_names_the_publisher_of_its_text() -> None:
    canonical = f"<link rel='canonical' href='{WIRE}?utm_source=x'>"
    for head, name in (
        (f"{canonical}<meta name=author content='Northern Wire'>", "Northern Wire"),
        (
            canonical + linked(publisher={"name": "Northern Wire", "url": "https://northernwire.example"}),
            "Northern Wire",
        ),
        (canonical + linked(publisher={"name": "Courier"}), "northernwire.example"),
        (f"<meta property='og:url' content='{WIRE}'>", None),
        ("<link rel='canonical' href='https://www.courier.example/island'>", None),
        ("<link rel='canonical' href='https://northernwire.example/'>", None),
        ("<link rel='canonical' href='mailto:a@b.example'>", None),
    ):
        merged = merge_page_text(item(), page(head), FEED)
        assert (merged.origin.name if merged.origin else None) == name
        if name:
            assert build_source(FEED, merged).also == (merged.origin,)
    own = Credit(name="Other", url="https://other.example/")
    assert merge_page_text(item(origin=own), page(canonical), FEED).origin == own


@pytest.mark.parametrize(
    ("head", "date"),
    [
        ("<meta property='article:published_time' content='2019-03-01T10:00:00Z'>", "2019-03-01T10:00"),
        (linked(datePublished="2019-03-01T12:00:00+02:00"), "2019-03-01T10:00"),
        ("<meta itemprop='datePublished' content='1 March 2019'>", "2019-03-01T00:00"),
        ("<meta property='article:published_time' content='soon'>", None),
        ("<meta property='article:published_time' content='2099-03-01T10:00:00Z'>", None),
    ],
)
def test_a_page_dates_an_item_that_its_feed_does_not(head: str, date: str | None) -> None:
    dated, undated = item(published_at=NOW - timedelta(1)), item(dated=False)
    assert merge_page_text(dated, page(head), FEED).published_at == NOW - timedelta(1)
    merged = merge_page_text(undated, page(head), FEED)
    assert merged.dated is (date is not None)
    assert f"{merged.published_at:%Y-%m-%dT%H:%M}" == (date or f"{NOW:%Y-%m-%dT%H:%M}")
