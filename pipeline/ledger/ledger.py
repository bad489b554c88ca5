"""The ledger: what is known of every feed and item. Each method is one transaction, safe from any thread."""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime

import sqlalchemy as sa

from pipeline.ledger import claims, drafts, feeds, forgetting, items, pages, stories
from pipeline.ledger.arrivals import arrived, take_merged, take_new, take_skipped
from pipeline.ledger.base import Base
from pipeline.ledger.records import (
    Admitted,
    Claim,
    DraftRow,
    Failure,
    FeedStatus,
    Met,
    PageRow,
    PendingVerdict,
    Policy,
    Sibling,
)
from pipeline.ledger.schema import OPEN
from pipeline.ledger.schema import feeds as feeds_table
from pipeline.ledger.schema import items as items_table
from pipeline.ledger.updates import update
from pipeline.models import Answer, Draft, FeedConfig, Item, PollState, Verdict, Window


class Ledger(Base):
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
            query = sa.select(items_table.c.payload).where(*claims.waiting(number, window))
            rows = connection.scalars(query.order_by(items_table.c.published_at.desc()))
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

    # Work

    def claim(
        self, feed_key: str, limit: int, lease_s: float, *, window: Window | None = None
    ) -> list[Claim]:
        """Lease up to `limit` waiting items of a feed, newest first.

        A lease that ended, or whose process is dead on this host, is taken over at once.
        """
        with self._writing() as connection:
            claims.free_dead(connection)
            number = feeds.feed_id(connection, feed_key)
            return claims.claim(connection, self._owner, number, limit, lease_s, window)

    def heartbeat(self, held: Sequence[Claim], lease_s: float) -> None:
        """Prolong the leases that are still held."""
        with self._writing() as connection:
            claims.keep(connection, held, lease_s)

    def release(self, held: Sequence[Claim]) -> None:
        """Give back what was not finished; what was, is left alone."""
        if held:
            with self._writing() as connection:
                claims.give_back(connection, held)

    def complete(self, claim: Claim, item: Item) -> None:
        """Keep the text that an item's page added to it. Raises LeaseLost."""
        with self._writing() as connection:
            claims.held(connection, claim, payload=item.model_dump_json())

    def skip(self, claim: Claim, reason: str) -> None:
        """End a claim because the item is not to be drafted. Raises LeaseLost."""
        with self._writing() as connection:
            claims.skip(connection, claim, reason)

    def keep_standing(self, claim: Claim) -> None:
        """End a claim without writing its draft anew: the one that stands is flagged. Raises LeaseLost."""
        with self._writing() as connection:
            claims.keep_standing(connection, claim)

    def siblings(self, item_id: int) -> list[Sibling]:
        """Return the other items that tell an item's story, in the order in which they came."""
        with self._reading() as connection:
            return stories.siblings(connection, item_id)

    def drafted_since(self, feed_key: str, since: datetime) -> int:
        """Return how many items of a feed were drafted since a moment."""
        with self._reading() as connection:
            return drafts.count_since(connection, feeds.feed_id(connection, feed_key), since)

    # Pages

    def page(self, url: str) -> PageRow | None:
        """Return what was kept of a web page."""
        with self._reading() as connection:
            return pages.kept(connection, url)

    def keep_page(self, url: str, payload: str | None, error: str | None, now: datetime) -> None:
        """Keep what a web page said, or why it said nothing."""
        with self._writing() as connection:
            pages.keep(connection, url, payload, error, now)

    def prune(self, before: datetime) -> int:
        """Drop pages and signatures that came before a moment and return how many."""
        with self._writing() as connection:
            return pages.prune(connection, before) + stories.prune(connection, before)

    # Forgetting

    def begin_forgetting(self, canonical: str, now: datetime) -> list[str]:
        """Never take a URL again; returns the paths of the files about it, to be removed next.

        Raises ReviewError while a run works on it.
        """
        with self._alone() as connection:
            return forgetting.begin(connection, canonical, now)

    def forget(self, canonical: str) -> None:
        """Drop every text about a URL whose files are gone. Raises ReviewError while a run works on it."""
        with self._alone() as connection:
            forgetting.finish(connection, canonical)

    # Answers and drafts of a claim

    def record_answer(self, claim: Claim, answer: Answer, purpose: str = "draft") -> None:
        """Keep an answer. Raises LeaseLost where another run has the item now; the answer is kept even so."""
        with self._writing() as connection:
            claims.record_answer(connection, claim, answer, purpose)
        with self._writing() as connection:
            claims.held(connection, claim, state="answered")

    def discard_answer(self, claim: Claim, reason: str) -> None:
        """Mark the item's answers as no article. Raises LeaseLost."""
        with self._writing() as connection:
            claims.discard_answer(connection, claim, reason)

    def intend(self, claim: Claim, draft: Draft) -> None:
        """Record what is about to be written. Raises LeaseLost."""
        with self._writing() as connection:
            claims.intend(connection, claim, draft)

    def confirm(self, claim: Claim) -> None:
        """Record that it stands. Raises LeaseLost."""
        with self._writing() as connection:
            claims.confirm(connection, claim)

    def fail(self, claim: Claim, reason: str, *, retry: bool, max_attempts: int = 3) -> str:
        """End a claim without a draft and return the item's state: waiting again, or `failed`.

        Raises LeaseLost.
        """
        with self._writing() as connection:
            return claims.fail(connection, claim, reason, again=retry and claim.attempts < max_attempts)

    # Drafts

    def drafts(self, states: Sequence[str] = ("drafted",)) -> list[DraftRow]:
        """Return the drafts in these states, newest first."""
        with self._reading() as connection:
            return drafts.listed(connection, states)

    def draft(self, ref: str) -> DraftRow:
        """Return the draft meant by an external id, its beginning, a path or a file name.

        Raises ReviewError where none or several answer.
        """
        with self._reading() as connection:
            return drafts.one(connection, ref)

    def intend_verdict(self, row: DraftRow, verdict: Verdict, new_path: str, text: str) -> PendingVerdict:
        """Record a verdict before the file moves. Raises ReviewError where another one came first."""
        after = hashlib.sha256(text.encode()).hexdigest()
        with self._writing() as connection:
            return drafts.intend_verdict(connection, row, verdict, new_path, text, after)

    def unfinished_verdicts(self) -> list[PendingVerdict]:
        """Return the verdicts that a killed command left to be carried out."""
        with self._reading() as connection:
            return drafts.unfinished(connection)

    def confirm_verdict(self, pending: PendingVerdict) -> None:
        """Record that the file has moved."""
        with self._writing() as connection:
            drafts.confirm_verdict(connection, pending)
