"""Writes feed.xml (RSS 2.0) and feed.json (JSON Feed 1.1) of the newest published articles.

The same articles always give the same bytes: the feeds have no times but those of the articles.
Source: https://www.rssboard.org/rss-specification, https://www.jsonfeed.org/version/1.1/.
"""

import json
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from email.utils import format_datetime
from functools import lru_cache
from html import escape
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import nh3
from markdown_it import MarkdownIt

from pipeline.articles import files
from pipeline.articles.front_matter import loads
from pipeline.config import FeedTarget
from pipeline.domain.errors import OutputError, PublishError
from pipeline.domain.models import FrozenModel
from pipeline.domain.text import utc_iso
from pipeline.domain.urls import normalize_feed_url
from pipeline.publishing.targets.folder import require_parent

_OWN_MARKS = {"feed.xml": b"<generator>Copydesk</generator>", "feed.json": b'"_copydesk":'}
"""The two files, each with text by which Copydesk's own file is recognised."""
_CONTENT = "http://purl.org/rss/1.0/modules/content/"
_NO_XML = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_TAGS = {"a", "blockquote", "br", "em", "h2", "h3", "h4", "hr", "li", "ol", "p", "strong", "ul"}


class Entry(FrozenModel):
    """One published article of a feed."""

    id: str
    """The externalId, which never changes."""
    url: str
    title: str
    summary: str
    html: str
    published: datetime
    updated: datetime
    language: str
    tags: tuple[str, ...]
    image: str | None


def entry(target: FeedTarget, path: str, text: str) -> Entry:
    """Return the feed entry of an article. Raises PublishError where its front matter is not usable."""
    try:
        metadata, body = loads(text, path)
        return _entry(target, path, metadata, body)
    except (OutputError, KeyError, ValueError, TypeError) as error:
        raise PublishError(f"{path} cannot be shown in a feed: {error}; correct its front matter") from error


def _entry(target: FeedTarget, path: str, metadata: dict[str, Any], body: str) -> Entry:
    identity, published = str(metadata["externalId"]), _parse_time(metadata["publishedAt"])
    stem = path.removesuffix(".md")
    url = target.article_url.replace("{path}", stem).replace("{slug}", Path(stem).name)
    return Entry(
        id=identity,
        url=url.replace("{id}", identity),
        title=str(metadata["title"]),
        summary=str(metadata.get("description") or ""),
        html=_html(body, _mapping(metadata.get("source"))),
        published=published,
        updated=_parse_time(metadata.get("updatedAt") or metadata["publishedAt"]),
        language=str(metadata.get("lang") or "en"),
        tags=tuple(map(str, metadata.get("tags") or ())),
        image=_http_url(_mapping(metadata.get("coverImage")).get("regular")),
    )


def _parse_time(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _mapping(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _html(body: str, source: dict[str, Any]) -> str:
    """Return a body as safe HTML that ends with a link to its source."""
    rendered = nh3.clean(_markdown().render(body), tags=_TAGS, url_schemes={"http", "https"})
    name, url = escape(str(source.get("name") or "")), _http_url(source.get("url"))
    if url:
        name = f'<a href="{escape(url)}" rel="noopener noreferrer">{name or escape(url)}</a>'
    return rendered + (f"<p>Source: {name}</p>\n" if name else "")


@lru_cache(maxsize=1)
def _markdown() -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": False})


def _http_url(url: object) -> str | None:
    return url if isinstance(url, str) and normalize_feed_url(url) else None


def write(target: FeedTarget, entries: Sequence[Entry]) -> None:
    """Write both files, where they change. Raises OutputError, or PublishError for another program's file."""
    folder = Path(target.path)
    require_parent(folder)
    files.remove_temp_files(folder)
    for name, data in zip(_OWN_MARKS, (rss(target, entries), json_feed(target, entries)), strict=True):
        existing = files.read_bytes(folder, name)
        if existing is not None and _OWN_MARKS[name] not in existing:
            fix = "move it away, or choose another `path`; then `copydesk publish`"
            raise PublishError(f"{folder / name} was written by another program and is not replaced: {fix}")
        if existing != data:
            files.write_atomically(folder, name, data)


def rss(target: FeedTarget, entries: Sequence[Entry]) -> bytes:
    """Return the articles as RSS 2.0."""
    ElementTree.register_namespace("content", _CONTENT)
    root = ElementTree.Element("rss", version="2.0")
    channel = ElementTree.SubElement(root, "channel")
    _add(channel, "title", target.title)
    _add(channel, "link", target.link)
    _add(channel, "description", target.description or target.title)
    _add(channel, "generator", "Copydesk")
    if entries:
        _add(channel, "language", entries[0].language)
        _add(channel, "lastBuildDate", format_datetime(max(article.updated for article in entries)))
    for article in entries:
        _item(ElementTree.SubElement(channel, "item"), article)
    ElementTree.indent(root)
    document: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return document + b"\n"


def _item(item: ElementTree.Element, article: Entry) -> None:
    _add(item, "title", article.title)
    _add(item, "link", article.url)
    _add(item, "guid", article.id, isPermaLink="false")
    _add(item, "pubDate", format_datetime(article.published))
    for tag in article.tags:
        _add(item, "category", tag)
    # Feed readers read a description as HTML.
    _add(item, "description", escape(article.summary, quote=False))
    _add(item, f"{{{_CONTENT}}}encoded", article.html)


def _add(parent: ElementTree.Element, name: str, text: str, **attributes: str) -> None:
    ElementTree.SubElement(parent, name, attributes).text = _NO_XML.sub("\ufffd", text)


def json_feed(target: FeedTarget, entries: Sequence[Entry]) -> bytes:
    """Return the articles as JSON Feed 1.1."""
    document = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": target.title,
        "home_page_url": target.link,
        "description": target.description or target.title,
        "_copydesk": {"about": "Written by Copydesk; every article was approved by an editor."},
        "items": [_json_item(article) for article in entries],
    }
    return (json.dumps(document, ensure_ascii=False, indent=1) + "\n").encode("utf-8", "replace")


def _json_item(article: Entry) -> dict[str, object]:
    fields: dict[str, object] = {
        "id": article.id,
        "url": article.url,
        "title": article.title,
        "summary": article.summary,
        "content_html": article.html,
        "date_published": utc_iso(article.published),
        "date_modified": utc_iso(article.updated),
        "language": article.language,
        "tags": article.tags,
    }
    return fields | ({"image": article.image} if article.image else {})
