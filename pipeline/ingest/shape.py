"""What a document is, judged by its first tag; and where one that was cut off is still whole."""

import re
from typing import Literal

Shape = Literal["empty", "json", "html", "feed", "other"]

_UNSEEN = re.compile(r"<!--.*?(?:-->|\Z)|<!\[CDATA\[.*?(?:\]\]>|\Z)|<\?.*?(?:\?>|\Z)", re.DOTALL)
_FIRST = re.compile(r"<(?:[\w.-]{1,40}:)?([A-Za-z][\w.-]{0,40})(?=[\s/>])")
_ROOT = re.compile(r"<(?:[\w.-]{1,40}:)?(?:rss|rdf|feed)\s[^<>]{0,2000}(?:xmlns|version)[^<>]{0,4000}>", re.IGNORECASE)
_DEEPEST = 1000
_FEEDS = frozenset(("rss", "rdf", "feed", "channel"))
_TAG = re.compile(r"<(/?)((?:[\w.-]{1,40}:)?[A-Za-z][\w.-]{0,40})(?=[\s/>])([^<>]{0,20000})>")
_ITEMS = frozenset(("item", "entry"))


def shape(text: str) -> Shape:
    """Tell what a decoded document is."""
    if not text.strip():
        return "empty"
    if text[0] in "{[":
        return "json"
    first = _FIRST.search(masked(text))
    if first is None:
        return "other"
    name = first[1].lower()
    if name in _FEEDS:
        return "feed"
    return "html" if name in ("html", "head", "body", "meta", "title", "div", "script") else "other"


def masked(text: str) -> str:
    """Blank out comments, CDATA sections and instructions, keeping every position."""
    return _UNSEEN.sub(lambda match: " " * len(match[0]), text)


def without_preamble(text: str) -> str:
    """Return the document from its XML declaration or root on, where something was written before it."""
    root = _ROOT.search(masked(text[:20_000]))
    if root is None or shape(text[: root.end()]) == "feed":
        return text
    declared = text.rfind("<?xml", 0, root.start())
    return text[root.start() if declared <= 0 else declared :]


def uncut(text: str) -> tuple[str, bool]:
    """Return a feed without what was cut off at its end, and whether anything was.

    A document whose root never closes was cut off: the text behind its last whole item is dropped and
    the open elements are closed, so that the rest can be read strictly.
    """
    stack: list[str] = []
    whole: tuple[int, list[str]] | None = None
    begun = False
    for tag in _TAG.finditer(masked(text)):
        closing, name = tag[1], tag[2].lower()
        local = name.rpartition(":")[2]
        begun = begun or local in _ITEMS
        if closing:
            if name not in stack:
                continue
            while stack.pop() != name:
                pass
            if not stack:
                return text, False
            if local in _ITEMS:
                whole = tag.end(), list(stack)
        elif not tag[3].endswith("/"):
            stack.append(name)
            if len(stack) > _DEEPEST:  # no feed is; what follows is the parser's affair
                return text, False
    if not stack and not begun:
        return text, False
    if whole is None:
        return (text[: _first_item(text)] if begun else text), True
    end, still_open = whole
    return text[:end] + "".join(f"</{name}>" for name in reversed(still_open)), True


def _first_item(text: str) -> int:
    found = re.search(r"<(?:[\w.-]{1,40}:)?(?:item|entry)(?=[\s/>])", masked(text), re.IGNORECASE)
    return found.start() if found else len(text)
