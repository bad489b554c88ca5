"""Files: which article files are expected on disk, and with which text; a restore goes by it."""

from collections.abc import Iterator
from datetime import datetime
from hashlib import sha256
from itertools import groupby
from typing import NamedTuple

import sqlalchemy as sa

from pipeline.storage import item_rows
from pipeline.storage.engine import Transactions
from pipeline.storage.schema import OPEN, items, verdicts
from pipeline.storage.schema import versions as texts

_HAVE_FILES = ("drafted", "approved", "rejected")


class ExpectedFile(NamedTuple):
    """The text that a file should hold."""

    text: str
    before: frozenset[str]
    """SHA-256 of the texts that it held earlier."""


class FileRepository(Transactions):
    """Finds the files and texts that the database expects on disk."""

    def expected(self) -> dict[str, int]:
        """Return the paths of files that exist or that a run is about to write, with their items' ids."""
        coming = (
            sa.select(texts.c.path, texts.c.item_id)
            .join(items, items.c.id == texts.c.item_id)
            .where(items.c.state.in_(OPEN), items.c.id.in_(item_rows.unwritten))
        )
        drafted = sa.select(items.c.path, items.c.id).where(
            items.c.state.in_(_HAVE_FILES), items.c.path.is_not(None)
        )
        with self._reading() as connection:
            # In this order: what is written between the two queries is in both.
            rows = [*connection.execute(coming), *connection.execute(drafted)]
            return {str(row[0]): row[1] for row in rows} | _reviewed(connection)

    def text(self, item_id: int, path: str) -> ExpectedFile | None:
        """Return an item's text at a path; None: nothing yet, a run is about to write it."""
        with self._reading() as connection:
            history = sorted([*_written(connection, item_id, path), *_moved(connection, item_id, path)])
        if not history:
            return None
        hashes = [sha256(text.encode()).hexdigest() for _, text in history]
        return ExpectedFile(history[-1][1], frozenset(hashes) - {hashes[-1]})


def _reviewed(connection: sa.Connection) -> dict[str, int]:
    """Return the paths of reviewed files that are no drafts, also of articles under revision."""
    columns = (verdicts.c.item_id, verdicts.c.old_path, verdicts.c.new_path, verdicts.c.leaves.is_not(None))
    query = (
        sa.select(*columns)
        .join(items, items.c.id == verdicts.c.item_id)
        .where(verdicts.c.confirmed, items.c.state.in_(_HAVE_FILES))
        .order_by(verdicts.c.item_id, verdicts.c.id)
    )
    paths: dict[str, int] = {}
    for item_id, moves in groupby(connection.execute(query), key=lambda row: row[0]):
        present: set[str] = set()
        for _, old_path, new_path, leaves in moves:
            present = present | {new_path} if leaves else present - {old_path} | {new_path}
        paths |= {path: item_id for path in present if not path.startswith("drafts/")}
    return paths


def _written(connection: sa.Connection, item_id: int, path: str) -> Iterator[tuple[datetime, str]]:
    written = (texts.c.item_id == item_id, texts.c.path == path, texts.c.confirmed, ~texts.c.aside)
    for row in connection.execute(sa.select(texts.c.at, texts.c.text).where(*written)):
        yield row[0], row[1]


def _moved(connection: sa.Connection, item_id: int, path: str) -> Iterator[tuple[datetime, str]]:
    mine = sa.and_(verdicts.c.item_id == item_id, verdicts.c.confirmed)
    for row in connection.execute(sa.select(verdicts).where(mine)):
        if row.new_path == path:
            yield row.at, row.text
        elif row.old_path == path and row.leaves is not None:
            yield row.at, row.leaves
