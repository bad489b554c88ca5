"""Leases: exclusive, expiring rights to work on items, and what is done under them."""

from collections.abc import Collection, Sequence
from datetime import UTC, datetime

import sqlalchemy as sa

from pipeline.domain.errors import LeaseLost
from pipeline.domain.models import Item, Window
from pipeline.domain.near_duplicates import is_same_report
from pipeline.domain.reviews import Draft
from pipeline.storage import feeds, item_rows, redraft_requests
from pipeline.storage.duplicate_groups import queue_duplicate
from pipeline.storage.engine import Row, Transactions, database_clock
from pipeline.storage.findings import SYSTEM_EDITOR, drop_failed_redraft, flag_failed_redraft, flag_update
from pipeline.storage.item_outcomes import SAME_LINK
from pipeline.storage.item_rows import NOT_TRIED, SOURCE_APPLIED, owns, values
from pipeline.storage.lease_rows import leases, waiting
from pipeline.storage.notices import flag_notice, remove_notices, set_notice
from pipeline.storage.processes import process_is_dead
from pipeline.storage.records import Lease, LeaseFilter
from pipeline.storage.schema import OPEN, items
from pipeline.storage.schema import feeds as feeds_table

_MAX_ATTEMPTS = 3
"""Attempts after which an item stays failed. Chosen, not measured."""
_FREED = {"lease_owner": None, "lease_expires": None}


class LeaseRepository(Transactions):
    """Leases items to this process and records the steps of their drafting.

    A method on one lease raises LeaseLost where another holder has taken the item over.
    """

    def acquire(
        self,
        feed_key: str,
        limit: int,
        lease_s: float,
        *,
        window: Window | None = None,
        lease_filter: LeaseFilter = "all",
        exclude: Sequence[int] = (),
        only: Sequence[int] = (),
        now: datetime | None = None,
    ) -> list[Lease]:
        """Lease up to `limit` waiting items of a feed for `lease_s` seconds, newest first.

        Items with ids in `exclude`, and those postponed beyond `now`, are left out; with `only`, all but
        those. Leases that expired, or whose process on this host is dead, are taken over.
        """
        with self._writing() as connection:
            _free_dead(connection)
            number = feeds.feed_id(connection, feed_key)
            conditions = [*waiting(number, window, lease_filter), free(connection)]
            if now is not None:
                conditions.append(sa.or_(items.c.retry_at.is_(None), items.c.retry_at <= now))
            if exclude:
                conditions.append(items.c.id.not_in(exclude))
            if only:
                conditions.append(items.c.id.in_(only))
            return _acquire(connection, self._owner, conditions, limit, lease_s)

    def renew(self, held: Sequence[Lease], lease_s: float) -> None:
        """Extend the leases that are still held, to `lease_s` seconds from now."""
        with self._writing() as connection:
            _update_each(connection, held, lease_expires=database_clock(connection) + lease_s)

    def release(self, held: Sequence[Lease]) -> None:
        """End the leases that are still held, without a result and without counting an attempt."""
        if held:
            with self._writing() as connection:
                _update_each(connection, held, **_FREED)

    def set_source(self, lease: Lease, item: Item) -> None:
        """Store an item as its draft is written from it: with its page's text, or as its feed has it now.

        A change of the source after the lease began stays a change.
        """
        with self._writing() as connection:
            if lease.updated is None:
                update_held(connection, lease, payload=item.model_dump_json(), published_at=item.published_at)
                return
            content_hash = lease.updated.content_hash
            update_held(connection, lease, **values(item) | {"content_hash": content_hash})
            same = sa.and_(items.c.id == lease.item_id, items.c.updated_hash == content_hash)
            connection.execute(items.update().where(same).values(**SOURCE_APPLIED))

    def merge_page(self, lease: Lease, item: Item, canonical: str) -> str | None:
        """Record the URL that an item's page declares; return the title of the item that drafts it already.

        Then the lease ends, and the item is merged into that one.
        """
        with self._exclusive_write() as connection:
            where = owns(items.c.canonical == canonical, items.c.owned_canonical == canonical)
            owners = connection.execute(sa.select(items).where(where, items.c.id != lease.item_id)).all()
            for owner in owners:
                if is_same_report(Item.model_validate_json(owner.payload), item):
                    _merge(connection, lease, owner)
                    return str(owner.title)
            if not any(owner.owned_canonical == canonical for owner in owners):
                update_held(connection, lease, owned_canonical=canonical)
            return None

    def begin_write(
        self, lease: Lease, draft: Draft, *, number: int = 1, cause: str = "draft", title: str | None = None
    ) -> None:
        """Record the text and path of a draft before its file is written; `number` is its `ai.version`.

        `title` is its title in the queue; None: as it was.
        """
        version = item_rows.NewVersion(number=number, cause=cause, confirmed=False)
        columns = {"path": draft.path} | ({"title": title} if title else {})
        with self._writing() as connection:
            update_held(connection, lease, **columns)
            item_rows.add(connection, lease.item_id, draft, version)

    def confirm_write(self, lease: Lease) -> None:
        """Record that the draft's file is written, and end the lease."""
        with self._writing() as connection:
            update_held(connection, lease, state="drafted", reason=None, **NOT_TRIED, **_FREED)
            item_rows.confirm(connection, lease.item_id)
            redraft_requests.close(connection, lease.item_id, "written")
            _flag_later_update(connection, lease)
            flag_notice(connection, lease.item_id)

    def note_source(self, lease: Lease, notice: str) -> None:
        """Store what became of the source of a leased item's draft."""
        with self._writing() as connection:
            row = connection.execute(sa.select(items).where(items.c.id == lease.item_id)).one()
            set_notice(connection, row, notice)

    def remove_notices(self, lease: Lease, notices: Collection[str]) -> None:
        """Remove what became of the source of a leased item's draft, where it is one of `notices`."""
        with self._writing() as connection:
            remove_notices(connection, lease.item_id, notices)

    def keep_current(self, lease: Lease, reason: str) -> None:
        """End a lease and keep the item's current draft, flagged with why it was not redrafted."""
        with self._writing() as connection:
            end_with_current(connection, lease, reason)

    def skip(self, lease: Lease, reason: str, retry_at: datetime | None = None) -> None:
        """End a lease because the item is not to be drafted, until its source changes or `retry_at`.

        The first duplicate that was merged into it is queued in its place.
        """
        with self._writing() as connection:
            skipped = {"state": "skipped", "reason": reason, "owned_canonical": None, "retry_at": retry_at}
            update_held(connection, lease, **skipped, **_FREED)
            queue_duplicate(connection, lease.item_id)

    def postpone(self, lease: Lease, reason: str, retry_at: datetime, tried: bool = True) -> None:
        """End a lease as the item's page could not be had, or was not `tried`, until `retry_at`."""
        columns = {"page_tries": items.c.page_tries + int(tried), "retry_at": retry_at}
        with self._writing() as connection:
            update_held(connection, lease, reason=reason, **columns, **_FREED)

    def fail(self, lease: Lease, reason: str, *, retry: bool) -> str:
        """End a lease without a draft and return the item's state: waiting again, or `failed`."""
        # Attempts are counted here and not when a lease is acquired: a killed run is not the item's failure.
        freed = {"reason": reason, "attempts": lease.attempts, **_FREED}
        with self._writing() as connection:
            if not retry or lease.attempts >= _MAX_ATTEMPTS:
                update_held(connection, lease, state="failed", **freed)
                return "failed"
            update_held(connection, lease, **freed)
            return str(connection.scalar(sa.select(items.c.state).where(items.c.id == lease.item_id)))

    def put_back(self, ended: Sequence[Lease], *, count: bool) -> None:
        """Queue items again that failed for no fault of their own; redraft requests wait again.

        `count`: the attempt counts; what was attempted too often stays failed, and a redraft stays
        closed, as its editor was told.
        """
        with self._writing() as connection:
            for lease in ended:
                if count and (lease.attempts >= _MAX_ATTEMPTS or lease.request):
                    continue
                states = ("drafted",) if lease.request else ("failed", *OPEN)
                mine = (items.c.id == lease.item_id, items.c.lease_token == lease.token)
                left = sa.select(items.c.id).where(
                    *mine, items.c.lease_owner.is_(None), items.c.state.in_(states)
                )
                if connection.scalar(left.with_for_update()) is None:
                    continue  # decided or taken over meanwhile
                if lease.request:
                    redraft_requests.reopen(connection, lease.request.id)
                    drop_failed_redraft(connection, lease.item_id)
                    continue
                attempts = lease.attempts if count else lease.attempts - 1
                queued = items.update().where(items.c.id == lease.item_id)
                connection.execute(queued.values(state="seen", attempts=attempts))


def free(connection: sa.Connection) -> sa.ColumnElement[bool]:
    """Return the condition that an item has no valid lease."""
    return sa.or_(items.c.lease_owner.is_(None), items.c.lease_expires < database_clock(connection))


def update_held(connection: sa.Connection, lease: Lease, **columns: object) -> None:
    """Change a leased item; without columns only check the lease.

    Raises LeaseLost where another holder has taken it over.
    """
    mine = sa.and_(items.c.id == lease.item_id, items.c.lease_token == lease.token)
    changes = columns or {"lease_token": items.c.lease_token}
    changed = items.update().where(mine, items.c.lease_owner.is_not(None)).values(**changes)
    if not connection.execute(changed).rowcount:
        raise LeaseLost(
            f"{lease.feed_key}: another run has taken over {lease.item.title!r}; nothing was written",
            feed=lease.feed_key,
        )


def set_state(connection: sa.Connection, lease: Lease, state: str) -> None:
    """Change a leased item's state; one under redraft stays drafted. Raises LeaseLost."""
    update_held(connection, lease, state="drafted" if lease.request else state)


def end_with_current(connection: sa.Connection, lease: Lease, reason: str) -> None:
    """End the lease of a drafted item and flag its draft with why it was not redrafted. Raises LeaseLost."""
    update_held(connection, lease, state="drafted", **_FREED)
    redraft_requests.close(connection, lease.item_id, reason)
    flag_failed_redraft(connection, lease, reason)


def _free_dead(connection: sa.Connection) -> None:
    """End the leases of dead processes of this host, without waiting for them to expire."""
    query = sa.select(items.c.lease_owner).where(items.c.lease_owner.is_not(None)).distinct()
    dead = [owner for owner in connection.scalars(query) if owner and process_is_dead(owner)]
    if dead:
        # Rows locked by another process are skipped: two processes waiting for each other are a deadlock.
        theirs = sa.select(items.c.id).where(items.c.lease_owner.in_(dead)).with_for_update(skip_locked=True)
        freed = items.update().where(items.c.id.in_(connection.scalars(theirs).all()))
        connection.execute(freed.values(**_FREED))


def _acquire(
    connection: sa.Connection,
    owner: str,
    conditions: Sequence[sa.ColumnElement[bool]],
    limit: int,
    lease_s: float,
) -> list[Lease]:
    query = (
        sa.select(items, feeds_table.c.key.label("feed_key"), feeds_table.c.first_key)
        .select_from(items.join(feeds_table))
        .where(*conditions)
        .order_by(items.c.published_at.desc(), items.c.id)
        .limit(limit)
        .with_for_update(skip_locked=True, of=items)
    )
    rows = connection.execute(query).all()
    if rows:
        leased = {
            "lease_owner": owner,
            "lease_token": items.c.lease_token + 1,
            "lease_expires": database_clock(connection) + lease_s,
        }
        connection.execute(items.update().where(items.c.id.in_([row.id for row in rows])).values(**leased))
    return leases(connection, rows)


def _update_each(connection: sa.Connection, held: Sequence[Lease], **columns: object) -> None:
    """Change those of the leased items that are still held, by one statement for all."""
    mine = sa.and_(items.c.id == sa.bindparam("held"), items.c.lease_token == sa.bindparam("token"))
    changed = items.update().where(mine, items.c.lease_owner.is_not(None)).values(**columns)
    if held:
        connection.execute(changed, [{"held": lease.item_id, "token": lease.token} for lease in held])


def _flag_later_update(connection: sa.Connection, lease: Lease) -> None:
    """Flag a draft whose source changed while it was written; request a redraft where that is automatic."""
    later = connection.scalar(sa.select(items.c.updated_payload).where(items.c.id == lease.item_id))
    if later is None:
        return
    if lease.request is not None and lease.request.by == SYSTEM_EDITOR:
        redraft_requests.insert(connection, lease.item_id, SYSTEM_EDITOR, datetime.now(UTC))
    else:
        flag_update(connection, lease.item_id, Item.model_validate_json(later))


def _merge(connection: sa.Connection, lease: Lease, owner: Row) -> None:
    merged = {"state": "merged", "reason": SAME_LINK, "merged_into": owner.external_id}
    update_held(connection, lease, owned_canonical=None, **merged, **_FREED)
    identity = sa.select(items.c.external_id).where(items.c.id == lease.item_id).scalar_subquery()
    repeats = items.update().where(items.c.merged_into == identity, items.c.state == "merged")
    connection.execute(repeats.values(merged_into=owner.external_id))
