"""A web page to the text of its article. Pure; what it costs is bounded by what it reads."""

import json
import re
from typing import Any

from pipeline.errors import FeedError
from pipeline.ingest.decode import decode
from pipeline.ingest.html import html_to_text
from pipeline.ingest.interstitial import interstitial
from pipeline.ingest.links import absolute
from pipeline.ingest.text import repair, tidy
from pipeline.models import Record
from pipeline.urls import shown_url

_READ = 2_000_000
"""Bytes of a page that are read."""
_META = re.compile(rb"<meta[^>]{0,300}?charset\s{0,9}=\s{0,9}[\"']?([\w.:-]{1,40})", re.IGNORECASE)
_HTML = ("text/html", "application/xhtml+xml", "text/plain", "")
_LOCKED = re.compile(
    r"[\"']isAccessibleForFree[\"']\s{0,9}:\s{0,9}[\"']?false"
    r"|<meta[^>]{0,200}(?:article:content_tier|content_tier)[^>]{0,100}(?:locked|metered)",
    re.IGNORECASE,
)
_WALL = re.compile(
    r"subscribe (?:now )?to (?:continue|keep|read)|to continue reading|subscribers? only|already a subscriber"
    r"|become a (?:member|subscriber) to|this (?:article|story) is for (?:subscribers|members)"
    r"|réservé aux abonnés|nur für abonnenten|jetzt abonnieren|contenido exclusivo para suscriptores",
    re.IGNORECASE,
)
_WALLED = 600
"""Characters of an article in front of a paywall, at most: more is the article."""
_RESERVED = re.compile(
    r"<meta[^>]{0,200}name\s?=\s?[\"']?tdm-reservation[\"']?[^>]{0,100}content\s?=\s?[\"']?1", re.IGNORECASE
)
_NO_AI = re.compile(
    r"<meta[^>]{0,200}name\s?=\s?[\"']?robots[\"']?[^>]{0,200}content\s?=\s?[\"'][^\"'>]{0,100}\bnoai\b", re.I
)


class Page(Record):
    """What an item's web page says."""

    text: str
    """Plain, paragraphs divided by a blank line."""
    title: str = ""
    author: str | None = None
    image: str | None = None


def extract(body: bytes, content_type: str | None, url: str, selector: str | None = None) -> Page:
    """Return the article of a page; with a CSS `selector`, what that selects.

    Raises FeedError of kind not-html, challenge, consent, login, reserved, paywall, selector or empty.
    """
    kind = (content_type or "").partition(";")[0].strip().lower()
    if kind not in _HTML or body[:5] == b"%PDF-":
        raise _trouble(url, f"is no web page but {kind or 'something else'}", "not-html")
    html = _decoded(body[:_READ], content_type)
    if stands := interstitial(html):
        raise _trouble(url, f"shows a {stands} page instead of the article", stands)
    if _RESERVED.search(html) or _NO_AI.search(html):
        raise _trouble(url, "reserves its text (tdm-reservation or noai)", "reserved")
    tree = _tree(html, url)
    text = _selected(tree, selector, url) if selector else _found(tree)
    if len(text) < _WALLED and (_LOCKED.search(html) or _WALL.search(html)):
        raise _trouble(url, "is behind a paywall", "paywall")
    if not text:
        raise _trouble(url, "has no article that could be found; a `selector` may help", "empty")
    return Page(text=text, **_about(tree, url))


def _trouble(url: str, said: str, kind: str) -> FeedError:
    return FeedError(f"{shown_url(url)} {said}", kind=kind)


def _decoded(body: bytes, content_type: str | None) -> str:
    """Return a page's characters: HTML names its charset where a feed's declaration would stand."""
    if "charset" not in (content_type or "").lower() and (found := _META.search(body[:4096])):
        content_type = f"text/html; charset={found[1].decode('ascii')}"
    return decode(body, content_type)


def _tree(html: str, url: str) -> Any:  # noqa: ANN401 - lxml has no types
    import lxml.html
    from lxml.etree import LxmlError

    parser = lxml.html.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True, huge_tree=False)
    try:
        tree = lxml.html.document_fromstring(html.encode("utf-8", "replace"), parser=parser)
    except (LxmlError, ValueError) as error:
        raise _trouble(url, "is empty", "empty") from error
    return tree


def _selected(tree: Any, selector: str, url: str) -> str:  # noqa: ANN401
    from cssselect import SelectorError
    from lxml.html import tostring

    try:
        found = tree.cssselect(selector)
    except SelectorError as error:
        raise _trouble(
            url, f"cannot be searched for {selector!r}: it is no CSS selector", "selector"
        ) from error
    if not found:
        raise _trouble(url, f"has nothing that the selector {selector!r} means", "selector")
    return "\n\n".join(html_to_text(tostring(each, encoding="unicode")) for each in found).strip()


def _found(tree: Any) -> str:  # noqa: ANN401
    from trafilatura import bare_extraction  # half a second to import, and few items need it

    document = bare_extraction(tree, fast=True, include_comments=False, include_tables=False)
    text = getattr(document, "text", None) or ""
    return tidy(_PARAGRAPH.sub("\n\n", repair(text)))


_PARAGRAPH = re.compile(r"\n(?!\n|- )")
"""The end of a paragraph; items of a list stay together."""


def _about(tree: Any, url: str) -> dict[str, Any]:  # noqa: ANN401
    title = _meta(tree, "og:title") or " ".join(tree.xpath("string(//title)").split())
    image = _meta(tree, "og:image")
    return {
        "title": repair(title)[:300],
        "author": repair(_meta(tree, "author") or _author(tree))[:200] or None,
        "image": absolute(image, url) if image else None,
    }


def _meta(tree: Any, name: str) -> str:  # noqa: ANN401
    found = tree.xpath("//meta[@property=$name or @name=$name]/@content", name=name)
    return " ".join(str(found[0]).split()) if found else ""


def _author(tree: Any) -> str:  # noqa: ANN401
    """Return the author that a page's JSON-LD names, if it names one (schema.org)."""
    for script in tree.xpath("//script[@type='application/ld+json']/text()")[:5]:
        try:
            data = json.loads(script[:100_000])
        except (ValueError, RecursionError):
            continue
        author = data.get("author") if isinstance(data, dict) else None
        author = author[0] if isinstance(author, list) and author else author
        name = author.get("name") if isinstance(author, dict) else author
        if isinstance(name, str):
            return " ".join(name.split())
    return ""
