"""Backups: the output folder and the ledger as they were at one time, in one archive, also during a run.

The ledger is copied last, so that it knows of everything that was paid for when the copy of a file was made.
A draft that came in between is in the ledger and not among the files, and is written from it at a restore.
Whoever changes a file that stands already waits meanwhile.
"""

import os
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from pipeline.errors import OutputError, ReviewError
from pipeline.ledger import Ledger
from pipeline.output import files
from pipeline.output.lock import NAME, alone

LEDGER = "ledger.db"
_FOLDER = "output"


class Saved(NamedTuple):
    """What a backup or a restore held."""

    files: int
    ledger: bool
    written: int = 0
    """Drafts that were written from the ledger, since they came while the backup was made."""


def back_up(ledger: Ledger, root: Path, archive: Path) -> Saved:
    """Write an archive of the files below `root` and, where it is SQLite, of the ledger.

    The archive is whole or not there. Raises OutputError, LedgerError.
    """
    unfinished = archive.with_name(f".{archive.name}.unfinished")
    try:
        with files.explained("back up to", archive), alone(root):
            with tarfile.open(unfinished, "w:gz") as tar:
                count = sum(_added(tar, root, path) for path in _standing(root))
                kept = _add_ledger(tar, ledger)
            os.replace(unfinished, archive)  # noqa: PTH105 - beside the other calls of os
    finally:
        unfinished.unlink(missing_ok=True)
    return Saved(count, kept)


def _standing(root: Path) -> Iterator[Path]:
    """Yield the files that are whole: none of those that are being written."""
    for path in sorted(root.rglob("*")):
        if (
            path.is_file()
            and not path.is_symlink()
            and path.name != NAME
            and not files.is_temporary(path.name)
        ):
            yield path


def _added(tar: tarfile.TarFile, root: Path, path: Path) -> int:
    try:
        tar.add(path, f"{_FOLDER}/{path.relative_to(root).as_posix()}", recursive=False)
    except FileNotFoundError:
        return 0  # a run took it away meanwhile
    return 1


def _add_ledger(tar: tarfile.TarFile, ledger: Ledger) -> bool:
    with tempfile.TemporaryDirectory(prefix="copydesk-backup-") as folder:
        copy = Path(folder, LEDGER)
        if not ledger.snapshot(copy):
            return False
        tar.add(copy, LEDGER)
    return True


def unpack(archive: Path, root: Path, database: Path | None) -> Saved:
    """Put an archive's files below an empty `root`, and its ledger at `database`.

    Raises ReviewError where something stands there already, OutputError.
    """
    if database is not None and database.exists():
        raise ReviewError(f"{database} is a ledger already; move it away first, or restore elsewhere")
    if next(_standing_drafts(root), None):
        raise ReviewError(f"{root} has drafts already; move them away first, or restore elsewhere")
    count, found = 0, False
    with files.explained("restore from", archive), _opened(archive) as tar:
        for member in tar:
            content = tar.extractfile(member) if member.isreg() else None
            if content is None:
                continue
            folder, _, relative = member.name.partition("/")
            if folder == _FOLDER and relative:
                files.write_atomically(root, relative, content.read())
                count += 1
            elif member.name == LEDGER and database is not None:
                files.write_atomically(database.parent, database.name, content.read())
                found = True
    return Saved(count, found)


def _standing_drafts(root: Path) -> Iterator[Path]:
    return (path for path in _standing(root) if path.suffix == ".md" and path.parent != root)


def _opened(archive: Path) -> tarfile.TarFile:
    try:
        return tarfile.open(archive, "r:gz")
    except (tarfile.TarError, EOFError) as error:
        raise OutputError(f"{archive} is no backup: {error}", path=str(archive)) from error


def write_missing(ledger: Ledger, root: Path) -> int:
    """Write the waiting drafts that the ledger has and the folder lacks; returns how many there were."""
    with alone(root):
        missing = [row for row in ledger.drafts() if files.read_bytes(root, row.path) is None]
        for row in missing:
            files.write_atomically(root, str(PurePosixPath(row.path)), row.version_text.encode())
    return len(missing)
