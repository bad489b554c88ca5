"""The ledger's part for those who work on items: leases, answers, money, pages.

The ledger's part for the editor: drafts, verdicts, requests, versions, and what is to be forgotten.

The ledger's part for publishing: what is to be done at each target, and what came of it.

The ledger: what is known of every feed and item. Each method is one transaction, safe from any thread.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from pipeline.domain.models import Draft, FeedConfig, Finding, Item, LLMResponse, PollState, Review, Window
from pipeline.storage import (
    budget,
    caches,
    drafts,
    duplicate_groups,
    erasure,
    feeds,
    files,
    findings,
    items,
    leases,
    metrics,
    publications,
    redraft_requests,
    reviews,
    versions,
    views,
)
from pipeline.storage.admission import arrived, take_merged, take_new, take_skipped, update
from pipeline.storage.caches import Telling
from pipeline.storage.engine import Base
from pipeline.storage.files import Filed
from pipeline.storage.publications import Backlog, Publication
from pipeline.storage.records import (
    UNLIMITED,
    Admitted,
    Asked,
    CallRow,
    Cap,
    Claim,
    DraftRow,
    Event,
    Failure,
    FeedStatus,
    Given,
    Limits,
    Met,
    Move,
    PageRow,
    PendingText,
    PendingVerdict,
    Policy,
    Sibling,
    Version,
    Which,
)
from pipeline.storage.schema import OPEN, servers
from pipeline.storage.schema import feeds as feeds_table
from pipeline.storage.schema import items as items_table
from pipeline.storage.summaries import Figures, QueueCounts, QueuePage, Wanted


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
            leases.free_dead(connection)
            number = feeds.feed_id(connection, feed_key)
            mine = leases.waiting(number, window, which, tried)
            return leases.claim(connection, self._owner, mine, limit, lease_s)

    def unwritten(self) -> dict[str, int]:
        """Return how many texts wait to be written, by feed key: of killed runs, and of other machines."""
        with self._reading() as connection:
            return leases.unwritten(connection)

    def in_work(self, feed_key: str) -> int:
        """Return how many new items of a feed are held by somebody."""
        with self._reading() as connection:
            return leases.in_work(connection, feeds.feed_id(connection, feed_key))

    def heartbeat(self, held: Sequence[Claim], lease_s: float) -> None:
        """Prolong the leases that are still held."""
        with self._writing() as connection:
            leases.keep(connection, held, lease_s)

    def release(self, held: Sequence[Claim]) -> None:
        """Give back what was not finished; what was, is left alone."""
        if held:
            with self._writing() as connection:
                leases.give_back(connection, held)

    def complete(self, claim: Claim, item: Item) -> None:
        """Keep what an item is written from: with its page's text, or as its feed has it now.

        Raises LeaseLost.
        """
        with self._writing() as connection:
            leases.complete(connection, claim, item)

    def skip(self, claim: Claim, reason: str) -> None:
        """End a claim because the item is not to be drafted. Raises LeaseLost."""
        with self._writing() as connection:
            leases.skip(connection, claim, reason)

    def keep_standing(self, claim: Claim, reason: str) -> None:
        """End a claim without writing its draft anew: the one that stands is flagged. Raises LeaseLost."""
        with self._writing() as connection:
            leases.keep_standing(connection, claim, reason)

    def siblings(self, item_id: int) -> list[Sibling]:
        """Return the other items that tell an item's story, in the order in which they came."""
        with self._reading() as connection:
            return duplicate_groups.siblings(connection, item_id)

    def drafted_since(self, feed_key: str, since: datetime) -> int:
        """Return how many items of a feed were drafted since a moment."""
        with self._reading() as connection:
            return drafts.count_since(connection, feeds.feed_id(connection, feed_key), since)

    def record_answer(
        self,
        claim: Claim,
        answer: LLMResponse,
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
            leases.record_answer(connection, claim, answer, purpose, at=moment, run=run, micros=micros)
            if reservation is not None:
                budget.release(connection, reservation)
            lost = leases.answered(connection, claim)
        if lost:
            raise lost

    def discard_answer(self, claim: Claim, reason: str) -> None:
        """Mark the item's answers as no article. Raises LeaseLost."""
        with self._writing() as connection:
            leases.discard_answer(connection, claim, reason)

    def keep_version(self, claim: Claim, draft: Draft, *, number: int, cause: str) -> None:
        """Keep a text that never stood on disk, or one that is about to go from there."""
        with self._writing() as connection:
            leases.held(connection, claim, path=draft.path)
            versions.add(connection, claim.item_id, draft, number=number, cause=cause, confirmed=True)

    def moved_on(self, claim: Claim) -> bool:
        """Tell whether another text of a claimed item's draft stands than at the claim."""
        with self._reading() as connection:
            standing = versions.previous(versions.texts(connection, [claim.item_id])[claim.item_id])
        return (standing and standing.sha256) != (claim.previous and claim.previous.sha256)

    def keep_aside(self, claim: Claim, draft: Draft, number: int, reason: str) -> None:
        """End a claim with a text that does not come to stand: somebody edited the draft meanwhile."""
        with self._writing() as connection:
            leases.held(connection, claim)
            versions.add(
                connection, claim.item_id, draft, number=number, cause="redraft", confirmed=True, aside=True
            )
            leases.keep_standing(connection, claim, reason)

    def intend(self, claim: Claim, draft: Draft, *, number: int = 1, cause: str = "draft") -> None:
        """Record what is about to be written. Raises LeaseLost."""
        with self._writing() as connection:
            leases.intend(connection, claim, draft, number=number, cause=cause)

    def confirm(self, claim: Claim) -> None:
        """Record that it stands. Raises LeaseLost."""
        with self._writing() as connection:
            leases.confirm(connection, claim)

    def fail(self, claim: Claim, reason: str, *, retry: bool, max_attempts: int = 3) -> str:
        """End a claim without a draft and return the item's state: waiting again, or `failed`.

        Raises LeaseLost.
        """
        with self._writing() as connection:
            return leases.fail(connection, claim, reason, again=retry and claim.attempts < max_attempts)

    # Pages

    def page(self, url: str) -> PageRow | None:
        """Return what was kept of a web page."""
        with self._reading() as connection:
            return caches.kept(connection, url)

    def keep_page(self, url: str, payload: str | None, error: str | None, now: datetime) -> None:
        """Keep what a web page said, or why it said nothing."""
        with self._writing() as connection:
            caches.keep(connection, url, payload, error, now)

    def prune(self, before: datetime) -> int:
        """Drop pages and signatures that came before a moment and return how many."""
        with self._writing() as connection:
            return caches.prune(connection, before) + duplicate_groups.prune(connection, before)

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
            return budget.reserve(connection, run, most, least, caps, now, stale, limits, self._owner)

    def free_dead_calls(self) -> None:
        """Note which calls nobody waits for any more: their processes on this host are dead."""
        with self._writing() as connection:
            budget.free_dead(connection)

    def unreserve(self, reservation: int) -> None:
        """Take back what was put aside: the call was not answered."""
        with self._writing() as connection:
            budget.release(connection, reservation)

    def calls_since(self, since: datetime | None) -> list[CallRow]:
        """Return what was paid for since a moment, or ever."""
        with self._reading() as connection:
            return budget.calls_since(connection, since)

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


class Editing(Base):
    """What is done to a draft."""

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

    def queue(self, wanted: Wanted, *, limit: int = 50, offset: int = 0) -> QueuePage:
        """Return a page of the drafts that are wanted, and how many there are of everything."""
        with self._reading() as connection:
            return drafts.page(connection, wanted, limit, offset)

    def queue_names(self, wanted: Wanted) -> list[str]:
        """Return the external ids of the drafts that are wanted, in order."""
        with self._reading() as connection:
            return drafts.names(connection, wanted)

    def queue_counts(self) -> QueueCounts:
        """Return how many drafts there are by state, and by feed those that wait for an editor."""
        with self._reading() as connection:
            return drafts.counts(connection)

    def history(self, item_id: int) -> list[Event]:
        """Return what happened to a draft, the last of it first."""
        with self._reading() as connection:
            return drafts.of_item(connection, item_id)

    # Verdicts

    def intend_verdict(
        self, row: DraftRow, verdict: Review, move: Move, targets: Sequence[str] = ()
    ) -> PendingVerdict:
        """Record a verdict before the file moves, and what publication targets are to do.

        Raises ReviewError where another one came first.
        """
        with self._writing() as connection:
            return reviews.intend(connection, row, verdict, move, targets)

    def unfinished_verdicts(self) -> list[PendingVerdict]:
        """Return the verdicts that a killed command left to be carried out."""
        with self._reading() as connection:
            return reviews.unfinished(connection)

    def confirm_verdict(self, pending: PendingVerdict) -> None:
        """Record that the file has moved."""
        with self._writing() as connection:
            reviews.confirm(connection, pending)

    def verdicts(self, item_id: int) -> list[Given]:
        """Return the verdicts on an item that were carried out, the first one first."""
        with self._reading() as connection:
            return reviews.of_item(connection, item_id)

    def latest_verdicts(self, limit: int = 20) -> list[Given]:
        """Return the last verdicts that were carried out, the last one first."""
        with self._reading() as connection:
            return reviews.latest(connection, limit)

    def titles(self, ids: Sequence[int]) -> dict[int, tuple[str, str]]:
        """Return external ids and titles, by the numbers of their items."""
        with self._reading() as connection:
            return drafts.titles(connection, ids)

    def external_id(self, item_id: int) -> str:
        """Return the external id of an item."""
        return self.titles([item_id])[item_id][0]

    def acknowledge(self, row: DraftRow, finding: Finding, reason: str, by: str, now: datetime) -> None:
        """Answer for a finding of a draft. Raises ReviewError where the draft was decided on."""
        with self._writing() as connection:
            drafts.require_free(connection, row, leased=True)
            findings.add(connection, row, finding, reason, by, now)

    def withdraw(self, row: DraftRow, key: str, by: str, now: datetime) -> None:
        """Answer for a finding no more. Raises ReviewError where the draft was decided on."""
        with self._writing() as connection:
            drafts.require_free(connection, row, leased=True)
            findings.withdraw(connection, row.item_id, key, by, now)

    # Requests and versions

    def request_redraft(
        self, row: DraftRow, by: str, now: datetime, *, note: str | None = None, section: str | None = None
    ) -> None:
        """Ask for a draft, or one section of it, to be written anew.

        Raises ReviewError where it was decided on, or is asked for already.
        """
        with self._writing() as connection:
            redraft_requests.add(connection, row, by, now, note, section)

    def requested(self) -> dict[str, int]:
        """Return how many requests wait, by feed key."""
        with self._reading() as connection:
            return redraft_requests.by_feed(connection)

    def asked(self, feed_key: str, guid: str) -> Asked | None:
        """Return what is asked for of a feed's item, where something is."""
        with self._reading() as connection:
            return redraft_requests.of_item(connection, feed_key, guid)

    def versions(self, item_id: int) -> list[Version]:
        """Return every text that a draft has had, the first one first."""
        with self._reading() as connection:
            return versions.listed(connection, item_id)

    def intend_save(
        self,
        row: DraftRow,
        draft: Draft,
        by: str,
        *,
        base: str | None,
        sitting: timedelta | None = None,
        cause: str = "edit",
        number: int | None = None,
        title: str | None = None,
        form: str = "",
    ) -> PendingText:
        """Record what an editor wrote, or restored, before the file is.

        `base` is the hash of what it is to replace, `number` its `ai.version` and `title` what the queue
        calls it (None: as it was). What the same editor saved last, within a `sitting`, is replaced in the
        list of versions as well, and so is what was kept aside of the same page `form`. Raises ReviewError
        where the draft was decided on meanwhile.
        """
        with self._writing() as connection:
            drafts.require_free(connection, row, leased=cause == "edit")
            if title is not None and title != row.title:
                versions.rename(connection, row.item_id, title)
            if form:
                versions.drop_refused(connection, row.item_id, by, form)
            return versions.intend(connection, row, draft, by, base, sitting, cause=cause, number=number)

    def intend_revision(self, row: DraftRow, draft: Draft, by: str) -> PendingText:
        """Record that a published article gets a new draft before its file is written.

        Raises ReviewError where something else came first.
        """
        with self._writing() as connection:
            return versions.intend_revision(connection, row, draft, by)

    def unfinished_texts(self) -> list[PendingText]:
        """Return what editors wrote and a killed process may not have written to disk."""
        with self._reading() as connection:
            return versions.unfinished(connection)

    def confirm_save(self, pending: PendingText, *, aside: bool = False) -> None:
        """Record that it stands, or that it is kept aside because something else does."""
        with self._writing() as connection:
            versions.confirm_save(connection, pending, aside=aside)

    def keep_refused(self, row: DraftRow, draft: Draft, by: str, *, base: str, form: str) -> None:
        """Keep what an editor wrote and could not be saved, as a version aside.

        `base` is the hash of the text that the editor saw, `form` names the page that it was written in. It
        replaces what was kept of that page before; without a name, what the editor wrote over that base.
        Raises ReviewError where the item was forgotten meanwhile.
        """
        with self._writing() as connection:
            versions.keep_refused(connection, row, draft, by, base, form)

    # Views

    def note_view(self, item_id: int, by: str, sha256: str, now: datetime) -> None:
        """Record that an editor was shown a text of a draft; only the first time is kept."""
        if not self.viewed(item_id, by, sha256):  # reading waits for nobody
            with self._writing() as connection:
                views.add(connection, item_id, by, sha256, now)

    def viewed(self, item_id: int, by: str, sha256: str) -> bool:
        """Tell whether an editor was shown the text of this hash."""
        with self._reading() as connection:
            return views.known(connection, item_id, by, sha256)

    # Files

    def filed(self) -> dict[str, int]:
        """Return the paths of the files that stand, or that a run is about to write, with their items."""
        with self._reading() as connection:
            return files.paths(connection)

    def filed_text(self, item_id: int, path: str) -> Filed | None:
        """Return what stands at a path of an item; None: nothing yet, a run is about to write it."""
        with self._reading() as connection:
            return files.text_at(connection, item_id, path)

    # Forgetting

    def begin_forgetting(self, canonical: str, now: datetime) -> list[str]:
        """Never take a URL again; returns the paths of the files about it, to be removed next.

        Raises ReviewError while a run works on it.
        """
        with self._alone() as connection:
            return erasure.begin(connection, canonical, now)

    def forget(self, canonical: str) -> None:
        """Drop every text about a URL whose files are gone. Raises ReviewError while a run works on it."""
        with self._alone() as connection:
            erasure.finish(connection, canonical)


class Publishing(Base):
    """What becomes of approved articles."""

    def publications(self) -> list[Publication]:
        """Return what is to be done, the oldest first."""
        with self._reading() as connection:
            return publications.waiting(connection)

    def publications_of(self, item_id: int) -> list[Publication]:
        """Return all that was to be done about an item, the first one first."""
        with self._reading() as connection:
            return publications.of_item(connection, item_id)

    def standing(self, target: str) -> list[Publication]:
        """Return what was done last about each item at a target, the newest article first."""
        with self._reading() as connection:
            return publications.standing(connection, target)

    def approved_texts(self, wanted: Sequence[tuple[int, str]]) -> dict[tuple[int, str], str]:
        """Return the texts that were approved, by item and hash; what was forgotten since is missing."""
        with self._reading() as connection:
            return publications.approved_texts(connection, wanted)

    def approved_hashes(self, ids: Iterable[int]) -> dict[int, frozenset[str]]:
        """Return the hashes of all that was ever approved of items."""
        with self._reading() as connection:
            return publications.approved_hashes(connection, ids)

    def sent_hashes(self, ids: Iterable[int]) -> dict[int, frozenset[str]]:
        """Return the hashes of what was sent of items in other bytes than the approved ones."""
        with self._reading() as connection:
            return publications.sent_hashes(connection, ids)

    def sending(self, hashes: Mapping[int, str | None]) -> None:
        """Record, by publication, the hash of what is about to be written; none: the approved bytes."""
        if hashes:
            with self._writing() as connection:
                publications.sending(connection, hashes)

    def published(self, ids: Iterable[int], place: str, now: datetime) -> None:
        """Record that publications were carried out."""
        with self._writing() as connection:
            publications.done(connection, ids, place, now)

    def not_published(self, number: int, error: str, now: datetime) -> None:
        """Record that a publication failed: it is tried again after a pause."""
        with self._writing() as connection:
            publications.failed(connection, number, error, now)

    def backlog(self) -> list[Backlog]:
        """Return what is still to be done, by target."""
        with self._reading() as connection:
            return publications.backlog(connection)

    def publish_again(self, item_id: int, targets: Sequence[str], now: datetime) -> int:
        """Queue an item's approved text at targets; returns how many publications were added."""
        with self._alone() as connection:
            return publications.publish_again(connection, item_id, targets, now)

    def publish_all(self, targets: Sequence[str], now: datetime) -> int:
        """Queue what targets lack of the approved articles, and what they have too much.

        Returns how many publications were added.
        """
        with self._alone() as connection:
            return publications.publish_all(connection, targets, now)


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
            return metrics.figures(connection)

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
                forgotten=erasure.among(connection, canonicals),
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
            return leases.queues(connection)

    def queued(self, feed_key: str, window: Window | None = None) -> int:
        """Return how many items of a feed wait to be drafted."""
        with self._reading() as connection:
            number = feeds.feed_id(connection, feed_key)
            query = sa.select(sa.func.count()).where(*leases.waiting(number, window))
            return connection.scalar(query) or 0

    def queued_items(self, feed_key: str, window: Window | None = None) -> list[Item]:
        """Return the items of a feed that wait to be drafted, newest first."""
        with self._reading() as connection:
            number = feeds.feed_id(connection, feed_key)
            query = sa.select(items.newest).where(*leases.waiting(number, window))
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
