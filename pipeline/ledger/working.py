"""The ledger's part for those who work on items: leases, answers, money, pages."""

from collections.abc import Sequence
from datetime import UTC, datetime

import sqlalchemy as sa

from pipeline.ledger import claims, drafts, feeds, money, pages, stories, versions
from pipeline.ledger.base import Base
from pipeline.ledger.records import UNLIMITED, CallRow, Cap, Claim, Limits, PageRow, Sibling, Which
from pipeline.ledger.schema import servers
from pipeline.models import Answer, Draft, Item, Window


class Work(Base):
    """What is done to an item between poll and draft."""

    def claim(
        self,
        feed_key: str,
        limit: int,
        lease_s: float,
        *,
        window: Window | None = None,
        which: Which = "all",
        tried: Sequence[int] = (),
    ) -> list[Claim]:
        """Lease up to `limit` waiting items of a feed, newest first, but for those `tried` already.

        A lease that ended, or whose process is dead on this host, is taken over at once.
        """
        with self._writing() as connection:
            claims.free_dead(connection)
            number = feeds.feed_id(connection, feed_key)
            mine = claims.waiting(number, window, which, tried)
            return claims.claim(connection, self._owner, mine, limit, lease_s)

    def unwritten(self) -> dict[str, int]:
        """Return how many texts wait to be written, by feed key: of killed runs, and of other machines."""
        with self._reading() as connection:
            return claims.unwritten(connection)

    def in_work(self, feed_key: str) -> int:
        """Return how many new items of a feed are held by somebody."""
        with self._reading() as connection:
            return claims.in_work(connection, feeds.feed_id(connection, feed_key))

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
        """Keep what an item is written from: with its page's text, or as its feed has it now.

        Raises LeaseLost.
        """
        with self._writing() as connection:
            claims.complete(connection, claim, item)

    def skip(self, claim: Claim, reason: str) -> None:
        """End a claim because the item is not to be drafted. Raises LeaseLost."""
        with self._writing() as connection:
            claims.skip(connection, claim, reason)

    def keep_standing(self, claim: Claim, reason: str) -> None:
        """End a claim without writing its draft anew: the one that stands is flagged. Raises LeaseLost."""
        with self._writing() as connection:
            claims.keep_standing(connection, claim, reason)

    def siblings(self, item_id: int) -> list[Sibling]:
        """Return the other items that tell an item's story, in the order in which they came."""
        with self._reading() as connection:
            return stories.siblings(connection, item_id)

    def drafted_since(self, feed_key: str, since: datetime) -> int:
        """Return how many items of a feed were drafted since a moment."""
        with self._reading() as connection:
            return drafts.count_since(connection, feeds.feed_id(connection, feed_key), since)

    def record_answer(
        self,
        claim: Claim,
        answer: Answer,
        purpose: str = "draft",
        *,
        at: datetime | None = None,
        run: str | None = None,
        micros: int | None = None,
        reservation: int | None = None,
    ) -> None:
        """Keep an answer, with its price in the place of what was put aside for it.

        Raises LeaseLost where another run has the item now; the answer is kept even so.
        """
        with self._writing() as connection:
            moment = at or datetime.now(UTC)
            claims.record_answer(connection, claim, answer, purpose, at=moment, run=run, micros=micros)
            if reservation is not None:
                money.release(connection, reservation)
            lost = claims.answered(connection, claim)
        if lost:
            raise lost

    def discard_answer(self, claim: Claim, reason: str) -> None:
        """Mark the item's answers as no article. Raises LeaseLost."""
        with self._writing() as connection:
            claims.discard_answer(connection, claim, reason)

    def keep_version(self, claim: Claim, draft: Draft, *, number: int, cause: str) -> None:
        """Keep a text that never stood on disk, or one that is about to go from there."""
        with self._writing() as connection:
            claims.held(connection, claim, path=draft.path)
            versions.add(connection, claim.item_id, draft, number=number, cause=cause, confirmed=True)

    def moved_on(self, claim: Claim) -> bool:
        """Tell whether another text of a claimed item's draft stands than at the claim."""
        with self._reading() as connection:
            standing = versions.previous(versions.texts(connection, [claim.item_id])[claim.item_id])
        return (standing and standing.sha256) != (claim.previous and claim.previous.sha256)

    def keep_aside(self, claim: Claim, draft: Draft, number: int, reason: str) -> None:
        """End a claim with a text that does not come to stand: somebody edited the draft meanwhile."""
        with self._writing() as connection:
            claims.held(connection, claim)
            versions.add(
                connection, claim.item_id, draft, number=number, cause="redraft", confirmed=True, aside=True
            )
            claims.keep_standing(connection, claim, reason)

    def intend(self, claim: Claim, draft: Draft, *, number: int = 1, cause: str = "draft") -> None:
        """Record what is about to be written. Raises LeaseLost."""
        with self._writing() as connection:
            claims.intend(connection, claim, draft, number=number, cause=cause)

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

    # Money and servers

    def reserve(
        self,
        run: str,
        most: int,
        least: int,
        caps: Sequence[Cap],
        now: datetime,
        *,
        stale: datetime,
        limits: Limits = UNLIMITED,
    ) -> tuple[int, int]:
        """Put aside what a call may cost, as far as the caps allow; returns its number and the amount.

        Raises BudgetSpent where not even `least` is left, LimitReached where other calls come first.
        """
        with self._alone() as connection:
            return money.reserve(connection, run, most, least, caps, now, stale, limits, self._owner)

    def free_dead_calls(self) -> None:
        """Note which calls nobody waits for any more: their processes on this host are dead."""
        with self._writing() as connection:
            money.free_dead(connection)

    def unreserve(self, reservation: int) -> None:
        """Take back what was put aside: the call was not answered."""
        with self._writing() as connection:
            money.release(connection, reservation)

    def calls_since(self, since: datetime | None) -> list[CallRow]:
        """Return what was paid for since a moment, or ever."""
        with self._reading() as connection:
            return money.calls_since(connection, since)

    def learned(self, url: str, model: str) -> str | None:
        """Return what was kept about how a model on a server is asked."""
        mine = sa.and_(servers.c.url == url, servers.c.model == model)
        with self._reading() as connection:
            return connection.scalar(sa.select(servers.c.payload).where(mine))

    def learn(self, url: str, model: str, payload: str) -> None:
        """Keep how a model on a server is asked."""
        mine = sa.and_(servers.c.url == url, servers.c.model == model)
        with self._alone() as connection:
            connection.execute(servers.delete().where(mine))
            connection.execute(servers.insert().values(url=url, model=model, payload=payload))
