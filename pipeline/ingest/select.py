"""Decides what becomes of a feed's items: pure, from what is known to what is to be done."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from pydantic import Field

from pipeline.ingest.filters import objection
from pipeline.models import FeedConfig, Item, Record, Window

_SKIPPED = "skipped"
_MERGED = "merged"
_ASIDE = (_SKIPPED, "forgotten")


class KnownItem(Record):
    """What the ledger knows of one item."""

    state: str
    content_hash: str


class Known(Record):
    """What the ledger knows of the items at hand."""

    guids: dict[str, KnownItem] = Field(default_factory=dict)
    """Of this feed, by guid."""
    canonicals: dict[str, tuple[str, str]] = Field(default_factory=dict)
    """Of all feeds: canonical URL → (feed key, guid) of the item that others are merged into."""
    forgotten: frozenset[str] = frozenset()
    """Canonical URLs that are never to be taken again."""


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
    for item in {item.guid: item for item in items}.values():  # a feed may say one twice
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
    if item.canonical in known.forgotten:
        return "unchanged"
    before = known.guids.get(item.guid)
    if before is not None and not _reconsidered(before, item, window):
        same = before.content_hash == item.content_hash or before.state in _ASIDE
        return "unchanged" if same else "updated"
    reason = objection(feed, item, None if window else now)
    if reason:
        return Skip(item=item, reason=reason) if before is None else "unchanged"
    into = taken.get(item.canonical or "")
    if into is None or into == (feed.key, item.guid):
        return "new"
    return Merge(item=item, into=into)


def _settled(before: KnownItem | None) -> bool:
    """Tell whether an item is known and has, or is to have, a draft of its own."""
    return before is not None and before.state not in (*_ASIDE, _MERGED)


def _reconsidered(before: KnownItem, item: Item, window: Window | None) -> bool:
    """Tell whether to look again: at skipped items, in a backfill or when they changed."""
    return before.state == _SKIPPED and (window is not None or before.content_hash != item.content_hash)


def _within(moment: datetime, window: Window) -> bool:
    since, until = window
    return (since is None or moment >= since) and (until is None or moment < until)
