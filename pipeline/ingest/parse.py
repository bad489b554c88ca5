"""A feed's bytes to items: RSS 0.9x to 2.0, RDF, Atom, JSON Feed 1.0 and 1.1."""

from collections.abc import Sequence
from datetime import datetime

from pipeline.errors import FeedError
from pipeline.ingest.dates import DateReader
from pipeline.ingest.decode import decode
from pipeline.ingest.elements import SPACES, Elements, loosely, strictly
from pipeline.ingest.entry import Entry
from pipeline.ingest.identity import identify
from pipeline.ingest.jsonfeed import read_json_feed
from pipeline.ingest.mend import declared, mended, uncut, without_doctype, without_empty, without_preamble
from pipeline.ingest.shape import shape
from pipeline.ingest.webpage import page_error
from pipeline.ingest.xmlfeed import read_xml_feed
from pipeline.models import Item, Record
from pipeline.urls import shown_url

_CUT = "cut off: what follows the last whole item is left for a later poll"
_MENDED = "not well-formed XML; read as well as it goes"
_BROKEN = "hardly XML; read as well as it goes, and something may be missing"


class ParsedFeed(Record):
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
    text = without_preamble(decode(body, content_type))
    kind = shape(text)
    dates = DateReader(now)
    if kind == "empty":
        raise FeedError(f"{shown_url(url)} is empty; the next run tries again", kind="empty")
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
    said = f"{shown_url(url)} is neither RSS, Atom nor JSON Feed; correct its url in feeds.yaml"
    return FeedError(said, kind="not-a-feed")


def _parse_xml(text: str, url: str, dates: DateReader, now: datetime, *, is_feed: bool) -> ParsedFeed:
    found, cut, note = _elements(text, is_feed=is_feed)
    if not found.entries and (cut or (is_feed and _spoilt(text, note))):
        raise FeedError(
            f"{shown_url(url)} breaks off or is malformed, no item is whole; the next run tries again",
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
    text, names = without_doctype(without_empty(text))
    found = strictly(mended(text, names) if names else text)
    if found is not None:
        return found, False, ""
    text, cut = uncut(text) if is_feed else (text, False)
    text = mended(text, names)
    sound = strictly(text) or _declared(text)
    return sound or loosely(text), cut, _CUT if cut else _MENDED if sound else _BROKEN


def _declared(text: str) -> Elements | None:
    """Read XML strictly that forgot to declare its prefixes."""
    whole = declared(text, SPACES)
    return strictly(whole) if whole else None


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
    items, odd = identify(entries, home, now)
    return ParsedFeed(title=title, items=items, notes=notes + odd)
