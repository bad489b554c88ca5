"""Parses JSON Feed 1.0 and 1.1 (https://www.jsonfeed.org/version/1.1/); ignores values of a wrong type."""

import json
import re
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, NamedTuple

from pipeline.domain.errors import FeedError
from pipeline.domain.text import redact_url
from pipeline.feeds.article_signs import is_link_list
from pipeline.feeds.boilerplate.doubles import without_title
from pipeline.feeds.boilerplate.lines import ArticleText, article_summary, clean_author, read_lines
from pipeline.feeds.entries import Entry, language_of, media_of, origin_of, unique_values
from pipeline.feeds.html_text import html_to_text
from pipeline.feeds.parsing.dates import DateReader, date_fields
from pipeline.feeds.parsing.newest import keep_newest_json
from pipeline.feeds.pictures import Picture, chosen_picture
from pipeline.feeds.reader import READER
from pipeline.feeds.text_cleanup import clean_plain_text, one_line
from pipeline.feeds.urls import absolute_url, site_name


class JsonFeed(NamedTuple):
    """A feed's title, website and entries."""

    title: str
    home: str | None
    entries: list[Entry]
    cut: bool = False
    """Its end is missing."""
    older: str | None = None
    """URL of older items."""
    over: str = ""
    """A note on items over the limits."""


# Each string ends, at the latest at the end of the text: linear time.
_TOKEN = re.compile(r'"(?:[^"\\]++|\\.)*+\\?(?:"|\Z)|[][{}]', re.DOTALL)
_LENIENT = json.JSONDecoder(strict=False)
"""Accepts line breaks within strings, which some publishers do not escape."""


def read_json_feed(text: str, url: str, dates: DateReader, reader: int = READER) -> JsonFeed:
    """Return a parsed JSON Feed; `url` is its final URL. A truncated feed has its complete items only.

    `reader` is the version of the rules. Raises FeedError of kind malformed or not-a-feed.
    """
    feed, cut = _load(text, url)
    if not isinstance(feed, dict) or not isinstance(feed.get("items"), list) or not _looks_like_feed(feed):
        raise FeedError(
            f"{redact_url(url)} is JSON, but no feed; correct its url in feeds.yaml", kind="not-a-feed"
        )
    home = absolute_url(_text(feed.get("home_page_url")), url)
    base = home or url
    authors = _authors(feed, reader)
    feed_language = _text(feed.get("language"))
    items, over = keep_newest_json(feed["items"], dates)
    entries = [_entry(item, base, authors, feed_language, dates, reader) for item in _dicts(items)]
    older = absolute_url(_text(feed.get("next_url")), url)
    return JsonFeed(one_line(_text(feed.get("title"))), home, entries, cut, older, over)


def _load(text: str, url: str) -> tuple[Any, bool]:
    """Return a document's value, and whether it is truncated. Raises FeedError of kind malformed."""
    try:
        return _LENIENT.raw_decode(text)[0], False
    except (ValueError, RecursionError) as error:
        with suppress(ValueError, RecursionError):
            feed = _LENIENT.decode(_close_truncated(text))
            if feed.get("items"):
                return feed, True
        raise FeedError(
            f"{redact_url(url)} is malformed JSON; open it in a browser, or tell its publisher",
            kind="malformed",
        ) from error


def _close_truncated(text: str) -> str:
    """Return a truncated JSON Feed closed after its last complete item. Raises ValueError if it has none."""
    open_marks: list[str] = []
    end = 0
    for token in _TOKEN.finditer(text):
        mark = token[0][0]
        if mark in "{[":
            open_marks.append(mark)
        elif mark in "}]":
            if open_marks:
                open_marks.pop()
            if not open_marks:  # the document is complete: it has another error
                break
            end = token.end() if mark == "}" and open_marks == ["{", "["] else end
    if not (end and open_marks):
        raise ValueError
    return text[:end] + "]}"


def _looks_like_feed(feed: dict[str, Any]) -> bool:
    if "jsonfeed" in _text(feed.get("version")) or _text(feed.get("title")):
        return True
    return any("content_html" in item or "content_text" in item for item in _dicts(feed["items"]))


def _entry(
    item: dict[str, Any], base: str, authors: str | None, feed_language: str, dates: DateReader, reader: int
) -> Entry:
    elsewhere = absolute_url(_text(item.get("external_url")), base)
    link = absolute_url(_text(item.get("url")), base) or elsewhere
    markup = _text(item.get("content_html"))
    text = html_to_text(markup, reader) or clean_plain_text(_text(item.get("content_text")))
    summary = clean_plain_text(_text(item.get("summary")))
    files = (
        (_text(attachment.get("mime_type")), _text(attachment.get("url")))
        for attachment in _dicts(item.get("attachments"))
    )
    written = [_text(item.get(name)) for name in ("date_published", "date_modified")]
    published, updated = map(dates.read, written)
    declared = (Picture(_text(item.get(name))) for name in ("image", "banner_image"))
    image, image_alt = chosen_picture(declared, (markup,), link or base)
    title = one_line(_text(item.get("title")))
    whole = text or summary
    article = read_lines(without_title(whole, title)) if reader >= 2 else ArticleText(whole)
    return Entry(
        guid=_text(item.get("id")),
        link=link,
        title=title,
        text=article.text,
        summary=article_summary(summary if text and summary != text else "", article.text, reader),
        author=_authors(item, reader) or article.author or authors,
        **date_fields(published, updated, dates.unread_among(*written)),
        image=image,
        image_alt=image_alt,
        media=media_of(files),
        language=language_of(_text(item.get("language")), feed_language),
        categories=unique_values([one_line(_text(tag), 100) for tag in _list(item.get("tags"))]),
        link_list=is_link_list(markup, text),
        origin=origin_of(site_name(elsewhere), elsewhere, base) if elsewhere else None,
        credit=article.credit,
        rights=article.rights,
    )


def _authors(holder: dict[str, Any], reader: int) -> str | None:
    """Return the names of `authors` (1.1) and `author` (1.0)."""
    names = unique_values(list(_names(holder)))
    return ", ".join(map(clean_author, names) if reader >= 2 else names) or None


def _names(holder: dict[str, Any]) -> Iterator[str]:
    for author in [*_list(holder.get("authors")), holder.get("author")]:
        yield one_line(_text(author.get("name") if isinstance(author, dict) else author), 200)


def _dicts(value: object) -> list[dict[str, Any]]:
    return [each for each in _list(value) if isinstance(each, dict)]


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(value: object) -> str:
    """Return a string or number as text, "" for any other value."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    try:
        return str(value)
    except ValueError:  # an integer of thousands of digits
        return ""
