"""Items: admission of polled items, lookups, the queue, failures."""

from collections.abc import Collection, Sequence
from concurrent.futures import Future
from datetime import datetime

import sqlalchemy as sa

from pipeline.domain.errors import ReviewError
from pipeline.domain.models import FrozenModel, Item, PollState, Window
from pipeline.domain.skip_causes import CauseKind
from pipeline.storage import admission, backlogs, duplicate_groups, feeds, lease_rows
from pipeline.storage.backlogs import FeedBacklog
from pipeline.storage.batch_queue import BatchQueue
from pipeline.storage.engine import Transactions, chunks, is_unreachable
from pipeline.storage.item_outcomes import OutcomeCount, count_outcomes
from pipeline.storage.item_rows import (
    FEED_SOURCE,
    NOT_TRIED,
    feed_source,
    newest_payload,
)
from pipeline.storage.poll_records import AdmissionResult, PollRecord, PollResult, poll_record
from pipeline.storage.records import Sibling
from pipeline.storage.schema import IS_FAILING, OPEN, items
from pipeline.storage.schema import feeds as feeds_table
from pipeline.storage.source_updates import Policy
from pipeline.storage.stored_keys import ExistingItems, Lookup, existing_items

_MAX_NAMESAKES = 50
"""Items of one guid that an item is compared with: the latest. Chosen, not measured."""


class Failure(FrozenModel):
    """An item without a draft after a failed attempt, and the reason."""

    feed_key: str
    title: str
    state: str
    reason: str
    attempts: int
    """Answers of a model that could not be had or used."""
    retry_at: datetime | None
    """It is not tried before; None: no such time."""

    def kind(self, now: datetime) -> CauseKind | None:
        """Return what became of it; None if it was put back into the queue for no fault of its own."""
        if self.state != "failed" and self.retry_at is not None and self.retry_at > now:
            return "waits"
        return "failed" if self.state == "failed" or self.attempts else None


class ItemRepository(Transactions):
    """Stores polled items and finds stored ones."""

    def __init__(self, engine: sa.Engine, owner: str) -> None:
        super().__init__(engine, owner)
        self._lookups = BatchQueue(self._look_up, fatal=is_unreachable)
        self._admissions = BatchQueue(self._admit, fatal=is_unreachable)

    def existing(self, feed_key: str, guids: Sequence[str], canonicals: Sequence[str]) -> ExistingItems:
        """Return what is stored about a poll's items: by guid in their feed, by canonical URL in any."""
        return self._look_up([Lookup(feed_key, guids, canonicals)])[0]

    def submit_lookup(
        self, feed_key: str, guids: Sequence[str], canonicals: Sequence[str]
    ) -> "Future[ExistingItems]":
        """Look items up as `existing` does, soon, together with those of other polls."""
        return self._lookups.submit(Lookup(feed_key, guids, canonicals))

    def admit(self, feed_key: str, result: PollResult, policy: Policy) -> AdmissionResult:
        """Store the items and the poll state of one poll; repeating it adds nothing."""
        return self._admit([(feed_key, result, policy)])[0]

    def submit_admission(
        self, feed_key: str, result: PollResult, policy: Policy
    ) -> "Future[AdmissionResult]":
        """Store a poll as `admit` does, soon, together with other polls."""
        return self._admissions.submit((feed_key, result, policy))

    def close(self) -> None:
        """Store what was submitted."""
        self._lookups.close()
        self._admissions.close()

    def _look_up(self, lookups: Sequence[Lookup]) -> list[ExistingItems]:
        with self._reading() as connection:
            return existing_items(connection, lookups)

    def _admit(self, polls: Sequence[tuple[str, PollResult, Policy]]) -> list[AdmissionResult]:
        records = [poll_record(*poll) for poll in polls]
        admitted: list[AdmissionResult] = []
        while len(admitted) < len(records):
            some = _of_different_feeds(records[len(admitted) :])
            with self._exclusive_write() as connection:
                results = admission.admit(connection, some)
                feeds.record_polls(connection, {poll.feed_key: poll.result.state for poll in some})
            admitted += results
        return admitted

    def preview_merged(self, feed_key: str, new: Sequence[Item], policy: Policy) -> frozenset[str]:
        """Return the guids of those new items that `admit` would not queue, as near-duplicates exist.

        The items are admitted and rolled back, since they may be near-duplicates of each other.
        """
        poll = poll_record(feed_key, PollResult(new, (), (), (), PollState()), policy)
        with self._dry_run() as connection:
            admission.admit(connection, [poll])
            [admitted] = existing_items(connection, [Lookup(feed_key, [item.guid for item in new], ())])
        return frozenset(guid for guid, stored in admitted.guids.items() if stored.state != "seen")

    def sources(self, feed_key: str, guids: Sequence[str]) -> dict[str, Item]:
        """Return items of a feed by guid, with the texts that their feed had last, not their pages'."""
        sources = {}
        with self._reading() as connection:
            number = feeds.feed_id(connection, feed_key)
            for chunk in chunks(guids):
                mine = (items.c.feed_id == number, items.c.guid.in_(chunk))
                rows = connection.execute(sa.select(*FEED_SOURCE).where(*mine))
                sources.update({row.guid: feed_source(row) for row in rows})
        return sources

    def namesakes(self, feed_key: str, guids: Sequence[str]) -> dict[str, list[Item]]:
        """Return the items of a feed whose guid is one of `guids` with something added, as `sources` does.

        They got it because the guid was another story's. The latest come first.
        """
        sources: dict[str, list[Item]] = {}
        with self._reading() as connection:
            number = feeds.feed_id(connection, feed_key)
            for guid in guids:
                longer = items.c.guid.startswith(f"{guid} ", autoescape=True)
                if connection.dialect.name == "sqlite":  # its LIKE ignores case, and reads all of the feed
                    longer = sa.and_(items.c.guid > f"{guid} ", items.c.guid < f"{guid}!")
                mine = (items.c.feed_id == number, items.c.state != "forgotten", longer)
                query = sa.select(*FEED_SOURCE).where(*mine).order_by(items.c.id.desc())
                rows = connection.execute(query.limit(_MAX_NAMESAKES))
                sources[guid] = [feed_source(row) for row in rows]
        return sources

    def find(self, ref: str, canonical: str | None = None) -> tuple[str, Item]:
        """Return the feed key and item for an external id (or its start), a path, a guid or a link.

        `canonical` is the link's canonical URL. Raises ReviewError where no item or several match.
        """
        name = ref.strip()
        match = sa.or_(
            items.c.external_id.startswith(name, autoescape=True),
            items.c.path == (name.rpartition("output/")[2] or name),
            items.c.canonical == (canonical or name),
            items.c.guid == name,
        )
        columns = (feeds_table.c.key, newest_payload.label("payload"))
        query = sa.select(*columns).select_from(items.join(feeds_table)).where(match).limit(2)
        with self._reading() as connection:
            rows = connection.execute(query).all() if name else []
        if len(rows) != 1:
            many = "several items are" if rows else "no item is"
            message = f"{many} called {ref!r}; give a draft's short id, or the item's link"
            raise ReviewError(message, draft=ref)
        return rows[0].key, Item.model_validate_json(rows[0].payload)

    def siblings(self, item_id: int) -> list[Sibling]:
        """Return the other items of an item's duplicate group, in the order in which they were stored."""
        with self._reading() as connection:
            return duplicate_groups.siblings(connection, item_id)

    def titles(self, ids: Sequence[int]) -> dict[int, tuple[str, str]]:
        """Return external ids and titles of items, by id."""
        titles = {}
        with self._reading() as connection:
            for chunk in chunks(ids):
                query = sa.select(items.c.id, items.c.external_id, items.c.title).where(items.c.id.in_(chunk))
                titles.update({row.id: (row.external_id, row.title) for row in connection.execute(query)})
        return titles

    def by_external_ids(self, refs: Sequence[str]) -> dict[str, tuple[int, str]]:
        """Return ids and titles of items by external id, without those that were erased."""
        named: dict[str, tuple[int, str]] = {}
        with self._reading() as connection:
            for chunk in chunks(refs):
                query = sa.select(items.c.id, items.c.external_id, items.c.title)
                rows = connection.execute(query.where(items.c.external_id.in_(chunk)))
                named.update({row.external_id: (row.id, row.title) for row in rows})
        return named

    def external_id(self, item_id: int) -> str:
        """Return the external id of an item."""
        return self.titles([item_id])[item_id][0]

    def failures(self, limit: int) -> list[Failure]:
        """Return items without a draft after a failed attempt, with the reasons, the latest first."""
        columns = (items.c.title, items.c.state, items.c.reason, items.c.attempts, items.c.retry_at)
        query = (
            sa.select(feeds_table.c.key.label("feed_key"), *columns)
            .select_from(items.join(feeds_table))
            .where(sa.text(IS_FAILING))  # verbatim, for its partial index
            .order_by(items.c.id.desc())
            .limit(limit)
        )
        with self._reading() as connection:
            return [Failure(**row._mapping) for row in connection.execute(query)]

    def outcomes(self, feed_key: str) -> list[OutcomeCount]:
        """Return how many items of a feed were updated, merged and skipped, by reason."""
        with self._reading() as connection:
            return count_outcomes(connection, feeds.feed_id(connection, feed_key))

    def retry_failed(self, feed_key: str | None = None) -> int:
        """Queue failed and postponed items of a feed (None: of all) again and return how many."""
        with self._writing() as connection:
            postponed = sa.and_(items.c.state.in_(OPEN), items.c.retry_at.is_not(None))
            where = [sa.or_(items.c.state == "failed", postponed)]
            if feed_key is not None:
                where.append(items.c.feed_id == feeds.feed_id(connection, feed_key))
            again = items.update().where(*where).values(state="seen", attempts=0, **NOT_TRIED)
            return connection.execute(again).rowcount

    def backlogs(self, now: datetime, window: Window | None = None) -> dict[str, FeedBacklog]:
        """Return what waits to be drafted, by feed key; with a window only what was published in it."""
        with self._reading() as connection:
            return backlogs.count_backlogs(connection, now, window)

    def waiting_among(self, ids: Collection[int]) -> dict[int, str]:
        """Return those of the items that wait to be drafted: `failed`, or `queued` if they were put back."""
        with self._reading() as connection:
            return backlogs.waiting_among(connection, ids)

    def waiting_count(self, feed_key: str, window: Window | None = None) -> int:
        """Return the number of items of a feed that wait to be drafted."""
        with self._reading() as connection:
            conditions = lease_rows.waiting(feeds.feed_id(connection, feed_key), window)
            return connection.scalar(sa.select(sa.func.count()).where(*conditions)) or 0

    def waiting(self, feed_key: str, window: Window | None = None) -> list[Item]:
        """Return the items of a feed that wait to be drafted, newest first, without leasing them."""
        with self._reading() as connection:
            conditions = lease_rows.waiting(feeds.feed_id(connection, feed_key), window)
            query = sa.select(newest_payload).where(*conditions)
            rows = connection.scalars(query.order_by(items.c.published_at.desc(), items.c.id))
            return [Item.model_validate_json(payload) for payload in rows]

    def held_count(self, feed_key: str) -> int:
        """Return the number of leased items of a feed that have no draft yet."""
        with self._reading() as connection:
            number = feeds.feed_id(connection, feed_key)
            held = (items.c.feed_id == number, items.c.lease_owner.is_not(None), items.c.state.in_(OPEN))
            return connection.scalar(sa.select(sa.func.count()).where(*held)) or 0


def _of_different_feeds(polls: Sequence[PollRecord]) -> Sequence[PollRecord]:
    """Return the first polls, up to one of a feed that was polled before it."""
    keys = [poll.feed_key for poll in polls]
    return polls[: next((at for at, key in enumerate(keys) if key in keys[:at]), len(polls))]
