"""Feeds: subscriptions, renames, what polls taught."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

import sqlalchemy as sa

from pipeline.domain.errors import ConfigError, LedgerError
from pipeline.domain.models import FeedConfig, PollState, normalize_feed_url
from pipeline.storage.records import FeedStatus
from pipeline.storage.schema import feeds, items, storable


def sync(connection: sa.Connection, subscriptions: Sequence[FeedConfig]) -> None:
    """Bring subscriptions into the ledger: renames first, then addresses. Raises ConfigError."""
    for feed in subscriptions:
        _rename(connection, feed)
    known = {row.key: row for row in connection.execute(sa.select(feeds))}
    configured = {feed.key for feed in subscriptions}
    addresses = {normalize_feed_url(row.url): key for key, row in known.items() if key not in configured}
    fresh = []
    for feed in subscriptions:
        if feed.key not in known:
            _refuse_moved(feed, addresses)
            fresh.append({"key": feed.key, "first_key": feed.first_key, "name": feed.name, "url": feed.url})
        elif (known[feed.key].name, known[feed.key].url) != (feed.name, feed.url):
            _update(connection, feed, moved=known[feed.key].url != feed.url)
    if fresh:
        connection.execute(feeds.insert(), fresh)


def _rename(connection: sa.Connection, feed: FeedConfig) -> None:
    """Give a feed known under an earlier key its new one; its items and its first key stay."""
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
    if moved:  # another address knows nothing of this one's validators
        values["poll"] = "{}"
    connection.execute(feeds.update().where(feeds.c.key == feed.key).values(**values))


class FeedRow(NamedTuple):
    """What identifies a feed."""

    id: int
    key: str
    first_key: str


def identity(connection: sa.Connection, key: str) -> FeedRow:
    """Return what identifies a feed. Raises LedgerError where it was never subscribed."""
    row = connection.execute(sa.select(feeds.c.id, feeds.c.first_key).where(feeds.c.key == key)).first()
    if row is None:
        raise LedgerError(f"the ledger knows no feed {key!r}; `copydesk feeds list` shows the keys", feed=key)
    return FeedRow(row.id, key, row.first_key)


def first_keys(connection: sa.Connection, keys: Collection[str]) -> dict[str, str]:
    """Return key → first key of feeds."""
    query = sa.select(feeds.c.key, feeds.c.first_key).where(feeds.c.key.in_(keys))
    return {row.key: row.first_key for row in connection.execute(query)}


def feed_id(connection: sa.Connection, key: str) -> int:
    """Return a feed's number. Raises LedgerError where it was never subscribed."""
    return identity(connection, key).id


def poll_states(connection: sa.Connection) -> dict[str, PollState]:
    """Return what the polls of every feed taught, by key."""
    rows = connection.execute(sa.select(feeds.c.key, feeds.c.poll))
    return {row.key: PollState.model_validate_json(row.poll) for row in rows}


def record_polls(connection: sa.Connection, states: Mapping[str, PollState]) -> None:
    """Keep what polls taught, by feed key."""
    kept = [{"feed": key, "state": _dumped(state)} for key, state in states.items()]
    if kept:
        changed = feeds.update().where(feeds.c.key == sa.bindparam("feed"))
        connection.execute(changed.values(poll=sa.bindparam("state")), kept)


def _dumped(state: PollState) -> str:
    said = {name: storable(value) for name, value in state if isinstance(value, str)}
    return state.model_copy(update=said).model_dump_json(exclude_defaults=True)


def counts(connection: sa.Connection) -> dict[str, dict[str, int]]:
    """Return the number of items by feed key and state."""
    query = (
        sa.select(feeds.c.key, items.c.state, sa.func.count())
        .select_from(feeds.join(items))
        .group_by(feeds.c.key, items.c.state)
    )
    result: dict[str, dict[str, int]] = defaultdict(dict)
    for key, state, count in connection.execute(query):
        result[key][state] = count
    return dict(result)


def status(connection: sa.Connection) -> list[FeedStatus]:
    """Return each feed as its last poll left it."""
    by_feed = counts(connection)
    return [
        FeedStatus(
            key=row.key,
            url=row.url,
            poll=PollState.model_validate_json(row.poll),
            counts=by_feed.get(row.key, {}),
        )
        for row in connection.execute(sa.select(feeds).order_by(feeds.c.key))
    ]
