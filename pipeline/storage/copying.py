"""Copies every row of one database into an empty one, SQLite or PostgreSQL, and compares the two.

Rows are streamed, so that memory does not grow with the database. The target's transaction is the caller's:
where anything fails, the target stays empty.
"""

import hashlib
import time
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa

from pipeline.domain.errors import DatabaseError, ReviewError
from pipeline.storage.column_types import replace_unstorable
from pipeline.storage.engine import lock
from pipeline.storage.schema import metadata

_BATCH_ROWS = 500
"""Chosen, not measured: a row may hold a text of 100 kB."""
_HASH_BYTES = 16
_CLOSING_S = 2.0
"""For which a session that has just been closed may still be listed. Chosen, not measured."""

Values = Sequence[Any]


class TableDigest(NamedTuple):
    """What two tables must have in common to hold the same rows, in whatever order."""

    rows: int
    hash_sum: int
    """Sum of the hashes of all rows, as databases sort texts in different orders."""

    def add(self, rows: Sequence[Values]) -> "TableDigest":
        """Return the digest with more rows."""
        total = self.hash_sum + sum(map(_row_hash, rows))
        return TableDigest(self.rows + len(rows), total % (1 << 8 * _HASH_BYTES))


def _row_hash(row: Values) -> int:
    # A character NUL is stored as U+FFFD, and both databases return the same types.
    text = repr(tuple(row)).replace("\\x00", "\ufffd")
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=_HASH_BYTES).digest(), "big")


def digest_of(connection: sa.Connection, table: sa.Table) -> TableDigest:
    """Return the digest of a table."""
    digest = TableDigest(0, 0)
    for rows in _batches(connection, table):
        digest = digest.add(rows)
    return digest


def copy_rows(source: sa.Connection, target: sa.Connection) -> None:
    """Copy all rows into the empty tables of `target`. Raises DatabaseError where a table then differs.

    A table whose `info` has `filled_by`, a statement, is derived from others: that fills it at the end.
    """
    for table in copied_tables():
        write = _insert if target.dialect.name == "sqlite" else _copy_in
        sent = TableDigest(0, 0)
        for rows in _batches(source, table):
            write(target, table, rows)
            sent = sent.add(rows)
        arrived = digest_of(target, table)
        if sent != arrived:
            raise DatabaseError(
                f"the copy of table {table.name} differs: {sent.rows} rows were read, {arrived.rows} arrived"
                f"{'' if sent.rows != arrived.rows else ' with other content'}; "
                "remove triggers and rules of your own from the database, and try again"
            )
    for table in metadata.sorted_tables:
        if "filled_by" in table.info:
            target.execute(table.delete())  # what triggers have made of the copied rows
            target.execute(sa.text(table.info["filled_by"]))
    if target.dialect.name != "sqlite":
        _set_sequences(target)


def copied_tables() -> list[sa.Table]:
    """Return the tables whose rows are copied, those that others refer to first."""
    return [table for table in metadata.sorted_tables if "filled_by" not in table.info]


def _batches(connection: sa.Connection, table: sa.Table) -> Iterator[Sequence[Values]]:
    streamed = sa.select(table).execution_options(yield_per=_BATCH_ROWS)
    with connection.execute(streamed) as result:
        yield from result.partitions()


def _insert(connection: sa.Connection, table: sa.Table, rows: Sequence[Values]) -> None:
    names = [column.name for column in table.columns]
    connection.execute(table.insert(), [dict(zip(names, row, strict=True)) for row in rows])


def _copy_in(connection: sa.Connection, table: sa.Table, rows: Sequence[Values]) -> None:
    """Write rows with COPY, which takes a tenth of the time of INSERT.

    Source: https://www.postgresql.org/docs/current/populate.html.
    """
    quote = connection.dialect.identifier_preparer.quote
    names = ", ".join(quote(column.name) for column in table.columns)
    driver: Any = connection.connection.driver_connection
    try:
        with driver.cursor().copy(f"COPY {quote(table.name)} ({names}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(
                    [replace_unstorable(value) if isinstance(value, str) else value for value in row]
                )
    except connection.dialect.loaded_dbapi.Error as error:
        message = " ".join(str(error).split())[:300]
        raise DatabaseError(f"table {table.name} cannot be copied: {message}") from error


def _set_sequences(connection: sa.Connection) -> None:
    """Have the next ids follow the copied ones."""
    for table in copied_tables():
        if "id" in table.columns:
            last = connection.scalar(sa.select(sa.func.max(table.c.id)))
            if last is not None:
                sequence = sa.func.pg_get_serial_sequence(table.name, "id")
                connection.execute(sa.select(sa.func.setval(sequence, last)))


def _other_sessions(connection: sa.Connection) -> Sequence[str]:
    """Return the names of the programs that are connected to the same PostgreSQL database."""
    connection.execute(sa.text("SELECT pg_stat_clear_snapshot()"))
    statement = (
        "SELECT coalesce(nullif(application_name, ''), 'process ' || pid) FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid() "
        "AND backend_type = 'client backend'"
    )
    return connection.scalars(sa.text(statement)).all()


def require_unused(connection: sa.Connection, shown: str) -> None:
    """Lock a PostgreSQL database. Raises ReviewError where it has rows, or other programs are connected."""
    deadline = time.monotonic() + _CLOSING_S
    while (others := _other_sessions(connection)) and time.monotonic() < deadline:
        time.sleep(0.1)
    if others:
        raise ReviewError(
            f"{shown} is in use by {', '.join(others[:3])}; end every program that is connected"
        )
    lock(connection)
    tables = metadata.sorted_tables
    quote = connection.dialect.identifier_preparer.quote
    connection.execute(
        sa.text(f"LOCK TABLE {', '.join(quote(table.name) for table in tables)} IN ACCESS EXCLUSIVE MODE")
    )
    for table in copied_tables():
        if connection.execute(sa.select(sa.literal(1)).select_from(table).limit(1)).first():
            fix = "name an empty database, or restore only the files with --files-only"
            raise ReviewError(f"{shown} has data already (table {table.name}); {fix}")
