"""Cuts a huge feed down to its newest items before it is parsed: the limit is work, not seconds. Pure."""

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from pipeline.feeds.parsing.dates import DateReader
from pipeline.feeds.parsing.xml_repair import mask_comments

MAX_ITEMS = 2_000
"""Items of a feed that are parsed; an item costs a fifth of a millisecond or more. Chosen, not measured."""
MAX_CHARS = 6_000_000
"""Characters of items that are parsed; a megabyte costs .3 s and more. Chosen, not measured."""
_EDGE = re.compile(r"<(/?)(?:[\w.-]{1,40}:)?(item|entry)(?=[\s/>])", re.IGNORECASE)
_DATE = re.compile(
    r"<(?:[\w.-]{1,40}:)?(?:pubdate|published|date|issued|updated|modified)(?:\s[^<>]{0,200})?>", re.I
)
_VALUE = re.compile(r"\s{0,99}(?:<!\[CDATA\[)?([^<\]]{4,100})")
_OLDEST = datetime.min.replace(tzinfo=UTC)


class _Span(NamedTuple):
    """An item's place in a document, and its date."""

    start: int
    end: int
    at: datetime


def keep_newest_xml(text: str, dates: DateReader) -> tuple[str, str]:
    """Return a feed's XML without the items over the limits, and a note about that, "" if all are kept."""
    if len(text) <= MAX_CHARS and text.count("<item") + text.count("<entry") <= MAX_ITEMS:
        return text, ""
    masked = mask_comments(text)
    spans = list(_spans(text, masked, dates))
    chosen = _newest([span.at for span in spans], [span.end - span.start for span in spans])
    if len(chosen) == len(spans):
        return text, ""
    pieces, at = [], 0
    for number, span in enumerate(spans):
        if number not in chosen:
            pieces.append(text[at : span.start])
            at = span.end
    return "".join((*pieces, text[at:])), _note(len(chosen), len(spans))


def keep_newest_json(items: Sequence[Any], dates: DateReader) -> tuple[list[Any], str]:
    """Return a JSON Feed's items without those over the limits, and a note as above."""
    sizes = [
        sum(len(value) for value in each.values() if isinstance(value, str)) if isinstance(each, dict) else 0
        for each in items
    ]
    if len(items) <= MAX_ITEMS and sum(sizes) <= MAX_CHARS:
        return list(items), ""
    moments, at = [], _OLDEST
    for each in items:
        value = each.get("date_published") if isinstance(each, dict) else None
        read = dates.read(value) if isinstance(value, str) else None
        at = read.moment if read else at
        moments.append(at)
    chosen = _newest(moments, sizes)
    newest = [each for number, each in enumerate(items) if number in chosen]
    return newest, _note(len(newest), len(items)) if len(newest) < len(items) else ""


def _note(count: int, total: int) -> str:
    return f"{total:,} items: only the newest {count:,} are read"


def _spans(text: str, masked: str, dates: DateReader) -> Iterator[_Span]:
    """Yield the items that are closed; one without a date has that of the item before it."""
    start, at = None, _OLDEST
    for edge in _EDGE.finditer(masked):
        if not edge[1]:
            start = edge.start() if start is None else start
        elif start is not None:
            end = masked.find(">", edge.end()) + 1
            if end:
                tag = _DATE.search(masked, start, end)
                value = _VALUE.match(text, tag.end(), end) if tag else None
                read = dates.read(value[1]) if value else None
                at = read.moment if read else at
                yield _Span(start, end, at)
            start = None


def _newest(moments: Sequence[datetime], sizes: Sequence[int]) -> frozenset[int]:
    """Return the numbers of the newest items within the limits, at least one.

    An item that would break the limit by its own length is left out, and hides no other.
    """
    order = sorted(range(len(moments)), key=lambda number: moments[number], reverse=True)
    chosen: list[int] = []
    total = 0
    for number in order:
        if total + sizes[number] <= MAX_CHARS and len(chosen) < MAX_ITEMS:
            total += sizes[number]
            chosen.append(number)
    return frozenset(chosen or order[:1])
