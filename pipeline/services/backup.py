"""Backups: output folder and database in one archive, consistent with each other, also during a run.

The database is copied last, so it has every file of the copy. Changes of existing files wait meanwhile. A
restore follows the database: files that changed after the copy are written from it, and files that it no
longer has are removed.
"""

import gzip
import os
import shutil
import tarfile
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, NamedTuple

from pipeline.articles import files
from pipeline.articles.files import LOCK_NAME, exclusive_lock
from pipeline.config import private_files
from pipeline.domain.errors import OutputError, ReviewError
from pipeline.storage import Database

_DATABASE_NAME = "ledger.db"
_FOLDER = "output"
_ARTICLES = ("drafts/", "published/", "rejected/")
"""Folders whose files the database records."""


class BackupSummary(NamedTuple):
    """What an archive holds."""

    files: int
    db: bool
    """False in archives that an earlier Copydesk made beside PostgreSQL."""


class RestoreSummary(NamedTuple):
    """Differences between the database and an archive's files."""

    written: list[str]
    """Paths of files that were added or changed after the copy."""
    left_out: list[str]
    """Paths of files that were removed or moved after the copy."""


def create_backup(db: Database, root: Path, archive: Path) -> BackupSummary:
    """Write an archive of the files below `root` and of the database, as an SQLite file from either database.

    The write is atomic. Raises OutputError, DatabaseError.
    """
    unfinished = archive.with_name(f".{archive.name}.unfinished")
    try:
        with files.as_output_error("back up to", archive), exclusive_lock(root):
            with (
                open(unfinished, "wb", opener=private_files.opener) as file,
                _open_archive(file, archive) as tar,
            ):
                count = sum(_add_file(tar, root, path) for path in _whole_files(root))
                _add_database(tar, db)
            os.replace(unfinished, archive)  # noqa: PTH105 - beside the other calls of os
    finally:
        with suppress(OSError):  # such as a folder without permission
            unfinished.unlink()
    return BackupSummary(count, db=True)


def _open_archive(file: IO[bytes], archive: Path) -> tarfile.TarFile:
    return tarfile.open(archive.name, "w:gz", fileobj=file)


def _whole_files(root: Path) -> Iterator[Path]:
    """Yield the files below `root`, without the temporary ones that are being written.

    Raises OSError for a folder that cannot be read: a backup without its files would not be whole.
    """
    below = os.walk(root, onerror=_raise_unless_missing)
    for path in sorted(Path(folder, name) for folder, _, names in below for name in names):
        if (
            path.is_file()
            and not path.is_symlink()
            and path.name != LOCK_NAME
            and not files.is_temporary(path.name)
        ):
            yield path


def _raise_unless_missing(error: OSError) -> None:
    if not isinstance(error, FileNotFoundError):
        raise error


def _add_file(tar: tarfile.TarFile, root: Path, path: Path) -> int:
    try:
        tar.add(path, f"{_FOLDER}/{path.relative_to(root).as_posix()}", recursive=False)
    except FileNotFoundError:
        return 0  # a run removed it meanwhile
    return 1


def _add_database(tar: tarfile.TarFile, db: Database) -> None:
    with tempfile.TemporaryDirectory(prefix="copydesk-backup-") as folder:
        copy = Path(folder, _DATABASE_NAME)
        db.snapshot(copy)
        tar.add(copy, _DATABASE_NAME)


def verify_backup(archive: Path) -> BackupSummary:
    """Read an archive to its end and return what it holds. Raises OutputError if it is damaged, or none."""
    with _as_output_error(archive), gzip.open(archive) as whole:
        while whole.read(1 << 20):
            pass  # gzip's checksum is at the end, and tarfile does not read that far
    with _as_output_error(archive), tarfile.open(archive, "r:gz") as tar:
        names = [name for name, _ in _files(tar)]
    if not names:
        message = f"{archive} is not a backup: it has neither {_DATABASE_NAME} nor files of {_FOLDER}/"
        raise OutputError(f"{message}; use another one", path=str(archive))
    return BackupSummary(sum(name != _DATABASE_NAME for name in names), _DATABASE_NAME in names)


@contextmanager
def _as_output_error(archive: Path) -> Iterator[None]:
    with files.as_output_error("restore from", archive):
        try:
            yield
        except (tarfile.TarError, gzip.BadGzipFile, zlib.error, EOFError) as error:
            message = f"{archive} is not a backup, or is damaged: {error}; use another one"
            raise OutputError(message, path=str(archive)) from error


def _files(tar: tarfile.TarFile) -> Iterator[tuple[str, IO[bytes]]]:
    for member in tar:
        content = tar.extractfile(member) if member.isreg() else None
        folder, _, relative = member.name.partition("/")
        if content is not None and (member.name == _DATABASE_NAME or (folder == _FOLDER and relative)):
            yield member.name, content


def restore_files(archive: Path, root: Path, database: Path | None) -> None:
    """Write an archive's files below `root`, and its database, if any, to `database`.

    Raises ReviewError if there are articles or a database already, OutputError.
    """
    require_empty(root, database)
    with _as_output_error(archive), tarfile.open(archive, "r:gz") as tar:
        for name, content in _files(tar):
            if name != _DATABASE_NAME:
                files.write_atomically(root, name.removeprefix(f"{_FOLDER}/"), content.read())
            elif database is not None:
                _write_database(content, database)


def restore_into(db: Database, archive: Path, root: Path) -> None:
    """Write an archive's files below `root`, and the rows of its database to an empty PostgreSQL database.

    The rows are committed after the last file. Raises ReviewError if there are articles or rows already,
    OutputError, DatabaseError.
    """
    require_empty(root, None)
    with tempfile.TemporaryDirectory(prefix="copydesk-restore-") as folder:
        copy = Path(folder, _DATABASE_NAME)
        with _as_output_error(archive), tarfile.open(archive, "r:gz") as tar:
            for name, content in _files(tar):
                if name == _DATABASE_NAME:
                    _write_database(content, copy)
        with db.loading(copy):
            restore_files(archive, root, None)


def require_empty(root: Path, database: Path | None) -> None:
    """Raise ReviewError if there are articles below `root`, or a database or one of SQLite's extra files.

    Raises OutputError if `root` cannot be read.
    """
    database_files = (
        [Path(f"{database}{suffix}") for suffix in ("", "-wal", "-shm", "-journal")] if database else []
    )
    for path in database_files:
        if os.path.lexists(path):
            raise ReviewError(f"{path} exists already; move it away first, or restore elsewhere")
    with files.as_output_error("read", root):
        has_articles = any(_articles(root))
    if has_articles:
        raise ReviewError(f"{root} has articles already; move them away first, or restore elsewhere")


def _articles(root: Path) -> Iterator[str]:
    names = (path.relative_to(root).as_posix() for path in _whole_files(root) if path.suffix == ".md")
    return (name for name in names if name.startswith(_ARTICLES))


def _write_database(content: IO[bytes], database: Path) -> None:
    """Write a database of any size atomically."""
    database.parent.mkdir(parents=True, exist_ok=True)
    unfinished = database.with_name(f".{database.name}.unfinished")
    with open(unfinished, "wb", opener=private_files.opener) as file:
        shutil.copyfileobj(content, file)
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(database)


def reconcile_database(db: Database, root: Path) -> RestoreSummary:
    """Update restored files from the database, which may be newer.

    A text that is not in the database is an external edit, and is kept.
    """
    with exclusive_lock(root):
        on_disk = list(_articles(root))  # first: a run records a file before it writes it
        expected = db.files.expected()
        stray = [path for path in on_disk if path not in expected]
        for path in stray:
            files.remove(root, path)
        written = [path for path, item_id in expected.items() if _write_expected(db, root, item_id, path)]
    return RestoreSummary(written, stray)


def _write_expected(db: Database, root: Path, item_id: int, path: str) -> bool:
    """Write a file's recorded text if the file is missing or has an earlier recorded text."""
    expected, data = db.files.text(item_id, path), files.read_bytes(root, path)
    if expected is None or (data is not None and files.sha256_of(data) not in expected.before):
        return False
    files.write_atomically(root, path, expected.text.encode())
    return True
