"""The feed target, read back with feedparser."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import feedparser
import pytest

from pipeline.articles.front_matter import dumps
from pipeline.config import FeedTarget
from pipeline.domain.errors import PublishError
from pipeline.publishing.targets.feed import Entry, entry, json_feed, rss, write

PATH = "2026/02/miners-57767956.md"
ODD = "Miners <b>& \"owners\"</b> ]]> {{x}} \u2014 'crisis'"


def target(folder: Path | str = "/nowhere", **changes: Any) -> FeedTarget:
    values = {
        "kind": "feed",
        "name": "feed",
        "path": str(folder),
        "title": "News & more",
        "link": "https://site.example/",
        "article_url": "https://site.example/news/{path}/",
    }
    return FeedTarget.model_validate(values | changes)


def text(body: str = "## Overview\n\nOutput *rose*.\n", **changes: Any) -> str:
    metadata: dict[str, Any] = {
        "title": ODD,
        "description": "Less < more & so on…",
        "publishedAt": "2026-02-05T21:10:09.000Z",
        "updatedAt": "2026-02-06T08:00:00.250Z",
        "lang": "en",
        "externalId": "57767956aaaaaaaa",
        "source": {"name": "De & crypt", "key": "decrypt", "url": "https://decrypt.example/a?b=1&c=2"},
        "tags": ["BTC", "MINING"],
        "coverImage": {"regular": "https://images.example/1.jpg"},
    }
    return dumps({name: value for name, value in (metadata | changes).items() if value is not None}, body)


def shown(*texts: str, **changes: Any) -> tuple[Any, dict[str, Any]]:
    """Return both feeds of some articles as readers see them."""
    entries = [entry(target(**changes), PATH, each) for each in texts]
    parsed = feedparser.parse(rss(target(**changes), entries))
    assert not parsed.bozo
    return parsed, json.loads(json_feed(target(**changes), entries))


def test_rss_has_the_article() -> None:
    parsed, _ = shown(text())
    assert parsed.version == "rss20"
    assert (parsed.feed.title, parsed.feed.link) == ("News & more", "https://site.example/")
    [item] = parsed.entries
    # feedparser takes titles for HTML, and leaves out the tags that it finds in them.
    assert "Miners" in item.title
    assert item.link == "https://site.example/news/2026/02/miners-57767956/"
    assert (item.id, item.guidislink) == ("57767956aaaaaaaa", False)
    assert item.published_parsed[:6] == (2026, 2, 5, 21, 10, 9)
    assert [tag.term for tag in item.tags] == ["BTC", "MINING"]
    assert item.summary == "Less &lt; more &amp; so on…"
    [content] = item.content
    assert "<h2>Overview</h2>" in content.value
    assert "<em>rose</em>" in content.value
    assert '<a href="https://decrypt.example/a?b=1&amp;c=2"' in content.value
    assert "De &amp; crypt</a>" in content.value


def test_json_feed_has_the_article() -> None:
    _, document = shown(text())
    assert document["version"] == "https://jsonfeed.org/version/1.1"
    [item] = document["items"]
    assert item["id"] == "57767956aaaaaaaa"
    assert item["title"] == ODD
    assert item["date_published"] == "2026-02-05T21:10:09.000Z"
    assert item["date_modified"] == "2026-02-06T08:00:00.250Z"
    assert item["image"] == "https://images.example/1.jpg"
    assert "Source: <a href=" in item["content_html"]


def test_nothing_in_an_article_becomes_markup() -> None:
    body = "<script>alert(1)</script>\n\n[x](javascript:alert(1)) ![i](https://e.example/i.png)\n\n]]>\x07\n"
    odd = {"name": "<img src=x onerror=alert(1)>", "url": "javascript:alert(1)"}
    parsed, document = shown(text(body, source=odd, title="</title><script>alert(1)</script>\x07"))
    html = document["items"][0]["content_html"]
    assert "<script" not in html
    assert "<img" not in html
    assert "href" not in html
    assert "Source: &lt;img" in html
    raw = rss(target(), [entry(target(), PATH, text(body, source=odd))])
    assert b"<script" not in raw
    assert len(parsed.entries) == 1


def test_addresses_are_made_of_path_slug_and_id() -> None:
    _, document = shown(text(), article_url="https://s.example/{slug}?i={id}")
    assert document["items"][0]["url"] == "https://s.example/miners-57767956?i=57767956aaaaaaaa"


def test_what_editors_left_out_is_left_out() -> None:
    article = text(description=None, updatedAt=None, source=None, tags=None, coverImage=None, lang=None)
    _, document = shown(article)
    [item] = document["items"]
    assert (item["tags"], item["summary"], item["language"]) == ([], "", "en")
    assert "Source" not in item["content_html"]
    assert item["date_modified"] == item["date_published"]


@pytest.mark.parametrize(
    "broken",
    [
        "no front matter",
        text(publishedAt="yesterday"),
        text(externalId=None),
        text(publishedAt=[1]),
        text(title=None),
    ],
)
def test_an_article_that_no_feed_can_show_is_named(broken: str) -> None:
    with pytest.raises(PublishError, match="cannot be shown in a feed"):
        entry(target(), PATH, broken)


def test_an_empty_feed_is_a_feed() -> None:
    parsed, document = shown()
    assert (parsed.entries, document["items"]) == ([], [])


def test_both_files_are_written_once(tmp_path: Path) -> None:
    feed = target(tmp_path / "feed")
    entries = [entry(feed, PATH, text())]
    write(feed, entries)

    def written() -> list[tuple[str, int, int]]:
        files = sorted((tmp_path / "feed").iterdir())
        return [(path.name, path.stat().st_ino, path.stat().st_mtime_ns) for path in files]

    before = written()
    assert [name for name, *_ in before] == ["feed.json", "feed.xml"]
    write(feed, entries)
    assert written() == before
    write(feed, [])
    assert b"57767956" not in (tmp_path / "feed/feed.xml").read_bytes()


def test_a_feed_of_another_program_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "feed.xml").write_text("<rss><channel><title>Copydesk</title></channel></rss>")
    with pytest.raises(PublishError, match=r"feed\.xml was written by another program"):
        write(target(tmp_path), [])
    assert "<title>Copydesk" in (tmp_path / "feed.xml").read_text()


def test_times_without_a_zone_are_utc() -> None:
    item = entry(target(), PATH, text(publishedAt="2026-02-05", updatedAt="2026-02-05T10:00:00+02:00"))
    assert isinstance(item, Entry)
    assert item.published == datetime(2026, 2, 5, tzinfo=UTC)
    assert item.updated == datetime(2026, 2, 5, 8, tzinfo=UTC)
