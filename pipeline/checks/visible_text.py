r"""Visible text of Markdown, with a map from its characters to those of the Markdown.

Undoes obfuscation that hides an address from a regular expression: `evil\.com`, `evil&#46;com`,
`ev**il**.com`, `ｅｖｉｌ．ｃｏｍ` (Unicode compatibility characters), zero-width spaces.
"""

import re
from bisect import bisect_left, bisect_right
from functools import lru_cache
from html import unescape
from typing import NamedTuple
from unicodedata import category, normalize

_OBFUSCATION = re.compile(
    r"\\(?P<escaped>[!-/:-@\[-`{-~])"
    r"|(?P<entity>&(?:\#[0-9]{1,7}|\#[xX][0-9a-fA-F]{1,6}|[a-zA-Z][a-zA-Z0-9]{1,30});)"
    r"|(?P<emphasis>\*+|~~|(?<![^\W_])_+|_+(?![^\W_]))"
    r"|(?P<other>[^\x00-\x7f])"
)


class VisibleText(NamedTuple):
    """The visible text, and where each stretch of it is in the original."""

    text: str
    starts: tuple[int, ...]
    """Where stretches begin in the visible text."""
    places: tuple[int, ...]
    """Where the same stretches begin in the original."""

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Return the span in the original of a span in the visible text, which must not be empty."""
        follows = bisect_left(self.starts, end)
        if follows < len(self.starts) and self.starts[follows] == end:
            return self._position(start), self.places[follows]
        return self._position(start), self._position(end - 1) + 1

    def _position(self, at: int) -> int:
        stretch = bisect_right(self.starts, at) - 1
        return self.places[stretch] + at - self.starts[stretch]


def visible_text(text: str) -> VisibleText:
    """Return a text without escapes, entities, emphasis, compatibility characters and invisible ones."""
    pieces: list[str] = []
    starts, places, length, copied_to = [0], [0], 0, 0
    for match in _OBFUSCATION.finditer(text):
        shown = _visible_form(match)
        if shown == match[0]:
            continue
        pieces += (text[copied_to : match.start()], shown)
        length += match.start() - copied_to
        copied_to = match.end()
        # Each character that replaces the match is a stretch of its own.
        starts += [*range(length, length + len(shown)), length + len(shown)]
        places += [*[match.start()] * len(shown), copied_to]
        length += len(shown)
    pieces.append(text[copied_to:])
    return VisibleText("".join(pieces), tuple(starts), tuple(places))


def _visible_form(match: re.Match[str]) -> str:
    if match["other"]:
        return _common_form(match["other"])
    if match["entity"]:
        return "".join(_common_form(char) for char in unescape(match["entity"]))
    return match["escaped"] or ""


@lru_cache(8192)
def _common_form(char: str) -> str:
    """Return the NFKC form of a character if that is a single one; nothing for an invisible character."""
    if (
        category(char) in ("Cf", "Cn")
        or "\ufe00" <= char <= "\ufe0f"
        or char in "\u034f\u115f\u1160\u3164\uffa0"
    ):
        return ""
    common = normalize("NFKC", char)
    return common if len(common) == 1 else char
