"""Reads JSON Feed 1.0 and 1.1 (https://www.jsonfeed.org/version/1.1/), forgiving wrong types."""

import json
import re
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, NamedTuple

from pipeline.domain.errors import FeedError
from pipeline.domain.text import redact_url
from pipeline.feeds.entries import Entry, unique_ids
from pipeline.feeds.html_text import first_image, html_to_text
from pipeline.feeds.parsing.dates import DateReader
from pipeline.feeds.select import language_of, media_of
from pipeline.feeds.text_cleanup import one_line, plain
from pipeline.feeds.urls import absolute_url


class JsonFeed(NamedTuple):
    """A feed's title, page, and elements, and where the older ones are."""

    title: str
    home: str | None
    entries: list[Entry]
    cut: bool = False
    older: str | None = None


# Each string ends, if need be with the text: linear time.
_TOKEN = re.compile(r'"(?:[^"\\]++|\\.)*+\\?(?:"|\Z)|[][{}]', re.DOTALL)
_LENIENT = json.JSONDecoder(strict=False)
"""Takes line breaks within strings, which other writers leave there."""


def read_json_feed(text: str, url: str, dates: DateReader) -> JsonFeed:
    """Return what a JSON Feed says; `url` is its address. Raises FeedError: malformed, not-a-feed.

    Of a feed whose end is missing, the items that are whole are read.
    """
    feed, cut = _loaded(text, url)
    if not isinstance(feed, dict) or not isinstance(feed.get("items"), list) or not _claims(feed):
        raise FeedError(
            f"{redact_url(url)} is JSON, but no feed; correct its url in feeds.yaml", kind="not-a-feed"
        )
    home = absolute_url(_text(feed.get("home_page_url")), url)
    base = home or url
    authors = _authors(feed)
    spoken = _text(feed.get("language"))
    entries = [_entry(item, base, authors, spoken, dates) for item in _dicts(feed["items"])]
    older = absolute_url(_text(feed.get("next_url")), url)
    return JsonFeed(one_line(_text(feed.get("title"))), home, entries, cut, older)


def _loaded(text: str, url: str) -> tuple[Any, bool]:
    """Return a document's value, and whether its end was cut off. Raises FeedError: malformed."""
    try:
        return _LENIENT.raw_decode(text)[0], False
    except (ValueError, RecursionError) as error:
        with suppress(ValueError, RecursionError):
            feed = _LENIENT.decode(_uncut(text))
            if feed.get("items"):
                return feed, True
        raise FeedError(
            f"{redact_url(url)} is malformed JSON; open it in a browser, or tell its publisher",
            kind="malformed",
        ) from error


def _uncut(text: str) -> str:
    """Return a cut JSON Feed up to its last whole item, closed. Raises ValueError where there is none."""
    within: list[str] = []
    end = 0
    for token in _TOKEN.finditer(text):
        mark = token[0][0]
        if mark in "{[":
            within.append(mark)
        elif mark in "}]":
            if within:
                within.pop()
            if not within:  # it closes: what is wrong with it is something else
                break
            end = token.end() if mark == "}" and within == ["{", "["] else end
    if not (end and within):
        raise ValueError
    return text[:end] + "]}"


def _claims(feed: dict[str, Any]) -> bool:
    if "jsonfeed" in _text(feed.get("version")) or _text(feed.get("title")):
        return True
    return any("content_html" in item or "content_text" in item for item in _dicts(feed["items"]))


def _entry(item: dict[str, Any], base: str, authors: str | None, spoken: str, dates: DateReader) -> Entry:
    link = absolute_url(_text(item.get("url")) or _text(item.get("external_url")), base)
    markup = _text(item.get("content_html"))
    text = html_to_text(markup) or plain(_text(item.get("content_text")))
    summary = plain(_text(item.get("summary")))
    files = ((_text(one.get("mime_type")), _text(one.get("url"))) for one in _dicts(item.get("attachments")))
    images = (_text(item.get("image")), _text(item.get("banner_image")), first_image(markup) or "")
    return Entry(
        guid=_text(item.get("id")),
        link=link,
        title=one_line(_text(item.get("title"))),
        text=text or summary,
        summary=summary if text and summary != text else "",
        author=_authors(item) or authors,
        published_at=dates.read(_text(item.get("date_published"))),
        updated_at=dates.read(_text(item.get("date_modified"))),
        image=next(filter(None, (absolute_url(image, link or base) for image in images)), None),
        media=media_of(files),
        language=language_of(_text(item.get("language")), spoken),
        categories=unique_ids([one_line(_text(tag), 100) for tag in _list(item.get("tags"))]),
    )


def _authors(holder: dict[str, Any]) -> str | None:
    """Return the names of `authors` (1.1) and `author` (1.0)."""
    return ", ".join(unique_ids(list(_names(holder)))) or None


def _names(holder: dict[str, Any]) -> Iterator[str]:
    for author in [*_list(holder.get("authors")), holder.get("author")]:
        yield one_line(_text(author.get("name") if isinstance(author, dict) else author), 200)


def _dicts(value: object) -> list[dict[str, Any]]:
    return [each for each in _list(value) if isinstance(each, dict)]


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(value: object) -> str:
    """Return a string or number as text; whatever else stands in its place is none."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    try:
        return str(value)
    except ValueError:  # an integer of thousands of digits
        return ""
