"""The ledger: what is known of every feed and item. Each method is one transaction, safe from any thread."""

from collections.abc import Mapping, Sequence

import sqlalchemy as sa

from pipeline.ledger import claims, feeds, figures, forgetting, items
from pipeline.ledger.arrivals import arrived, take_merged, take_new, take_skipped
from pipeline.ledger.editing import Editing
from pipeline.ledger.overview import Figures
from pipeline.ledger.publishing import Publishing
from pipeline.ledger.records import Admitted, Failure, FeedStatus, Met, Policy
from pipeline.ledger.schema import OPEN
from pipeline.ledger.schema import feeds as feeds_table
from pipeline.ledger.schema import items as items_table
from pipeline.ledger.telling import Telling
from pipeline.ledger.updates import update
from pipeline.ledger.working import Work
from pipeline.models import FeedConfig, Item, PollState, Window


class Ledger(Work, Editing, Publishing, Telling):
    """An open ledger; a context manager. Every method raises LedgerError where the database fails."""

    # Feeds

    def sync_feeds(self, subscriptions: Sequence[FeedConfig]) -> None:
        """Bring subscriptions in. Raises ConfigError for a known URL under a new key."""
        with self._alone() as connection:
            feeds.sync(connection, subscriptions)

    def poll_states(self) -> dict[str, PollState]:
        """Return what the polls of every feed taught, by key."""
        with self._reading() as connection:
            return feeds.poll_states(connection)

    def record_polls(self, states: Mapping[str, PollState]) -> None:
        """Keep what polls taught that brought no items, by feed key."""
        with self._writing() as connection:
            feeds.record_polls(connection, states)

    def figures(self) -> Figures:
        """Return the whole ledger in numbers."""
        with self._reading() as connection:
            return figures.figures(connection)

    def feed_status(self) -> list[FeedStatus]:
        """Return each feed as its last poll left it."""
        with self._reading() as connection:
            return feeds.status(connection)

    def counts(self) -> dict[str, dict[str, int]]:
        """Return the number of items by feed key and state."""
        with self._reading() as connection:
            return feeds.counts(connection)

    # Items

    def known(self, feed_key: str, guids: Sequence[str], canonicals: Sequence[str]) -> Met:
        """Return what is known of the items of a poll: by guid in their feed, by canonical URL in all."""
        with self._reading() as connection:
            number = feeds.feed_id(connection, feed_key)
            return Met(
                guids=items.by_guid(connection, number, guids),
                canonicals=items.by_canonical(connection, canonicals),
                forgotten=forgetting.among(connection, canonicals),
            )

    def skip_reasons(self, feed_key: str, guids: Sequence[str]) -> dict[str, str]:
        """Return guid → why it is skipped, for those items of a feed that are."""
        with self._reading() as connection:
            return items.skip_reasons(connection, feeds.feed_id(connection, feed_key), guids)

    def find(self, ref: str, canonical: str | None = None) -> tuple[str, Item]:
        """Return the feed key and the item meant by an external id, a path, a guid or a link.

        Raises ReviewError where none or several answer.
        """
        with self._reading() as connection:
            return items.find(connection, ref, canonical)

    def admit(
        self,
        feed_key: str,
        *,
        new: Sequence[Item],
        updated: Sequence[Item],
        skipped: Sequence[tuple[Item, str]],
        merged: Sequence[tuple[Item, tuple[str, str]]],
        state: PollState,
        policy: Policy,
    ) -> Admitted:
        """Take in what a poll brought, with the state that stands for it; repeating it adds nothing."""
        arrivals = arrived(new)
        with self._alone() as connection:
            feed = feeds.identity(connection, feed_key)
            became = take_new(connection, feed, arrivals, policy)
            aside = take_skipped(connection, feed, skipped)
            joined = take_merged(connection, feed, merged, policy)
            changed = [update(connection, feed.id, item, policy) for item in updated]
            feeds.record_polls(connection, {feed_key: state})
        return Admitted(
            new=became.count("new"),
            updated=sum(changed),
            skipped=aside,
            merged=became.count("merged") + joined,
        )

    def merged_of(self, feed_key: str, new: Sequence[Item], policy: Policy) -> frozenset[str]:
        """Return the guids of those new items that `admit` would not queue: others tell the same.

        Found by doing it and taking that back, as what each meets may be another of them.
        """
        arrivals = arrived(new)
        with self._rehearsing() as connection:
            feed = feeds.identity(connection, feed_key)
            take_new(connection, feed, arrivals, policy)
            became = items.by_guid(connection, feed.id, [item.guid for item in new])
        return frozenset(guid for guid, (state, _) in became.items() if state != "seen")

    def queues(self) -> dict[str, int]:
        """Return how many items wait to be drafted, by feed key; a feed without any is left out."""
        with self._reading() as connection:
            return feeds.queues(connection)

    def queued(self, feed_key: str, window: Window | None = None) -> int:
        """Return how many items of a feed wait to be drafted."""
        with self._reading() as connection:
            number = feeds.feed_id(connection, feed_key)
            query = sa.select(sa.func.count()).where(*claims.waiting(number, window))
            return connection.scalar(query) or 0

    def queued_items(self, feed_key: str, window: Window | None = None) -> list[Item]:
        """Return the items of a feed that wait to be drafted, newest first."""
        with self._reading() as connection:
            number = feeds.feed_id(connection, feed_key)
            query = sa.select(items.newest).where(*claims.waiting(number, window))
            rows = connection.scalars(query.order_by(items_table.c.published_at.desc(), items_table.c.id))
            return [Item.model_validate_json(payload) for payload in rows]

    def failures(self, limit: int) -> list[Failure]:
        """Return items that came to nothing so far, with their reasons, the latest first."""
        table = items_table
        query = (
            sa.select(feeds_table.c.key, table.c.title, table.c.state, table.c.reason)
            .select_from(table.join(feeds_table))
            .where(table.c.state.in_((*OPEN, "failed")), table.c.reason.is_not(None))
            .order_by(table.c.id.desc())
            .limit(limit)
        )
        with self._reading() as connection:
            return [
                Failure(feed_key=row.key, title=row.title, state=row.state, reason=row.reason)
                for row in connection.execute(query)
            ]

    def retry_failed(self, feed_key: str | None = None) -> int:
        """Queue failed items again and return how many there were."""
        with self._writing() as connection:
            where = [items_table.c.state == "failed"]
            if feed_key is not None:
                where.append(items_table.c.feed_id == feeds.feed_id(connection, feed_key))
            again = items_table.update().where(*where).values(state="seen", attempts=0)
            return connection.execute(again).rowcount
