"""Reads Atom tombstones: what a feed says of entries that it deleted (RFC 6721)."""

import re
from html import unescape

from pipeline.feeds.entries import publisher_guid
from pipeline.feeds.parsing.xml_repair import mask_comments

_NAMESPACE = "purl.org/atompub/tombstones/"
_REF = re.compile(
    r"<(?:[\w.-]{1,40}:)?deleted-entry\s(?:[^<>]{0,2000}?\s)?ref\s{0,9}=\s{0,9}(?:\"([^\"<>]*)\"|'([^'<>]*)')"
)
_MAX = 2_000
"""Tombstones of a document that are read. Chosen, not measured."""


def deleted_guids(text: str) -> tuple[str, ...]:
    """Return the guids of the entries that an XML feed says are deleted."""
    if _NAMESPACE not in text:
        return ()
    masked = mask_comments(text)  # of equal length
    matches = (_REF.match(text, match.start()) for match in re.finditer("<[^<>]{0,60}deleted-entry", masked))
    refs = [unescape(match[1] or match[2] or "") for match in matches if match]
    return tuple(dict.fromkeys(filter(None, map(publisher_guid, refs[:_MAX]))))
