"""Files for their owner alone: made so, and narrowed where they are wider."""

import os
import stat
import threading
from contextlib import suppress
from pathlib import Path

MODE = 0o600
_OTHERS = 0o077
_making = threading.Lock()


def opener(path: str, flags: int) -> int:
    """Open a file as `open` does; one that is new, or that was wider, is its owner's alone."""
    descriptor = os.open(path, flags | os.O_CLOEXEC, MODE)
    narrow(Path(path))
    return descriptor


def make(path: Path) -> None:
    """Make an empty file where none is, its owner's alone. Raises OSError.

    A file that is there already is not opened: closing it would end the locks that SQLite holds on it in
    this process (https://www.sqlite.org/howtocorrupt.html, 2.2).
    """
    with _making, suppress(FileExistsError):
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, MODE))


def narrow(*paths: Path) -> None:
    """Take the rights of everybody else from files that are ours; what cannot be done is left as it is."""
    for path in paths:
        with suppress(OSError):
            found = path.stat()
            if found.st_uid == os.geteuid() and stat.S_ISREG(found.st_mode) and found.st_mode & _OTHERS:
                path.chmod(stat.S_IMODE(found.st_mode) & ~_OTHERS)
