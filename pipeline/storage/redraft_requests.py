"""Redraft requests: drafts that are to be rewritten, and the outcomes."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple

import sqlalchemy as sa

from pipeline.domain.errors import ReviewError
from pipeline.domain.reviews import RedraftRequest
from pipeline.storage import item_rows
from pipeline.storage.engine import Transactions, chunks, database_clock
from pipeline.storage.findings import SYSTEM_EDITOR
from pipeline.storage.processes import process_is_dead
from pipeline.storage.records import DraftRow, PreviousVersion
from pipeline.storage.schema import feeds, items, requests

waiting = sa.select(requests.c.item_id).where(requests.c.done_at.is_(None))
"""Query for the ids of the items with a pending request."""


_OF_EDITORS = (requests.c.done_at.is_(None), requests.c.by != SYSTEM_EDITOR)
_ANY_OF_EDITORS = sa.select(requests.c.id).where(*_OF_EDITORS).limit(1)
"""Built once: it is asked twice a second for months, and mostly there is none."""


class RedraftContext(NamedTuple):
    """A redraft request and the draft that it is about."""

    request: RedraftRequest
    previous: PreviousVersion


class StartableRedraft(NamedTuple):
    """A pending redraft request whose item no process works on."""

    id: int
    item_id: int
    feed_key: str


class FinishedRedraft(NamedTuple):
    """A redraft request that was carried out, or could not be."""

    by: str
    note: str | None
    section: str | None
    """Heading of the section; None: the whole article."""
    done_at: datetime
    outcome: str
    """`written`, or why the draft was not rewritten."""


class RedraftProgress(NamedTuple):
    """How far a redraft request is."""

    outcome: str | None
    """`written`, or why the draft was not rewritten; None: neither yet."""
    in_progress: bool
    """A process works on the item."""


def is_in_progress(lease_owner: str | None) -> bool:
    """Tell whether an item's lease is held by a process that is not known to be dead."""
    return lease_owner is not None and not process_is_dead(lease_owner)


class RedraftRepository(Transactions):
    """Stores and finds redraft requests."""

    def request(
        self,
        draft_row: DraftRow,
        editor: str,
        now: datetime,
        *,
        note: str | None = None,
        section: str | None = None,
    ) -> int:
        """Request a redraft of a draft, or of one section of it, from its current source; return its id.

        Raises ReviewError where it was reviewed, or a redraft is requested already.
        """
        with self._writing() as connection:
            query = sa.select(items.c.state, items.c.lease_owner).where(items.c.id == draft_row.item_id)
            row = connection.execute(query.with_for_update()).one()
            if row.state != "drafted":
                message = (
                    f"{draft_row.path} is {row.state}: only a draft that waits for a verdict is written anew"
                )
                raise ReviewError(message, draft=draft_row.path)
            if pending(connection, draft_row.item_id):
                working = is_in_progress(row.lease_owner)
                what = (
                    "another process is writing it anew just now; ask again when that is done"
                    if working
                    else "a redraft waits already; `copydesk run` carries it out"
                )
                raise ReviewError(f"{draft_row.path}: {what}", draft=draft_row.path)
            return insert(connection, draft_row.item_id, editor, now, note=note, section=section)

    def progress(self, ids: Sequence[int]) -> dict[int, RedraftProgress]:
        """Return how far requests are, by id; erased ones are left out."""
        columns = (requests.c.id, requests.c.outcome, items.c.lease_owner)
        query = sa.select(*columns).select_from(requests.join(items)).where(requests.c.id.in_(ids))
        with self._reading() as connection:
            return {
                row.id: RedraftProgress(
                    row.outcome, in_progress=row.outcome is None and is_in_progress(row.lease_owner)
                )
                for row in connection.execute(query)
            }

    def last_finished(self, item_id: int) -> FinishedRedraft | None:
        """Return the request about an item that was closed last; None without one."""
        mine = (requests.c.item_id == item_id, requests.c.done_at.is_not(None))
        query = sa.select(requests).where(*mine).order_by(requests.c.done_at.desc(), requests.c.id.desc())
        with self._reading() as connection:
            row = connection.execute(query.limit(1)).first()
        return FinishedRedraft(row.by, row.note, row.section, row.done_at, row.outcome or "") if row else None

    def pending(self, feed_key: str, guid: str) -> RedraftContext | None:
        """Return the pending request for an item of a feed, with the item's draft."""
        mine = sa.and_(feeds.c.key == feed_key, items.c.guid == guid)
        with self._reading() as connection:
            item_id = connection.scalar(sa.select(items.c.id).select_from(items.join(feeds)).where(mine))
            if item_id is None or (request := pending(connection, item_id)) is None:
                return None
            previous = item_rows.previous(item_rows.texts(connection, [item_id])[item_id])
        return RedraftContext(request, previous) if previous else None

    def startable(self) -> list[StartableRedraft]:
        """Return the requests of editors whose items can be leased now, the first one first."""
        columns = (requests.c.id, requests.c.item_id, feeds.c.key, items.c.lease_owner)
        with self._reading() as connection:
            if connection.scalar(_ANY_OF_EDITORS) is None:
                return []
            expired = (items.c.lease_expires < database_clock(connection)).label("expired")
            query = sa.select(*columns, expired).select_from(requests.join(items).join(feeds))
            rows = connection.execute(query.where(*_OF_EDITORS).order_by(requests.c.id)).all()
        working = {owner for owner in {row.lease_owner for row in rows} if is_in_progress(owner)}
        return [
            StartableRedraft(row.id, row.item_id, row.key)
            for row in rows
            if row.expired or row.lease_owner not in working
        ]

    def counts(self) -> dict[str, int]:
        """Return the number of pending requests, by feed key."""
        query = sa.select(feeds.c.key, sa.func.count()).select_from(requests.join(items).join(feeds))
        query = query.where(requests.c.done_at.is_(None)).group_by(feeds.c.key)
        with self._reading() as connection:
            return {row[0]: row[1] for row in connection.execute(query)}

    def pending_ids(self, by: str) -> list[int]:
        """Return the ids of an editor's pending requests."""
        query = sa.select(requests.c.id).where(requests.c.done_at.is_(None), requests.c.by == by)
        with self._reading() as connection:
            return list(connection.scalars(query))


def insert(
    connection: sa.Connection,
    item_id: int,
    editor: str,
    now: datetime,
    *,
    note: str | None = None,
    section: str | None = None,
) -> int:
    """Add a request, whatever the item's state, and return its id."""
    row = {"by": editor, "at": now, "note": note, "section": section}
    [number] = connection.execute(requests.insert().values(item_id=item_id, **row)).inserted_primary_key or [
        0
    ]
    return int(number)


def pending(connection: sa.Connection, item_id: int) -> RedraftRequest | None:
    """Return an item's first pending request."""
    return pending_of(connection, [item_id]).get(item_id)


def pending_of(connection: sa.Connection, ids: Sequence[int]) -> dict[int, RedraftRequest]:
    """Return the first pending request of items, by item id."""
    by_item: dict[int, RedraftRequest] = {}
    for chunk in chunks(ids):
        query = sa.select(requests).where(requests.c.item_id.in_(chunk), requests.c.done_at.is_(None))
        for row in connection.execute(query.order_by(requests.c.id)):
            request = RedraftRequest(id=row.id, by=row.by, at=row.at, note=row.note, section=row.section)
            by_item.setdefault(row.item_id, request)
    return by_item


def close(connection: sa.Connection, item_id: int, outcome: str, by: str | None = None) -> None:
    """Close an item's pending requests with an outcome: those of an editor (None: all)."""
    mine = requests.update().where(requests.c.item_id == item_id, requests.c.done_at.is_(None))
    mine = mine if by is None else mine.where(requests.c.by == by)
    connection.execute(mine.values(done_at=datetime.now(UTC), outcome=outcome))


def reopen(connection: sa.Connection, request_id: int) -> None:
    """Have a request wait again that was closed."""
    mine = requests.update().where(requests.c.id == request_id)
    connection.execute(mine.values(done_at=None, outcome=None))
