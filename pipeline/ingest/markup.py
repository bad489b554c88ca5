"""Splits HTML of any quality into text and tags, in time proportional to its length.

Not html.parser: in the Python versions that we support, it takes quadratic time on unclosed comments,
quotes and tags (CVE-2025-6069), and a feed's content is hostile. One expression does it all, because a loop
over tags costs more than reading the rest of a feed. Each of its repeats is possessive, and each of its ways
ends in a match: what was read once is not read again.
"""

import html
import re
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

_SPLITTER = r"""
    <(?:
        (?=[sStT])(?i:script|style|textarea|title)\b[^>]*+(?<!/)>  # they hold no markup
            .*?(?:</(?i:script|style|textarea|title)\b[^>]*+(?:>|\Z)|\Z)
        | (/?[a-zA-Z][a-zA-Z0-9:_-]{0,40}+) ( @ ) (?:>|\Z)
        | !--(?:>|->|.*?(?:-->|\Z))
        | [!?][^>]*+(?:>|\Z)
    )"""
_QUOTED = r"""[^>=]*+ (?:=\s{0,9}+(?:"[^"]*+(?:"|\Z)|'[^']*+(?:'|\Z))?+ [^>=]*+)*+"""
_TAGS = re.compile(_SPLITTER.replace("@", _QUOTED), re.VERBOSE | re.DOTALL)
_UNQUOTED_TAGS = re.compile(_SPLITTER.replace("@", "[^>]*+"), re.VERBOSE | re.DOTALL)
_END = "\x04"
"""Stands behind the text: where it is gone, something that never closes took it."""
_CDATA = re.compile(r"<!\[CDATA\[(.*?)(?:\]\]>|\Z)", re.DOTALL)
_ATTRIBUTE = re.compile(r"""([^\s=/>"']+)(?:\s{0,9}=\s{0,9}(?:"([^"]*)"|'([^']*)'|([^\s"'>]+)))?""")
_REFERENCE = re.compile(r"&(?:#[xX][0-9a-fA-F]++;?|#[0-9]++;?|[a-zA-Z][a-zA-Z0-9]{1,31}+;?)")


class Pieces(NamedTuple):
    """Texts, and what stands between them: tags' names, `/` before those that close, and attributes.

    There is one text more than names. Texts and attributes are as written, names are in lower case;
    a comment, a declaration, a script or a style has the name "".
    """

    texts: list[str]
    names: list[str]
    attributes: list[str]


def pieces(source: str) -> Pieces:
    """Split HTML."""
    if "<![CDATA[" in source:
        source = _CDATA.sub(lambda found: html.escape(found[1], quote=False), source)
    end = source.rfind(">") + 1  # behind it, no tag can be complete
    if not end:
        return Pieces([source], [], [])
    head = source[:end] + _END
    found: list[str | None] = _TAGS.split(head)
    if (found[-1] or "")[-1:] != _END:  # a quote that never closes: once is an error, more would be an attack
        found = _UNQUOTED_TAGS.split(head)
    found[-1] = (found[-1] or "").removesuffix(_END) + source[end:]
    return Pieces(
        [text or "" for text in found[::3]],
        [name.lower() if name else "" for name in found[1::3]],
        [written or "" for written in found[2::3]],
    )


def opening(source: str, name: str) -> Iterator[str]:
    """Yield the attributes of the tags of that name which open."""
    if f"<{name}" not in source and f"<{name.upper()}" not in source:
        return
    for found in _TAGS.finditer(source):
        if found[1] and found[1].lower() == name:
            yield found[2]


def attribute(written: str, name: str) -> str | None:
    """Return an attribute's value, "" where it has none, None where it is missing."""
    for match in _ATTRIBUTE.finditer(written[:8192]):
        if match[1].lower() == name:
            return decoded(match[2] or match[3] or match[4] or "")
    return None


def decoded(text: str) -> str:
    """Return text with its character references replaced."""
    return _REFERENCE.sub(_character, text) if "&" in text else text


def _character(reference: re.Match[str]) -> str:
    written = reference[0]
    # int() refuses thousands of digits, and no such character exists.
    return _meant(written) if len(written) < 40 else "\ufffd"


@lru_cache(4096)
def _meant(reference: str) -> str:
    return html.unescape(reference)
