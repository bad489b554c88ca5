"""Detects the kind of a document, and repairs XML for a strict parser; drops truncated items.

feedparser's lenient parser would read more, but writes `AT&T;` for `AT&T` and keeps items that are cut off.
"""

import re
from collections.abc import Mapping
from html import unescape
from html.entities import html5
from typing import Literal
from xml.sax.saxutils import escape

ContentKind = Literal["empty", "json", "html", "feed", "other"]

NOT_MARKUP = re.compile(r"<!--.*?(?:-->|\Z)|<!\[CDATA\[.*?(?:\]\]>|\Z)|<\?.*?(?:\?>|\Z)", re.DOTALL)
_TAG_NAME = re.compile(r"<(?:[\w.-]{1,40}:)?([A-Za-z][\w.-]{0,40})(?=[\s/>])")
_FIRST_TAG = re.compile(f"{NOT_MARKUP.pattern}|{_TAG_NAME.pattern}", re.DOTALL)
_FEED_ROOTS = frozenset(("rss", "rdf", "feed", "channel"))
_HTML_TAGS = frozenset(
    [
        "html",
        "head",
        "body",
        "meta",
        "title",
        "link",
        "style",
        "script",
        "noscript",
        "base",
        "div",
        "p",
        "h1",
        "h2",
        "center",
        "form",
        "table",
        "iframe",
        "main",
        "header",
        "section",
        "article",
        "span",
        "font",
        "br",
    ]
)


def sniff(text: str) -> ContentKind:
    """Return the kind of a decoded document, by its first tag."""
    if not text or text.isspace():
        return "empty"
    if text[0] in "{[":
        return "json"
    name = next((match[1].lower() for match in _FIRST_TAG.finditer(text) if match[1]), None)
    if name is None:
        return "other"
    if name in _FEED_ROOTS:
        return "feed"
    return "html" if name in _HTML_TAGS else "other"


def mask_comments(text: str) -> str:
    """Return text with comments, CDATA sections and instructions as spaces of the same length."""
    return NOT_MARKUP.sub(lambda match: " " * len(match[0]), text)


_ROOT = re.compile(
    r"<(?:[\w.-]{1,40}:)?(?:rss|rdf|feed)\s[^<>]{0,2000}(?:xmlns|version)[^<>]{0,4000}>", re.IGNORECASE
)
_EMPTY = re.compile(
    r"<((?:content:encoded|dc:description|media:description|description|summary|itunes:summary))(?:\s[^<>]{0,500})?"
    r"(?:/>|>\s{0,200}(?:<!\[CDATA\[\s{0,200}\]\]>\s{0,200})?</\1\s{0,9}>)"
)
_PREFIX = re.compile(
    r"</?([A-Za-z_][\w.-]{0,40}):[A-Za-z_]|\s([A-Za-z_][\w.-]{0,40}):[A-Za-z_][\w.-]{0,40}\s{0,9}=\s{0,9}[\"']"
)
_DECLARED = re.compile(r"\sxmlns:([A-Za-z_][\w.-]{0,40})\s{0,9}=")
_MAX_PREFIXES = 100  # that get a declaration; chosen, not measured
_MAX_DEPTH = 1000  # nested elements; chosen, not measured
_TAG = re.compile(r"<(/?)((?:[\w.-]{1,40}:)?[A-Za-z][\w.-]{0,40})(?=[\s/>])([^<>]{0,20000})>")
_ITEM = re.compile(r"<(?:[\w.-]{1,40}:)?(?:item|entry)(?=[\s/>])", re.IGNORECASE)
_ITEM_NAMES = frozenset(("item", "entry"))
_AMPERSAND = re.compile(r"&(?:#(?:\d{1,8}|[xX][0-9a-fA-F]{1,7});|([A-Za-z_][\w.-]{0,31});)?")
_XML_ENTITIES = frozenset(("amp", "lt", "gt", "quot", "apos"))
_PROLOG = re.compile(r"(?:\s++|<\?.*?\?>|<!--.*?-->)*+(?=<!DOCTYPE\b)", re.IGNORECASE | re.DOTALL)
_DOCTYPE = re.compile(
    r"""<!DOCTYPE (?:[^][<>"']++|"[^"]*+"|'[^']*+')*+
        (?:\[ (?:[^]"'<]++|"[^"]*+"|'[^']*+'|<!--.*?(?:-->|\Z)|<)*+ \]\s*+)?+ >""",
    re.IGNORECASE | re.DOTALL | re.VERBOSE,
)
_ENTITY = re.compile(
    r"""<!ENTITY\s{1,99}([A-Za-z_][\w.-]{0,31})\s{1,99}
        (?:"([^"&%<]{0,40}|&\#[0-9a-fA-FxX]{1,8};)"|'([^'&%<]{0,40}|&\#[0-9a-fA-FxX]{1,8};)')\s{0,99}>""",
    re.VERBOSE,
)


def strip_preamble(text: str) -> str:
    """Return the document from its XML declaration or root on, without text before it (PHP warnings)."""
    root = _ROOT.search(mask_comments(text[:20_000]))
    if root is None:
        return text
    if sniff(text[: root.end()]) == "feed":
        return text[text.find("<") :]
    declared = text.rfind("<?xml", 0, root.start())
    return text[root.start() if declared <= 0 else declared :]


def close_truncated(text: str) -> tuple[str, bool]:
    """Return a feed without a truncated item at its end, and whether it was truncated.

    A document is truncated if its root is never closed. Then the text after the last complete item is dropped
    and the open elements are closed, so that a strict parser can read the rest.
    """
    stack: list[str] = []
    whole: tuple[int, list[str]] | None = None
    for tag in _TAG.finditer(mask_comments(text)):
        closes = _step(stack, tag)
        if len(stack) > _MAX_DEPTH:  # the parser has its own limit
            return text, False
        if closes and not stack:  # drop text after the feed, but no second feed
            return text if _ITEM.search(text, tag.end()) else text[: tag.end()], False
        if closes and tag[2].lower().rpartition(":")[2] in _ITEM_NAMES:
            whole = tag.end(), list(stack)
    if whole is None:
        return text[: _first_item(text)], True
    end, still_open = whole
    return text[:end] + "".join(f"</{name}>" for name in reversed(still_open)), True


def _step(stack: list[str], tag: re.Match[str]) -> bool:
    """Update the stack of open elements; return whether an element was closed, and all within it."""
    name = tag[2]
    if tag[1]:
        if name not in stack:
            return False
        while stack.pop() != name:
            pass
        return True
    if not tag[3].endswith("/"):
        stack.append(name)
    return False


def _first_item(text: str) -> int:
    match = _ITEM.search(mask_comments(text))
    return match.start() if match else len(text)


def declare_namespaces(text: str, namespaces: Mapping[str, str]) -> str | None:
    """Return XML with missing namespace declarations added to its root, None if none is missing.

    `namespaces` has the namespaces of common prefixes. One missing declaration, such as of `media`, makes a
    whole feed ill-formed.
    """
    masked = mask_comments(text)
    root = _TAG.search(masked)
    used = dict.fromkeys(match[1] or match[2] for match in _PREFIX.finditer(masked))
    declared = {"xml", "xmlns", *_DECLARED.findall(masked)}
    missing = [prefix for prefix in used if prefix not in declared][:_MAX_PREFIXES]
    if root is None or not missing:
        return None
    declarations = "".join(
        f' xmlns:{each}="{escape(namespaces.get(each.lower(), f"urn:{each}"))}"' for each in missing
    )
    return text[: root.end(2)] + declarations + text[root.end(2) :]


def strip_doctype(text: str) -> tuple[str, dict[str, str]]:
    """Return the document without its document type, and the values of its entities.

    Only entities of at most 40 plain characters count: no entity bomb, and no external entity is fetched.
    """
    prolog = _PROLOG.match(text)
    doctype = _DOCTYPE.match(text, prolog.end()) if prolog else None
    if doctype is None:
        return text, {}
    entities = {each[1]: unescape(each[2] or each[3] or "") for each in _ENTITY.finditer(doctype[0])}
    return text[: doctype.start()] + text[doctype.end() :], entities


def strip_empty(text: str) -> str:
    """Return the document without empty text elements: feedparser lets them replace full ones."""
    return _EMPTY.sub("", text)


def repair_xml(text: str, entities: Mapping[str, str]) -> str:
    """Return XML with bare ampersands escaped and named entities replaced; `entities` are its own."""

    def escape_match(match: re.Match[str]) -> str:
        name = match[1]
        if match[0] == "&":
            return "&amp;"
        if name is None or name in _XML_ENTITIES:
            return match[0]
        character = entities.get(name) or html5.get(f"{name};")
        return escape(character) if character else f"&amp;{name};"

    pieces: list[str] = []
    at = 0
    for hidden in NOT_MARKUP.finditer(text):
        pieces += (_AMPERSAND.sub(escape_match, text[at : hidden.start()]), hidden[0])
        at = hidden.end()
    return "".join(pieces) + _AMPERSAND.sub(escape_match, text[at:])
