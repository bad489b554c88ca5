"""Pages of older items, and the end of a backfill."""

import json
from datetime import timedelta
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.domain.errors import FeedError
from pipeline.feeds.pagination import (
    is_before,
    is_last_page,
    next_page_url,
    retry_delay,
    unseen,
)
from pipeline.feeds.parsing.parse import ParsedFeed, parse_feed
from pipeline.feeds.urls import same_site
from tests.pipeline.storage.records import NOW, item

URL = "https://news.example/blog/feed?cat=7"
ATOM = "<feed xmlns='http://www.w3.org/2005/Atom'><title>F</title>{}<entry><id>1</id></entry></feed>"
RSS = (
    "<rss version='2.0' xmlns:atom='http://www.w3.org/2005/Atom'><channel><title>F</title>{}"
    "<item><guid>1</guid></item></channel></rss>"
)


def read(text: str) -> ParsedFeed:
    return parse_feed(text.encode(), None, URL, NOW)


@pytest.mark.parametrize(
    ("document", "older"),
    [
        (ATOM.format("<link rel='prev-archive' href='2025.xml'/>"), "https://news.example/blog/2025.xml"),
        (ATOM.format("<link rel='next' href='?p=2'/>"), "https://news.example/blog/feed?p=2"),
        (
            ATOM.format("<link rel='next' href='/2'/><link rel='prev-archive' href='/a'/>"),
            "https://news.example/a",
        ),
        (
            ATOM.format("<link rel='http://www.iana.org/assignments/relation/next' href='/2'/>"),
            "https://news.example/2",
        ),
        (RSS.format("<atom:link rel='prev-archive' href='/a'/>"), "https://news.example/a"),
        (RSS.format("<atom:link rel=' Next ' href='/2#top'/>"), "https://news.example/2"),
        (
            json.dumps({"title": "F", "next_url": "/2", "items": [{"id": "1"}]}),
            "https://news.example/2",
        ),
        (ATOM.format("<link rel='next' href='javascript:alert(1)'/>"), None),
        (ATOM.format("<link rel='next-archive' href='/newer'/><link rel='self' href='/feed'/>"), None),
        (RSS.format("<generator>https://blog.example/</generator>"), None),
        (
            json.dumps({"title": "F", "next_url": 2.5, "items": [{"id": "1"}]}),
            "https://news.example/blog/2.5",
        ),
    ],
)
def test_a_feed_says_where_its_older_items_are(document: str, older: str | None) -> None:
    assert next_page_url(read(document), URL, 1) == older


@pytest.mark.parametrize(
    "document",
    [
        RSS.format("<generator>https://wordpress.org/?v=6.4.2</generator>"),
        RSS.format("<generator>http://wordpress.com/</generator>"),
        ATOM.format("<generator uri='https://WordPress.org/' version='6.4'>WordPress</generator>"),
    ],
)
def test_wordpress_pages_have_a_parameter(document: str) -> None:
    parsed = read(document)
    assert next_page_url(parsed, URL, 1) == "https://news.example/blog/feed?cat=7&paged=2"
    assert next_page_url(parsed, f"{URL}&paged=2", 2) == "https://news.example/blog/feed?cat=7&paged=3"
    assert next_page_url(parsed, "https://news.example/feed", 1) == "https://news.example/feed?paged=2"


@given(
    st.lists(st.tuples(st.sampled_from(["a", "b", "paged", "page"]), st.text("xyz%2", max_size=3))),
    st.integers(1, 300),
)
def test_a_page_keeps_every_other_parameter(pairs: list[tuple[str, str]], number: int) -> None:
    query = "&".join(f"{name}={value}" for name, value in pairs)
    url = next_page_url(ParsedFeed(title="", items=(), wordpress=True), f"https://w.example/?{query}", number)
    query_pairs = parse_qsl(urlsplit(url or "").query, keep_blank_values=True)
    before = [pair for pair in parse_qsl(query, keep_blank_values=True) if pair[0] != "paged"]
    assert query_pairs == [*before, ("paged", str(number + 1))]


@given(st.lists(st.tuples(st.integers(-50, 50), st.booleans())), st.integers(-50, 50))
def test_a_page_is_before_a_date_when_all_its_dated_items_are(
    days: list[tuple[int, bool]], since: int
) -> None:
    items = [
        item(number, published_at=NOW + timedelta(days=day), dated=dated)
        for number, (day, dated) in enumerate(days)
    ]
    dated = [day for day, dated in days if dated]
    assert is_before(items, NOW + timedelta(days=since)) == (bool(dated) and all(d < since for d in dated))
    assert not is_before(items, None)


def test_items_of_earlier_pages_are_left_out() -> None:
    page = [item(1), item(2), item(3)]
    assert unseen(page, {"guid-1", "guid-3"}) == (item(2),)
    assert unseen(page, {"guid-1", "guid-2", "guid-3"}) == ()


@pytest.mark.parametrize(
    ("url", "other", "same"),
    [
        ("https://news.example/2", "https://NEWS.example/feed", True),
        ("http://news.example:8080/2", "https://news.example/feed", True),
        ("https://feeds.paper.co.uk/2", "https://www.paper.co.uk/feed", True),
        ("https://other.co.uk/2", "https://paper.co.uk/feed", False),
        ("https://a.github.io/2", "https://b.github.io/feed", False),
        ("http://127.0.0.2/2", "http://127.0.0.1/feed", False),
        ("http://localhost/2", "http://127.0.0.1/feed", False),
        ("http://[::1/2", "http://[::1/feed", False),
        ("nonsense", "nonsense", False),
    ],
)
def test_a_site_is_what_one_publisher_registered(url: str, other: str, same: bool) -> None:
    assert same_site(url, other) is same


@pytest.mark.parametrize(
    ("kind", "retry_after_s", "delay_s"),
    [
        ("rate-limited", 5.0, 5.0),
        ("server", 60.0, 60.0),
        ("rate-limited", 61.0, None),
        ("server", None, None),
        ("timeout", 5.0, None),
    ],
)
def test_a_retry_needs_a_short_retry_after(
    kind: str, retry_after_s: float | None, delay_s: float | None
) -> None:
    assert retry_delay(FeedError("said", kind=kind, retry_after_s=retry_after_s)) == delay_s


def test_not_found_and_gone_are_the_end() -> None:
    assert [
        kind for kind in ("not-found", "gone", "server", "refused") if is_last_page(FeedError("", kind=kind))
    ] == [
        "not-found",
        "gone",
    ]
