"""Splits HTML of any quality into text and tags, in time proportional to its length.

Not html.parser: in the Python versions that we support, it takes quadratic time on unclosed comments,
quotes and tags (CVE-2025-6069), and a feed's content is hostile.
"""

import html
import re
from collections.abc import Iterator
from typing import NamedTuple

_NAME = re.compile(r"[a-zA-Z][a-zA-Z0-9:_-]{0,40}")
_IN_TAG = re.compile(r"""[>]|=\s{0,9}["']""")
_ATTRIBUTE = re.compile(r"""([^\s=/>"']+)(?:\s{0,9}=\s{0,9}(?:"([^"]*)"|'([^']*)'|([^\s"'>]+)))?""")
_RAW = {name: re.compile(rf"</{name}\b", re.IGNORECASE) for name in ("script", "style", "textarea", "title")}
# int() refuses thousands of digits, and no such character exists.
_ENDLESS_NUMBER = re.compile(r"&#(?:[xX][0-9a-fA-F]{9,}|[0-9]{9,});?")


class Tag(NamedTuple):
    """One tag: its name in lower case, whether it closes, and its attributes as written."""

    name: str
    closing: bool
    attributes: str

    def get(self, name: str) -> str | None:
        """Return an attribute's value, "" where it has none, None where it is missing."""
        for match in _ATTRIBUTE.finditer(self.attributes[:8192]):
            if match[1].lower() == name:
                return decoded(match[2] or match[3] or match[4] or "")
        return None


def decoded(text: str) -> str:
    """Return text with its character references replaced."""
    if "&" not in text:
        return text
    return html.unescape(_ENDLESS_NUMBER.sub("\ufffd", text))


def tokens(source: str) -> Iterator[str | Tag]:
    """Yield texts (decoded) and tags; comments, declarations, scripts and styles are left out."""
    at, last_end, quotes = 0, source.rfind(">"), True
    while at < len(source):
        start = source.find("<", at)
        if start < 0 or start > last_end:  # no tag can be complete any more
            yield decoded(source[at:])
            return
        if start > at:
            yield decoded(source[at:start])
        special = _special(source, start)
        if special is not None:
            text, at = special
            yield text
            continue
        name = _NAME.match(source, start + 1 + (source[start + 1] == "/"))
        if name is None:
            yield "<"
            at = start + 1
            continue
        end = _tag_end(source, name.end(), last_end) if quotes else -1
        if end < 0:  # a quote that never closes: once is an error, more would be an attack
            quotes, end = False, source.find(">", start)
        tag = Tag(name[0].lower(), source[start + 1] == "/", source[name.end() : end])
        yield tag
        at = _after(source, tag, end + 1)


def _special(source: str, start: int) -> tuple[str, int] | None:
    """Return the text of a comment, declaration or CDATA section (mostly none) and where it ends."""
    if source.startswith("<!--", start):
        end = source.find("-->", start + 2)
        return "", len(source) if end < 0 else end + 3
    if source.startswith("<![CDATA[", start):
        end = source.find("]]>", start)
        inside = source[start + 9 : end if end >= 0 else len(source)]
        return inside, len(source) if end < 0 else end + 3
    if source[start + 1] in "!?":
        return "", source.find(">", start) + 1
    return None


def _tag_end(source: str, at: int, last_end: int) -> int:
    """Return where the tag's `>` is, outside quoted values; -1 where quotes leave none."""
    while at <= last_end:
        mark = _IN_TAG.search(source, at)
        if mark is None:
            return -1
        if mark[0] == ">":
            return mark.start()
        at = source.find(mark[0][-1], mark.end()) + 1
        if at == 0:
            return -1
    return -1


def _after(source: str, tag: Tag, at: int) -> int:
    """Return where to read on: behind the content of an element that holds no markup."""
    if tag.closing or tag.name not in _RAW or tag.attributes.endswith("/"):
        return at
    close = _RAW[tag.name].search(source, at)
    return close.start() if close else len(source)
