r"""A text as its readers would see it, without losing the place that each character has in it.

Markdown and HTML offer many ways to write an address that no expression would recognise: `evil\.com`,
`evil&#46;com`, `ev**il**.com`, `ｅｖｉｌ．ｃｏｍ`, or a zero-width space in its midst. All are one here.
"""

import re
from bisect import bisect_left, bisect_right
from functools import lru_cache
from html import unescape
from typing import NamedTuple
from unicodedata import category, normalize

_DISGUISE = re.compile(
    r"\\(?P<escaped>[!-/:-@\[-`{-~])"
    r"|(?P<entity>&(?:\#[0-9]{1,7}|\#[xX][0-9a-fA-F]{1,6}|[a-zA-Z][a-zA-Z0-9]{1,30});)"
    r"|(?P<emphasis>\*+|~~|(?<![^\W_])_+|_+(?![^\W_]))"
    r"|(?P<other>[^\x00-\x7f])"
)


class VisibleText(NamedTuple):
    """What is seen of a text, and where in the text each stretch of it comes from."""

    text: str
    starts: tuple[int, ...]
    """Where stretches begin in what is seen."""
    places: tuple[int, ...]
    """Where the same stretches begin in the text."""

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Return the span in the text of a span, not empty, in what is seen."""
        follows = bisect_left(self.starts, end)
        if follows < len(self.starts) and self.starts[follows] == end:
            return self._place(start), self.places[follows]
        return self._place(start), self._place(end - 1) + 1

    def _place(self, at: int) -> int:
        stretch = bisect_right(self.starts, at) - 1
        return self.places[stretch] + at - self.starts[stretch]


def visible_text(text: str) -> VisibleText:
    """Return what is seen of a text: no escapes, entities, emphasis, odd widths and shapeless characters."""
    pieces: list[str] = []
    starts, places, length, done = [0], [0], 0, 0
    for found in _DISGUISE.finditer(text):
        shown = _shown(found)
        if shown == found[0]:
            continue
        pieces += (text[done : found.start()], shown)
        length += found.start() - done
        done = found.end()
        # Each shown character has a stretch of its own, then the text goes on.
        starts += [*range(length, length + len(shown)), length + len(shown)]
        places += [*[found.start()] * len(shown), done]
        length += len(shown)
    pieces.append(text[done:])
    return VisibleText("".join(pieces), tuple(starts), tuple(places))


def _shown(found: re.Match[str]) -> str:
    if found["other"]:
        return _plain(found["other"])
    if found["entity"]:
        return "".join(_plain(char) for char in unescape(found["entity"]))
    return found["escaped"] or ""


@lru_cache(8192)
def _plain(char: str) -> str:
    """Return the common form of a character, nothing where it has no shape."""
    if (
        category(char) in ("Cf", "Cn")
        or "\ufe00" <= char <= "\ufe0f"
        or char in "\u034f\u115f\u1160\u3164\uffa0"
    ):
        return ""
    common = normalize("NFKC", char)
    return common if len(common) == 1 else char
