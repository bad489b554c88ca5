"""Files that only their owner can read, with any umask."""

import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.config import private_files
from pipeline.services.backup import create_backup, restore_files
from pipeline.storage import Database


@pytest.fixture(autouse=True)
def umask() -> Iterator[None]:
    """By default every new file is readable and writable by all users."""
    before = os.umask(0)
    yield
    os.umask(before)


def modes(folder: Path) -> dict[str, str]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): oct(path.stat().st_mode & 0o777) for path in files}


def test_opening_creates_a_private_file_or_restricts_it(tmp_path: Path) -> None:
    wide = tmp_path / "wide.log"
    wide.write_text("before\n")
    for name in ("new.log", "wide.log"):
        with open(tmp_path / name, "a", opener=private_files.opener) as file:
            file.write("after\n")
    assert modes(tmp_path) == {"new.log": "0o600", "wide.log": "0o600"}
    assert wide.read_text() == "before\nafter\n"


def test_create_leaves_an_existing_file(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("text")
    private_files.create(path)
    assert path.read_text() == "text"


def test_a_file_that_cannot_be_restricted_is_no_error(tmp_path: Path) -> None:
    private_files.restrict(tmp_path / "missing", Path("/etc/hostname"), tmp_path)
    assert tmp_path.stat().st_mode & 0o777 != private_files.MODE


def test_only_the_owner_reads_the_database_and_its_side_files(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/ledger.db"
    with Database.open(url) as db:
        db.feeds.item_counts()
        expected = {f"ledger.db{ending}": "0o600" for ending in ("", "-wal", "-shm")}
        assert modes(tmp_path) == expected
        for path in tmp_path.iterdir():
            path.chmod(0o644)
        with Database.open(url) as again:  # the first one's locks hold on
            again.feeds.item_counts()
            assert modes(tmp_path) == expected


def test_opening_the_database_again_keeps_its_locks(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    with Database.open(f"sqlite:///{path}") as db, db._writing():
        Database.open(f"sqlite:///{path}").close()
        other = sqlite3.connect(path, timeout=0, isolation_level=None)
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("BEGIN IMMEDIATE")
        other.close()


def test_only_the_owner_reads_a_backup_and_a_restored_database(tmp_path: Path) -> None:
    root, archive, restored = tmp_path / "output", tmp_path / "backup.tar.gz", tmp_path / "new"
    root.mkdir()
    with Database.open(f"sqlite:///{tmp_path}/ledger.db") as db:
        create_backup(db, root, archive)
    restore_files(archive, restored / "output", restored / "ledger.db")
    assert modes(tmp_path)["backup.tar.gz"] == "0o600"
    assert modes(restored) == {"ledger.db": "0o600"}
