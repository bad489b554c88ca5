"""Feeds: subscriptions, their renames, and their poll states."""

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

import sqlalchemy as sa

from pipeline.domain.errors import ConfigError, DatabaseError
from pipeline.domain.models import FeedConfig, FrozenModel, PollState
from pipeline.domain.urls import normalize_feed_url
from pipeline.storage.column_types import replace_unstorable
from pipeline.storage.engine import Transactions, chunks
from pipeline.storage.item_counts import counts_by_feed, fold
from pipeline.storage.schema import feeds, items


class FeedStatus(FrozenModel):
    """A feed after its last poll."""

    key: str
    url: str
    poll: PollState
    counts: dict[str, int]
    """Items by state."""


class FeedRow(NamedTuple):
    """What identifies a feed."""

    id: int
    key: str
    first_key: str
    name: str


class FeedRepository(Transactions):
    """Stores subscriptions and poll states."""

    def sync(self, subscriptions: Sequence[FeedConfig]) -> None:
        """Store subscriptions: renames first, then new feeds and changed addresses.

        Raises ConfigError for a stored URL under a new key.
        """
        with self._exclusive_write() as connection:
            for feed in subscriptions:
                if feed.previous_keys:
                    _rename(connection, feed)
            _add_or_update(connection, subscriptions)
            fold(connection)

    def poll_states(self) -> dict[str, PollState]:
        """Return the poll state of every feed, by key."""
        with self._reading() as connection:
            rows = connection.execute(sa.select(feeds.c.key, feeds.c.poll))
            return {row.key: PollState.model_validate_json(row.poll) for row in rows}

    def record_polls(self, states: Mapping[str, PollState]) -> None:
        """Store poll states of polls that brought no items, by feed key."""
        with self._writing() as connection:
            record_polls(connection, states)

    def status(self) -> list[FeedStatus]:
        """Return each feed with its poll state and its items' numbers, by key."""
        with self._reading() as connection:
            by_feed = counts_by_feed(connection)
            return [
                FeedStatus(
                    key=row.key,
                    url=row.url,
                    poll=PollState.model_validate_json(row.poll),
                    counts=by_feed.get(row.key, {}),
                )
                for row in connection.execute(sa.select(feeds).order_by(feeds.c.key))
            ]

    def item_counts(self) -> dict[str, dict[str, int]]:
        """Return the number of items by feed key and state."""
        with self._reading() as connection:
            return counts_by_feed(connection)


def _add_or_update(connection: sa.Connection, subscriptions: Sequence[FeedConfig]) -> None:
    stored = {row.key: row for row in connection.execute(sa.select(feeds))}
    configured = {feed.key for feed in subscriptions}
    addresses = {normalize_feed_url(row.url): key for key, row in stored.items() if key not in configured}
    added = []
    for feed in subscriptions:
        if feed.key not in stored:
            _refuse_moved(feed, addresses)
            added.append({"key": feed.key, "first_key": feed.first_key, "name": feed.name, "url": feed.url})
        elif (stored[feed.key].name, stored[feed.key].url) != (feed.name, feed.url):
            _update(connection, feed, moved=stored[feed.key].url != feed.url)
    if added:
        connection.execute(feeds.insert(), added)


def _rename(connection: sa.Connection, feed: FeedConfig) -> None:
    """Change the key of a feed stored under an earlier key; its items and its first key stay."""
    if connection.execute(sa.select(feeds.c.id).where(feeds.c.key == feed.key)).first():
        return
    old = connection.execute(sa.select(feeds.c.id).where(feeds.c.key.in_(feed.previous_keys))).first()
    if old:
        connection.execute(feeds.update().where(feeds.c.id == old.id).values(key=feed.key))


def _refuse_moved(feed: FeedConfig, addresses: dict[str | None, str]) -> None:
    old = addresses.get(normalize_feed_url(feed.url))
    if old is not None:
        raise ConfigError(
            f"feed {feed.key}: its url was subscribed as {old!r} before; add `previous_keys: [{old}]` to it "
            "in feeds.yaml, or its items would be drafted again",
            feed=feed.key,
        )


def _update(connection: sa.Connection, feed: FeedConfig, *, moved: bool) -> None:
    values = {"name": feed.name, "url": feed.url}
    if moved:  # validators hold for one address only
        values["poll"] = "{}"
    connection.execute(feeds.update().where(feeds.c.key == feed.key).values(**values))


def feed_rows(connection: sa.Connection, keys: Collection[str]) -> dict[str, FeedRow]:
    """Return what identifies feeds, by key. Raises DatabaseError where one was never subscribed."""
    rows: dict[str, FeedRow] = {}
    for chunk in chunks(keys):
        for row in connection.execute(_FEED_ROWS, {"keys": chunk}):
            rows[row.key] = FeedRow(row.id, row.key, row.first_key, row.name)
    if missing := next((key for key in keys if key not in rows), None):
        raise DatabaseError(
            f"the ledger knows no feed {missing!r}; `copydesk feeds list` shows the keys", feed=missing
        )
    return rows


_FEED_ROWS = sa.select(feeds.c.id, feeds.c.key, feeds.c.first_key, feeds.c.name).where(
    feeds.c.key.in_(sa.bindparam("keys", expanding=True))
)


def having_items(
    connection: sa.Connection, ids: Collection[int], *conditions: sa.ColumnElement[bool]
) -> set[int]:
    """Return those of the feeds that have items, which meet the conditions."""
    has_items = sa.exists().where(items.c.feed_id == feeds.c.id, *conditions)
    result: set[int] = set()
    for chunk in chunks(ids):
        result.update(connection.scalars(sa.select(feeds.c.id).where(feeds.c.id.in_(chunk), has_items)))
    return result


def first_keys(connection: sa.Connection, keys: Collection[str]) -> dict[str, str]:
    """Return the first keys of feeds, by key."""
    if not keys:
        return {}
    query = sa.select(feeds.c.key, feeds.c.first_key).where(feeds.c.key.in_(keys))
    return {row.key: row.first_key for row in connection.execute(query)}


def feed_id(connection: sa.Connection, key: str) -> int:
    """Return a feed's id. Raises DatabaseError where it was never subscribed."""
    return feed_rows(connection, [key])[key].id


def record_polls(connection: sa.Connection, states: Mapping[str, PollState]) -> None:
    """Store poll states, by feed key."""
    rows = [{"feed": key, "state": _dumped(state)} for key, state in states.items()]
    if rows:
        changed = feeds.update().where(feeds.c.key == sa.bindparam("feed"))
        connection.execute(changed.values(poll=sa.bindparam("state")), rows)


def _dumped(state: PollState) -> str:
    texts = {name: replace_unstorable(value) for name, value in state if isinstance(value, str)}
    return state.model_copy(update=texts).model_dump_json(exclude_defaults=True)
