"""Admission: stores the items of polls, new, changed, skipped or merged with near-duplicates.

Most new items of a poll have no near-duplicate: no stored row, no stored canonical URL and no band in common
with another item. Those of all polls of a transaction are inserted together; looking each up alone would cost
more than the rest of a poll.
"""

from collections.abc import Mapping, Sequence

import sqlalchemy as sa

from pipeline.domain.models import Item, external_id, reader_of
from pipeline.domain.withdrawals import OTHER_TEXT, may_be_back, notice_about
from pipeline.storage import caches, duplicate_groups, feeds
from pipeline.storage.engine import Row
from pipeline.storage.feeds import FeedRow
from pipeline.storage.item_outcomes import CORRECTION, SAME_ENTRY, SAME_LINK, SAME_TEXT
from pipeline.storage.item_rows import NOT_TRIED, Columns, NewRow, add_rows, insert, owns, values
from pipeline.storage.notices import (
    SourceNotice,
    add_corrections,
    feeds_with_drafts,
    note_deleted,
    note_missing,
    note_update,
)
from pipeline.storage.poll_records import AdmissionResult, PollRecord, PollResult
from pipeline.storage.rereading import reread, reread_items
from pipeline.storage.schema import items
from pipeline.storage.skipped_items import not_stored, note_skipped, skip_reserved
from pipeline.storage.source_updates import Policy, update_source
from pipeline.storage.stored_keys import Arrival, Match, Matched, StoredKeys, read_stored_keys


def admit(connection: sa.Connection, polls: Sequence[PollRecord]) -> list[AdmissionResult]:
    """Store the items of polls, each of another feed, and return the outcome of each.

    The outcome is that of one poll after the other, but of several duplicates that fit alike another one may
    be chosen. Raises DatabaseError for an unknown feed.
    """
    rows = feeds.feed_rows(connection, [poll.feed_key for poll in polls])
    stored = _stored_keys(connection, polls, rows)
    merged_into = {key for poll in polls for _, (key, _) in poll.result.merged}
    first_keys = feeds.first_keys(connection, merged_into)
    admissions = [_Admission(connection, rows[poll.feed_key], poll, stored, first_keys) for poll in polls]
    unique = [(each.feed, arrival) for each in admissions for arrival in each.take_unique()]
    _insert_unique(connection, unique)
    # Before what may need a duplicate in the place of an item that is skipped now.
    add_rows(connection, [row for each in admissions for row in each.excluded_rows()])
    drafted = feeds_with_drafts(connection, [each.feed.id for each in admissions])
    return [each.finish(has_drafts=each.feed.id in drafted) for each in admissions]


def _stored_keys(
    connection: sa.Connection, polls: Sequence[PollRecord], rows: Mapping[str, FeedRow]
) -> StoredKeys:
    return read_stored_keys(
        connection,
        (
            (rows[poll.feed_key], item.guid)
            for poll in polls
            for some in (poll.result.new, poll.result.namesakes, *_excluded(poll.result))
            for item in some
        ),
        {item.canonical for poll in polls for item in poll.result.new if item.canonical},
        (mark for poll in polls for _, marks in poll.arrivals for mark in marks),
    )


def _excluded(result: PollResult) -> tuple[list[Item], list[Item]]:
    return [item for item, _ in result.skipped], [item for item, _ in result.merged]


def _insert_unique(connection: sa.Connection, unique: Sequence[tuple[FeedRow, Arrival]]) -> None:
    numbers = insert(
        connection,
        [(feed, item, {"state": "seen", "owned_canonical": item.canonical}) for feed, (item, _) in unique],
    )
    marks = (marks for _, (_, marks) in unique)
    duplicate_groups.add_bands(connection, zip(numbers, marks, strict=True))


class _Admission:
    """The admission of one poll, in steps between which rows of all polls are inserted together."""

    def __init__(
        self,
        connection: sa.Connection,
        feed: FeedRow,
        poll: PollRecord,
        stored: StoredKeys,
        first_keys: Mapping[str, str],
    ) -> None:
        self.feed = feed
        self._connection, self._poll, self._stored, self._first_keys = connection, poll, stored, first_keys
        self._others: list[Matched] = []
        """Stored already, or perhaps duplicates."""
        self._about: list[Matched] = []
        """Perhaps about a stored item."""
        self._fresh: list[Item] = []
        """Skipped and not stored before."""
        self._own_merged: list[tuple[Item, str]] = []
        """Repeat items of this feed, with the external ids of those."""
        self._outcomes: list[str] = []

    def take_unique(self) -> list[Arrival]:
        """Begin; return the new items without a possible duplicate, stored or earlier in these polls."""
        result, stored = self._poll.result, self._stored
        reread_items(self._connection, self.feed.id, result.reread)
        for item in result.namesakes:
            if not stored.has_guid(self.feed, item.guid):
                caches.drop_page(self._connection, item.link)  # it may be cached as that of the other story
        unique: list[Arrival] = []
        for item, marks in self._poll.arrivals:
            match = stored.add(self.feed, item, marks)
            if notice_about(item.title):
                self._about.append(((item, marks), match))
            elif any(match):
                self._others.append(((item, marks), match))
            else:
                unique.append((item, marks))
        self._outcomes = ["new"] * len(unique)
        return unique

    def excluded_rows(self) -> list[NewRow]:
        """Return the rows of the items that are skipped, or merged by their link.

        One that repeats an item of its own feed updates that item later.
        """
        skipped = not_stored(self.feed, self._poll.result.skipped, self._stored)
        merged = not_stored(self.feed, self._poll.result.merged, self._stored)
        self._fresh = [item for item, _ in skipped]
        repeats = [(item, external_id(self._first_keys[key], guid)) for item, (key, guid) in merged]
        self._own_merged = [
            repeat for repeat, (_, (key, _)) in zip(repeats, merged, strict=True) if key == self.feed.key
        ]
        self._outcomes += ["merged"] * (len(merged) - len(self._own_merged))
        rows: list[NewRow] = [
            (self.feed, item, {"state": "skipped", "reason": reason}) for item, reason in skipped
        ]
        link: Columns = {"state": "merged", "reason": SAME_LINK}
        return rows + [(self.feed, item, link | {"merged_into": owner}) for item, owner in repeats]

    def finish(self, *, has_drafts: bool) -> AdmissionResult:
        """Store the other new items, and what is said about stored ones; return the outcome of the poll."""
        connection, feed, (_, _, result, policy) = self._connection, self.feed, self._poll
        for arrival, match in self._others:
            self._admit_one(arrival, match)
        notices, others = add_corrections(connection, feed, self._about_now())
        corrections = len(self._about) - len(others)
        for arrival, match in others:
            self._admit_one(arrival, match)
        notices += note_skipped(connection, feed, self._fresh)
        reserved = skip_reserved(connection, feed, result.skipped, self._fresh)
        for item, owner in self._own_merged:
            is_update = _update_from_duplicate(connection, feed, item, owner, policy, result.present)
            self._outcomes.append("update" if is_update else "merged")
        updated = sum(
            _update_item(connection, feed.id, item, policy, result.present, notices)
            for item in result.updated
        )
        notices += note_deleted(connection, feed.id, result.deleted)
        if result.complete_since is not None and has_drafts:
            since = result.complete_since
            notices += note_missing(connection, feed.id, result.present, result.urls, since)
        counted = sum(each.notice != OTHER_TEXT for each in notices)
        updates = self._outcomes.count("update")
        return AdmissionResult(
            new=self._outcomes.count("new"),
            updated=updated + updates + counted,
            skipped=len(self._fresh) + reserved,
            reserved=reserved,
            merged=self._outcomes.count("merged") + updates + corrections,
            notices=tuple(notices),
        )

    def _about_now(self) -> list[Matched]:
        """Return the items about others, which come after all others of the poll and may repeat one."""
        guids = {item.guid for (item, _), _ in self._others}
        return [
            (arrival, Match(guid=match.guid or arrival[0].guid in guids, canonical=True, band=True))
            for arrival, match in self._about
        ]

    def _admit_one(self, arrival: Arrival, match: Match) -> None:
        policy, present = self._poll.policy, self._poll.result.present
        outcome = _admit_one(self._connection, self.feed, arrival, match, policy, present)
        self._outcomes.append(outcome)


def _admit_one(
    connection: sa.Connection,
    feed: FeedRow,
    arrival: Arrival,
    match: Match,
    policy: Policy,
    present: frozenset[str],
) -> str:
    """Store an item that may be stored already, or be a duplicate; returns new, merged, update or known.

    One that was skipped before, and is no longer excluded, becomes new. A duplicate (by canonical URL, or by
    bands and text) is merged into the other item or becomes its sibling.
    """
    item, marks = arrival
    row = connection.execute(_ITEM, {"feed": feed.id, "guid": item.guid}).first() if match.guid else None
    if row is not None and (row.state != "skipped" or _still_too_short(row, item)):
        return "known"
    owner = _owner(connection, item.canonical) if match.canonical else None
    duplicate = (
        duplicate_groups.find_near_duplicate(connection, feed.id, item, marks)
        if match.band and not owner
        else None
    )
    among = policy.merge_among - {feed.key}  # a feed that has two stories means two
    same = duplicate and (duplicate.same_entry or duplicate.same_page)
    if duplicate and (same or duplicate.feed_key in among):
        owner = duplicate.external_id
    more: Columns = {"state": "merged" if owner else "seen", "merged_into": owner}
    more["reason"] = _merge_reason(duplicate) if owner else None
    more["owned_canonical"] = None if owner else item.canonical
    more |= NOT_TRIED
    is_sibling = duplicate is not None and not duplicate.same_entry
    group = duplicate_groups.join(connection, duplicate) if duplicate and is_sibling else None
    if group is not None:
        more["story_id"] = group
    item_id = _put(connection, feed, item, more, row.id if row else None)
    if group is not None:
        duplicate_groups.notify_siblings(connection, group, item_id, feed.name, item.title)
    if owner is None:
        duplicate_groups.add_bands(connection, [(item_id, marks)])
        return "new"
    return "update" if _update_from_duplicate(connection, feed, item, owner, policy, present) else "merged"


_ITEM = sa.select(items).where(items.c.feed_id == sa.bindparam("feed"), items.c.guid == sa.bindparam("guid"))


def _merge_reason(duplicate: duplicate_groups.NearDuplicate | None) -> str:
    if duplicate is None or duplicate.same_page:
        return SAME_LINK
    return SAME_ENTRY if duplicate.same_entry else SAME_TEXT


def _still_too_short(row: Row, item: Item) -> bool:
    """Return whether an item that was too short when it was leased has no more text now."""
    if row.retry_at is not None or may_be_back(row.reason):
        return False  # it was not its text that was missing
    return row.lease_token > 0 and len(item.text) <= len(Item.model_validate_json(row.payload).text)


def _put(connection: sa.Connection, feed: FeedRow, item: Item, more: Columns, item_id: int | None) -> int:
    if item_id is None:
        return insert(connection, [(feed, item, more)])[0]
    again = values(item) | {"notice": None} | more
    connection.execute(items.update().where(items.c.id == item_id).values(**again))
    return item_id


def _owner(connection: sa.Connection, canonical: str | None) -> str | None:
    if canonical is None:
        return None
    where = owns(items.c.canonical == canonical, items.c.owned_canonical == canonical)
    return connection.execute(sa.select(items.c.external_id).where(where).order_by(items.c.id)).scalar()


def _update_item(
    connection: sa.Connection,
    feed_id: int,
    item: Item,
    policy: Policy,
    present: frozenset[str],
    notices: list[SourceNotice],
) -> bool:
    """Store a changed source: as the item while no work was done on it, as an update afterwards.

    Where the policy says so, a draft without a review is queued to be rewritten. An item that came back under
    another guid updates the one it was merged into. What becomes a notice is added to `notices`. Returns
    whether the change counts as one of the text.
    """
    row = connection.execute(_ITEM, {"feed": feed_id, "guid": item.guid}).first()
    if row is None:
        return False
    if row.state == "merged":
        connection.execute(items.update().where(items.c.id == row.id).values(updated_hash=item.content_hash))
        is_correction = row.reason == CORRECTION
        origin = None if is_correction else _origin(connection, feed_id, row.merged_into, present)
        return _update_origin(connection, origin, item, policy)
    if (added := note_update(connection, row, item)) is not None:
        notices += added
        return False
    counts = update_source(connection, row, item, policy)
    if counts and row.state in ("drafted", "approved"):
        notices.append(SourceNotice.about(row, OTHER_TEXT))
    return counts


def _update_from_duplicate(
    connection: sa.Connection,
    feed: FeedRow,
    item: Item,
    owner: str,
    policy: Policy,
    present: frozenset[str],
) -> bool:
    """Update the item (external id `owner`), if it is of the same feed, that a just merged one repeats.

    Returns whether the change counts.
    """
    origin = _origin(connection, feed.id, owner, present)
    if origin is not None and reader_of(origin.updated_hash or origin.content_hash) != item.reader:
        reread(connection, origin, item)  # nobody can tell whether the publisher changed it, too
        return False
    return _update_origin(connection, origin, item, policy)


def _origin(
    connection: sa.Connection, feed_id: int, owner: str | None, present: frozenset[str]
) -> Row | None:
    """Return the item of a feed that a merged one repeats, None where the document has it itself."""
    query = sa.select(items).where(items.c.external_id == owner, items.c.feed_id == feed_id)
    origin = connection.execute(query.where(items.c.state != "merged")).first()
    return None if origin is None or origin.guid in present else origin


def _update_origin(connection: sa.Connection, origin: Row | None, item: Item, policy: Policy) -> bool:
    """Apply an update to the item that was merged under another guid of the same feed."""
    if origin is None or item.content_hash in (origin.content_hash, origin.updated_hash):
        return False
    return update_source(connection, origin, item.model_copy(update={"guid": origin.guid}), policy)
