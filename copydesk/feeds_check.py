"""The page of `copydesk feeds check`: how a feed is fetched and read, and what would come of it. Pure.

What `copydesk feeds check` finds out: one polite poll of a feed whose result nobody keeps.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Literal

from pydantic import AwareDatetime
from rich.cells import cell_len, set_cell_size

from copydesk.console import format_time, pluralize, print_error
from pipeline.domain.errors import FeedError
from pipeline.domain.models import FeedConfig, FrozenModel, Item, PollState
from pipeline.feeds.fetch import FetchedFeed, fetch_feed
from pipeline.feeds.pages.completeness import incompleteness
from pipeline.feeds.pages.fetch import needs_page
from pipeline.feeds.parsing.encoding import decode
from pipeline.feeds.parsing.parse import ParsedFeed
from pipeline.feeds.poll_schedule import state_after_read
from pipeline.feeds.select import ExistingItems, select_items
from pipeline.http_client import HttpClient, redact_url
from pipeline.services.context import Parse

Fate = Literal["drafted", "page", "waits", "skipped", "merged"]
SHOWN = 20
"""Items in the table; all of them count in what stands below it."""
_LABEL, _TITLE = 11, 46
_FATES: dict[Fate, str] = {
    "drafted": "drafted",
    "page": "drafted if its page has the text",
    "waits": "left for later runs",
    "skipped": "skipped",
    "merged": "merged",
}


class Answer(FrozenModel):
    """What the server sent."""

    url: str
    """Where it was found in the end."""
    moved: bool = False
    """Permanent redirects alone led there."""
    content_type: str | None = None
    size: int
    """Bytes, decompressed."""
    etag: str | None = None
    last_modified: str | None = None
    expired: bool = False
    """`Expires: 0`: its validators are not trusted."""
    fresh_s: float | None = None
    """How long its headers say that it stays fresh, in seconds."""
    ttl_s: float | None = None
    """The same, by the feed itself."""
    again_s: float
    """Seconds after which it would be polled again."""


class Row(FrozenModel):
    """One item and what would become of it."""

    published_at: AwareDatetime
    dated: bool
    characters: int
    """Of the feed's text."""
    title: str
    fate: Fate
    why: str = ""


class FeedCheckReport(FrozenModel):
    """All that one check of one feed brought."""

    feed: str
    name: str
    asked: str
    """The URL that was asked."""
    ok: bool
    error: str | None = None
    proposal: str | None = None
    """A feed that the page at this URL names."""
    answer: Answer | None = None
    title: str = ""
    kind: str = ""
    """`RSS 2.0`, `Atom`, `JSON Feed` and the like."""
    language: str = ""
    """What the items declare, most of them first."""
    notes: tuple[str, ...] = ()
    """What the parser says of it."""
    odd: tuple[str, ...] = ()
    rows: tuple[Row, ...] = ()
    """Every item, in the feed's order."""


def page(checkup: FeedCheckReport) -> list[str]:
    """Return the page, plain text line by line."""
    lines = [f"{checkup.name} ({checkup.feed})", _field("asked", checkup.asked)]
    if checkup.answer:
        lines += _answer_lines(checkup.answer, checkup.asked)
    if checkup.error:
        lines += ["", f"Cannot be read: {checkup.error}"]
    if checkup.proposal:
        lines.append(f"That page names a feed: try `copydesk feeds check {checkup.proposal}`")
    if not checkup.ok:
        return lines
    lines += ["", *_reading(checkup)]
    if checkup.rows:
        lines += ["", *_table(checkup.rows), "", *_sum(checkup.rows)]
    if checkup.odd:
        lines += ["", "Odd", *(f"  - {said}" for said in checkup.odd)]
    return lines


def _field(label: str, value: object) -> str:
    return f"  {label:<{_LABEL}} {value}"


def _answer_lines(answer: Answer, asked: str) -> Iterator[str]:
    if answer.url != asked:
        yield _field("moved to" if answer.moved else "sent on to", answer.url)
    typed = answer.content_type or "no content type"
    yield _field("answered", f"{typed}, {answer.size:,} bytes")
    yield _field("validators", _validators(answer))
    yield _field("next poll", _next_poll(answer))


def _validators(answer: Answer) -> str:
    held = (("ETag", answer.etag), ("Last-Modified", answer.last_modified))
    told = " · ".join(f"{name} {value}" for name, value in held if value)
    if answer.expired:
        return "not trusted, since it says `Expires: 0`: every poll brings the whole feed"
    return told or "none: every poll brings the whole feed"


def _next_poll(answer: Answer) -> str:
    after = f"after {span(answer.again_s)}" if answer.again_s else "at the next run"
    wishes = [("its headers ask for", answer.fresh_s), ("the feed asks for", answer.ttl_s)]
    said = ", ".join(f"{who} {span(wish)}" for who, wish in wishes if wish is not None)
    return f"{after} ({said or 'its publisher asks for nothing'})"


def span(seconds: float) -> str:
    """Return a length of time in its two largest units."""
    units = (("d", 86_400), ("h", 3600), ("min", 60), ("s", 1))
    left, parts = round(seconds), []
    for name, size in units:
        count, left = divmod(left, size)
        if count:
            parts.append(f"{count} {name}")
    return " ".join(parts[:2]) or "0 s"


def _reading(checkup: FeedCheckReport) -> Iterator[str]:
    yield _field("title", checkup.title or "none")
    if checkup.kind:
        yield _field("kind", checkup.kind)
    if checkup.language:
        yield _field("language", checkup.language)
    times = [row.published_at for row in checkup.rows if row.dated]
    between = f", {format_time(min(times))} to {format_time(max(times))}" if times else ""
    yield _field("items", f"{len(checkup.rows)}{between}")
    for note in checkup.notes:
        yield _field("note", note)


def _table(rows: tuple[Row, ...]) -> Iterator[str]:
    yield _cells("published", "text", "title", "would be")
    for row in rows[:SHOWN]:
        published = format_time(row.published_at) if row.dated else "no date"
        fate = f"{row.fate} · {row.why}" if row.why else row.fate
        yield _cells(published, f"{row.characters:,}", row.title, fate)
    if len(rows) > SHOWN:
        yield f"  … and {pluralize(len(rows) - SHOWN, 'item')} more"


def _cells(published: str, text: str, title: str, fate: str) -> str:
    shown = title if cell_len(title) <= _TITLE else set_cell_size(title, _TITLE - 1) + "…"
    return f"  {published:<17}  {text:>7}  {set_cell_size(shown, _TITLE)}  {fate}".rstrip()


def _sum(rows: tuple[Row, ...]) -> Iterator[str]:
    counts = Counter(row.fate for row in rows)
    told = [f"{counts[fate]} {said}" for fate, said in _FATES.items() if counts[fate]]
    yield f"Of {pluralize(len(rows), 'item')}: {', '.join(told)}."
    reasons = Counter(row.why.partition(":")[0] for row in rows if row.fate == "skipped")
    if reasons:
        yield f"Skipped: {', '.join(f'{count} {reason}' for reason, count in reasons.most_common())}."


_STALE = timedelta(days=180)
_CHARSET = re.compile(rb"(?:charset|encoding)\s{0,9}=\s{0,9}[\"']?([\w.:-]{1,40})", re.IGNORECASE)

_ROOT = re.compile(r"<(?:\w{1,20}:)?(rss|RDF|feed)\b([^>]{0,2000})", re.IGNORECASE)
_VERSION = re.compile(r"\bversion\s{0,9}=\s{0,9}[\"']([\w.]{1,9})")
_NO_CHARSETS = frozenset(("punycode", "idna"))
"""Codecs of host names, which take for ever with a document."""


async def examine(net: HttpClient, parse: Parse, feed: FeedConfig, now: datetime) -> FeedCheckReport:
    """Fetch and read a feed as a first poll would. Never raises FeedError: that is its result."""
    asked = {"feed": feed.key, "name": feed.name, "asked": redact_url(feed.url)}
    answer = None
    try:
        fetched = await fetch_feed(net, feed, PollState(), now, whole=True)
        if not isinstance(fetched, FetchedFeed):
            raise FeedError("the server answers 304 to a plain request", kind="http")
        answer = _answer(feed, fetched, now, None)
        parsed = await parse(fetched.body, fetched.content_type, fetched.url, now)
    except FeedError as error:
        proposal = error.context.get("proposal")
        return FeedCheckReport(
            **asked,
            ok=False,
            error=print_error(feed.key, error.message),
            proposal=proposal if isinstance(proposal, str) else None,
            answer=answer,
        )
    return FeedCheckReport(
        **asked,
        ok=True,
        answer=_answer(feed, fetched, now, parsed),
        title=parsed.title,
        kind=kind_of(decode(fetched.body, fetched.content_type)),
        language=_languages(parsed.items),
        notes=parsed.notes,
        odd=tuple(warnings(fetched, parsed.items, now)),
        rows=tuple(item_outcomes(feed, parsed.items, now)),
    )


def _answer(feed: FeedConfig, fetched: FetchedFeed, now: datetime, parsed: ParsedFeed | None) -> Answer:
    ttl_s = parsed.ttl_s if parsed else None
    after = state_after_read(feed, PollState(), fetched, now, chance=0.0, whole=True, ttl_s=ttl_s)
    wait = after.next_poll_at - now if after.next_poll_at else timedelta()
    return Answer(
        url=redact_url(fetched.url),
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


def item_outcomes(feed: FeedConfig, items: Sequence[Item], now: datetime) -> Iterator[Row]:
    """Yield what would become of each item on a first run, in the feed's order."""
    chosen = select_items(feed, items, ExistingItems(), now)
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
            yield _row(item, "waits", f"more than {pluralize(most, 'item')} at once")
        else:
            yield _row(item, *_text_fate(feed, item))


def _text_fate(feed: FeedConfig, item: Item) -> tuple[Fate, str]:
    """Tell what would become of a wanted item by its text."""
    lack = incompleteness(item.text, feed.min_chars)
    if needs_page(item, feed):
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


def warnings(fetched: FetchedFeed, items: Sequence[Item], now: datetime) -> Iterator[str]:
    """Yield what an operator should know of a feed beside what its parser says."""
    if fetched.moved_to:
        yield f"moved for good: write url: {redact_url(fetched.moved_to)}"
    yield from _charsets(fetched)
    if not items:
        return
    undated = sum(not item.dated for item in items)
    if undated:
        yield f"{pluralize(undated, 'item')} without a usable date: taken as published when first seen"
    unlinked = sum(item.link is None for item in items)
    if unlinked:
        yield f"{pluralize(unlinked, 'item')} without a link: no page to fetch or to name as the source"
    media = sum(item.media is not None for item in items)
    if media:
        yield f"{pluralize(media, 'item')} of audio or video: only what is written beside it can be used"
    if not any(item.text for item in items):
        yield "no item has any text: each page is fetched, unless full_text: never"
    if not any(item.image for item in items):
        yield "no item has an image"
    newest = max(item.published_at for item in items)
    if not undated and newest < now - _STALE:
        yield f"nothing new since {newest:%Y-%m-%d}: is it still kept up?"


def _charsets(fetched: FetchedFeed) -> Iterator[str]:
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
