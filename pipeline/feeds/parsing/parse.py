"""Parses a feed's bytes (RSS, RDF, Atom, JSON Feed) to items; finds a web page's feed (autodiscovery)."""

from collections.abc import Callable, Collection
from datetime import datetime
from functools import cache, partial

from pydantic import Field

from pipeline.domain.errors import FeedError
from pipeline.domain.models import FrozenModel, Item
from pipeline.domain.text import redact_url
from pipeline.domain.urls import normalize_feed_url
from pipeline.feeds.boilerplate.repeats import Repeated, take_out_repeats
from pipeline.feeds.entries import Entry, build_items
from pipeline.feeds.excerpts import mark_excerpts
from pipeline.feeds.html_pieces import attribute_value, opening_tags
from pipeline.feeds.pages.blocked import blocking_page_kind
from pipeline.feeds.parsing.dates import DateReader
from pipeline.feeds.parsing.encoding import decode
from pipeline.feeds.parsing.feedparser_adapter import NAMESPACES, Elements, parse_lenient, parse_strict
from pipeline.feeds.parsing.json_feed import JsonFeed, read_json_feed
from pipeline.feeds.parsing.newest import keep_newest_xml
from pipeline.feeds.parsing.rss_atom import XmlFeed, read_xml_feed
from pipeline.feeds.parsing.tombstones import deleted_guids
from pipeline.feeds.parsing.xml_repair import (
    close_truncated,
    declare_namespaces,
    repair_xml,
    sniff,
    strip_doctype,
    strip_empty,
    strip_preamble,
)
from pipeline.feeds.reader import FIRST_READER, READER
from pipeline.feeds.rights.declaration import Declaration
from pipeline.feeds.urls import absolute_url

_MAX_PAGE_CHARS = 400_000
"""Characters of a page that are searched for a feed. Chosen, not measured."""
_TYPE_RANKS = {
    "application/rss+xml": 0,
    "application/atom+xml": 0,
    "application/feed+json": 0,
    "application/rdf+xml": 0,
    "application/x-rss+xml": 0,
    "application/json": 1,  # often an API, not a feed
    "application/xml": 1,
    "text/xml": 1,
}
_PAGE_DESCRIPTIONS = {
    "challenge": "shows a browser check instead of a feed; ask its publisher to let feed readers pass",
    "login": "shows a login page; put the address of a feed without one, or with its key, into feeds.yaml",
    "consent": "shows a cookie consent page; put the feed's own address into feeds.yaml",
    "html": "is a web page, not a feed; put the feed's own address into feeds.yaml",
}


def page_error(html: str, url: str) -> FeedError:
    """Return the error for a web page at the URL of a feed.

    Its kind is challenge, login, consent or html. Its context has `proposal`, the URL of the page's feed, if
    the page has a link to one.
    """
    kind = blocking_page_kind(html) or "html"
    proposal = None if kind == "challenge" else discover_feed(html, url)
    if proposal is None:
        return FeedError(f"{redact_url(url)} {_PAGE_DESCRIPTIONS[kind]}", kind=kind)
    message = f"{redact_url(url)} is a web page; its feed seems to be {proposal}: put that into feeds.yaml"
    return FeedError(message, kind="html", proposal=proposal)


def discover_feed(html: str, url: str) -> str | None:
    """Return the URL of the first feed in a page's `<link rel="alternate">`, feeds of comments last.

    Source: https://www.rssboard.org/rss-autodiscovery.
    """
    head = html[:_MAX_PAGE_CHARS]
    written = next((attribute_value(each, "href") for each in opening_tags(head, "base")), None)
    base = absolute_url(written, url) or url
    candidates: list[tuple[int, str]] = []
    for attributes in opening_tags(head, "link"):
        rank = _rank(attributes)
        address = absolute_url(attribute_value(attributes, "href"), base) if rank is not None else None
        if rank is not None and address and normalize_feed_url(address) != normalize_feed_url(url):
            candidates.append((rank, address))
    return min(candidates, key=lambda each: each[0])[1] if candidates else None


def _rank(attributes: str) -> int | None:
    """Return the rank of a link to a feed, lower is better; None if it is no such link."""
    relation = set((attribute_value(attributes, "rel") or "").lower().split())
    if not relation & {"alternate", "feed"}:
        return None
    content_type = (attribute_value(attributes, "type") or "").lower().partition(";")[0].strip()
    label = f"{attribute_value(attributes, 'href')} {attribute_value(attributes, 'title')}".lower()
    rank = _TYPE_RANKS.get(content_type)
    if rank is None or (rank and not any(word in label for word in ("feed", "rss", "atom"))):
        return None
    return rank + (2 if any(word in label for word in ("comment", "kommentar", "commentaire")) else 0)


_CUT = "cut off: what follows the last complete item is left for a later poll"
_REPAIRED = "not well-formed XML; it was repaired"
_BROKEN = "badly damaged XML; items or parts of them may be missing"


class ParsedFeed(FrozenModel):
    """A parsed feed."""

    title: str
    items: tuple[Item, ...]
    """In the feed's order."""
    cut: bool = False
    """The document is truncated, so items are missing."""
    ttl_s: float | None = None
    """Cache lifetime that the feed declares, in seconds."""
    older: str | None = None
    """Absolute URL of its older items."""
    wordpress: bool = False
    """Its generator is WordPress, which has older items at `?paged=2` and so on."""
    declared: Declaration = Declaration()
    """What the feed itself declares about the use of its texts."""
    notes: tuple[str, ...] = ()
    """Defects of the feed, a sentence each, for the run's report."""
    deleted: tuple[str, ...] = ()
    """Guids of the entries that the feed says are deleted."""
    earlier: dict[int, dict[str, str]] = Field(default_factory=dict)
    """Content hashes of the items by guid, as earlier versions of the reader make them; where asked for.

    Under the version of the items: as they were read before this document showed what they repeat.
    """
    repeated: tuple[Repeated, ...] = ()
    """Lines that were taken out of the items' texts, because most texts share them."""
    boilerplate: tuple[str, ...] = ()
    """Such lines of this document and of earlier ones."""
    excerpts: str | None = None
    """How the feed's texts are excerpts; None if they are not."""


def parse_feed(
    body: bytes,
    content_type: str | None,
    url: str,
    now: datetime,
    reader: int = READER,
    *,
    boilerplate: Collection[str] = (),
) -> ParsedFeed:
    """Return a parsed feed, which may have no items.

    `content_type` is the HTTP header, `url` the feed's final URL. `now` is aware UTC and the date of items
    without one. `reader` is the version of the rules that make titles and texts, `boilerplate` what earlier
    documents of the feed repeated. Wrong charsets, ill-formed XML and a truncated end are repaired if no text
    must be guessed.
    Raises FeedError of kind empty, challenge, login, consent, html (context: `proposal`, see `page_error`),
    malformed or not-a-feed.
    """
    text = strip_preamble(decode(body, content_type))
    kind = sniff(text)
    dates = DateReader(now)
    if kind == "empty":
        raise FeedError(f"{redact_url(url)} is empty; the next run tries again", kind="empty")
    if kind == "html":
        raise page_error(text, url)
    if kind == "json":
        read = partial(read_json_feed, text, url, dates)
        feed = read(reader)
        notes = tuple(filter(None, (_CUT if feed.cut else "", feed.over)))
        first = cache(lambda: read(FIRST_READER).entries)
        built = _build_feed(feed, lambda at: first()[at], reader, now, notes)
        parsed = _without_boilerplate(built, reader, boilerplate)
        return parsed.model_copy(update={"cut": feed.cut, "older": feed.older})
    if "<" not in text:  # saves parsing megabytes of noise
        raise _not_a_feed(url)
    parsed = _parse_xml(text, url, dates, now, reader, is_feed=kind == "feed")
    return _without_boilerplate(parsed, reader, boilerplate)


def _not_a_feed(url: str) -> FeedError:
    message = f"{redact_url(url)} is neither RSS, Atom nor JSON Feed; correct its url in feeds.yaml"
    return FeedError(message, kind="not-a-feed")


def _parse_xml(
    text: str, url: str, dates: DateReader, now: datetime, reader: int, *, is_feed: bool
) -> ParsedFeed:
    text, over = keep_newest_xml(text, dates) if is_feed else (text, "")
    deleted = deleted_guids(text)
    elements, cut, note = _elements(text, is_feed=is_feed)
    if not elements.entries and (cut or (is_feed and _may_hide_items(text, note))):
        raise FeedError(
            f"{redact_url(url)} is cut off or malformed, and has no complete item; the next run tries again",
            kind="malformed",
        )
    if not elements.entries and not elements.version:
        raise _not_a_feed(url)
    feed = read_xml_feed(elements, url, dates, reader)

    def read_first(at: int) -> Entry:
        only = elements._replace(entries=elements.entries[at : at + 1])
        return read_xml_feed(only, url, dates, FIRST_READER).entries[0]

    parsed = _build_feed(feed, read_first, reader, now, tuple(filter(None, (note, over))))
    details = {"ttl_s": feed.ttl_s, "older": feed.older, "wordpress": feed.wordpress, "deleted": deleted}
    return parsed.model_copy(update={"cut": cut, "declared": feed.declared} | details)


def _elements(text: str, *, is_feed: bool) -> tuple[Elements, bool, str]:
    """Return a document's elements, whether it is truncated, and a note on its defect, "" for none."""
    text, names = strip_doctype(strip_empty(text))
    elements = parse_strict(repair_xml(text, names) if names else text)
    if elements is not None:
        return elements, False, ""
    text, cut = close_truncated(text) if is_feed else (text, False)
    text = repair_xml(text, names)
    strict = parse_strict(text) or _parse_with_namespaces(text)
    return strict or parse_lenient(text), cut, _CUT if cut else _REPAIRED if strict else _BROKEN


def _parse_with_namespaces(text: str) -> Elements | None:
    """Return the elements of XML whose only defect is undeclared namespace prefixes, else None."""
    declared = declare_namespaces(text, NAMESPACES)
    return parse_strict(declared) if declared else None


def _may_hide_items(text: str, note: str) -> bool:
    """Return whether a feed may have items that could not be read: it must not count as an empty feed."""
    if note != _REPAIRED:
        return note == _BROKEN
    return (
        "<item" in text
        or "<entry" in text
        or not any(each in text for each in ("<channel", "<feed", "<title"))
    )


_ReadFirst = Callable[[int], Entry]
"""Reads the entry at a place by the first version of the reader."""


def _build_feed(
    feed: XmlFeed | JsonFeed, read_first: _ReadFirst, reader: int, now: datetime, notes: tuple[str, ...]
) -> ParsedFeed:
    first = None if reader == FIRST_READER else read_first
    unread = tuple(each.unread_date for each in feed.entries if each.unread_date)
    if unread:
        notes += (f"dates that cannot be read count as none: {len(unread)}, such as {unread[0]!r}",)
    items, item_notes = build_items(feed.entries, feed.home, now, reader=reader, first_reading=first)
    return ParsedFeed(title=feed.title, items=items, notes=notes + item_notes)


def _without_boilerplate(feed: ParsedFeed, reader: int, boilerplate: Collection[str]) -> ParsedFeed:
    """Return a feed without what its texts repeat, its excerpts marked; version 1 takes nothing out."""
    if reader < 2:
        return feed
    cleaned = take_out_repeats(feed.title, feed.items, boilerplate)
    items, description = mark_excerpts(cleaned.items)
    update = {
        "items": items,
        "repeated": cleaned.repeated,
        "boilerplate": cleaned.boilerplate,
        "excerpts": description,
        "earlier": {reader: cleaned.before} if cleaned.before else {},
    }
    return feed.model_copy(update=update)


def reserve(feed: ParsedFeed, what: str) -> ParsedFeed:
    """Return a feed whose items are all reserved by `what`."""
    items = tuple(item.model_copy(update={"reserved": item.reserved or what}) for item in feed.items)
    return feed.model_copy(update={"items": items})
