"""An open database: its transactions, reading, writing, and one process at a time."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

import sqlalchemy as sa

from pipeline.ledger.engine import explained, is_sqlite, lock, open_engine, shown_url
from pipeline.ledger.owner import current_owner


class Base:
    """What every part of the ledger stands on; a context manager."""

    def __init__(self, engine: sa.Engine, owner: str) -> None:
        self._engine = engine
        self._owner = owner
        self.shown_url = shown_url(engine)

    @classmethod
    def open(cls, url: str, *, owner: str | None = None) -> Self:
        """Open the ledger at a database URL, made or migrated as needed.

        Raises LedgerError where it cannot be opened or a newer Copydesk wrote it, ConfigError for a wrong
        URL.
        """
        return cls(open_engine(url), owner or current_owner())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()

    def snapshot(self, path: Path) -> bool:
        """Write a copy of the whole ledger, as it is at this moment, to a new file; False: not SQLite.

        SQLite makes it in one piece while others read and write (https://sqlite.org/lang_vacuum.html).
        """
        if not is_sqlite(self._engine):
            return False
        with explained(self.shown_url), contextlib.closing(self._engine.raw_connection()) as connection:
            connection.cursor().execute("VACUUM INTO ?", (str(path),))
        return True

    @contextlib.contextmanager
    def _reading(self) -> Iterator[sa.Connection]:
        with explained(self.shown_url), self._engine.connect() as plain:
            connection = plain.execution_options(reading=True)
            with connection.begin():
                yield connection

    @contextlib.contextmanager
    def _writing(self) -> Iterator[sa.Connection]:
        with explained(self.shown_url), self._engine.begin() as connection:
            yield connection

    @contextlib.contextmanager
    def _alone(self) -> Iterator[sa.Connection]:
        """Write what must not meet another's: rows that are looked up first and inserted then."""
        with self._writing() as connection:
            lock(connection)
            yield connection

    @contextlib.contextmanager
    def _rehearsing(self) -> Iterator[sa.Connection]:
        """Do what is done alone, and take it back."""
        with (
            explained(self.shown_url),
            self._engine.connect() as connection,
            connection.begin() as transaction,
        ):
            lock(connection)
            yield connection
            transaction.rollback()
