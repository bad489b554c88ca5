"""Splits HTML of any quality at its tags, and reads attributes and character references, in linear time.

Not html.parser: in the supported Python versions it takes quadratic time on unclosed comments, quotes and
tags (CVE-2025-6069), and a feed's content is hostile. One regular expression splits the HTML, because a
Python loop over tags costs more than the rest of parsing a feed. Its repeats are possessive, and its
alternatives always end in a match, so nothing is read twice.
"""

import html
import re
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

_SPLITTER = r"""
    <(?:
        (?=[sStT])(?i:script|style|textarea|title)\b[^>]*+(?<!/)>  # contain no markup
            .*?(?:</(?i:script|style|textarea|title)\b[^>]*+(?:>|\Z)|\Z)
        | (/?[a-zA-Z][a-zA-Z0-9:_-]{0,40}+) ( @ ) (?:>|\Z)
        | !--(?:>|->|.*?(?:-->|\Z))
        | [!?][^>]*+(?:>|\Z)
    )"""
_QUOTED = r"""[^>=]*+ (?:=\s{0,9}+(?:"[^"]*+(?:"|\Z)|'[^']*+(?:'|\Z))?+ [^>=]*+)*+"""
_TAGS = re.compile(_SPLITTER.replace("@", _QUOTED), re.VERBOSE | re.DOTALL)
_UNQUOTED_TAGS = re.compile(_SPLITTER.replace("@", "[^>]*+"), re.VERBOSE | re.DOTALL)
_END = "\x04"
"""Added at the end: if it is missing from the last text, an unclosed quote has consumed it."""
_CDATA = re.compile(r"<!\[CDATA\[(.*?)(?:\]\]>|\Z)", re.DOTALL)
_ATTRIBUTE = re.compile(r"""([^\s=/>"']+)(?:\s{0,9}=\s{0,9}(?:"([^"]*)"|'([^']*)'|([^\s"'>]+)))?""")
_REFERENCE = re.compile(r"&(?:#[xX][0-9a-fA-F]++;?|#[0-9]++;?|[a-zA-Z][a-zA-Z0-9]{1,31}+;?)")


class HtmlPieces(NamedTuple):
    """Texts, and the names and attributes of the tags between them; there is one text more than tags.

    Texts and attributes are as written. Names are in lower case, those of closing tags with `/` in front;
    a comment, a declaration, a script or a style has the name "".
    """

    texts: list[str]
    names: list[str]
    attributes: list[str]


def split_html(source: str) -> HtmlPieces:
    """Return HTML split at its tags."""
    if "<![CDATA[" in source:
        source = _CDATA.sub(lambda match: html.escape(match[1], quote=False), source)
    end = source.rfind(">") + 1  # after it, no tag can be complete
    if not end:
        return HtmlPieces([source], [], [])
    head = source[:end] + _END
    parts: list[str | None] = _TAGS.split(head)
    if (parts[-1] or "")[-1:] != _END:  # an unclosed quote: split again without quotes
        parts = _UNQUOTED_TAGS.split(head)
    parts[-1] = (parts[-1] or "").removesuffix(_END) + source[end:]
    return HtmlPieces(
        [text or "" for text in parts[::3]],
        [name.lower() if name else "" for name in parts[1::3]],
        [attributes or "" for attributes in parts[2::3]],
    )


def opening_tags(source: str, name: str) -> Iterator[str]:
    """Yield the attributes of each opening tag of that name."""
    if f"<{name}" not in source and f"<{name.upper()}" not in source:
        return
    for tag in _TAGS.finditer(source):
        if tag[1] and tag[1].lower() == name:
            yield tag[2]


def attribute_value(attributes: str, name: str) -> str | None:
    """Return an attribute's value, "" if it has none, None if the attribute is missing."""
    for match in _ATTRIBUTE.finditer(attributes[:8192]):
        if match[1].lower() == name:
            return decode_references(match[2] or match[3] or match[4] or "")
    return None


def small_number(written: str | None, default: int) -> int:
    """Return a number of at most six digits, the default for any other text."""
    bare = (written or "").strip()
    return int(bare) if bare.isascii() and bare.isdigit() and len(bare) < 7 else default


def decode_references(text: str) -> str:
    """Return text with its character references replaced."""
    return _REFERENCE.sub(_reference_text, text) if "&" in text else text


def _reference_text(reference: re.Match[str]) -> str:
    text = reference[0]
    # int() raises for thousands of digits, and no such character exists.
    return _decode_reference(text) if len(text) < 40 else "\ufffd"


@lru_cache(4096)
def _decode_reference(reference: str) -> str:
    return html.unescape(reference)
