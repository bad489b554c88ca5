"""What a document is, judged by its first tag.

Mends XML so that it can be read strictly; what it cannot be sure of, it leaves to a later poll.

feedparser's loose mode would read more, but writes `AT&T;` for `AT&T` and ends a story where the bytes end.
"""

import re
from collections.abc import Mapping
from html import unescape
from html.entities import html5
from typing import Literal
from xml.sax.saxutils import escape

ContentKind = Literal["empty", "json", "html", "feed", "other"]

UNSEEN = re.compile(r"<!--.*?(?:-->|\Z)|<!\[CDATA\[.*?(?:\]\]>|\Z)|<\?.*?(?:\?>|\Z)", re.DOTALL)
_FIRST = re.compile(r"<(?:[\w.-]{1,40}:)?([A-Za-z][\w.-]{0,40})(?=[\s/>])")
_FIRST_SEEN = re.compile(f"{UNSEEN.pattern}|{_FIRST.pattern}", re.DOTALL)
_FEEDS = frozenset(("rss", "rdf", "feed", "channel"))
_HTML = frozenset(
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
    """Tell what a decoded document is."""
    if not text or text.isspace():
        return "empty"
    if text[0] in "{[":
        return "json"
    name = next((found[1].lower() for found in _FIRST_SEEN.finditer(text) if found[1]), None)
    if name is None:
        return "other"
    if name in _FEEDS:
        return "feed"
    return "html" if name in _HTML else "other"


def mask_comments(text: str) -> str:
    """Blank out comments, CDATA sections and instructions, keeping every position."""
    return UNSEEN.sub(lambda match: " " * len(match[0]), text)


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
_MOST_PREFIXES = 100
_DEEPEST = 1000
_TAG = re.compile(r"<(/?)((?:[\w.-]{1,40}:)?[A-Za-z][\w.-]{0,40})(?=[\s/>])([^<>]{0,20000})>")
_ITEM = re.compile(r"<(?:[\w.-]{1,40}:)?(?:item|entry)(?=[\s/>])", re.IGNORECASE)
_ITEMS = frozenset(("item", "entry"))
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
    """Return the document from its XML declaration or root on, where something was written before it."""
    root = _ROOT.search(mask_comments(text[:20_000]))
    if root is None:
        return text
    if sniff(text[: root.end()]) == "feed":
        return text[text.find("<") :]
    declared = text.rfind("<?xml", 0, root.start())
    return text[root.start() if declared <= 0 else declared :]


def close_truncated(text: str) -> tuple[str, bool]:
    """Return a feed without what was cut off at its end, and whether anything was.

    A document whose root never closes was cut off: the text behind its last whole item is dropped and
    the open elements are closed, so that the rest can be read strictly.
    """
    stack: list[str] = []
    whole: tuple[int, list[str]] | None = None
    for tag in _TAG.finditer(mask_comments(text)):
        closes = _step(stack, tag)
        if len(stack) > _DEEPEST:  # no feed is as deep: the parser's affair
            return text, False
        if closes and not stack:  # what stands behind a feed is none of it, unless it is another one
            return text if _ITEM.search(text, tag.end()) else text[: tag.end()], False
        if closes and tag[2].lower().rpartition(":")[2] in _ITEMS:
            whole = tag.end(), list(stack)
    if whole is None:
        return text[: _first_item(text)], True
    end, still_open = whole
    return text[:end] + "".join(f"</{name}>" for name in reversed(still_open)), True


def _step(stack: list[str], tag: re.Match[str]) -> bool:
    """Open or close an element; tell whether one was closed, with whatever was left open in it."""
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
    found = _ITEM.search(mask_comments(text))
    return found.start() if found else len(text)


def declared_entities(text: str, spaces: Mapping[str, str]) -> str | None:
    """Return XML whose root declares the prefixes that it uses and does not; None where it declares all.

    `spaces` are the namespaces that prefixes mostly stand for. One forgotten declaration, say of `media`,
    makes a whole feed ill-formed.
    """
    seen = mask_comments(text)
    root = _TAG.search(seen)
    used = dict.fromkeys(found[1] or found[2] for found in _PREFIX.finditer(seen))
    known = {"xml", "xmlns", *_DECLARED.findall(seen)}
    missing = [prefix for prefix in used if prefix not in known][:_MOST_PREFIXES]
    if root is None or not missing:
        return None
    written = "".join(
        f' xmlns:{each}="{escape(spaces.get(each.lower(), f"urn:{each}"))}"' for each in missing
    )
    return text[: root.end(2)] + written + text[root.end(2) :]


def strip_doctype(text: str) -> tuple[str, dict[str, str]]:
    """Return the document without its document type, and the characters that its entities stand for.

    Only entities of a few plain characters count: no bomb is made of them, and nothing is fetched for them.
    """
    prolog = _PROLOG.match(text)
    found = _DOCTYPE.match(text, prolog.end()) if prolog else None
    if found is None:
        return text, {}
    names = {each[1]: unescape(each[2] or each[3] or "") for each in _ENTITY.finditer(found[0])}
    return text[: found.start()] + text[found.end() :], names


def strip_empty(text: str) -> str:
    """Return the document without empty texts: in feedparser they take the place of full ones."""
    return _EMPTY.sub("", text)


def repair_xml(text: str, names: Mapping[str, str]) -> str:
    """Return XML whose ampersands and entities a strict parser can read; `names` are the document's own."""

    def written(found: re.Match[str]) -> str:
        name = found[1]
        if found[0] == "&":
            return "&amp;"
        if name is None or name in _XML_ENTITIES:
            return found[0]
        meant = names.get(name) or html5.get(f"{name};")
        return escape(meant) if meant else f"&amp;{name};"

    pieces: list[str] = []
    at = 0
    for unseen in UNSEEN.finditer(text):
        pieces += (_AMPERSAND.sub(written, text[at : unseen.start()]), unseen[0])
        at = unseen.end()
    return "".join(pieces) + _AMPERSAND.sub(written, text[at:])
