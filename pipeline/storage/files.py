"""Filing: where files stand, and with which text, by what the ledger knows: what a restore goes by."""

from collections.abc import Iterator
from datetime import datetime
from hashlib import sha256
from itertools import groupby
from typing import NamedTuple

import sqlalchemy as sa

from pipeline.storage import versions
from pipeline.storage.schema import OPEN, items, verdicts
from pipeline.storage.schema import versions as texts

_STAND = ("drafted", "approved", "rejected")


class Filed(NamedTuple):
    """The text that stands in a file."""

    text: str
    before: frozenset[str]
    """Hashes of the texts that stood there earlier."""


def paths(connection: sa.Connection) -> dict[str, int]:
    """Return the paths of the files that stand, or that a run is about to write, with their items."""
    coming = (
        sa.select(texts.c.path, texts.c.item_id)
        .join(items, items.c.id == texts.c.item_id)
        .where(items.c.state.in_(OPEN), items.c.id.in_(versions.unwritten))
    )
    drafted = sa.select(items.c.path, items.c.id).where(items.c.state.in_(_STAND), items.c.path.is_not(None))
    # In this order: what comes to stand between the two is in both.
    rows = [*connection.execute(coming), *connection.execute(drafted)]
    return {str(row[0]): row[1] for row in rows} | _decided(connection)


def _decided(connection: sa.Connection) -> dict[str, int]:
    """Return where verdicts left files that are no draft: also of articles that are being revised."""
    columns = (verdicts.c.item_id, verdicts.c.old_path, verdicts.c.new_path, verdicts.c.leaves.is_not(None))
    query = (
        sa.select(*columns)
        .join(items, items.c.id == verdicts.c.item_id)
        .where(verdicts.c.confirmed, items.c.state.in_(_STAND))
        .order_by(verdicts.c.item_id, verdicts.c.id)
    )
    found: dict[str, int] = {}
    for item_id, moves in groupby(connection.execute(query), key=lambda row: row[0]):
        standing: set[str] = set()
        for _, old_path, new_path, leaves in moves:
            standing = standing | {new_path} if leaves else standing - {old_path} | {new_path}
        found |= {path: item_id for path in standing if not path.startswith("drafts/")}
    return found


def text_at(connection: sa.Connection, item_id: int, path: str) -> Filed | None:
    """Return what stands at a path of an item; None: nothing yet, a run is about to write it."""
    stood = sorted([*_written(connection, item_id, path), *_moved(connection, item_id, path)])
    if not stood:
        return None
    hashes = [sha256(text.encode()).hexdigest() for _, text in stood]
    return Filed(stood[-1][1], frozenset(hashes) - {hashes[-1]})


def _written(connection: sa.Connection, item_id: int, path: str) -> Iterator[tuple[datetime, str]]:
    standing = (texts.c.item_id == item_id, texts.c.path == path, texts.c.confirmed, ~texts.c.aside)
    for row in connection.execute(sa.select(texts.c.at, texts.c.text).where(*standing)):
        yield row[0], row[1]


def _moved(connection: sa.Connection, item_id: int, path: str) -> Iterator[tuple[datetime, str]]:
    mine = sa.and_(verdicts.c.item_id == item_id, verdicts.c.confirmed)
    for row in connection.execute(sa.select(verdicts).where(mine)):
        if row.new_path == path:
            yield row.at, row.text
        elif row.old_path == path and row.leaves is not None:
            yield row.at, row.leaves
