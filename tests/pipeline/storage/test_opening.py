"""A ledger that cannot be opened says so in one line; several processes may open a new one at once."""

import contextlib
import sqlite3
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from pipeline.domain.errors import ConfigError, DatabaseError
from pipeline.storage import Database
from pipeline.storage.engine import _write_ahead
from tests.end_to_end.project import ROOT, free_port

WORKER = """
import sys
from pipeline.storage import Database
from tests.pipeline.storage.records import LEASE_S, admit, draft, feed, item
with Database.open(sys.argv[1]) as db:
    db.feeds.sync([feed()])
    admit(db, *(item(number) for number in range(60)))
    while leases := db.leases.acquire("one", 3, LEASE_S):
        for lease in leases:
            db.leases.begin_write(lease, draft(lease))
            db.leases.confirm_write(lease)
            print(lease.item.guid)
"""


@pytest.mark.process
def test_processes_that_start_together_share_the_work(url: str) -> None:
    command = [sys.executable, "-c", WORKER, url]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "cwd": ROOT}
    processes = [subprocess.Popen(command, **pipes) for _ in range(4)]  # type: ignore[call-overload]
    outputs = [process.communicate(timeout=300) for process in processes]
    assert [error for _, error in outputs] == [""] * 4
    done = [guid for output, _ in outputs for guid in output.split()]
    assert sorted(done) == sorted({f"guid-{number}" for number in range(60)})


def test_a_new_file_is_switched_to_write_ahead_by_whoever_comes_first(tmp_path: Path) -> None:
    together = threading.Barrier(8)

    def switch(path: Path) -> None:
        with contextlib.closing(sqlite3.connect(path, timeout=60, isolation_level=None)) as database:
            together.wait()
            _write_ahead(database.cursor())

    with ThreadPoolExecutor(8) as pool:
        for number in range(60):  # without another try, one in some dozens fails
            for done in [pool.submit(switch, tmp_path / f"{number}.db") for _ in range(8)]:
                done.result()


def test_a_file_that_cannot_be_written_is_tried_once(tmp_path: Path) -> None:
    file = tmp_path / "ledger.db"
    with contextlib.closing(sqlite3.connect(file)) as connection:
        connection.execute("CREATE TABLE other (id)")
    with (
        contextlib.closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as connection,
        pytest.raises(sqlite3.OperationalError, match="readonly"),
    ):
        _write_ahead(connection.cursor())
    assert _write_ahead.statistics["attempt_number"] == 1


def test_a_newer_ledger_is_refused(url: str) -> None:
    import sqlalchemy as sa

    from pipeline.storage.engine import open_engine

    engine = open_engine(url)
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    engine.dispose()
    with pytest.raises(DatabaseError, match="newer Copydesk"):
        Database.open(url)


def test_a_file_that_is_no_ledger_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    path.write_bytes(b"no database" * 1000)
    with pytest.raises(DatabaseError, match="put back a backup"):
        Database.open(f"sqlite:///{path}")
    assert path.read_bytes() == b"no database" * 1000


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(DatabaseError, match="COPYDESK_DATABASE_URL"):
        Database.open(f"sqlite:///{tmp_path / 'file' / 'ledger.db'}")


def test_a_server_that_is_not_there_is_named_without_the_password() -> None:
    with pytest.raises(DatabaseError, match=r"127\.0\.0\.1") as caught:
        Database.open(f"postgresql://me:secret@127.0.0.1:{free_port()}/news")
    assert "secret" not in caught.value.message
    assert "\n" not in caught.value.message


@pytest.mark.parametrize("url", ["mysql://localhost/x", "nonsense"])
def test_another_database_is_a_wrong_setting(url: str) -> None:
    with pytest.raises(ConfigError, match="COPYDESK_DATABASE_URL"):
        Database.open(url)


def test_sqlite_is_durable_and_waits_for_its_turn(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    with Database.open(f"sqlite:///{path}"), contextlib.closing(sqlite3.connect(path)) as other:
        assert other.execute("PRAGMA journal_mode").fetchone() == ("wal",)
