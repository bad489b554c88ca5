"""What `copydesk feeds check` finds out: one polite poll of a feed whose result nobody keeps."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from copydesk.checkpage import Answer, Checkup, Fate, Row
from copydesk.console import counted, trouble
from pipeline.errors import FeedError
from pipeline.ingest.decode import decode
from pipeline.ingest.fetch import Fetched, fetch
from pipeline.ingest.pages import wants_page
from pipeline.ingest.parse import ParsedFeed
from pipeline.ingest.schedule import after_read
from pipeline.ingest.select import Known, decide
from pipeline.ingest.thin import shortfall
from pipeline.models import FeedConfig, Item, PollState
from pipeline.net import Net, shown_url
from pipeline.work import Parse

_STALE = timedelta(days=180)
_CHARSET = re.compile(rb"(?:charset|encoding)\s{0,9}=\s{0,9}[\"']?([\w.:-]{1,40})", re.IGNORECASE)

_ROOT = re.compile(r"<(?:\w{1,20}:)?(rss|RDF|feed)\b([^>]{0,2000})", re.IGNORECASE)
_VERSION = re.compile(r"\bversion\s{0,9}=\s{0,9}[\"']([\w.]{1,9})")
_NO_CHARSETS = frozenset(("punycode", "idna"))
"""Codecs of host names, which take for ever with a document."""


async def examine(net: Net, parse: Parse, feed: FeedConfig, now: datetime) -> Checkup:
    """Fetch and read a feed as a first poll would. Never raises FeedError: that is its result."""
    asked = {"feed": feed.key, "name": feed.name, "asked": shown_url(feed.url)}
    answer = None
    try:
        fetched = await fetch(net, feed, PollState(), now, whole=True)
        if not isinstance(fetched, Fetched):
            raise FeedError("the server answers 304 to a plain request", kind="http")
        answer = _answer(feed, fetched, now, None)
        parsed = await parse(fetched.body, fetched.content_type, fetched.url, now)
    except FeedError as error:
        proposal = error.context.get("proposal")
        return Checkup(
            **asked,
            ok=False,
            error=trouble(feed.key, error.message),
            proposal=proposal if isinstance(proposal, str) else None,
            answer=answer,
        )
    return Checkup(
        **asked,
        ok=True,
        answer=_answer(feed, fetched, now, parsed),
        title=parsed.title,
        kind=kind_of(decode(fetched.body, fetched.content_type)),
        language=_languages(parsed.items),
        notes=parsed.notes,
        odd=tuple(oddities(fetched, parsed.items, now)),
        rows=tuple(fates(feed, parsed.items, now)),
    )


def _answer(feed: FeedConfig, fetched: Fetched, now: datetime, parsed: ParsedFeed | None) -> Answer:
    ttl_s = parsed.ttl_s if parsed else None
    after = after_read(feed, PollState(), fetched, now, chance=0.0, whole=True, ttl_s=ttl_s)
    wait = after.next_poll_at - now if after.next_poll_at else timedelta()
    return Answer(
        url=shown_url(fetched.url),
        moved=fetched.moved_to is not None,
        content_type=fetched.content_type,
        size=len(fetched.body),
        etag=fetched.etag,
        last_modified=fetched.last_modified,
        expired=fetched.hints.expired,
        fresh_s=fetched.hints.fresh_s,
        ttl_s=ttl_s,
        again_s=wait.total_seconds(),
    )


def fates(feed: FeedConfig, items: Sequence[Item], now: datetime) -> Iterator[Row]:
    """Yield what would become of each item on a first run, in the feed's order."""
    chosen = decide(feed, items, Known(), now)
    reasons = {skip.item.guid: skip.reason for skip in chosen.skipped}
    merged = {merge.item.guid for merge in chosen.merged}
    most = min(feed.max_items, feed.max_items_per_day or feed.max_items)
    newest = sorted(chosen.new, key=lambda item: item.published_at, reverse=True)
    waiting = {item.guid for item in newest[most:]}
    for item in items:
        if item.guid in reasons:
            yield _row(item, "skipped", reasons[item.guid])
        elif item.guid in merged:
            yield _row(item, "merged", "another item of this feed is the same story")
        elif item.guid in waiting:
            yield _row(item, "waits", f"more than {counted(most, 'item')} at once")
        else:
            yield _row(item, *_text_fate(feed, item))


def _text_fate(feed: FeedConfig, item: Item) -> tuple[Fate, str]:
    """Tell what would become of a wanted item by its text."""
    lack = shortfall(item.text, feed.min_chars)
    if wants_page(item, feed):
        return "page", lack or f"use: {feed.use}, full_text: {feed.full_text}"
    return ("skipped", lack) if lack else ("drafted", "")


def _row(item: Item, fate: Fate, why: str) -> Row:
    return Row(
        published_at=item.published_at,
        dated=item.dated,
        characters=len(item.text),
        title=item.title,
        fate=fate,
        why=why,
    )


def oddities(fetched: Fetched, items: Sequence[Item], now: datetime) -> Iterator[str]:
    """Yield what an operator should know of a feed beside what its parser says."""
    if fetched.moved_to:
        yield f"moved for good: write url: {shown_url(fetched.moved_to)}"
    yield from _charsets(fetched)
    if not items:
        return
    undated = sum(not item.dated for item in items)
    if undated:
        yield f"{counted(undated, 'item')} without a usable date: taken as published when first seen"
    unlinked = sum(item.link is None for item in items)
    if unlinked:
        yield f"{counted(unlinked, 'item')} without a link: no page to fetch or to name as the source"
    media = sum(item.media is not None for item in items)
    if media:
        yield f"{counted(media, 'item')} of audio or video: only what is written beside it can be used"
    if not any(item.text for item in items):
        yield "no item has any text: each page is fetched, unless full_text: never"
    if not any(item.image for item in items):
        yield "no item has an image"
    newest = max(item.published_at for item in items)
    if not undated and newest < now - _STALE:
        yield f"nothing new since {newest:%Y-%m-%d}: is it still kept up?"


def _charsets(fetched: Fetched) -> Iterator[str]:
    """Yield the charsets that a feed claims and does not have."""
    head = fetched.body[:200].partition(b"?>")[0]
    claims = {"header": (fetched.content_type or "").encode("ascii", "replace"), "XML declaration": head}
    for where, text in claims.items():
        found = _CHARSET.search(text)
        name = found[1].decode("ascii", "replace") if found else "latin-1"
        try:
            if name.lower() in _NO_CHARSETS:
                raise LookupError
            fetched.body.decode(name)
        except LookupError:
            yield f"its {where} names a charset that nobody knows: {name}"
        except UnicodeError:
            yield f"its {where} says {name}, and some bytes are not: they are repaired one by one"


def kind_of(text: str) -> str:
    """Return what a feed calls itself, "" where it does not."""
    if text.startswith("{"):
        return "JSON Feed"
    root = _ROOT.search(text[:20_000])
    if root is None:
        return ""
    name, version = root[1].lower(), _VERSION.search(root[2])
    if name == "rss":
        return f"RSS {version[1]}" if version else "RSS"
    return "RSS 1.0 (RDF)" if name == "rdf" else "Atom"


def _languages(items: Sequence[Item]) -> str:
    counts = Counter(item.language for item in items if item.language)
    return ", ".join(name for name, _ in counts.most_common(5))
