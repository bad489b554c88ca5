"""What a cover is searched by: the topic, never chance. Pure."""

import re
from collections.abc import Iterable

_WORD = re.compile(r"[^\W\d_]{4,}")
_MOST = 4
"""Words of a query: more find nothing."""


def query_of(title: str, category: str, tags: Iterable[str]) -> str:
    """Return a query: the category, tags, then the longest words of the title, each once."""
    topics = [word.lower() for word in dict.fromkeys((category, *tags)) if word]
    words = sorted(dict.fromkeys(_WORD.findall(title.lower())), key=len, reverse=True)
    return " ".join(list(dict.fromkeys([*topics[:2], *words]))[:_MOST])
