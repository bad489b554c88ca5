"""Decides what becomes of a feed's items: pure, from what is known to what is to be done."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Literal

from pydantic import Field

from pipeline.ingest.filters import is_age, objection
from pipeline.models import FeedConfig, Item, Record, Window

_SKIPPED = "skipped"
_WAITS = "seen"
_MERGED = "merged"
_ASIDE = (_SKIPPED, "forgotten")


class KnownItem(Record):
    """What the ledger knows of one item."""

    state: str
    content_hash: str
    reason: str | None = None
    """Why it is skipped, where that counts: in a backfill."""


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


Fate = Literal["new", "updated", "unchanged", "outside", "beyond"] | Skip | Merge


class Selection(Record):
    """What is to become of a feed's items; each is in one place, in the feed's order."""

    new: tuple[Item, ...] = ()
    updated: tuple[Item, ...] = ()
    """Known, with another title or text than before."""
    skipped: tuple[Skip, ...] = ()
    merged: tuple[Merge, ...] = ()
    unchanged: int = 0
    outside: int = 0
    """Not what a backfill was asked for: neither taken in nor remembered."""
    beyond: int = 0
    """What it would have taken in, were it not for its limit; left alone as well."""


def decide(
    feed: FeedConfig,
    items: Sequence[Item],
    known: Known,
    now: datetime,
    *,
    window: Window | None = None,
    most: int | None = None,
) -> Selection:
    """Sort a feed's items into new, updated, skipped, merged and unchanged ones.

    `now` is aware UTC. A `window` is a backfill's: it stands in for the feed's maximum age, also for items
    that were skipped for theirs, and whatever is not in it, or older than the `most` newest new items of it,
    is left as it is. max_items is not applied here, because it limits what is drafted in one run.
    """
    taken = dict(known.canonicals)
    for item in items:
        if item.canonical and _settled(known.guids.get(item.guid)):
            taken.setdefault(item.canonical, (feed.key, item.guid))
    left = len(items) if most is None else most
    once = {item.guid: item for item in items}  # a feed may say one twice
    became: dict[str, Fate] = {}
    for item in _ordered(once.values(), window):
        fate = _asked(_fate(feed, item, known, taken, now, window), left)
        became[item.guid] = fate
        left -= fate == "new"
        if fate in ("new", "beyond") and item.canonical:
            taken[item.canonical] = (feed.key, item.guid)
    fates = [(item, became[guid]) for guid, item in once.items()]
    return Selection(
        new=tuple(item for item, fate in fates if fate == "new"),
        updated=tuple(item for item, fate in fates if fate == "updated"),
        skipped=tuple(fate for _, fate in fates if isinstance(fate, Skip)),
        merged=tuple(fate for _, fate in fates if isinstance(fate, Merge)),
        unchanged=sum(fate == "unchanged" for _, fate in fates),
        outside=sum(fate == "outside" for _, fate in fates),
        beyond=sum(fate == "beyond" for _, fate in fates),
    )


def _ordered(items: Iterable[Item], window: Window | None) -> Iterable[Item]:
    """Return items in the order in which they are taken in: a backfill, with its limit, takes the newest."""
    return items if window is None else sorted(items, key=lambda item: item.published_at, reverse=True)


def _asked(fate: Fate, left: int) -> Fate:
    """Return what becomes of an item where so many new ones may still be taken in."""
    if left > 0 or fate in ("updated", "unchanged"):
        return fate
    return "beyond" if fate == "new" else "outside"


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
        if before.content_hash == item.content_hash or before.state in _ASIDE:
            return "unchanged"
        # A backfill takes the latest text of what waits; what has a draft is a poll's to look after.
        return "updated" if window is None or before.state == _WAITS else "outside"
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
    """Tell whether to look again: at skipped items that changed, or whose age does not count any more."""
    if before.state != _SKIPPED:
        return False
    return before.content_hash != item.content_hash or (window is not None and is_age(before.reason))


def _within(moment: datetime, window: Window) -> bool:
    since, until = window
    return (since is None or moment >= since) and (until is None or moment < until)
