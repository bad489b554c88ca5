"""Errors for web pages at a feed's URL, and feed autodiscovery."""

from datetime import UTC, datetime

import pytest

from pipeline.domain.errors import FeedError
from pipeline.feeds.parsing.parse import parse_feed

URL = "https://news.example/feed"
LINKS = (
    '<link rel="stylesheet" href="/style.css">'
    '<link rel="alternate" type="application/rss+xml" title="Comments" href="/comments/feed.xml">'
    '<link rel="alternate" type="application/rss+xml" title="News" href="/rss.xml">'
    '<link rel="alternate" type="application/rss+xml" title="Evil" href="javascript:alert(1)">'
)


def error(html: str) -> FeedError:
    with pytest.raises(FeedError) as caught:
        parse_feed(html.encode(), "text/html", URL, datetime(2026, 3, 1, tzinfo=UTC))
    return caught.value


def test_the_feed_that_a_page_names_is_proposed() -> None:
    proposal = error(f"<!doctype html><html><head><title>News</title>{LINKS}</head><body>Hello</body></html>")
    assert (proposal.kind, proposal.context["proposal"]) == ("html", "https://news.example/rss.xml")
    assert "its feed seems to be https://news.example/rss.xml" in proposal.message


@pytest.mark.parametrize(
    ("html", "kind"),
    [
        (
            "<html><head><title>Just a moment...</title></head><body>Checking your browser</body></html>",
            "challenge",
        ),
        ("<html><title>Log in</title><form>Log in <input name=p type=password></form></html>", "login"),
        ("<html><title>Before you continue</title><p>We use cookies.</p></html>", "consent"),
        ("<html><title>News</title><p>Stories of the day.</p></html>", "html"),
    ],
)
def test_the_kind_of_a_blocking_page_is_reported(html: str, kind: str) -> None:
    assert error(html).kind == kind
