"""Finds what a text quotes: between quotation marks of any kind, and in blockquotes.

Every mark is looked at once, whatever stands between: straight ones open and close by what stands beside
them, single ones may be apostrophes, and marks may stand apart from their words.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple


class Quote(NamedTuple):
    """What stands between two quotation marks, half-open; or a blockquote."""

    start: int
    end: int
    block: bool = False


_BLOCK = re.compile(r"(?:^[ \t]{0,3}>[^\n]*(?:\n|\Z))+", re.MULTILINE)
_SIGNED = re.compile(r"\n[ \t]{0,3}>[ \t]*(?:[–—]|--)[^\n]*+\s*+\Z")
"""The last line of a blockquote that says whose words they are."""
_MARK = re.compile(r"[\"“”„‟«»‹›「」『』'‘’‚]|\n[ \t\r]*\n")
_CLOSED_BY = {
    '"': '"”', "“": '”"', "„": "“”\"", "‟": "”", "”": "”", "«": "»", "»": "«»", "‹": "›", "›": "‹›",
    "「": "」", "『": "』",
}  # fmt: skip
_SINGLE = "'‘‚"
_AFTER_SINGLE = re.compile(r"[‘’'](?![^\W_])")
_LONGEST_SINGLE = 600
_OPENS_BEHIND = ' \t\n\r\u00a0\u202f([{—–-/"“„«:'
_DECADE = re.compile(r"\d\ds\b")


@lru_cache(maxsize=8)
def quotes(text: str) -> tuple[Quote, ...]:
    """Return what a text quotes, in its order; what is quoted within a quotation is part of that."""
    found: list[Quote] = []
    done = 0
    for block in _BLOCK.finditer(text):
        found += _marked(text, done, block.start())
        signed = _SIGNED.search(block[0])
        found.append(Quote(block.start(), block.start() + signed.start() if signed else block.end(), True))
        done = block.end()
    return (*found, *_marked(text, done, len(text)))


def _marked(text: str, start: int, end: int) -> Iterator[Quote]:
    opened, sign, done = -1, "", start
    for found in _MARK.finditer(text, start, end):
        at, mark = found.start(), found[0]
        if at < done:
            continue
        if len(mark) > 1:
            # A quotation of several paragraphs opens each of them and closes the last one.
            if opened >= 0 and text[found.end() : found.end() + 1] == sign:
                yield Quote(opened, at)
            opened = -1
        elif mark in _SINGLE and opened < 0:
            close = _single(text, at, end)
            if close > 0:
                yield Quote(at + 1, close)
                done = close + 1
        elif opened >= 0 and mark in _CLOSED_BY[sign]:
            yield Quote(opened, at)
            opened = at + 1 if _reopens(text, at, mark) else -1
        elif mark in _CLOSED_BY and _opens(text, at, mark):
            opened, sign = at + 1, mark


def _opens(text: str, at: int, mark: str) -> bool:
    """Tell whether a mark opens a quotation where none is open."""
    before, behind = text[at - 1 : at] or " ", text[at + 1 : at + 2] or " "
    if mark in '"”':
        # Behind a letter or a figure it closes, or means inches.
        apart = before.isspace() and behind == " "
        return not before.isalnum() and (apart or not behind.isspace()) and (mark == '"' or behind.isalnum())
    return True


def _reopens(text: str, at: int, mark: str) -> bool:
    """Tell whether a straight mark opens anew although the last one was never closed.

    So the paragraphs of one quotation begin where they stand in one line.
    """
    before, behind = text[at - 1 : at], text[at + 1 : at + 2] or " "
    return mark == '"' and (before.isspace() or before in "([") and behind.isalnum()


def _single(text: str, at: int, end: int) -> int:
    """Return where a quotation in single marks closes; 0 where the mark is an apostrophe."""
    before = text[at - 1 : at] or " "
    behind = text[at + 1 : at + 2]
    if before not in _OPENS_BEHIND or not (behind.isalnum() or behind in "[…"):
        return 0
    if text[at] == "'" and _DECADE.match(text, at + 1):
        return 0
    stop = min(end, at + _LONGEST_SINGLE)
    line = text.find("\n\n", at, stop)
    for found in _AFTER_SINGLE.finditer(text, at + 1, line if line > 0 else stop):
        if not text[found.start() - 1].isspace():
            return found.start()
    return 0
