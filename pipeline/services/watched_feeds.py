"""The subscriptions under `copydesk serve`, read again when feeds.yaml changes.

A broken edit changes nothing: runs read a copy of the last file that was valid.
"""

import contextlib
import logging
import os
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from pipeline.articles.files import write_atomically
from pipeline.config import Subscriptions, load_feeds, private_files
from pipeline.config.env_values import variable_set
from pipeline.config.feeds_yaml import read_feeds_file, served_name
from pipeline.domain.errors import ConfigError, OutputError
from pipeline.domain.models import FeedConfig
from pipeline.services.feeds_file import FileState
from pipeline.storage.processes import is_alive

log = logging.getLogger("copydesk.serve")
_MAX_NAMED = 5
"""Keys of feeds in one message. Chosen, not measured."""


class WatchedFeeds:
    """Returns the feeds of feeds.yaml at each call; `say` gets a line for each change and broken edit."""

    def __init__(self, path: Path, say: Callable[[str], object] = log.warning) -> None:
        self._path, self._say = path, say
        self._state = self._looked_at = FileState.of(path)
        self._data: bytes | None = read_feeds_file(path)
        self.subscriptions: Subscriptions = load_feeds(path, self._data)
        self.checked = self._data

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
        before, self._data = self._data, None
        try:
            self._data = read_feeds_file(self._path)
            if self._data == before:
                return
            after = load_feeds(self._path, self._data)
        except Exception as error:  # noqa: BLE001 - no edit ends what runs
            reason = error.message if isinstance(error, ConfigError) else _unexpected(self._path, error)
            self._say(f"{reason}; until then the feeds are served as they were")
            return
        change = describe_change(self.subscriptions.feeds, after.feeds)
        self.subscriptions, self.checked = after, self._data
        self._say(f"{self._path.name} is read again: {change}")
        keep_copy(self._path, self.checked)


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


def _unexpected(path: Path, error: Exception) -> str:
    details = " ".join(str(error).split())[:300]
    return f"{path.name} cannot be read ({type(error).__name__}: {details}); correct it"


def keep_copy(path: Path, data: bytes) -> bool:
    """Write `data`, a valid feeds.yaml, to the copy that runs read; return whether that was possible."""
    try:
        write_atomically(path.parent, _copy_of(path).name, data, mode=private_files.MODE)
    except (OSError, OutputError) as error:
        log.warning("no copy of %s can be written (%s): a broken edit of it would end runs", path, error)
        return False
    return True


def _copy_of(path: Path) -> Path:
    """Return the path of this process's copy: another `serve` may be ending, or run, in the same folder."""
    return path.parent / served_name(path.name, os.uname().nodename, os.getpid())


def _remove_stale_copies(path: Path) -> None:
    """Remove the copies of processes of this machine that were killed; in containers, of this container."""
    this_machine = served_name(path.name, os.uname().nodename, 0).removesuffix("0.served")
    with contextlib.suppress(OSError):
        for copy in path.parent.iterdir():
            process = re.fullmatch(re.escape(this_machine) + r"([1-9]\d{0,9})\.served", copy.name)
            if process and not is_alive(int(process[1])):
                copy.unlink(missing_ok=True)


@contextlib.contextmanager
def served_copy(path: Path, checked: bytes) -> Iterator[None]:
    """Have this process, and those that it starts, read a copy of feeds.yaml; remove it at the end.

    `checked`: the content of the file that was found valid.
    """
    copy = _copy_of(path)
    _remove_stale_copies(path)
    is_kept = keep_copy(path, checked)
    try:
        with variable_set("COPYDESK_FEEDS", str(copy)) if is_kept else contextlib.nullcontext():
            yield
    finally:
        with contextlib.suppress(OSError):
            copy.unlink(missing_ok=True)
