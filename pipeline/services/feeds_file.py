"""feeds.yaml in a process that lasts: read again when it changes, and kept while it has a mistake."""

import threading
from pathlib import Path
from typing import NamedTuple

from pipeline.config import Settings, Subscriptions
from pipeline.domain.errors import ConfigError
from pipeline.services.subscriptions import load_subscriptions


class FileState(NamedTuple):
    """What shows cheaply that a file, or the permission to read it, may have changed."""

    modified_ns: int
    changed_ns: int
    """Of its content, owner or permissions."""
    size: int
    inode: int

    @classmethod
    def of(cls, path: Path) -> "FileState | None":
        """Return the state of a file, None where it cannot be looked at."""
        try:
            status = path.stat()
        except OSError:
            return None
        return cls(status.st_mtime_ns, status.st_ctime_ns, status.st_size, status.st_ino)


class FeedsFile:
    """Returns the subscriptions of a folder's feeds.yaml, from any thread; each call looks at the file."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._state: FileState | None = None
        self._subscriptions: Subscriptions | None = None
        self._error: ConfigError | None = None

    def latest(self) -> Subscriptions:
        """Return the last valid subscriptions. Raises ConfigError where there never were any."""
        self._look()
        return self._subscriptions or load_subscriptions(self._settings)

    def error(self) -> ConfigError | None:
        """Return why the file cannot be read now; None if it can."""
        self._look()
        return self._error

    def _look(self) -> None:
        with self._lock:
            state = FileState.of(self._settings.feeds_file)
            if state is not None and state == self._state:
                return
            self._state = state
            try:
                self._subscriptions, self._error = load_subscriptions(self._settings), None
            except ConfigError as error:
                self._error = error
