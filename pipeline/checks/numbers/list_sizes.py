"""Counts the items of the lists in a text: "A, B and C", and paragraphs or lines with a bullet or number."""

import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import groupby

from pipeline.checks.numbers.lexicon import NumberLexicon, number_lexicon
from pipeline.checks.source_texts import PREPARED
from pipeline.checks.tokens import TokenizedText

_MAX_ITEM_CHARS = 45
"""Characters from one comma of a list to the next. Chosen, not measured."""
_MIN_ITEMS = 3
"""Items from which commas make a list. Chosen, not measured."""
_BULLET = re.compile(r"[ \t]{0,8}(?:[-*•‣▪–]|\d{1,2}[.)])[ \t]")
_ROW = re.compile(r"[^\W\d](?:[^\n.!?:;]|\.(?=\S)){0,60}\s[\d.,]{1,12}%?")
_LINE = re.compile(r"[^\n]+")


@lru_cache(maxsize=PREPARED)
def list_sizes(text: TokenizedText, language: str) -> frozenset[int]:
    """Return how many items the lists of a text have, each size once; none without a table."""
    lexicon = number_lexicon(language)
    return (
        frozenset((*_bullet_list_sizes(text.text), *_comma_list_sizes(text, lexicon)))
        if lexicon
        else frozenset()
    )


def bullet_lists(text: str) -> Iterator[list[tuple[int, int]]]:
    """Yield the spans of neighbouring lines that begin with a bullet, without the bullet."""
    items: list[tuple[int, int]] = []
    for line in _LINE.finditer(text):
        if bullet := _BULLET.match(line[0]):
            items.append((line.start() + bullet.end(), line.end()))
            continue
        if items:
            yield items
        items = []
    if items:
        yield items


def _bullet_list_sizes(text: str) -> set[int]:
    """Return the sizes of the lists of a text, and of all of them together."""
    sizes = [len(items) for items in bullet_lists(text)]
    return {*sizes, sum(sizes), *_table_sizes(text)} - {0, 1}


def _table_sizes(text: str) -> Iterator[int]:
    """Yield the numbers of neighbouring short lines that end with a figure: the rows of a table."""
    for is_row, lines in groupby(_LINE.findall(text), lambda line: _ROW.fullmatch(line) is not None):
        if is_row:
            yield sum(1 for _ in lines)


def _comma_list_sizes(text: TokenizedText, lexicon: NumberLexicon) -> set[int]:
    """Return the sizes of lists such as "Rome, Oslo and Bern": commas close together, then a conjunction."""
    sizes, commas, last = set(), 0, -_MAX_ITEM_CHARS
    for word, folded in zip(text.words, text.folded, strict=True):
        if word.start - last > _MAX_ITEM_CHARS:
            commas = 0
        if folded in lexicon.conjunctions and commas:
            after_comma = text.text[max(0, word.start - 2) : word.start].lstrip()[:1] == ","
            sizes.add(commas + (1 if after_comma else 2))
            commas = 0
        following = text.text[word.end : word.end + 2].lstrip("\"”’')»")[:1]
        if following == ",":
            commas, last = commas + 1, word.end
        elif following in (".", ";", ":", "!", "?"):
            commas = 0
    return {size for size in sizes if size >= _MIN_ITEMS}
