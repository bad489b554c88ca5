"""URLs as messages show them. Imports nothing of ours: workers that only parse need it too.

Small pure steps on plain text of any script: sentences, cuts, and the headline of a source.
"""

import re
from collections.abc import Iterator
from itertools import pairwise
from urllib.parse import urlsplit

from pipeline.domain.models import Source


def redact_url(url: str) -> str:
    """Return a URL as it may stand in a message: no password, no query with somebody's key, one line."""
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "") + (f":{parts.port}" if parts.port else "")
    except ValueError:
        return repr(url[:80])
    shown = f"{parts.scheme}://{host}{parts.path}" + ("?…" if parts.query else "")
    return "".join(char if char.isprintable() else "�" for char in shown)[:300]


def url_host(url: str) -> str:
    """Return a URL's host for a message."""
    try:
        return urlsplit(url).hostname or redact_url(url)
    except ValueError:
        return redact_url(url)


_ABBREVIATED = re.compile(
    r"(?:\b(?:Mr|Mrs|Ms|Dr|Prof|Sen|Rep|Gov|Gen|St|No|vs|Inc|Ltd|Corp|Co|Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sep|Sept"
    r"|Oct|Nov|Dec|approx|Mrd|Mio|bzw|ca|Nr|Sr|Sra|art)|(?:^|[\s(.])[^\W\d_])\.$"
)
_STOP = re.compile(r"[.!?…]+[\"'”’»)\]]*(?:\s+|$)|[。！？।॥؟۔]+[」』”’)]*\s*|\n\s*\n")


def replace_surrogates(text: str) -> str:
    """Return the text without lone surrogates, which neither a request nor a file could carry."""
    return text.encode("utf-8", "replace").decode()


def one_line(text: str) -> str:
    """Return the text with every run of white space as one space."""
    return " ".join(text.split())


def sentence_ends(text: str, start: int = 0, end: int | None = None) -> Iterator[int]:
    """Yield where a sentence or paragraph ends between two places, behind the white space after it.

    A title, an initial or an abbreviated month before a full stop ends no sentence.
    """
    for stop in _STOP.finditer(text, start, len(text) if end is None else end):
        if not _ABBREVIATED.search(text[max(0, stop.start() - 12) : stop.start() + 1]):
            yield stop.end()


def sentences(paragraph: str) -> list[str]:
    """Split a paragraph after its sentences' ends; white space stays, so joined they are the paragraph."""
    bounds = [0, *sentence_ends(paragraph), len(paragraph)]
    return [paragraph[low:high] for low, high in pairwise(bounds) if high > low]


def truncate(text: str, limit: int) -> str:
    """Return at most `limit` characters of the text, ending at a word with `…` where it was longer."""
    if len(text) <= limit:
        return text
    head = text[: limit - 1]
    whole = head if text[limit - 1].isspace() else head.rpartition(" ")[0]
    return (whole.rstrip() or head) + "…"


def headline(source: Source) -> str:
    """Return the source's title, or the beginning of its text; empty where it has neither."""
    title = one_line(replace_surrogates(source.item.title))
    return title or truncate(one_line(replace_surrogates(source.item.text[:400])), 100)
