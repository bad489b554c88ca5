"""One publisher at a time: two would write the same files and commits."""

import asyncio
import fcntl
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from pipeline.errors import OutputError, PublishError

NAME = ".publishing"
_LOOK_S = 0.1


@asynccontextmanager
async def turn(root: Path, patience_s: float = 60.0) -> AsyncIterator[None]:
    """Wait until no other process publishes what stands below `root`, then keep them waiting.

    The kernel takes the lock from a process that dies. Raises PublishError after `patience_s`.
    """
    descriptor = _opened(root)
    try:
        await _locked(descriptor, patience_s)
        yield
    finally:
        os.close(descriptor)


def _opened(root: Path) -> int:
    try:
        root.mkdir(parents=True, exist_ok=True)
        return os.open(root / NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o666)
    except OSError as error:
        raise OutputError(
            f"{root / NAME} cannot be opened ({error.strerror}); make the folder yours"
        ) from error


async def _locked(descriptor: int, patience_s: float) -> None:
    waited = 0.0
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if waited >= patience_s:
                raise PublishError(
                    "another process is publishing just now; what waits is sent next time"
                ) from None
        await asyncio.sleep(_LOOK_S)
        waited += _LOOK_S
