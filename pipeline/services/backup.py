"""Backups: the output folder and the ledger as they were at one time, in one archive, also during a run.

The ledger is copied last, so that it knows of everything that was paid for when the copy of a file was made.
Whoever changes a file that stands already waits meanwhile. A restore goes by the ledger: what came after the
copy of the files is written from it, and what it let go of since is left in the archive.
"""

import gzip
import os
import shutil
import tarfile
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, NamedTuple

from pipeline.articles import files
from pipeline.articles.files import LOCK_NAME, exclusive_lock
from pipeline.config import private_files
from pipeline.domain.errors import OutputError, ReviewError
from pipeline.storage import Database

LEDGER = "ledger.db"
_FOLDER = "output"
_ARTICLES = ("drafts/", "published/", "rejected/")
"""Where the ledger knows what stands."""


class BackupSummary(NamedTuple):
    """What an archive holds."""

    files: int
    db: bool


class RestoreSummary(NamedTuple):
    """What the ledger knew better than an archive's files."""

    written: list[str]
    """Paths of files that came, or changed, after the copy."""
    left_out: list[str]
    """Paths of files that stand there no more."""


def create_backup(db: Database, root: Path, archive: Path) -> BackupSummary:
    """Write an archive of the files below `root` and, where it is SQLite, of the ledger.

    The archive is whole or not there. Raises OutputError, DatabaseError.
    """
    unfinished = archive.with_name(f".{archive.name}.unfinished")
    try:
        with files.as_output_error("back up to", archive), exclusive_lock(root):
            with open(unfinished, "wb", opener=private_files.opener) as file, _archived(file, archive) as tar:
                count = sum(_added(tar, root, path) for path in _standing(root))
                kept = _add_database(tar, db)
            os.replace(unfinished, archive)  # noqa: PTH105 - beside the other calls of os
    finally:
        unfinished.unlink(missing_ok=True)
    return BackupSummary(count, kept)


def _archived(file: IO[bytes], archive: Path) -> tarfile.TarFile:
    return tarfile.open(archive.name, "w:gz", fileobj=file)


def _standing(root: Path) -> Iterator[Path]:
    """Yield the files that are whole: none of those that are being written."""
    for path in sorted(root.rglob("*")):
        if (
            path.is_file()
            and not path.is_symlink()
            and path.name != LOCK_NAME
            and not files.is_temporary(path.name)
        ):
            yield path


def _added(tar: tarfile.TarFile, root: Path, path: Path) -> int:
    try:
        tar.add(path, f"{_FOLDER}/{path.relative_to(root).as_posix()}", recursive=False)
    except FileNotFoundError:
        return 0  # a run took it away meanwhile
    return 1


def _add_database(tar: tarfile.TarFile, db: Database) -> bool:
    with tempfile.TemporaryDirectory(prefix="copydesk-backup-") as folder:
        copy = Path(folder, LEDGER)
        if not db.snapshot(copy):
            return False
        tar.add(copy, LEDGER)
    return True


def verify_backup(archive: Path) -> BackupSummary:
    """Read an archive to its end and return what it holds. Raises OutputError where it is not whole."""
    with _explained(archive), gzip.open(archive) as whole:
        while whole.read(1 << 20):
            pass  # gzip's checksum stands at the end, and tarfile does not read as far
    with _explained(archive), tarfile.open(archive, "r:gz") as tar:
        names = [name for name, _ in _files(tar)]
    return BackupSummary(sum(name != LEDGER for name in names), LEDGER in names)


@contextmanager
def _explained(archive: Path) -> Iterator[None]:
    with files.as_output_error("restore from", archive):
        try:
            yield
        except (tarfile.TarError, gzip.BadGzipFile, zlib.error, EOFError) as error:
            said = f"{archive} is no backup, or damaged: {error}; take another one"
            raise OutputError(said, path=str(archive)) from error


def _files(tar: tarfile.TarFile) -> Iterator[tuple[str, IO[bytes]]]:
    for member in tar:
        content = tar.extractfile(member) if member.isreg() else None
        folder, _, relative = member.name.partition("/")
        if content is not None and (member.name == LEDGER or (folder == _FOLDER and relative)):
            yield member.name, content


def restore_files(archive: Path, root: Path, database: Path | None) -> None:
    """Put an archive's files below a `root` without articles, and its ledger, if any, at `database`.

    Raises ReviewError where something stands there already, OutputError.
    """
    refuse_standing(root, database)
    with _explained(archive), tarfile.open(archive, "r:gz") as tar:
        for name, content in _files(tar):
            if name != LEDGER:
                files.write_atomically(root, name.removeprefix(f"{_FOLDER}/"), content.read())
            elif database is not None:
                _put(content, database)


def refuse_standing(root: Path, database: Path | None) -> None:
    """Raise ReviewError where articles stand below `root`, or a ledger, or what SQLite left beside one."""
    beside = [Path(f"{database}{ending}") for ending in ("", "-wal", "-shm", "-journal")] if database else []
    for path in beside:
        if path.exists():
            raise ReviewError(f"{path} stands there already; move it away first, or restore elsewhere")
    if any(_articles(root)):
        raise ReviewError(f"{root} has articles already; move them away first, or restore elsewhere")


def _articles(root: Path) -> Iterator[str]:
    names = (path.relative_to(root).as_posix() for path in _standing(root) if path.suffix == ".md")
    return (name for name in names if name.startswith(_ARTICLES))


def _put(content: IO[bytes], database: Path) -> None:
    """Write a ledger of any size; it is whole or not there."""
    database.parent.mkdir(parents=True, exist_ok=True)
    unfinished = database.with_name(f".{database.name}.unfinished")
    with open(unfinished, "wb", opener=private_files.opener) as file:
        shutil.copyfileobj(content, file)
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(database)


def reconcile_database(db: Database, root: Path) -> RestoreSummary:
    """Bring restored files to what the ledger knows: it may be newer than they are.

    A text that the ledger never saw is an editor's, and stays.
    """
    with exclusive_lock(root):
        standing = list(_articles(root))  # first: what a run writes meanwhile is in the ledger before
        filed = db.files.expected()
        stray = [path for path in standing if path not in filed]
        for path in stray:
            files.remove(root, path)
        written = [path for path, item_id in filed.items() if _written(db, root, item_id, path)]
    return RestoreSummary(written, stray)


def _written(db: Database, root: Path, item_id: int, path: str) -> bool:
    """Write what stands at a path where nothing does, or what stood there earlier."""
    filed, standing = db.files.text(item_id, path), files.read_bytes(root, path)
    if filed is None or (standing is not None and files.sha256_of(standing) not in filed.before):
        return False
    files.write_atomically(root, path, filed.text.encode())
    return True
