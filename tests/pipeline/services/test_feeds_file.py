"""feeds.yaml in a process that lasts: changes are read, and a mistake leaves what was valid."""

from pathlib import Path

import pytest

from pipeline.config import load_settings
from pipeline.domain.errors import ConfigError
from pipeline.services.feeds_file import FeedsFile, FileState

FEEDS = """
beats: {any: {}}
feeds:
  - {key: one, name: One, url: https://one.example/f, beat: any, category: N}
"""


def test_a_mistake_leaves_the_last_valid_feeds_and_is_named(tmp_path: Path) -> None:
    path, feeds = tmp_path / "feeds.yaml", FeedsFile(load_settings({}, tmp_path))
    with pytest.raises(ConfigError, match=r"feeds\.yaml"):
        feeds.latest()
    path.write_text(FEEDS)
    assert [feed.key for feed in feeds.latest().feeds] == ["one"]
    assert feeds.error() is None
    path.write_text("feeds: [")
    assert [feed.key for feed in feeds.latest().feeds] == ["one"]
    assert "feeds.yaml" in str(feeds.error())
    path.unlink()
    assert [feed.key for feed in feeds.latest().feeds] == ["one"]
    assert feeds.error() is not None
    path.write_text(FEEDS.replace("key: one", "key: two"))
    assert [feed.key for feed in feeds.latest().feeds] == ["two"]


def test_an_unchanged_file_is_read_once_and_a_change_of_permissions_shows(tmp_path: Path) -> None:
    path, feeds = tmp_path / "feeds.yaml", FeedsFile(load_settings({}, tmp_path))
    path.write_text(FEEDS)
    assert feeds.latest() is feeds.latest()
    before = FileState.of(path)
    path.chmod(0o640)
    assert FileState.of(path) != before
    assert FileState.of(tmp_path / "none") is None
