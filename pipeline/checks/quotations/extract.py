"""Extracts the quotations of a text, in quotation marks and blockquotes.

Every mark is read once. Straight marks open or close by the characters beside them, single marks may be
apostrophes, and marks may have spaces on both sides.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple


class Quote(NamedTuple):
    """The half-open character span between two quotation marks, or of a blockquote."""

    start: int
    end: int
    block: bool = False


_BLOCK = re.compile(r"(?:^[ \t]{0,3}>[^\n]*(?:\n|\Z))+", re.MULTILINE)
_SIGNATURE = re.compile(r"\n[ \t]{0,3}>[ \t]*(?:[–—]|--)[^\n]*+\s*+\Z")
"""The last line of a blockquote that names its author."""
_MARK = re.compile(r"[\"“”„‟«»‹›「」『』'‘’‚]|\n[ \t\r]*\n")
_CLOSED_BY = {
    '"': '"”', "“": '”"', "„": "“”\"", "‟": "”", "”": "”", "«": "»", "»": "«»", "‹": "›", "›": "‹›",
    "「": "」", "『": "』",
}  # fmt: skip
"""Opening mark → the marks that close it."""
_SINGLE = "'‘‚"
_AFTER_SINGLE = re.compile(r"[‘’'](?![^\W_])")
_MAX_SINGLE_CHARS = 600
"""Length of the longest quotation in single marks. Chosen, not measured."""
_OPENS_AFTER = ' \t\n\r\u00a0\u202f([{—–-/"“„«:'
_DECADE = re.compile(r"\d\ds\b")


@lru_cache(maxsize=8)
def extract_quotes(text: str) -> tuple[Quote, ...]:
    """Return the quotations of a text in order; a nested quotation is part of the outer one."""
    quotes: list[Quote] = []
    done = 0
    for block in _BLOCK.finditer(text):
        quotes += _quotes_by_marks(text, done, block.start())
        signature = _SIGNATURE.search(block[0])
        end = block.start() + signature.start() if signature else block.end()
        quotes.append(Quote(block.start(), end, True))
        done = block.end()
    return (*quotes, *_quotes_by_marks(text, done, len(text)))


def _quotes_by_marks(text: str, start: int, end: int) -> Iterator[Quote]:
    """Yield the quotations in quotation marks within a span that has no blockquote."""
    opened, sign, done = -1, "", start
    for match in _MARK.finditer(text, start, end):
        at, mark = match.start(), match[0]
        if at < done:
            continue
        if len(mark) > 1:
            # A quotation of several paragraphs has an opening mark in each, and a closing one in the last.
            if opened >= 0 and text[match.end() : match.end() + 1] == sign:
                yield Quote(opened, at)
            opened = -1
        elif mark in _SINGLE and opened < 0:
            close = _single_quote_end(text, at, end)
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
    before, after = text[at - 1 : at] or " ", text[at + 1 : at + 2] or " "
    if mark in '"”':
        # After a letter it closes a quotation, after a digit it may mean inches.
        is_spaced = before.isspace() and after == " "
        joins_word = is_spaced or not after.isspace()
        return not before.isalnum() and joins_word and (mark == '"' or after.isalnum())
    return True


def _reopens(text: str, at: int, mark: str) -> bool:
    """Tell whether a straight mark opens another quotation although the last one was not closed.

    The paragraphs of one quotation look so where a text has them in one line.
    """
    before, after = text[at - 1 : at], text[at + 1 : at + 2] or " "
    return mark == '"' and (before.isspace() or before in "([") and after.isalnum()


def _single_quote_end(text: str, at: int, end: int) -> int:
    """Return the position of the closing single mark; 0 where the mark is an apostrophe."""
    before = text[at - 1 : at] or " "
    after = text[at + 1 : at + 2]
    if before not in _OPENS_AFTER or not (after.isalnum() or after in "[…"):
        return 0
    if text[at] == "'" and _DECADE.match(text, at + 1):
        return 0
    stop = min(end, at + _MAX_SINGLE_CHARS)
    paragraph_end = text.find("\n\n", at, stop)
    for match in _AFTER_SINGLE.finditer(text, at + 1, paragraph_end if paragraph_end > 0 else stop):
        if not text[match.start() - 1].isspace():
            return match.start()
    return 0
