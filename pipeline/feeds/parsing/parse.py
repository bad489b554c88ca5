"""What to say of a web page that stands where a feed should be, and which feed it names.

A feed's bytes to items: RSS 0.9x to 2.0, RDF, Atom, JSON Feed 1.0 and 1.1.
"""

from collections.abc import Sequence
from datetime import datetime
from urllib.parse import urljoin

from pipeline.domain.errors import FeedError
from pipeline.domain.models import FrozenModel, Item, normalize_feed_url
from pipeline.domain.text import redact_url
from pipeline.feeds.entries import Entry, build_items
from pipeline.feeds.html_text import attribute, opening
from pipeline.feeds.pages.blocked import blocking_page_kind
from pipeline.feeds.parsing.dates import DateReader
from pipeline.feeds.parsing.encoding import decode
from pipeline.feeds.parsing.feedparser_adapter import SPACES, Elements, parse_lenient, parse_strict
from pipeline.feeds.parsing.json_feed import read_json_feed
from pipeline.feeds.parsing.rss_atom import read_xml_feed
from pipeline.feeds.parsing.xml_repair import (
    close_truncated,
    declared_entities,
    repair_xml,
    sniff,
    strip_doctype,
    strip_empty,
    strip_preamble,
)
from pipeline.feeds.urls import absolute_url

_READ = 400_000
"""Characters of a page that are looked at."""
_TYPES = {
    "application/rss+xml": 0,
    "application/atom+xml": 0,
    "application/feed+json": 0,
    "application/rdf+xml": 0,
    "application/x-rss+xml": 0,
    "application/json": 1,  # mostly an interface for programs
    "application/xml": 1,
    "text/xml": 1,
}
_SAID = {
    "challenge": "shows a check of the browser instead of a feed; ask its publisher to let feed readers pass",
    "login": "shows a login instead of a feed; put an address into feeds.yaml without one, or with its key",
    "consent": "asks for consent to cookies instead of showing a feed; put the feed's own address there",
    "html": "is a web page, not a feed; put the feed's own address into feeds.yaml",
}


def page_error(html: str, url: str) -> FeedError:
    """Return the error that tells what a page is that came from `url`.

    Its kind is challenge, login, consent or html; its context has `proposal`, the URL of a feed that the
    page names, where it names one.
    """
    kind = blocking_page_kind(html) or "html"
    proposal = None if kind == "challenge" else discover_feed(html, url)
    if proposal is None:
        return FeedError(f"{redact_url(url)} {_SAID[kind]}", kind=kind)
    said = f"{redact_url(url)} is a web page; its feed seems to be {proposal}: put that into feeds.yaml"
    return FeedError(said, kind="html", proposal=proposal)


def discover_feed(html: str, url: str) -> str | None:
    """Return the feed that a page names by `<link rel="alternate">`: the first, those of comments last.

    Source: https://www.rssboard.org/rss-autodiscovery.
    """
    head = html[:_READ]
    base = next((attribute(written, "href") or "" for written in opening(head, "base")), "")
    found: list[tuple[int, str]] = []
    for written in opening(head, "link"):
        rank = _rank(written)
        address = absolute_url(attribute(written, "href"), urljoin(url, base)) if rank is not None else None
        if rank is not None and address and normalize_feed_url(address) != normalize_feed_url(url):
            found.append((rank, address))
    return min(found, key=lambda each: each[0])[1] if found else None


def _rank(written: str) -> int | None:
    """Return how late a link comes among those to feeds; None where it leads to none."""
    relation = set((attribute(written, "rel") or "").lower().split())
    if not relation & {"alternate", "feed"}:
        return None
    typed = (attribute(written, "type") or "").lower().partition(";")[0].strip()
    said = f"{attribute(written, 'href')} {attribute(written, 'title')}".lower()
    rank = _TYPES.get(typed)
    if rank is None or (rank and not any(word in said for word in ("feed", "rss", "atom"))):
        return None
    return rank + (2 if any(word in said for word in ("comment", "kommentar", "commentaire")) else 0)


_CUT = "cut off: what follows the last whole item is left for a later poll"
_MENDED = "not well-formed XML; read as well as it goes"
_BROKEN = "hardly XML; read as well as it goes, and something may be missing"


class ParsedFeed(FrozenModel):
    """What a feed says."""

    title: str
    items: tuple[Item, ...]
    """In the feed's order."""
    cut: bool = False
    """Its end is missing: what the server sent does not hold all that it has."""
    ttl_s: float | None = None
    """How long it wants to be kept, in seconds."""
    older: str | None = None
    """Where it says that its older items are, an absolute link."""
    wordpress: bool = False
    """Its generator is WordPress, which has older items under `?paged=2` and so on."""
    notes: tuple[str, ...] = ()
    """What was odd about it, a sentence each, for the run's report."""


def parse_feed(body: bytes, content_type: str | None, url: str, now: datetime) -> ParsedFeed:
    """Return a feed's title, items and oddities; a feed may be empty of items.

    `content_type` is the HTTP header, `url` the feed's address, `now` aware UTC: it stands in for missing
    dates. Bad charsets, ill-formed XML and a cut-off end are repaired where no text has to be guessed.
    Raises FeedError of kind empty, challenge, login, consent, html (context: the `proposal` of a feed that a
    page names), malformed or not-a-feed.
    """
    text = strip_preamble(decode(body, content_type))
    kind = sniff(text)
    dates = DateReader(now)
    if kind == "empty":
        raise FeedError(f"{redact_url(url)} is empty; the next run tries again", kind="empty")
    if kind == "html":
        raise page_error(text, url)
    if kind == "json":
        feed = read_json_feed(text, url, dates)
        parsed = _finished(feed.title, feed.entries, feed.home, now, (_CUT,) if feed.cut else ())
        return parsed.model_copy(update={"cut": feed.cut, "older": feed.older})
    if "<" not in text:  # megabytes of noise are not worth a parser's time
        raise _no_feed(url)
    return _parse_xml(text, url, dates, now, is_feed=kind == "feed")


def _no_feed(url: str) -> FeedError:
    said = f"{redact_url(url)} is neither RSS, Atom nor JSON Feed; correct its url in feeds.yaml"
    return FeedError(said, kind="not-a-feed")


def _parse_xml(text: str, url: str, dates: DateReader, now: datetime, *, is_feed: bool) -> ParsedFeed:
    found, cut, note = _elements(text, is_feed=is_feed)
    if not found.entries and (cut or (is_feed and _spoilt(text, note))):
        raise FeedError(
            f"{redact_url(url)} breaks off or is malformed, no item is whole; the next run tries again",
            kind="malformed",
        )
    if not found.entries and not found.version:
        raise _no_feed(url)
    feed = read_xml_feed(found, url, dates)
    parsed = _finished(feed.title, feed.entries, feed.home, now, (note,) if note else ())
    more = {"ttl_s": feed.ttl_s, "older": feed.older, "wordpress": feed.wordpress}
    return parsed.model_copy(update={"cut": cut} | more)


def _elements(text: str, *, is_feed: bool) -> tuple[Elements, bool, str]:
    """Return a document's elements, whether its end was cut off, and what was odd about it."""
    text, names = strip_doctype(strip_empty(text))
    found = parse_strict(repair_xml(text, names) if names else text)
    if found is not None:
        return found, False, ""
    text, cut = close_truncated(text) if is_feed else (text, False)
    text = repair_xml(text, names)
    sound = parse_strict(text) or _declared(text)
    return sound or parse_lenient(text), cut, _CUT if cut else _MENDED if sound else _BROKEN


def _declared(text: str) -> Elements | None:
    """Read XML strictly that forgot to declare its prefixes."""
    whole = declared_entities(text, SPACES)
    return parse_strict(whole) if whole else None


def _spoilt(text: str, note: str) -> bool:
    """Tell whether a feed without items may only look so: "no news" must never hide what cannot be read."""
    if note != _MENDED:
        return note == _BROKEN
    return (
        "<item" in text
        or "<entry" in text
        or not any(each in text for each in ("<channel", "<feed", "<title"))
    )


def _finished(
    title: str, entries: Sequence[Entry], home: str | None, now: datetime, notes: tuple[str, ...]
) -> ParsedFeed:
    items, odd = build_items(entries, home, now)
    return ParsedFeed(title=title, items=items, notes=notes + odd)
