"""Hostile documents: each ends in items or a named error, and the worker pool stays usable."""

import asyncio
import itertools
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipeline.domain.errors import FeedError
from pipeline.feeds.parsing.parse import ParsedFeed
from pipeline.feeds.pool import ParsePool

NOW = datetime(2026, 3, 1, tzinfo=UTC)
URL = "https://feeds.example/f"
HEAD = b"<rss version='2.0'><channel>"
FEED = HEAD + b"<item><title>T</title>%s</item></channel></rss>"
TEXT = FEED % b"<description>%s</description>"
HTML = TEXT % b"<![CDATA[%s]]>"
ATOM = b"<feed xmlns='http://www.w3.org/2005/Atom'><entry><title>T</title>%s</entry></feed>"
JSON = b'{"version": "https://jsonfeed.org/version/1", "title": "F", "items": [%s]}'


def doctype(declared: str) -> bytes:
    return f"<!DOCTYPE rss [{declared}]>".encode()


def nested(count: int, name: bytes = b"a") -> bytes:
    return b"<%s>" % name * count + b"</%s>" % name * count


def numbered(pattern: bytes, count: int) -> bytes:
    return b"".join(pattern % number for number in range(count))


LAUGHS = "<!ENTITY a 'ha'>" + "".join(
    f"<!ENTITY {name} '{f'&{before};' * 10}'>" for before, name in itertools.pairwise("abcdefghij")
)
ONE_ITEM, MALFORMED, COSTLY, NO_FEED = 1, "malformed", "too-costly", "not-a-feed"

CASES: dict[str, tuple[bytes, int | str]] = {
    "billion laughs": (doctype(LAUGHS) + TEXT % b"&j;", ONE_ITEM),
    "quadratic entity": (doctype(f"<!ENTITY a '{'x' * 100_000}'>") + TEXT % (b"&a;" * 100_000), ONE_ITEM),
    "many short entities": (doctype(f"<!ENTITY a '{'x' * 40}'>") + TEXT % (b"&a;" * 100_000), ONE_ITEM),
    "huge document type": (doctype("<!ELEMENT a (b)>" * 200_000) + FEED % b"", ONE_ITEM),
    "document type left open": (b"<!DOCTYPE rss [" + b"<!--" * 80_000 + FEED % b"", ONE_ITEM),
    "white space before the root": (
        b"<?xml version='1.0'?>" + b"\n" * 1_000_000 + FEED % b"<a>&</a>",
        ONE_ITEM,
    ),
    "deep XML": (FEED % nested(40_000), ONE_ITEM),
    "deep XML without a feed": (b"<a>" * 100_000, NO_FEED),
    "deep feed without items": (HEAD + b"<a>" * 60_000, MALFORMED),
    "noise": (b"\xff" * 15_000_000, NO_FEED),
    "many prefixes": (FEED % numbered(b"<p%d:a/>", 20_000), ONE_ITEM),
    "cut JSON of strings": (b'{"items": [{"a": 1}, "' + b'\\"' * 2_000_000, NO_FEED),
    "deep XML left open": (HEAD + b"<item>" + b"<a>" * 100_000, ONE_ITEM),
    "deep HTML": (HTML % (b"<div>" * 200_000), ONE_ITEM),
    "deep hidden HTML": (HTML % (b"<p hidden>" * 100_000), ONE_ITEM),
    "deep lists": (HTML % (b"<ul><li>" * 100_000), ONE_ITEM),
    "comments left open": (FEED % b"" + b"<!--" * 80_000, ONE_ITEM),
    "comments left open in HTML": (HTML % (b"<!--" * 80_000 + b">"), ONE_ITEM),
    "tags left open": (HEAD + b"<item " * 53_000, MALFORMED),
    "tags left open in HTML": (HTML % (b"<a href='" * 100_000 + b">"), ONE_ITEM),
    "sections left open": (HEAD + b"<item><description>" + b"<![CDATA[" * 100_000, MALFORMED),
    "section ends": (TEXT % (b"]]>" * 300_000), ONE_ITEM),
    "long author": (FEED % b"<author>%s</author>" % (b"a" * 32_000), ONE_ITEM),
    "author of dots": (FEED % b"<author>a@%s</author>" % (b"a." * 16_000), ONE_ITEM),
    "long author of Atom": (ATOM % b"<author><name>%s</name></author>" % (b"a@" * 16_000), ONE_ITEM),
    "long attribute": (FEED % b"<a b='%s'/>" % (b"x" * 10_000_000), ONE_ITEM),
    "many attributes": (FEED % b"<a %s/>" % numbered(b"a%d='' ", 100_000), ONE_ITEM),
    "many namespaces": (FEED % b"<a %s/>" % numbered(b"xmlns:n%d='u' ", 100_000), ONE_ITEM),
    "many namespaces in use": (FEED % numbered(b"<n:a xmlns:n='u%d'/>", 25_000), ONE_ITEM),
    "many categories": (FEED % numbered(b"<category>c%d</category>", 50_000), ONE_ITEM),
    "many enclosures": (FEED % numbered(b"<enclosure url='https://a.example/%d.mp3'/>", 50_000), ONE_ITEM),
    "many links": (ATOM % numbered(b"<link href='https://a.example/%d'/>", 25_000), ONE_ITEM),
    "ampersands": (TEXT % (b"&" * 1_000_000), ONE_ITEM),
    "ampersands in HTML": (HTML % (b"&" * 1_000_000), ONE_ITEM),
    "long references": (HTML % (b"&#" + b"9" * 1_000_000 + b";"), ONE_ITEM),
    "NULs": (b"\0" * 1000 + FEED % (b"\0" * 1_000_000), ONE_ITEM),
    "lone surrogates": (TEXT % b"a\xed\xa0\x80b&#xD800;c", ONE_ITEM),
    "lone surrogates of JSON": (JSON % rb'{"id": "\udfff", "content_text": "a\ud800b"}', ONE_ITEM),
    "UTF-16 declared on UTF-8": (b"<?xml version='1.0' encoding='utf-16'?>" + FEED % b"", ONE_ITEM),
    "UTF-8 declared on UTF-16": (
        (b"<?xml version='1.0' encoding='utf-8'?>" + FEED % b"").decode().encode("utf-16"),
        ONE_ITEM,
    ),
    "deep JSON": (JSON % (b"[" * 200_000), MALFORMED),
}


async def outcome(pool: ParsePool, body: bytes) -> ParsedFeed | str:
    try:
        return await pool.parse(body, None, URL, NOW)
    except FeedError as error:
        return error.kind


async def test_a_hostile_document_ends_in_items_or_a_named_error() -> None:
    async with ParsePool(2) as pool:
        outcomes = await asyncio.gather(*(outcome(pool, body) for body, _ in CASES.values()))
    results = [each if isinstance(each, str) else len(each.items) for each in outcomes]
    assert dict(zip(CASES, results, strict=True)) == {name: expected for name, (_, expected) in CASES.items()}
    for (name, (body, _)), each in zip(CASES.items(), outcomes, strict=True):
        if isinstance(each, ParsedFeed):
            written = sum(len(item.title) + len(item.text) for item in each.items)
            assert written <= 14 * len(body), name


@pytest.mark.soak  # with less memory: test_pool.py
async def test_fifty_megabytes_are_too_costly() -> None:
    body = HEAD + b"<item><title>A title of an item</title></item>" * 1_100_000
    async with ParsePool(1) as pool:
        assert await outcome(pool, body) == COSTLY


@pytest.mark.parametrize("place", ["'%s'", "PUBLIC 'x' '%s'", "SYSTEM '%s'"])
async def test_nothing_is_fetched_for_an_entity(place: str) -> None:
    declared = place % Path(__file__).as_uri()
    async with ParsePool(1) as pool:
        feed = await pool.parse(doctype(f"<!ENTITY x {declared}>") + TEXT % b"Seen: &x;", None, URL, NOW)
    assert "Hostile documents" not in feed.items[0].text
