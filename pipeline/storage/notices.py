"""Notices: what became of an item's source after it was stored, without a new text of it."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from functools import cached_property

import sqlalchemy as sa

from pipeline.domain.models import FrozenModel, Item
from pipeline.domain.withdrawals import (
    DELETED,
    REPLACED_FINDINGS,
    RESERVED,
    REVIEWED,
    VANISHED,
    notice_about,
    notice_finding,
    notice_kind,
    withdrawal_notice,
)
from pipeline.storage.duplicate_groups import queue_duplicate
from pipeline.storage.engine import Row, chunks
from pipeline.storage.feeds import FeedRow, having_items
from pipeline.storage.findings import add_finding, drop_findings, latest_version
from pipeline.storage.item_outcomes import CORRECTION
from pipeline.storage.item_rows import NOT_TRIED, Columns, add_rows
from pipeline.storage.schema import items
from pipeline.storage.stored_keys import Matched

_DRAFTED = ("drafted", "approved")
_WAITING = ("seen", "answered", "failed")
_MAX_SUBJECTS = 500
"""Items of a feed among which a correction's own is looked for: the latest. Chosen, not measured."""


class SourceNotice(FrozenModel):
    """A notice that is new."""

    title: str
    notice: str
    published: bool
    """The item's article is approved."""
    external_id: str
    has_draft: bool
    """The item has a draft or an article."""

    @classmethod
    def about(cls, row: Row, notice: str) -> "SourceNotice":
        """Return a notice about a stored item."""
        return cls(
            title=row.title,
            notice=notice,
            published=row.state == "approved",
            external_id=row.external_id,
            has_draft=row.state in _DRAFTED,
        )


def set_notice(connection: sa.Connection, row: Row, notice: str) -> SourceNotice | None:
    """Store a notice about an item, with a finding of its draft; None where the item has it already.

    What is withdrawn stays so. A withdrawn item that waits for its draft is skipped; a duplicate in another
    feed is queued in its place.
    """
    if not _is_new(row.notice or "", notice):
        return None
    values: dict[str, object] = {"notice": notice}
    if notice_kind(notice) == "withdrawn" and row.state in _WAITING and row.lease_owner is None:
        values |= {"state": "skipped", "reason": notice, "owned_canonical": None, **NOT_TRIED}
    connection.execute(items.update().where(items.c.id == row.id).values(**values))
    if "state" in values:
        queue_duplicate(connection, row.id, items.c.feed_id != row.feed_id)
    if row.state in _DRAFTED:
        flag_notice(connection, row.id)
    return SourceNotice.about(row, notice)


def _is_new(stored: str, notice: str) -> bool:
    before = stored.removeprefix(REVIEWED)
    changed_again = stored != before and notice_kind(notice) == "changed"
    return changed_again or (before != notice and notice_kind(before) != "withdrawn")


def flag_notice(connection: sa.Connection, item_id: int) -> None:
    """Give the last text of an item the finding about its notice, in place of one about an earlier notice."""
    notice = connection.scalar(sa.select(items.c.notice).where(items.c.id == item_id))
    if (
        notice
        and not notice.startswith(REVIEWED)
        and (version_id := latest_version(connection, item_id)) is not None
    ):
        finding = notice_finding(notice)
        drop_findings(connection, version_id, {*REPLACED_FINDINGS, finding.kind})
        add_finding(connection, version_id, finding)


def remove_notices(connection: sa.Connection, item_id: int, notices: Collection[str]) -> None:
    """Remove an item's notice, reviewed or not, with the finding about it, if it is one of `notices`."""
    stored = connection.scalar(sa.select(items.c.notice).where(items.c.id == item_id)) or ""
    notice = stored.removeprefix(REVIEWED)
    if notice not in notices:
        return
    connection.execute(items.update().where(items.c.id == item_id).values(notice=None))
    if (version_id := latest_version(connection, item_id)) is not None:
        drop_findings(connection, version_id, (notice_finding(notice).kind,))


def note_deleted(connection: sa.Connection, feed_id: int, guids: Sequence[str]) -> list[SourceNotice]:
    """Store that a feed says of items that they are deleted; returns what is new."""
    rows: list[Row] = []
    for chunk in chunks(guids):
        mine = (items.c.feed_id == feed_id, items.c.guid.in_(chunk), items.c.state.in_(_DRAFTED + _WAITING))
        rows += connection.execute(sa.select(items).where(*mine)).all()
    return _set(connection, rows, DELETED)


def feeds_with_drafts(connection: sa.Connection, ids: Collection[int]) -> set[int]:
    """Return those of the feeds that have drafted items."""
    return having_items(connection, ids, items.c.state.in_(_DRAFTED))


def note_missing(
    connection: sa.Connection, feed_id: int, present: Collection[str], urls: Collection[str], since: datetime
) -> list[SourceNotice]:
    """Store that a feed no longer has drafted items published after `since`; returns what is new.

    `present` and `urls` are the guids and canonical URLs that it has. The notice on an item that came
    back is removed.
    """
    mine = (items.c.feed_id == feed_id, items.c.state.in_(_DRAFTED), items.c.published_at > since)
    columns = (items.c.id, items.c.guid, items.c.canonical, items.c.external_id, items.c.notice)
    every = connection.execute(sa.select(*columns).where(*mine)).all()
    gone = [row for row in every if row.guid not in present and row.canonical not in urls]
    back = [row.id for row in every if row.guid in present and (row.notice or "").endswith(VANISHED)]
    for item_id in back:
        remove_notices(connection, item_id, (VANISHED,))
    missing = [row for row in gone if row.notice is None and not _has_twin(connection, row, present)]
    query = sa.select(items).where(items.c.id.in_([row.id for row in missing]))
    rows = connection.execute(query).all() if missing else []
    return _set(connection, [row for row in rows if Item.model_validate_json(row.payload).dated], VANISHED)


def _has_twin(connection: sa.Connection, row: Row, present: Collection[str]) -> bool:
    """Return whether a feed has an item under another guid, which was merged into it."""
    merged = sa.select(items.c.guid).where(items.c.merged_into == row.external_id)
    return any(guid in present for guid in connection.scalars(merged))


def _set(connection: sa.Connection, rows: Iterable[Row], notice: str) -> list[SourceNotice]:
    return [new for row in rows if (new := set_notice(connection, row, notice))]


def note_update(connection: sa.Connection, row: Row, item: Item) -> list[SourceNotice] | None:
    """Store a change that is a notice: a reserved text, a title that says that the item is withdrawn.

    Returns what is new; None for any other change, of which nothing is stored. A reserved text is not kept.
    """
    notice = RESERVED if item.reserved else withdrawal_notice(item.title)
    if notice is None:
        return None
    if row.state in _DRAFTED:
        text = {} if item.reserved else {"updated_payload": item.model_dump_json()}
        changed = items.update().where(items.c.id == row.id)
        connection.execute(changed.values(updated_hash=item.content_hash, **text))
    return _set(connection, [row], notice)


def add_corrections(
    connection: sa.Connection, feed: FeedRow, arrivals: Sequence[Matched]
) -> tuple[list[SourceNotice], list[Matched]]:
    """Merge new items that correct or withdraw a stored one into that; return the notices and the others."""
    subjects = Subjects(connection, feed.id)
    notices: list[SourceNotice] = []
    others = []
    for (item, marks), match in arrivals:
        subject = None if match.guid else subjects.find(item)
        if subject is None:
            others.append(((item, marks), match))
            continue
        row, notice = subject
        merged: Columns = {"state": "merged", "reason": CORRECTION, "merged_into": row.external_id}
        add_rows(connection, [(feed, item, merged)])
        notices += _set(connection, [row], notice)
    return notices, others


class Subjects:
    """The stored items of a feed that new ones may correct or withdraw, by title; read at the first use."""

    def __init__(self, connection: sa.Connection, feed_id: int) -> None:
        self._connection = connection
        self._is_one = (items.c.feed_id == feed_id, items.c.state.in_((*_DRAFTED, *_WAITING)))

    @cached_property
    def _ids(self) -> dict[str, int]:
        query = sa.select(items.c.id, items.c.payload).where(*self._is_one)
        latest = query.order_by(items.c.published_at.desc()).limit(_MAX_SUBJECTS)
        rows = reversed(self._connection.execute(latest).all())
        return {_plain(Item.model_validate_json(row.payload).title): row.id for row in rows}

    def find(self, item: Item) -> tuple[Row, str] | None:
        """Return the item that an item which is not stored corrects or withdraws, and the notice."""
        about = notice_about(item.title)
        number = self._ids.get(_plain(about[0])) if about else None
        if about is None or number is None:
            return None
        row = self._connection.execute(sa.select(items).where(items.c.id == number, *self._is_one)).first()
        return (row, about[1]) if row else None


def _plain(title: str) -> str:
    return " ".join("".join(char if char.isalnum() else " " for char in title.casefold()).split())
