"""Files of the output folder: atomic writes, the folder's lock, and the paths of drafts."""

import errno
import fcntl
import hashlib
import os
import re
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

from slugify import slugify

from pipeline.articles.yaml_dump import replace_unwritable
from pipeline.domain.errors import OutputError

Write = Callable[[int, bytes], int]
"""Writes bytes to a file descriptor and returns how many were written, as `os.write` does."""

_TEMPORARY = re.compile(r"\..+\.[0-9a-f]{8}\.tmp")
_ADVICE = {
    errno.ENOSPC: "the disk is full; free some space and run again",
    errno.EDQUOT: "your disk quota is used up; free some space and run again",
    errno.EROFS: "the file system is read-only; choose another output folder",
    errno.EACCES: "access is denied; make the folder writable for your user, or choose another output folder",
    errno.EPERM: "access is denied; make the folder writable for your user, or choose another output folder",
    errno.ENOTDIR: "there is a file where a folder should be; move it away",
    errno.EEXIST: "there is a file where a folder should be; move it away",
    errno.EISDIR: "there is a folder where the file should be; move it away",
    errno.ENAMETOOLONG: "the path is too long; choose an output folder nearer to the root",
    errno.EMFILE: "too many files are open; raise `ulimit -n`",
}


def sha256_of(data: bytes) -> str:
    """Return the SHA-256 of a file's bytes, 64 hex digits."""
    return hashlib.sha256(data).hexdigest()


def read_bytes(root: Path, relative: str) -> bytes | None:
    """Return a file's bytes, None where there is no such file. Raises OutputError (context: path)."""
    with as_output_error("read", root / relative):
        try:
            return _inside(root, relative).read_bytes()
        except FileNotFoundError:
            return None


def write_atomically(
    root: Path, relative: str, data: bytes, *, write: Write = os.write, mode: int = 0o666
) -> None:
    """Write `data` to `root/relative` by renaming a synced temporary file, so no reader sees half of it.

    Folders are created as needed. `mode`: permissions, before the umask. Raises OutputError (context: path)
    and leaves the old file unchanged.
    """
    with as_output_error("write", root / relative):
        target = _inside(root, relative)
        _make_folders(target.parent)
        _inside(root, relative)  # again: what was missing before could not be a symlink yet
        _replace(target, data, write, mode)
        _sync_folder(target.parent)


def remove(root: Path, relative: str) -> None:
    """Remove a file, if it exists. Raises OutputError (context: path)."""
    with as_output_error("remove", root / relative):
        target = _inside(root, relative)
        with suppress(FileNotFoundError):
            target.unlink()
            _sync_folder(target.parent)


def is_temporary(name: str) -> bool:
    """Tell whether a file name is that of a temporary file."""
    return _TEMPORARY.fullmatch(name) is not None


def remove_temp_files(root: Path) -> int:
    """Remove the temporary files of killed writes below `root` and return their number.

    A file that another process is writing stays. Raises OutputError (context: path).
    """
    with as_output_error("tidy", root):
        return sum(_remove_leftover(path) for path in _leftovers(root))


def _leftovers(root: Path) -> Iterator[Path]:
    for folder, _folders, names in os.walk(root):
        yield from (Path(folder, name) for name in names if is_temporary(name))


def _remove_leftover(path: Path) -> bool:
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_NOFOLLOW)
    except FileNotFoundError:
        return False
    try:
        # The kernel releases the lock of a dead writer, so a locked file is being written.
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        path.unlink(missing_ok=True)
    except BlockingIOError:
        return False
    finally:
        os.close(descriptor)
    return True


def _inside(root: Path, relative: str) -> Path:
    """Return the path of a file below `root`. Raises OutputError for a path or link that leads elsewhere."""
    parts = PurePosixPath(relative)
    target = root / relative
    if parts.is_absolute() or ".." in parts.parts or not parts.name or "\0" in relative:
        raise OutputError(f"{relative!r} is no path below {root}; nothing was touched", path=str(target))
    if not _resolves_below(target.parent, root) or (
        target.is_symlink() and not _resolves_below(target, root)
    ):
        raise OutputError(
            f"{target} leads out of {root} by a symbolic link; remove the link", path=str(target)
        )
    return target


def _resolves_below(path: Path, root: Path) -> bool:
    try:
        return path.resolve().is_relative_to(root.resolve())
    except RuntimeError:  # a loop of links
        return False


def _make_folders(folder: Path) -> None:
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    for path in missing:
        _sync_folder(path.parent)


def _replace(target: Path, data: bytes, write: Write, mode: int) -> None:
    temporary, descriptor = _open_temporary(target, mode)
    try:
        try:
            _write_all(descriptor, data, write)
            os.fsync(descriptor)
            # Still open, so still locked: remove_temp_files does not remove it.
            os.replace(temporary, target)  # noqa: PTH105 - beside the other calls of os
        finally:
            os.close(descriptor)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _open_temporary(target: Path, mode: int) -> tuple[Path, int]:
    """Return a new hidden file beside the target, open and locked."""
    while True:
        temporary = target.with_name(f".{target.name}.{secrets.token_hex(4)}.tmp")
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, mode)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        if os.fstat(descriptor).st_nlink:
            return temporary, descriptor
        os.close(descriptor)  # removed between opening and locking


def _write_all(descriptor: int, data: bytes, write: Write) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[write(descriptor, bytes(rest)) :]


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def as_output_error(verb: str, path: Path) -> Iterator[None]:
    """Turn an OSError into an OutputError that says what to do."""
    try:
        yield
    except OSError as error:
        advice = _ADVICE.get(error.errno or 0, error.strerror or str(error))
        raise OutputError(f"Cannot {verb} {path}: {advice}.", path=str(path), errno=error.errno) from error


LOCK_NAME = ".lock"


@contextmanager
def exclusive_lock(root: Path) -> Iterator[None]:
    """Hold the exclusive lock of `root`: every change of an existing file below it needs this lock.

    The kernel releases the lock of a process that dies. It is not reentrant. Raises OutputError.
    """
    with as_output_error("lock", root):
        root.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(root / LOCK_NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o666)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


_MAX_SLUG_CHARS = 60
"""Chosen, not measured."""
_MAX_TITLE_CHARS = 400
"""Characters of a title that are used: a hostile title may be as long as its feed."""


def draft_path(title: str, published_at: datetime, external_id: str) -> str:
    """Return `drafts/YYYY/MM/<slug>-<short id>.md`, by the aware `published_at` in UTC.

    The slug is an ASCII transliteration of at most 60 characters, cut at a word where there is one, `item`
    if nothing is left; the short id is the first 8 of `external_id`.
    """
    day = published_at.astimezone(UTC)
    return f"drafts/{day.year:04d}/{day.month:02d}/{_slug(title)}-{external_id[:8]}.md"


def _slug(title: str) -> str:
    # Entities were decoded when the item was cleaned; python-slugify fails on `&#9999999999;`.
    slug = slugify(
        replace_unwritable(title[:_MAX_TITLE_CHARS]),
        entities=False,
        decimal=False,
        hexadecimal=False,
        max_length=_MAX_SLUG_CHARS,
        word_boundary=True,
        save_order=True,
    )
    return slug or "item"
