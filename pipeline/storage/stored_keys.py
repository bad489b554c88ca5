"""What is stored about the items of several polls, looked up together.

A statement costs more than its rows.
"""

from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

import sqlalchemy as sa

from pipeline.domain.models import Item, external_id
from pipeline.storage.duplicate_groups import existing_bands
from pipeline.storage.engine import chunks
from pipeline.storage.erasure import erased_among
from pipeline.storage.feeds import FeedRow, feed_rows, having_items
from pipeline.storage.item_rows import ItemKey, StoredState, by_canonical
from pipeline.storage.schema import items


class ExistingItems(NamedTuple):
    """What is stored about the items of one poll."""

    guids: dict[str, StoredState]
    """By guid, in the same feed."""
    canonicals: dict[str, ItemKey]
    """The item that is drafted for a canonical URL, by URL."""
    forgotten: frozenset[str]
    """Canonical URLs that are erased and never to be taken again."""
    polled: bool
    """The feed has stored items."""


class Lookup(NamedTuple):
    """What a poll asks for: the guids of its items, in its feed, and their canonical URLs, in all feeds."""

    feed_key: str
    guids: Sequence[str]
    canonicals: Sequence[str]


class Match(NamedTuple):
    """Which keys of an item an earlier item has."""

    guid: bool
    canonical: bool
    band: bool


Arrival = tuple[Item, Sequence[int]]
"""An item and the bands of its signature."""
Matched = tuple[Arrival, Match]


class StoredKeys:
    """Keys of stored items, while the items of several polls are admitted; what is admitted is added.

    A key that is not here is not stored. One that is here may be of an item that is only about to be stored.
    """

    def __init__(self, identities: set[str], canonicals: set[str], bands: set[int]) -> None:
        self._identities, self._canonicals, self._bands = identities, canonicals, bands

    def has_guid(self, feed: FeedRow, guid: str) -> bool:
        """Return whether a feed has an item with a guid."""
        return external_id(feed.first_key, guid) in self._identities

    def add_guid(self, feed: FeedRow, guid: str) -> None:
        """Add a guid of a feed."""
        self._identities.add(external_id(feed.first_key, guid))

    def add(self, feed: FeedRow, item: Item, marks: Sequence[int]) -> Match:
        """Add an item and the bands of its signature; return which of its keys were here before."""
        identity = external_id(feed.first_key, item.guid)
        match = Match(
            identity in self._identities,
            item.canonical in self._canonicals,
            not self._bands.isdisjoint(marks),
        )
        self._identities.add(identity)
        self._bands.update(marks)
        if item.canonical:
            self._canonicals.add(item.canonical)
        return match


def read_stored_keys(
    connection: sa.Connection,
    guids: Iterable[tuple[FeedRow, str]],
    canonicals: Collection[str],
    bands: Iterable[int],
) -> StoredKeys:
    """Return which keys are stored: guids of feeds, canonical URLs, bands of signatures."""
    identities: set[str] = set()
    for chunk in chunks(external_id(feed.first_key, guid) for feed, guid in guids):
        identities.update(connection.scalars(_IDENTITIES, {"identities": chunk}))
    urls = set(by_canonical(connection, sorted(canonicals)))
    return StoredKeys(identities, urls, existing_bands(connection, bands))


def existing_items(connection: sa.Connection, lookups: Sequence[Lookup]) -> list[ExistingItems]:
    """Return what is stored about the items of each poll. Raises DatabaseError for an unknown feed."""
    rows = feed_rows(connection, [each.feed_key for each in lookups])
    identities = [
        {external_id(rows[each.feed_key].first_key, guid): guid for guid in each.guids} for each in lookups
    ]
    states = _states(connection, [identity for each in identities for identity in each])
    every = [url for each in lookups for url in each.canonicals]
    owners, erased = by_canonical(connection, every), erased_among(connection, every)
    stored = [
        {guid: states[identity] for identity, guid in each.items() if identity in states}
        for each in identities
    ]
    unsure = {rows[each.feed_key].id for each, guids in zip(lookups, stored, strict=True) if not guids}
    polled = having_items(connection, unsure)
    return [
        ExistingItems(
            guids=guids,
            canonicals={url: owners[url] for url in each.canonicals if url in owners},
            forgotten=erased.intersection(each.canonicals),
            polled=bool(guids) or rows[each.feed_key].id in polled,
        )
        for each, guids in zip(lookups, stored, strict=True)
    ]


def _states(connection: sa.Connection, identities: Sequence[str]) -> dict[str, StoredState]:
    """Return the states of stored items, by external id."""
    states: dict[str, StoredState] = {}
    for chunk in chunks(identities):
        for row in connection.execute(_STATES, {"identities": chunk}):
            content_hash = row.updated_hash or row.content_hash
            states[row.external_id] = StoredState(row.state, content_hash, row.reason, row.retry_at)
    return states


# Built once: a statement costs more to build than to run.
_IS_ONE = items.c.external_id.in_(sa.bindparam("identities", expanding=True))
_IDENTITIES = sa.select(items.c.external_id).where(_IS_ONE)
_STATES = sa.select(
    *(items.c.external_id, items.c.state, items.c.content_hash, items.c.updated_hash),
    *(items.c.reason, items.c.retry_at),
).where(_IS_ONE)
