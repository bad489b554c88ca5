"""The subscriptions under `copydesk serve`, read again when feeds.yaml changes.

A broken edit changes nothing: runs read a copy of the last file that was valid.
"""

import contextlib
import hashlib
import logging
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from pipeline.articles.files import write_atomically
from pipeline.config import Subscriptions, load_feeds, private_files
from pipeline.config.feeds_yaml import served_name
from pipeline.domain.errors import ConfigError, OutputError
from pipeline.domain.models import FeedConfig

log = logging.getLogger("copydesk.serve")
_MAX_NAMED = 5
"""Keys of feeds in one message. Chosen, not measured."""


class FileState(NamedTuple):
    """What shows cheaply that a file may have changed."""

    modified_ns: int
    size: int
    inode: int

    @classmethod
    def of(cls, path: Path) -> "FileState | None":
        """Return the state of a file, None where it cannot be looked at."""
        try:
            status = path.stat()
        except OSError:
            return None
        return cls(status.st_mtime_ns, status.st_size, status.st_ino)


class WatchedFeeds:
    """Returns the feeds of feeds.yaml at each call; `say` gets a line for each change and broken edit."""

    def __init__(self, path: Path, say: Callable[[str], object] = log.warning) -> None:
        self._path, self._say = path, say
        self._state = self._looked_at = FileState.of(path)
        self._hash = _hash(path)
        self.subscriptions: Subscriptions = load_feeds(path)

    def __call__(self) -> Sequence[FeedConfig]:
        """Return the feeds to be served now.

        A change is read at the second look that shows it: an editor may be writing the file at the first.
        """
        state, before = FileState.of(self._path), self._looked_at
        self._looked_at = state
        if state != self._state and state == before:
            self._state = state
            self._read()
        return self.subscriptions.feeds

    def _read(self) -> None:
        digest, before = _hash(self._path), self._hash
        self._hash = digest
        if digest == before and digest is not None:
            return
        try:
            after = load_feeds(self._path)
        except ConfigError as error:
            self._say(f"{error.message}; until then the feeds are served as they were")
            return
        change = describe_change(self.subscriptions.feeds, after.feeds)
        self.subscriptions = after
        self._say(f"{self._path.name} is read again: {change}")
        keep_copy(self._path, digest)


def describe_change(before: Sequence[FeedConfig], after: Sequence[FeedConfig]) -> str:
    """Return in one line which feeds came, went, were paused, resumed or edited. Pure."""
    old, new = ({feed.key: feed for feed in feeds} for feeds in (before, after))
    common = [key for key in new if key in old]
    changes = {
        "added": [key for key in new if key not in old],
        "removed": [key for key in old if key not in new],
        "paused": [key for key in common if old[key].enabled and not new[key].enabled],
        "resumed": [key for key in common if new[key].enabled and not old[key].enabled],
        "edited": [key for key in common if old[key] != new[key] and old[key].enabled == new[key].enabled],
    }
    parts = [f"{what} {_listed(keys)}" for what, keys in changes.items() if keys]
    return "; ".join(parts) or "the feeds are the same"


def _listed(keys: Sequence[str]) -> str:
    more = f" and {len(keys) - _MAX_NAMED} more" if len(keys) > _MAX_NAMED else ""
    return ", ".join(keys[:_MAX_NAMED]) + more


def _hash(path: Path) -> bytes | None:
    try:
        return hashlib.sha256(path.read_bytes()).digest()
    except OSError:
        return None


def keep_copy(path: Path, digest: bytes | None = None) -> bool:
    """Write the copy of a valid feeds.yaml that runs read; return whether that was possible.

    A file that has no longer the hash `digest` was changed since it was checked: the next look reads it.
    """
    try:
        data = path.read_bytes()
        if digest in {None, hashlib.sha256(data).digest()}:
            write_atomically(path.parent, served_name(path.name), data, mode=private_files.MODE)
    except (OSError, OutputError) as error:
        log.warning("no copy of %s can be written (%s): a broken edit of it would end runs", path, error)
        return False
    return True


@contextlib.contextmanager
def served_copy(path: Path) -> Iterator[None]:
    """Have this process, and those that it starts, read a copy of feeds.yaml; remove it at the end."""
    before, copy = os.environ.get("COPYDESK_FEEDS"), path.parent / served_name(path.name)
    if keep_copy(path):
        os.environ["COPYDESK_FEEDS"] = str(copy)
    try:
        yield
    finally:
        os.environ.pop("COPYDESK_FEEDS", None)
        if before is not None:
            os.environ["COPYDESK_FEEDS"] = before
        with contextlib.suppress(OSError):
            copy.unlink(missing_ok=True)
