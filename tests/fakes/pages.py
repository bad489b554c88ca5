"""Feeds whose older items are on further pages: six days of January 2026, two a page, at /feed."""

import json
from collections.abc import Sequence

from tests.fakes.feed_server import FeedServer

WORDPRESS = "<generator>https://wordpress.org/?v=6.4</generator>"


def rss(days: Sequence[int], more: str = "") -> bytes:
    items = "".join(
        f"<item><title>Day {day}</title><guid>d{day}</guid><link>https://days.example/{day}</link>"
        f"<pubDate>{day:02d} Jan 2026 12:00:00 GMT</pubDate>"
        f"<description>It was day {day}.</description></item>"
        for day in days
    )
    spaces = "xmlns:atom='http://www.w3.org/2005/Atom'"
    return f"<rss version='2.0' {spaces}><channel><title>D</title>{more}{items}</channel></rss>".encode()


def atom(days: Sequence[int], more: str = "") -> bytes:
    entries = "".join(
        f"<entry><id>d{day}</id><title>Day {day}</title><published>2026-01-{day:02d}T12:00:00Z</published>"
        f"<summary>It was day {day}.</summary></entry>"
        for day in days
    )
    return f"<feed xmlns='http://www.w3.org/2005/Atom'><title>D</title>{more}{entries}</feed>".encode()


def json_feed(days: Sequence[int], more: str | None = None) -> bytes:
    items = [
        {"id": f"d{day}", "title": f"Day {day}", "content_text": f"It was day {day}.",
         "date_published": f"2026-01-{day:02d}T12:00:00Z"}
        for day in days
    ]  # fmt: skip
    return json.dumps({"title": "D", "items": items} | ({"next_url": more} if more else {})).encode()


def archived(server: FeedServer) -> None:
    server.add("/feed", atom([20, 19], "<link rel='prev-archive' href='/a2'/>"))
    server.add("/a2", atom([18, 17], "<link rel='prev-archive' href='a1'/>"))
    server.add("/a1", atom([16, 15]))


def paged(server: FeedServer) -> None:
    server.add("/feed", rss([20, 19], "<atom:link rel='next' href='/feed?p=2'/>"))
    server.add("/feed?p=2", rss([18, 17], "<atom:link rel='next' href='/feed?p=3'/>"))
    server.add("/feed?p=3", rss([16, 15]))


def json_paged(server: FeedServer) -> None:
    server.add("/feed", json_feed([20, 19], "/feed?p=2"))
    server.add("/feed?p=2", json_feed([18, 17], server.url("/feed?p=3")))
    server.add("/feed?p=3", json_feed([16, 15]))


def wordpress(server: FeedServer) -> None:
    server.add("/feed", rss([20, 19], WORDPRESS))
    server.add("/feed?paged=2", rss([18, 17], WORDPRESS))
    server.add("/feed?paged=3", rss([16, 15], WORDPRESS))  # page 4 is not there
