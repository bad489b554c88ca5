"""What a database, a disk or a feed may bring upon a ledger."""

import logging
import sqlite3
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from pipeline.domain.errors import ConfigError, DatabaseError
from pipeline.domain.models import PollState
from pipeline.storage import Database
from pipeline.storage.engine import open_engine
from pipeline.storage.schema import metadata
from tests.pipeline.storage.records import LEASE_S, admit, answer, draft, feed, item


def refused(url: str) -> str:
    with pytest.raises(DatabaseError) as caught:
        Database.open(url)
    assert "\n" not in caught.value.message
    return caught.value.message


def test_migrations_make_the_tables_that_the_program_knows(url: str) -> None:
    engine = open_engine(url)
    with engine.connect() as connection:
        # PostgreSQL adds a row a change to the counts, so only SQLite's have a key.
        options = {"include_name": lambda name, *_: name != "item_counts_key"}
        differences = compare_metadata(MigrationContext.configure(connection, opts=options), metadata)
    engine.dispose()
    assert differences == []


def test_migrating_leaves_logging_alone(url: str) -> None:
    def state() -> tuple[object, ...]:
        alembic = logging.getLogger("alembic")
        return logging.root.level, list(logging.root.handlers), alembic.level, list(alembic.handlers)

    before = state()
    Database.open(url).close()
    assert state() == before


def test_sqlite_is_opened_for_safety(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path}/ledger.db")
    names = ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
    with engine.connect() as connection:
        found = {name: connection.exec_driver_sql(f"PRAGMA {name}").scalar_one() for name in names}
    engine.dispose()
    assert found.pop("busy_timeout") >= 30_000
    assert found == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}


def test_reading_does_not_wait_for_a_writer(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    with Database.open(f"sqlite:///{path}") as db:
        writer = sqlite3.connect(path, isolation_level=None)
        writer.execute("BEGIN IMMEDIATE")
        assert db.feeds.item_counts() == {}
        writer.close()


def test_a_file_that_is_broken_within_is_named_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    content = b"SQLite format 3\0" + b"\xff" * 4096
    path.write_bytes(content)
    assert str(path) in refused(f"sqlite:///{path}")
    assert path.read_bytes() == content


def test_a_folder_where_the_file_should_be(tmp_path: Path) -> None:
    assert str(tmp_path) in refused(f"sqlite:///{tmp_path}")


def test_a_folder_that_takes_no_files() -> None:
    if not Path("/proc/self").exists():
        pytest.skip("no folder here that refuses every user")
    assert "writable" in refused("sqlite:////proc/ledger.db")


def test_a_full_disk_takes_nothing_half(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/ledger.db"
    with Database.open(url) as db:
        db.feeds.sync([feed()])

        @sa.event.listens_for(db._engine, "checkout")
        def fill(connection: sqlite3.Connection, *_: object) -> None:
            connection.execute("PRAGMA max_page_count = 1")  # SQLite takes it as: no more than now

        with pytest.raises(DatabaseError, match="free some space"):
            admit(db, *(item(number, text="x" * 5000) for number in range(50)), etag='"a"')
    with Database.open(url) as db:
        assert db.feeds.item_counts() == {}
        assert db.feeds.poll_states()["one"].etag is None, "or the feed would never send them again"


def test_a_password_among_the_options_is_not_shown() -> None:
    message = refused("postgres://me@127.0.0.1:1/desk?password=hunter2")
    assert "127.0.0.1:1/desk" in message
    assert "hunter2" not in message


def test_every_spelling_of_postgresql_is_understood(postgres_server: str) -> None:
    for spelling in ("postgres://", "postgresql+psycopg://", "postgresql+asyncpg://"):
        with Database.open(postgres_server.replace("postgresql://", spelling)) as db:
            assert db.feeds.item_counts() == {}


@pytest.mark.parametrize("url", ["", "sqlite://", "sqlite:///:memory:", "postgresql://host:port/db"])
def test_what_names_no_database(url: str) -> None:
    with pytest.raises(ConfigError, match="COPYDESK_DATABASE_URL"):
        Database.open(url)


def test_text_that_no_database_holds(url: str) -> None:
    hostile, kept = "a\0b\ud800c\U0001f600", "a\ufffdb\ufffdc\U0001f600"
    with Database.open(url) as db:
        db.feeds.sync([feed()])
        db.feeds.record_polls({"one": PollState(last_error=hostile)})
        assert db.feeds.poll_states()["one"].last_error == kept
        admit(db, item(1), etag=hostile)
        [lease] = db.leases.acquire("one", 1, LEASE_S)
        db.budget.record(lease, answer(hostile))
        db.leases.fail(lease, hostile, retry=True)
        assert db.feeds.poll_states()["one"].etag == kept
        [lease] = db.leases.acquire("one", 1, LEASE_S)
        assert lease.answer == answer(kept)
        db.leases.begin_write(lease, draft(lease, kept))
        db.leases.confirm_write(lease)
        assert db.drafts.list()[0].version_text == kept


def test_an_item_that_needs_escaping_comes_back_whole(url: str) -> None:
    odd = item(1, guid="a\0b", title="'; DROP TABLE items; --", text="%_\\ \x7f\u2028\U0001f600\0")
    with Database.open(url) as db:
        db.feeds.sync([feed()])
        assert admit(db, odd).new == 1
        assert admit(db, odd).new == 0
        [lease] = db.leases.acquire("one", 9, LEASE_S)
    assert lease.item == odd
