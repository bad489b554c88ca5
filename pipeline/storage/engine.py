"""The database engine: opening with migrations, error messages, and the transactions of repositories."""

import contextlib
import re
import sqlite3
import threading
import weakref
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import TypeVar

import sqlalchemy as sa
import tenacity
from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util.exc import CommandError
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, SQLAlchemyError

from pipeline.config import private_files
from pipeline.domain.errors import ConfigError, DatabaseError
from pipeline.storage.schema import metadata

BUSY_S = 60
"""Seconds that SQLite waits for another writer. Source: chosen, not measured."""
_LOCK = 0x636F7079
"""Key of PostgreSQL's advisory lock for exclusive transactions, the same in every process.

Source: chosen; the bytes spell "copy".
"""


def open_engine(url: str) -> sa.Engine:
    """Return an engine on a database of the newest schema.

    Raises DatabaseError where it cannot be opened or migrated, ConfigError for an invalid URL.
    """
    parsed = _parsed(url)
    engine = _sqlite(parsed) if parsed.get_backend_name() == "sqlite" else _postgresql(parsed)
    shown = shown_url(engine)
    try:
        with explained(shown):
            _migrate(engine, shown)
    except BaseException:
        engine.dispose()
        raise
    return engine


def file_of(url: str) -> Path | None:
    """Return the file of an SQLite database, None for PostgreSQL. Raises ConfigError for an invalid URL."""
    parsed = _parsed(url)
    return Path(str(parsed.database)) if parsed.get_backend_name() == "sqlite" else None


def shown_url(engine: sa.Engine) -> str:
    """Return the database's name for messages: SQLite's path, or the URL without passwords."""
    if is_sqlite(engine):
        return str(engine.url.database)
    return engine.url.difference_update_query(["password", "sslpassword"]).render_as_string()


def is_sqlite(engine: sa.Engine) -> bool:
    """Return whether the engine is SQLite (else PostgreSQL)."""
    return engine.dialect.name == "sqlite"


def lock(connection: sa.Connection) -> None:
    """Take the exclusive lock until the transaction ends; waits for other holders.

    SQLite needs none: it allows one writer.
    """
    if connection.dialect.name != "sqlite":
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))


@contextlib.contextmanager
def explained(shown: str) -> Iterator[None]:
    """Turn what the database says into a DatabaseError of one line, with advice."""
    try:
        yield
    except DBAPIError as error:
        message = " ".join(str(error.orig).split())[:300]
        raise DatabaseError(f"ledger {shown}: {message}; {_advice(message)}", url=shown) from error


def is_unreachable(error: BaseException) -> bool:
    """Return whether an error is of the database itself: it is down, locked or full, whatever is stored."""
    return isinstance(error.__cause__, OperationalError | InterfaceError)


def _advice(message: str) -> str:
    if "not a database" in message or "malformed" in message:
        return "put back a backup, or move the file away to begin anew"
    if "full" in message:
        return "free some space and run again"
    if "readonly" in message or "read-only" in message or "unable to open" in message:
        return "make the file and its folder writable, or set COPYDESK_DATABASE_URL"
    if "locked" in message:
        return "another program holds it; close that and run again"
    return "see that the database runs and COPYDESK_DATABASE_URL is right"


def _parsed(url: str) -> sa.URL:
    """Read a URL, with the one driver of its dialect whatever it names. Raises ConfigError."""
    try:
        parsed = make_url(re.sub(r"^postgres:", "postgresql:", url))
    except (SQLAlchemyError, ValueError) as error:
        raise _wrong_url("is no database URL") from error
    if parsed.get_backend_name() == "sqlite":
        if not parsed.database or parsed.database == ":memory:":
            raise _wrong_url("names no file: write sqlite:///path/to/ledger.db")
        return parsed.set(drivername="sqlite")
    if parsed.get_backend_name() == "postgresql":
        return parsed.set(drivername="postgresql+psycopg")
    raise _wrong_url("is neither SQLite nor PostgreSQL")


def _wrong_url(error: str) -> ConfigError:
    return ConfigError(f"COPYDESK_DATABASE_URL {error}", variable="COPYDESK_DATABASE_URL")


def _make_folder(database: str) -> None:
    try:
        Path(database).parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        fix = "make the folder writable for your user, or set COPYDESK_DATABASE_URL"
        raise DatabaseError(f"ledger {database}: {error.strerror}; {fix}", url=database) from error


def _make_private(database: str) -> None:
    """Have the file be its owner's alone; SQLite gives what it puts beside it the same rights."""
    if database.startswith("file:"):  # a URI: its options say whether a file may be made
        return
    with contextlib.suppress(OSError):  # SQLite says what is wrong
        private_files.create(Path(database))
    private_files.restrict(*(Path(f"{database}{ending}") for ending in ("", "-wal", "-shm", "-journal")))


def _sqlite(url: sa.URL) -> sa.Engine:
    _make_folder(str(url.database))
    _make_private(str(url.database))
    # As many connections as threads ask for: one that waits for its turn waits for the database, not here.
    engine = sa.create_engine(
        url, max_overflow=-1, connect_args={"timeout": BUSY_S, "check_same_thread": False}
    )

    @sa.event.listens_for(engine, "connect")
    def connect(connection: object, _record: object) -> None:
        connection.isolation_level = None  # type: ignore[attr-defined] # the driver must not begin by itself
        cursor = connection.cursor()  # type: ignore[attr-defined]
        cursor.execute(f"PRAGMA busy_timeout = {BUSY_S * 1000}")
        _write_ahead(cursor)
        cursor.execute("PRAGMA synchronous = FULL")
        cursor.execute("PRAGMA foreign_keys = ON")
        cursor.close()

    @sa.event.listens_for(engine, "begin")
    def begin(connection: sa.Connection) -> None:
        # A transaction that reads before it writes cannot wait for the write lock: take the lock at once.
        reading = connection.get_execution_options().get("reading", False)
        connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")

    return engine


_IN_USE = frozenset((sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL))
"""Primary result codes for a file that another process uses. Source: https://www.sqlite.org/rescode.html"""


def _is_in_use(error: BaseException) -> bool:
    # The low byte of an extended result code is the primary one.
    return isinstance(error, sqlite3.OperationalError) and error.sqlite_errorcode & 0xFF in _IN_USE


@tenacity.retry(
    retry=tenacity.retry_if_exception(_is_in_use),
    stop=tenacity.stop_after_delay(BUSY_S),
    wait=tenacity.wait_random(0.005, 0.05),
    reraise=True,
)
def _write_ahead(cursor: sqlite3.Cursor) -> None:
    """Switch a file to write-ahead logging; retried, as several processes may open a new file together.

    SQLite does not wait here for another process, whatever its busy_timeout.
    """
    cursor.execute("PRAGMA journal_mode = WAL")


def _postgresql(url: sa.URL) -> sa.Engine:
    return sa.create_engine(url, pool_pre_ping=True, connect_args={"connect_timeout": 10})


def _migrate(engine: sa.Engine, shown: str) -> None:
    config, script = _scripts()
    head = script.get_current_head()
    with engine.connect().execution_options(reading=True) as connection, connection.begin():
        if _revision(connection) == head:
            return
    with engine.begin() as connection:
        lock(connection)
        _refuse_newer(script, _revision(connection), shown)
        environment = EnvironmentContext(
            config, script, fn=lambda revision, _: script._upgrade_revs("head", revision)
        )
        environment.configure(connection=connection, target_metadata=metadata)
        environment.run_migrations()


def is_current(connection: sa.Connection) -> bool:
    """Return whether a database has the newest schema."""
    return _revision(connection) == _scripts()[1].get_current_head()


@cache
def _scripts() -> tuple[Config, ScriptDirectory]:
    """Return Alembic's configuration and the migrations; a process reads their files once."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    return config, ScriptDirectory.from_config(config)


def _revision(connection: sa.Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _refuse_newer(script: ScriptDirectory, revision: str | None, shown: str) -> None:
    try:
        if revision is not None:
            script.get_revision(revision)
    except CommandError as error:
        raise DatabaseError(
            f"ledger {shown} was written by a newer Copydesk (its revision {revision} is unknown here); "
            "upgrade Copydesk, or set COPYDESK_DATABASE_URL to another ledger",
            url=shown,
        ) from error


def database_clock(connection: sa.Connection) -> sa.ColumnElement[float]:
    """Return the database's own time in seconds since 1970, as the clocks of hosts differ."""
    if is_sqlite(connection.engine):
        return sa.literal_column("(julianday('now') - 2440587.5) * 86400.0", sa.Float)
    return sa.literal_column("extract(epoch from clock_timestamp())::double precision", sa.Float)


CHUNK = 500
"""Values in one IN list.

Source: chosen, below SQLite's limit of 32,766 variables (https://sqlite.org/limits.html).
"""

Row = sa.Row[tuple[object, ...]]

Value = TypeVar("Value", str, int)


def chunks(values: Iterable[Value]) -> Iterator[list[Value]]:
    """Yield distinct values in lists of at most CHUNK."""
    distinct = list(dict.fromkeys(values))
    for start in range(0, len(distinct), CHUNK):
        yield distinct[start : start + CHUNK]


class _Writers:
    """The turns of this process's writers on one SQLite file, which has one writer at a time.

    SQLite has those who wait look again after growing pauses, in no order. Here an urgent writer waits for at
    most one other.
    """

    def __init__(self) -> None:
        self._turn, self._others = threading.Lock(), threading.Lock()

    @contextlib.contextmanager
    def turn(self, *, urgent: bool) -> Iterator[None]:
        with contextlib.nullcontext() if urgent else self._others, self._turn:
            yield


_WRITERS: "weakref.WeakKeyDictionary[sa.Engine, _Writers]" = weakref.WeakKeyDictionary()


class Transactions:
    """Base of repositories: runs transactions on an open database, safe from any thread.

    Every transaction raises DatabaseError where the database fails.
    """

    def __init__(self, engine: sa.Engine, owner: str) -> None:
        self._engine = engine
        self._owner = owner
        self._writers = _WRITERS.setdefault(engine, _Writers()) if is_sqlite(engine) else None
        self.shown_url = shown_url(engine)

    @contextlib.contextmanager
    def _reading(self) -> Iterator[sa.Connection]:
        with explained(self.shown_url), self._engine.connect() as plain:
            connection = plain.execution_options(reading=True)
            with connection.begin():
                yield connection

    @contextlib.contextmanager
    def _writing(self, *, urgent: bool = False) -> Iterator[sa.Connection]:
        with (
            explained(self.shown_url),
            self._writers.turn(urgent=urgent) if self._writers else contextlib.nullcontext(),
            self._engine.begin() as connection,
        ):
            yield connection

    @contextlib.contextmanager
    def _exclusive_write(self) -> Iterator[sa.Connection]:
        """Write while no other exclusive write runs: for rows that are looked up first and inserted then."""
        with self._writing() as connection:
            lock(connection)
            yield connection

    @contextlib.contextmanager
    def _dry_run(self) -> Iterator[sa.Connection]:
        """Run an exclusive write and roll it back."""
        with (
            explained(self.shown_url),
            self._engine.connect() as connection,
            connection.begin() as transaction,
        ):
            lock(connection)
            yield connection
            transaction.rollback()
