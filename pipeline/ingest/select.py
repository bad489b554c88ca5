"""Decides what becomes of a feed's items: pure, from what is known to what is to be done."""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Literal

from pydantic import Field

from pipeline.models import FeedConfig, Item, Record, Window

_SKIPPED = "skipped"
_MERGED = "merged"
# Scripts that put no spaces between words, so that a word's edge cannot be told.
_UNSPACED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\ua4cf\uac00-\ud7af\uf900-\ufaff]")


class KnownItem(Record):
    """What the ledger knows of one item."""

    state: str
    content_hash: str
    canonical: str | None = None


class Known(Record):
    """What the ledger knows of the items at hand."""

    guids: dict[str, KnownItem] = Field(default_factory=dict)
    """Of this feed, by guid."""
    canonicals: dict[str, tuple[str, str]] = Field(default_factory=dict)
    """Of all feeds: canonical URL → (feed key, guid) of the item that others are merged into."""


class Skip(Record):
    """An item that is not to be drafted, and why."""

    item: Item
    reason: str


class Merge(Record):
    """An item that tells a story we have already."""

    item: Item
    into: tuple[str, str]
    """Feed key and guid of the item that stays."""


Fate = Literal["new", "updated", "unchanged", "outside"] | Skip | Merge


class Selection(Record):
    """What is to become of a feed's items; each is in one place, in the feed's order."""

    new: tuple[Item, ...] = ()
    updated: tuple[Item, ...] = ()
    """Known, with another title or text than before."""
    skipped: tuple[Skip, ...] = ()
    merged: tuple[Merge, ...] = ()
    unchanged: int = 0
    outside: int = 0
    """Outside the window of a backfill: neither looked at nor remembered."""


def decide(
    feed: FeedConfig, items: Sequence[Item], known: Known, now: datetime, *, window: Window | None = None
) -> Selection:
    """Sort a feed's items into new, updated, skipped, merged and unchanged ones.

    `now` is aware UTC. A `window` stands in for the feed's maximum age and gives skipped items another
    chance; max_items is not applied here, because it limits what is drafted in one run.
    """
    taken = dict(known.canonicals)
    for item in items:
        if item.canonical and _settled(known.guids.get(item.guid)):
            taken.setdefault(item.canonical, (feed.key, item.guid))
    fates: list[tuple[Item, Fate]] = []
    for item in items:
        fate = _fate(feed, item, known, taken, now, window)
        fates.append((item, fate))
        if fate == "new" and item.canonical:
            taken[item.canonical] = (feed.key, item.guid)
    return Selection(
        new=tuple(item for item, fate in fates if fate == "new"),
        updated=tuple(item for item, fate in fates if fate == "updated"),
        skipped=tuple(fate for _, fate in fates if isinstance(fate, Skip)),
        merged=tuple(fate for _, fate in fates if isinstance(fate, Merge)),
        unchanged=sum(fate == "unchanged" for _, fate in fates),
        outside=sum(fate == "outside" for _, fate in fates),
    )


def _fate(
    feed: FeedConfig,
    item: Item,
    known: Known,
    taken: dict[str, tuple[str, str]],
    now: datetime,
    window: Window | None,
) -> Fate:
    if window is not None and not _within(item.published_at, window):
        return "outside"
    before = known.guids.get(item.guid)
    if before is not None and not _reconsidered(before, item, window):
        same = before.content_hash == item.content_hash or not _settled(before)
        return "unchanged" if same else "updated"
    reason = _objection(feed, item, None if window else now)
    if reason:
        return Skip(item=item, reason=reason) if before is None else "unchanged"
    into = taken.get(item.canonical or "")
    if into is None or into == (feed.key, item.guid):
        return "new"
    return Merge(item=item, into=into)


def _settled(before: KnownItem | None) -> bool:
    """Tell whether an item is known and has, or is to have, a draft of its own."""
    return before is not None and before.state not in (_SKIPPED, _MERGED)


def _reconsidered(before: KnownItem, item: Item, window: Window | None) -> bool:
    """Tell whether to look again: at skipped items, in a backfill or when they changed."""
    return before.state == _SKIPPED and (window is not None or before.content_hash != item.content_hash)


def _within(moment: datetime, window: Window) -> bool:
    since, until = window
    return (since is None or moment >= since) and (until is None or moment < until)


def _objection(feed: FeedConfig, item: Item, now: datetime | None) -> str | None:
    """Return why an item is not wanted; without `now`, age is no reason."""
    days = feed.max_age_days
    if now is not None and days is not None and item.published_at < now - timedelta(days=days):
        return f"too old: published {item.published_at:%Y-%m-%d}, more than {days:g} days ago"
    text = f"{item.title}\n{item.text}".casefold()
    for word in feed.exclude:
        if _mentions(text, word):
            return f"excluded word: {word}"
    if feed.include and not any(_mentions(text, word) for word in feed.include):
        return "no include word"
    return None


def _mentions(text: str, word: str) -> bool:
    """Tell whether a casefolded text has a word as a whole one."""
    wanted = word.strip().casefold()
    if not wanted:
        return False
    left = "" if _UNSPACED.match(wanted[0]) else r"(?<!\w)"
    right = "" if _UNSPACED.match(wanted[-1]) else r"(?!\w)"
    return re.search(left + re.escape(wanted) + right, text) is not None
