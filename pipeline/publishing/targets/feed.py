"""feed.xml (RSS 2.0) and feed.json (JSON Feed 1.1) of the newest published articles.

The same articles always give the same bytes: no time but theirs is written.
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
from pipeline.domain.models import FrozenModel, normalize_feed_url, utc_iso
from pipeline.publishing.targets import require_parent

MARKS = {"feed.xml": b"<generator>Copydesk</generator>", "feed.json": b'"_copydesk":'}
"""The two files, and what is in each that we wrote."""
_CONTENT = "http://purl.org/rss/1.0/modules/content/"
_NO_XML = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_TAGS = {"a", "blockquote", "br", "em", "h2", "h3", "h4", "hr", "li", "ol", "p", "strong", "ul"}


class Entry(FrozenModel):
    """One published article, as feeds show it."""

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
    """Return an article as feeds show it. Raises PublishError for what no feed can show."""
    try:
        metadata, body = loads(text, path)
        return _entry(target, path, metadata, body)
    except (OutputError, KeyError, ValueError, TypeError) as error:
        raise PublishError(f"{path} cannot be shown in a feed: {error}; mend its front matter") from error


def _entry(target: FeedTarget, path: str, metadata: dict[str, Any], body: str) -> Entry:
    identity, published = str(metadata["externalId"]), _moment(metadata["publishedAt"])
    stem = path.removesuffix(".md")
    url = target.article_url.replace("{path}", stem).replace("{slug}", Path(stem).name)
    return Entry(
        id=identity,
        url=url.replace("{id}", identity),
        title=str(metadata["title"]),
        summary=str(metadata.get("description") or ""),
        html=_html(body, _mapping(metadata.get("source"))),
        published=published,
        updated=_moment(metadata.get("updatedAt") or metadata["publishedAt"]),
        language=str(metadata.get("lang") or "en"),
        tags=tuple(map(str, metadata.get("tags") or ())),
        image=_web(_mapping(metadata.get("coverImage")).get("regular")),
    )


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _mapping(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _html(body: str, source: dict[str, Any]) -> str:
    """Return a body as safe HTML that ends with a link to its source."""
    rendered = nh3.clean(_markdown().render(body), tags=_TAGS, url_schemes={"http", "https"})
    name, url = escape(str(source.get("name") or "")), _web(source.get("url"))
    if url:
        name = f'<a href="{escape(url)}" rel="noopener noreferrer">{name or escape(url)}</a>'
    return rendered + (f"<p>Source: {name}</p>\n" if name else "")


@lru_cache(maxsize=1)
def _markdown() -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": False})


def _web(url: object) -> str | None:
    return url if isinstance(url, str) and normalize_feed_url(url) else None


def write(target: FeedTarget, entries: Sequence[Entry]) -> None:
    """Write both files, where they would change. Raises OutputError, PublishError for a file of others."""
    folder = Path(target.path)
    require_parent(folder)
    files.remove_temp_files(folder)
    for name, data in zip(MARKS, (rss(target, entries), json_feed(target, entries)), strict=True):
        standing = files.read_bytes(folder, name)
        if standing is not None and MARKS[name] not in standing:
            fix = "move it away, or choose another `path`; then `copydesk publish`"
            raise PublishError(f"{folder / name} was written by another program, and is left alone: {fix}")
        if standing != data:
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
        _add(channel, "lastBuildDate", format_datetime(max(one.updated for one in entries)))
    for one in entries:
        _item(ElementTree.SubElement(channel, "item"), one)
    ElementTree.indent(root)
    told: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return told + b"\n"


def _item(item: ElementTree.Element, one: Entry) -> None:
    _add(item, "title", one.title)
    _add(item, "link", one.url)
    _add(item, "guid", one.id, isPermaLink="false")
    _add(item, "pubDate", format_datetime(one.published))
    for tag in one.tags:
        _add(item, "category", tag)
    # Readers take a description for HTML.
    _add(item, "description", escape(one.summary, quote=False))
    _add(item, f"{{{_CONTENT}}}encoded", one.html)


def _add(parent: ElementTree.Element, name: str, text: str, **attributes: str) -> None:
    ElementTree.SubElement(parent, name, attributes).text = _NO_XML.sub("\ufffd", text)


def json_feed(target: FeedTarget, entries: Sequence[Entry]) -> bytes:
    """Return the articles as JSON Feed 1.1."""
    told = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": target.title,
        "home_page_url": target.link,
        "description": target.description or target.title,
        "_copydesk": {"about": "Written by Copydesk; every article was approved by an editor."},
        "items": [_json_item(one) for one in entries],
    }
    return (json.dumps(told, ensure_ascii=False, indent=1) + "\n").encode("utf-8", "replace")


def _json_item(one: Entry) -> dict[str, object]:
    told: dict[str, object] = {
        "id": one.id,
        "url": one.url,
        "title": one.title,
        "summary": one.summary,
        "content_html": one.html,
        "date_published": utc_iso(one.published),
        "date_modified": utc_iso(one.updated),
        "language": one.language,
        "tags": one.tags,
    }
    return told | ({"image": one.image} if one.image else {})
