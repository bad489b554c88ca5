"""Files that only their owner can read and write: mode 0600, also where the umask is wider."""

import os
import stat
import threading
from contextlib import suppress
from pathlib import Path

MODE = 0o600
_GROUP_AND_OTHERS = 0o077
_creating = threading.Lock()


def opener(path: str, flags: int) -> int:
    """Open a file, for the argument `opener` of `open`, and restrict it to its owner."""
    descriptor = os.open(path, flags | os.O_CLOEXEC, MODE)
    restrict(Path(path))
    return descriptor


def create(path: Path) -> None:
    """Create an empty file for its owner only, where it does not exist. Raises OSError.

    An existing file is not opened: closing it would end the locks that SQLite holds on it in this process.
    Source: https://www.sqlite.org/howtocorrupt.html, 2.2.
    """
    with _creating, suppress(FileExistsError):
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, MODE))


def restrict(*paths: Path) -> None:
    """Remove the permissions of group and others from files that this user owns; errors are ignored."""
    for path in paths:
        with suppress(OSError):
            status = path.stat()
            if (
                status.st_uid == os.geteuid()
                and stat.S_ISREG(status.st_mode)
                and status.st_mode & _GROUP_AND_OTHERS
            ):
                path.chmod(stat.S_IMODE(status.st_mode) & ~_GROUP_AND_OTHERS)
