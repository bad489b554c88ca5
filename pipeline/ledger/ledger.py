"""The ledger: what is known of every feed and item. Each method is one transaction, safe from any thread."""

import contextlib
import hashlib
from collections.abc import Iterator, Sequence
from datetime import datetime
from types import TracebackType
from typing import Self

import sqlalchemy as sa

from pipeline.ledger import claims, drafts, feeds, items
from pipeline.ledger.engine import explained, lock, open_engine, shown_url
from pipeline.ledger.owner import current_owner
from pipeline.ledger.records import Admitted, Claim, DraftRow, Failure, FeedStatus, PendingVerdict
from pipeline.ledger.schema import feeds as feeds_table
from pipeline.ledger.schema import items as items_table
from pipeline.models import Answer, Draft, FeedConfig, Item, Verdict, Window


class Ledger:
    """An open ledger; a context manager. Every method raises LedgerError where the database fails."""

    def __init__(self, engine: sa.Engine, owner: str) -> None:
        self._engine = engine
        self._owner = owner
        self.shown_url = shown_url(engine)

    @classmethod
    def open(cls, url: str, *, owner: str | None = None) -> Self:
        """Open the ledger at a database URL, made or migrated as needed.

        Raises LedgerError where it cannot be opened or a newer Copydesk wrote it, ConfigError for a wrong
        URL.
        """
        return cls(open_engine(url), owner or current_owner())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()

    @contextlib.contextmanager
    def _reading(self) -> Iterator[sa.Connection]:
        with explained(self.shown_url), self._engine.connect() as plain:
            connection = plain.execution_options(reading=True)
            with connection.begin():
                yield connection

    @contextlib.contextmanager
    def _writing(self) -> Iterator[sa.Connection]:
        with explained(self.shown_url), self._engine.begin() as connection:
            yield connection

    @contextlib.contextmanager
    def _alone(self) -> Iterator[sa.Connection]:
        """Write what must not meet another's: rows that are looked up first and inserted then."""
        with self._writing() as connection:
            lock(connection)
            yield connection

    # Feeds

    def sync_feeds(self, subscriptions: Sequence[FeedConfig]) -> None:
        """Bring subscriptions in. Raises ConfigError for a known URL under a new key."""
        with self._alone() as connection:
            feeds.sync(connection, subscriptions)

    def validators(self, feed_key: str) -> tuple[str | None, str | None]:
        """Return (ETag, Last-Modified) to send with the next poll."""
        with self._reading() as connection:
            return feeds.validators(connection, feed_key)

    def record_unchanged(self, feed_key: str, now: datetime) -> None:
        """Record a poll that brought nothing."""
        with self._writing() as connection:
            feeds.polled(connection, feed_key, now)

    def record_failure(self, feed_key: str, message: str, now: datetime) -> None:
        """Record a poll that failed."""
        with self._writing() as connection:
            feeds.failed(connection, feed_key, message, now)

    def feed_status(self) -> list[FeedStatus]:
        """Return each feed as its last poll left it."""
        with self._reading() as connection:
            return feeds.status(connection)

    def counts(self) -> dict[str, dict[str, int]]:
        """Return the number of items by feed key and state."""
        with self._reading() as connection:
            return feeds.counts(connection)

    # Items

    def known_items(self, feed_key: str, guids: Sequence[str]) -> dict[str, tuple[str, str, str | None]]:
        """Return guid → (state, content hash, canonical URL) for the guids that are known."""
        with self._reading() as connection:
            return items.by_guid(connection, feeds.feed_id(connection, feed_key), guids)

    def known_canonicals(self, canonicals: Sequence[str]) -> dict[str, tuple[str, str]]:
        """Return canonical URL → (feed key, guid) of the item that is drafted for it."""
        with self._reading() as connection:
            return items.by_canonical(connection, canonicals)

    def admit(
        self,
        feed_key: str,
        *,
        new: Sequence[Item],
        updated: Sequence[Item],
        skipped: Sequence[tuple[Item, str]],
        merged: Sequence[tuple[Item, tuple[str, str]]],
        etag: str | None,
        last_modified: str | None,
        now: datetime,
    ) -> Admitted:
        """Take in what a poll brought, with the validators that stand for it; repeating it adds nothing."""
        with self._alone() as connection:
            number, first_key = feeds.identity(connection, feed_key)
            became = [items.insert_new(connection, number, first_key, item) for item in new]
            aside = [
                items.insert_aside(connection, number, first_key, item, "skipped", reason=reason)
                for item, reason in skipped
            ]
            joined = [items.insert_merged(connection, number, first_key, item, into) for item, into in merged]
            changed = [items.update(connection, number, item) for item in updated]
            feeds.polled(connection, feed_key, now, etag=etag, last_modified=last_modified)
        return Admitted(
            new=became.count("new"),
            updated=sum(changed),
            skipped=sum(aside),
            merged=became.count("merged") + sum(joined),
        )

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
            .where(table.c.state.in_((*claims.OPEN, "failed")), table.c.reason.is_not(None))
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
