"""What a document is, judged by its first tag."""

import re
from typing import Literal

Shape = Literal["empty", "json", "html", "feed", "other"]

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


def shape(text: str) -> Shape:
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


def masked(text: str) -> str:
    """Blank out comments, CDATA sections and instructions, keeping every position."""
    return UNSEEN.sub(lambda match: " " * len(match[0]), text)
