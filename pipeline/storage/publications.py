"""Publications: what targets are to do about approved articles, and the outcomes."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Literal, NamedTuple

import sqlalchemy as sa
from pydantic import AwareDatetime

from pipeline.domain.models import FrozenModel
from pipeline.storage.engine import Row, Transactions, chunks
from pipeline.storage.live_approvals import IS_LIVE, PUBLISHES
from pipeline.storage.schema import feeds, items, publications, verdicts

Action = Literal["publish", "withdraw"]

SUPERSEDED = "superseded"
"""The `place` of a publication that is not to be done, as a later one at the same target replaces it."""

_FIRST_PAUSE = timedelta(seconds=30)
_MAX_PAUSE = timedelta(hours=1)
"""Pauses before retries of a failed publication double between these. Source: chosen, not measured."""
_PENDING = publications.c.done_at.is_(None)


class Publication(FrozenModel):
    """What a target is to do, or did, about an article."""

    id: int
    item_id: int
    external_id: str
    feed_key: str
    title: str
    """The item's, for messages."""
    published_at: AwareDatetime
    """By the source."""
    target: str
    action: Action
    sha256: str
    """Of the approved bytes; only these are sent, apart from front matter keys that the target adds."""
    sent: str | None = None
    """SHA-256 of what is written at the target; None for the approved bytes, or nothing."""
    path: str
    """Below the output folder."""
    by: str
    at: AwareDatetime
    attempts: int = 0
    error: str | None = None
    next_at: AwareDatetime | None = None
    done_at: AwareDatetime | None = None
    place: str | None = None
    """Where it went, once done: a path, a commit, a file of a feed."""

    def is_due(self, now: datetime) -> bool:
        """Return whether it may be sent now: after a failure not before a time.

        A time beyond all pauses is of a clock that was wrong.
        """
        return self.next_at is None or not now < self.next_at <= now + 2 * _MAX_PAUSE


class TargetBacklog(FrozenModel):
    """Pending publications of one target."""

    target: str
    waiting: int
    """Number of pending publications, with those that failed."""
    failed: int
    """Number of those that failed and are retried."""
    error: str | None = None
    """The last failure."""


class NewPublication(NamedTuple):
    """What targets are to do about an article."""

    action: Action
    sha256: str
    """Of the approved bytes."""
    path: str
    """Below the output folder."""
    by: str
    at: datetime


class PublicationRepository(Transactions):
    """Stores what targets are to do about approved articles, and the outcomes: a transactional outbox."""

    def pending(self) -> list[Publication]:
        """Return the publications to be done, the oldest first."""
        with self._reading() as connection:
            return _records(connection, _ROWS.where(_PENDING).order_by(publications.c.id))

    def of_item(self, item_id: int) -> list[Publication]:
        """Return all publications of an item, done or not, the first one first."""
        with self._reading() as connection:
            return _of_item(connection, item_id)

    def latest(self, ids: Iterable[int]) -> dict[int, list[Publication]]:
        """Return the last publication of each target, done or pending, by item id."""
        last: dict[int, dict[str, Publication]] = defaultdict(dict)
        with self._reading() as connection:
            for chunk in chunks(ids):
                query = _ROWS.where(publications.c.item_id.in_(chunk)).order_by(publications.c.id)
                for row in _records(connection, query):
                    last[row.item_id][row.target] = row
        return {item_id: list(by_target.values()) for item_id, by_target in last.items()}

    def published(self, target: str) -> list[Publication]:
        """Return the last done publication of each item at a target, the newest article first."""
        with self._reading() as connection:
            return _published(connection, target)

    def approved_texts(self, versions: Sequence[tuple[int, str]]) -> dict[tuple[int, str], str]:
        """Return approved texts by (item id, SHA-256); erased ones are left out."""
        texts: dict[tuple[int, str], str] = {}
        columns = (verdicts.c.item_id, verdicts.c.sha256_after, verdicts.c.text)
        with self._reading() as connection:
            for chunk in chunks(item_id for item_id, _ in versions):
                mine = (verdicts.c.item_id.in_(chunk), PUBLISHES, verdicts.c.text != "")
                for item_id, sha256, text in connection.execute(sa.select(*columns).where(*mine)):
                    texts[item_id, sha256] = text
        return {key: texts[key] for key in versions if key in texts}

    def approved_hashes(self, ids: Iterable[int]) -> dict[int, frozenset[str]]:
        """Return the SHA-256 of all texts ever approved of items, by item id: any such file is ours."""
        query = sa.select(verdicts.c.item_id, verdicts.c.sha256_after).where(PUBLISHES)
        with self._reading() as connection:
            return _hashes(connection, query, ids)

    def sent_hashes(self, ids: Iterable[int]) -> dict[int, frozenset[str]]:
        """Return the SHA-256 of all files sent for items that differ from the approved bytes, by item id."""
        query = sa.select(publications.c.item_id, publications.c.sent).where(publications.c.sent.is_not(None))
        with self._reading() as connection:
            return _hashes(connection, query, ids)

    def mark_sending(self, hashes: Mapping[int, str | None]) -> None:
        """Record, by publication id, the SHA-256 that is about to be written; None: the approved bytes.

        A different hash of an earlier attempt is kept as a row of its own: it may be written already.
        """
        if hashes:
            with self._writing() as connection:
                for number, sha256 in hashes.items():
                    _mark_sending(connection, number, sha256)

    def mark_done(self, ids: Iterable[int], place: str, now: datetime) -> None:
        """Record that publications are done, and where they went."""
        with self._writing() as connection:
            for chunk in chunks(ids):
                mine = publications.update().where(publications.c.id.in_(chunk), _PENDING)
                connection.execute(mine.values(done_at=now, place=place, error=None, next_at=None))

    def mark_failed(self, number: int, error: str, now: datetime) -> None:
        """Record that a publication failed: it is retried after a pause that doubles up to an hour."""
        mine = sa.and_(publications.c.id == number, _PENDING)
        with self._writing() as connection:
            attempts = connection.scalar(sa.select(publications.c.attempts).where(mine))
            if attempts is None:
                return  # another publication has superseded it
            pause = min(_MAX_PAUSE, _FIRST_PAUSE * 2 ** min(attempts, 10))
            failure = {"attempts": attempts + 1, "error": error, "next_at": now + pause}
            connection.execute(publications.update().where(mine).values(**failure))

    def backlog(self) -> list[TargetBacklog]:
        """Return the number of pending publications of each target that has some."""
        query = sa.select(publications.c.target, sa.func.count(), sa.func.count(publications.c.error))
        query = query.where(_PENDING).group_by(publications.c.target).order_by(publications.c.target)
        with self._reading() as connection:
            return [
                TargetBacklog(
                    target=target, waiting=count, failed=failed, error=_last_error(connection, target)
                )
                for target, count, failed in connection.execute(query).all()
            ]

    def requeue(self, item_id: int, targets: Sequence[str], now: datetime) -> int:
        """Queue an item's approved text at targets; returns how many publications were added."""
        with self._exclusive_write() as connection:
            return sum(
                _queue(connection, row, targets, now) for row in _current_approvals(connection, item_id)
            )

    def reconcile(self, targets: Sequence[str], now: datetime) -> int:
        """Queue the approved articles that targets lack, and withdraw those that were taken back.

        An article was not withdrawn where the target was not configured when it was taken back. Returns how
        many publications were added.
        """
        added = 0
        with self._exclusive_write() as connection:
            current = _current_approvals(connection, None)
            ids = {row.item_id for row in current}
            for target in targets:
                present = _present(connection, target)
                for row in current:
                    if (row.item_id, row.sha256_after) not in present:
                        added += _queue(connection, row, [target], now)
                for item_id in sorted({item_id for item_id, _ in present} - ids):
                    added += _withdraw(connection, item_id, target, now)
        return added


def add(connection: sa.Connection, item_id: int, targets: Iterable[str], publication: NewPublication) -> None:
    """Queue a publication at targets; an item's pending publications there are superseded."""
    for target in targets:
        same = sa.and_(publications.c.item_id == item_id, publications.c.target == target)
        pending = publications.update().where(same, _PENDING)
        connection.execute(pending.values(done_at=publication.at, place=SUPERSEDED))
        row = publications.insert().values(item_id=item_id, target=target, **publication._asdict())
        connection.execute(row)


def withdraw_all(connection: sa.Connection, item_id: int, editor: str, now: datetime) -> None:
    """Queue the withdrawal of an item from every target that it was sent to; idempotent."""
    last = {row.target: row for row in _of_item(connection, item_id) if row.place != SUPERSEDED}
    for target, row in last.items():
        if row.action == "publish":
            add(connection, item_id, [target], NewPublication("withdraw", row.sha256, row.path, editor, now))


_ROWS = sa.select(
    publications, items.c.external_id, feeds.c.key.label("feed_key"), items.c.title, items.c.published_at
).select_from(publications.join(items).join(feeds))


def _records(connection: sa.Connection, query: sa.Select[tuple[object, ...]]) -> list[Publication]:
    return [Publication.model_validate(dict(row._mapping)) for row in connection.execute(query)]


def _of_item(connection: sa.Connection, item_id: int) -> list[Publication]:
    return _records(connection, _ROWS.where(publications.c.item_id == item_id).order_by(publications.c.id))


def _published(connection: sa.Connection, target: str) -> list[Publication]:
    done = sa.and_(
        publications.c.target == target,
        publications.c.done_at.is_not(None),
        publications.c.place != SUPERSEDED,
    )
    last = sa.select(sa.func.max(publications.c.id)).where(done).group_by(publications.c.item_id)
    query = _ROWS.where(publications.c.id.in_(last))
    return _records(connection, query.order_by(items.c.published_at.desc(), items.c.id))


def _hashes(
    connection: sa.Connection, query: sa.Select[tuple[int, str]], ids: Iterable[int]
) -> dict[int, frozenset[str]]:
    """Return hashes by item id; the query's first column is the item's id."""
    hashes: dict[int, set[str]] = defaultdict(set)
    item = query.selected_columns[0]
    for chunk in chunks(ids):
        for item_id, sha256 in connection.execute(query.where(item.in_(chunk))):
            hashes[item_id].add(sha256)
    return {item_id: frozenset(values) for item_id, values in hashes.items()}


def _mark_sending(connection: sa.Connection, number: int, sha256: str | None) -> None:
    row = connection.execute(sa.select(publications).where(publications.c.id == number)).one()
    if row.sent is not None and row.sent != sha256:
        copy = {**row._mapping, "done_at": row.at, "place": SUPERSEDED}
        connection.execute(publications.insert().values({key: copy[key] for key in copy if key != "id"}))
    connection.execute(publications.update().where(publications.c.id == number).values(sent=sha256))


def _last_error(connection: sa.Connection, target: str) -> str | None:
    mine = sa.and_(publications.c.target == target, _PENDING, publications.c.error.is_not(None))
    query = sa.select(publications.c.error).where(mine).order_by(publications.c.next_at.desc()).limit(1)
    message: str | None = connection.scalar(query)
    return message


def _queue(connection: sa.Connection, approval: Row, targets: Sequence[str], now: datetime) -> int:
    publication = NewPublication("publish", approval.sha256_after, approval.new_path, approval.by, now)
    add(connection, approval.item_id, targets, publication)
    return len(targets)


def _withdraw(connection: sa.Connection, item_id: int, target: str, now: datetime) -> int:
    rows = _of_item(connection, item_id)
    last = [row for row in rows if row.target == target and row.action == "publish"][-1]
    add(connection, item_id, [target], NewPublication("withdraw", last.sha256, last.path, last.by, now))
    return 1


def _current_approvals(connection: sa.Connection, item_id: int | None) -> Sequence[Row]:
    """Return the live approval of each item (None: of all), the oldest first."""
    mine = sa.true() if item_id is None else verdicts.c.item_id == item_id
    return connection.execute(sa.select(verdicts).where(IS_LIVE, mine).order_by(verdicts.c.id)).all()


def _present(connection: sa.Connection, target: str) -> set[tuple[int, str]]:
    """Return the (item id, SHA-256) that a target has, or gets from pending publications."""
    done = _published(connection, target)
    pending = _records(connection, _ROWS.where(_PENDING, publications.c.target == target))
    last = {row.item_id: row for row in (*done, *pending)}
    return {(row.item_id, row.sha256) for row in last.values() if row.action == "publish"}
