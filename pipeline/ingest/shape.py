"""What a document is, judged by its first tag."""

import re
from typing import Literal

Shape = Literal["empty", "json", "html", "feed", "other"]

UNSEEN = re.compile(r"<!--.*?(?:-->|\Z)|<!\[CDATA\[.*?(?:\]\]>|\Z)|<\?.*?(?:\?>|\Z)", re.DOTALL)
_FIRST = re.compile(r"<(?:[\w.-]{1,40}:)?([A-Za-z][\w.-]{0,40})(?=[\s/>])")
_FEEDS = frozenset(("rss", "rdf", "feed", "channel"))


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
    return UNSEEN.sub(lambda match: " " * len(match[0]), text)
