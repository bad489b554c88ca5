"""One writer at a time: whoever changes a file that stands already holds the output folder's lock."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipeline.output.files import explained

NAME = ".lock"


@contextmanager
def alone(root: Path) -> Iterator[None]:
    """Wait until no other process or thread changes files below `root`, then keep them waiting.

    The kernel takes the lock from a process that dies. It is not reentrant. Raises OutputError.
    """
    with explained("lock", root):
        root.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(root / NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o666)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
