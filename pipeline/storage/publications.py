"""Publications: what is to be done about approved articles at each target, and what came of it."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Literal

import sqlalchemy as sa
from pydantic import AwareDatetime

from pipeline.domain.models import FrozenModel, ReviewDecision
from pipeline.storage.engine import chunks
from pipeline.storage.schema import items, publications, verdicts

Action = Literal["publish", "withdraw"]

SUPERSEDED = "superseded"
"""The `place` of what need not be done any more: something else is to be done at the same target."""

_FIRST_PAUSE = timedelta(seconds=30)
_LONGEST_PAUSE = timedelta(hours=1)
_APPROVED = verdicts.c.decision == ReviewDecision.APPROVE.value


class Publication(FrozenModel):
    """What is to be done about an article at a target, or was."""

    id: int
    item_id: int
    external_id: str
    title: str
    """The item's, for messages."""
    published_at: AwareDatetime
    """By the source."""
    target: str
    action: Action
    sha256: str
    """Of the approved bytes; nothing else is ever sent, but for keys that the target adds."""
    sent: str | None = None
    """Hash of what is written at the target; none where that is the approved bytes, or nothing."""
    path: str
    """Below the output folder."""
    by: str
    at: AwareDatetime
    attempts: int = 0
    error: str | None = None
    next_at: AwareDatetime | None = None
    done_at: AwareDatetime | None = None
    place: str | None = None
    """Where it went, once it is done: a path, a commit, a file of a feed."""


class Backlog(FrozenModel):
    """What is still to be done at one target."""

    target: str
    waiting: int
    """How many publications, with those that failed."""
    failed: int
    """How many of them failed, and are tried again."""
    error: str | None = None
    """The last failure."""


def add(
    connection: sa.Connection,
    item_id: int,
    targets: Iterable[str],
    *,
    action: Action,
    sha256: str,
    path: str,
    by: str,
    now: datetime,
) -> None:
    """Have an article published at targets, or withdrawn from them; what waited there waits no more."""
    told = {"action": action, "sha256": sha256, "path": path, "by": by, "at": now}
    for target in targets:
        same = sa.and_(publications.c.item_id == item_id, publications.c.target == target)
        waits = publications.update().where(same, publications.c.done_at.is_(None))
        connection.execute(waits.values(done_at=now, place=SUPERSEDED))
        connection.execute(publications.insert().values(item_id=item_id, target=target, **told))


_ROWS = sa.select(publications, items.c.external_id, items.c.title, items.c.published_at).select_from(
    publications.join(items)
)
_WAITS = publications.c.done_at.is_(None)


def _records(connection: sa.Connection, query: sa.Select[tuple[object, ...]]) -> list[Publication]:
    return [Publication.model_validate(dict(row._mapping)) for row in connection.execute(query)]


def waiting(connection: sa.Connection) -> list[Publication]:
    """Return what is to be done, the oldest first."""
    return _records(connection, _ROWS.where(_WAITS).order_by(publications.c.id))


def of_item(connection: sa.Connection, item_id: int) -> list[Publication]:
    """Return all that was to be done about an item, the first one first."""
    return _records(connection, _ROWS.where(publications.c.item_id == item_id).order_by(publications.c.id))


def standing(connection: sa.Connection, target: str) -> list[Publication]:
    """Return what was done last about each item at a target, the newest article first."""
    done = sa.and_(
        publications.c.target == target,
        publications.c.done_at.is_not(None),
        publications.c.place != SUPERSEDED,
    )
    last = sa.select(sa.func.max(publications.c.id)).where(done).group_by(publications.c.item_id)
    query = _ROWS.where(publications.c.id.in_(last))
    return _records(connection, query.order_by(items.c.published_at.desc(), items.c.id))


def approved_texts(
    connection: sa.Connection, wanted: Sequence[tuple[int, str]]
) -> dict[tuple[int, str], str]:
    """Return the texts that were approved, by item and hash; what was forgotten since is missing."""
    found: dict[tuple[int, str], str] = {}
    for some in chunks(item_id for item_id, _ in wanted):
        columns = (verdicts.c.item_id, verdicts.c.sha256_after, verdicts.c.text)
        query = sa.select(*columns).where(verdicts.c.item_id.in_(some), _APPROVED, verdicts.c.text != "")
        for item_id, sha256, text in connection.execute(query):
            found[item_id, sha256] = text
    return {key: found[key] for key in wanted if key in found}


def approved_hashes(connection: sa.Connection, ids: Iterable[int]) -> dict[int, frozenset[str]]:
    """Return the hashes of all that was ever approved of items: bytes that are ours wherever they stand."""
    found: dict[int, set[str]] = defaultdict(set)
    for some in chunks(ids):
        query = sa.select(verdicts.c.item_id, verdicts.c.sha256_after)
        for item_id, sha256 in connection.execute(query.where(verdicts.c.item_id.in_(some), _APPROVED)):
            found[item_id].add(sha256)
    return {item_id: frozenset(hashes) for item_id, hashes in found.items()}


def sent_hashes(connection: sa.Connection, ids: Iterable[int]) -> dict[int, frozenset[str]]:
    """Return the hashes of what was sent of items in other bytes than the approved ones, at any target."""
    found: dict[int, set[str]] = defaultdict(set)
    for some in chunks(ids):
        query = sa.select(publications.c.item_id, publications.c.sent).where(publications.c.sent.is_not(None))
        for item_id, sha256 in connection.execute(query.where(publications.c.item_id.in_(some))):
            found[item_id].add(sha256)
    return {item_id: frozenset(hashes) for item_id, hashes in found.items()}


def sending(connection: sa.Connection, hashes: Mapping[int, str | None]) -> None:
    """Record, by publication, the hash of what is about to be written; none: the approved bytes.

    What another attempt meant to write may stand there already: it is kept in a row of its own.
    """
    for number, sha256 in hashes.items():
        row = connection.execute(sa.select(publications).where(publications.c.id == number)).one()
        if row.sent is not None and row.sent != sha256:
            kept = {**row._mapping, "done_at": row.at, "place": SUPERSEDED}
            connection.execute(publications.insert().values({key: kept[key] for key in kept if key != "id"}))
        connection.execute(publications.update().where(publications.c.id == number).values(sent=sha256))


def done(connection: sa.Connection, ids: Iterable[int], place: str, now: datetime) -> None:
    """Record that publications were carried out."""
    for some in chunks(ids):
        mine = publications.update().where(publications.c.id.in_(some), _WAITS)
        connection.execute(mine.values(done_at=now, place=place, error=None, next_at=None))


def failed(connection: sa.Connection, number: int, error: str, now: datetime) -> None:
    """Record that a publication failed: it is tried again after a pause that doubles up to an hour."""
    mine = sa.and_(publications.c.id == number, _WAITS)
    attempts = connection.scalar(sa.select(publications.c.attempts).where(mine))
    if attempts is None:
        return  # something else is to be done instead
    pause = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2 ** min(attempts, 10))
    said = {"attempts": attempts + 1, "error": error, "next_at": now + pause}
    connection.execute(publications.update().where(mine).values(**said))


def backlog(connection: sa.Connection) -> list[Backlog]:
    """Return what is still to be done, by target."""
    failures = sa.func.count(publications.c.error)
    query = sa.select(publications.c.target, sa.func.count(), failures)
    rows = connection.execute(
        query.where(_WAITS).group_by(publications.c.target).order_by(publications.c.target)
    )
    return [
        Backlog(target=target, waiting=count, failed=failed, error=_last_error(connection, target))
        for target, count, failed in rows
    ]


def _last_error(connection: sa.Connection, target: str) -> str | None:
    mine = sa.and_(publications.c.target == target, _WAITS, publications.c.error.is_not(None))
    query = sa.select(publications.c.error).where(mine).order_by(publications.c.next_at.desc()).limit(1)
    found: str | None = connection.scalar(query)
    return found


def publish_again(connection: sa.Connection, item_id: int, targets: Sequence[str], now: datetime) -> int:
    """Queue the approved text of an item at targets; returns how many publications were added."""
    return sum(_send(connection, row, targets, now) for row in _live(connection, item_id))


def publish_all(connection: sa.Connection, targets: Sequence[str], now: datetime) -> int:
    """Queue what targets lack of the approved articles, and what they have too much.

    Something stands there too much where it was taken back while the target was not named. Returns how many
    publications were added.
    """
    live = _live(connection, None)
    known, added = {row.item_id for row in live}, 0
    for target in targets:
        stands = _stands(connection, target)
        for row in live:
            if (row.item_id, row.sha256_after) not in stands:
                added += _send(connection, row, [target], now)
        for item_id in sorted({item_id for item_id, _ in stands} - known):
            added += _take_back(connection, item_id, target, now)
    return added


def _send(
    connection: sa.Connection, row: sa.Row[tuple[object, ...]], targets: Sequence[str], now: datetime
) -> int:
    add(
        connection, row.item_id, targets, action="publish",
        sha256=row.sha256_after, path=row.new_path, by=row.by, now=now,
    )  # fmt: skip
    return len(targets)


def _take_back(connection: sa.Connection, item_id: int, target: str, now: datetime) -> int:
    rows = of_item(connection, item_id)
    last = [row for row in rows if row.target == target and row.action == "publish"][-1]
    add(
        connection, item_id, [target], action="withdraw",
        sha256=last.sha256, path=last.path, by=last.by, now=now,
    )  # fmt: skip
    return 1


def _live(connection: sa.Connection, item_id: int | None) -> Sequence[sa.Row[tuple[object, ...]]]:
    """Return the last approval of each item that nobody took back, the oldest first."""
    undoing = verdicts.alias()
    undone = sa.select(undoing.c.id).where(undoing.c.undoes == verdicts.c.id).exists()
    stands = sa.and_(_APPROVED, ~undone, verdicts.c.text != "")
    mine = sa.true() if item_id is None else verdicts.c.item_id == item_id
    last = sa.select(sa.func.max(verdicts.c.id)).where(stands, mine).group_by(verdicts.c.item_id)
    return connection.execute(
        sa.select(verdicts).where(verdicts.c.id.in_(last)).order_by(verdicts.c.id)
    ).all()


def _stands(connection: sa.Connection, target: str) -> set[tuple[int, str]]:
    """Return what stands at a target, or is on its way there, as (item, hash)."""
    settled = standing(connection, target)
    coming = _records(connection, _ROWS.where(_WAITS, publications.c.target == target))
    last = {row.item_id: row for row in (*settled, *coming)}
    return {(row.item_id, row.sha256) for row in last.values() if row.action == "publish"}


def withdraw_all(connection: sa.Connection, item_id: int, by: str, now: datetime) -> None:
    """Have an item withdrawn from every target that it was ever sent to; said twice, it is done once."""
    last = {row.target: row for row in of_item(connection, item_id) if row.place != SUPERSEDED}
    for target, row in last.items():
        if row.action == "publish":
            add(
                connection, item_id, [target], action="withdraw",
                sha256=row.sha256, path=row.path, by=by, now=now,
            )  # fmt: skip
