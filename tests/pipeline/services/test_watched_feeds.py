"""feeds.yaml is read again when it changes; a broken edit changes nothing and is told once."""

import os
import stat
from pathlib import Path

import pytest

from pipeline.config import load_feeds, load_settings
from pipeline.services.watched_feeds import WatchedFeeds, describe_change, served_copy
from tests.pipeline.storage.records import feed

HEAD = "defaults: {beat: news, category: NEWS}\nbeats: {news: {}}\nfeeds:\n"


def rows(*keys: str, **changes: str) -> str:
    return HEAD + "".join(
        f"  - {{key: {key}, name: {key}, url: 'https://{key}.example/'{changes.get(key, '')}}}\n"
        for key in keys
    )


class Watch:
    """A watched file, and what was said about it."""

    def __init__(self, folder: Path, text: str) -> None:
        self.path = folder / "feeds.yaml"
        self.path.write_text(text)
        self.said: list[str] = []
        self.feeds = WatchedFeeds(self.path, self.said.append)

    def write(self, text: str) -> None:
        self.path.write_text(text)

    def look(self, times: int = 2) -> list[str]:
        """Look so many times and return the keys of the enabled feeds."""
        [*_, last] = [self.feeds() for _ in range(times)]
        return [each.key for each in last if each.enabled]


@pytest.fixture
def watch(tmp_path: Path) -> Watch:
    return Watch(tmp_path, rows("one", "two"))


def test_feeds_are_added_paused_edited_and_removed(watch: Watch) -> None:
    assert watch.look() == ["one", "two"]
    watch.write(rows("one", "two", "three", two=", enabled: false", one=", schedule: 2h"))
    assert watch.look() == ["one", "three"]
    assert watch.feeds()[0].schedule == "2h"
    watch.write(rows("two"))
    assert watch.look() == ["two"]
    assert watch.said == [
        "feeds.yaml is read again: added three; paused two; edited one",
        "feeds.yaml is read again: removed one, three; resumed two",
    ]


def test_a_broken_edit_changes_nothing_and_is_told_once(watch: Watch) -> None:
    watch.write(rows("one", "two") + "  - {key: three}\n")
    assert watch.look(5) == ["one", "two"]
    [message] = watch.said
    assert message.startswith("feeds.yaml:6: ")
    assert message.endswith("; until then the feeds are served as they were")
    os.utime(watch.path, (1, 1))  # saved again as it was
    assert watch.look(5) == ["one", "two"]
    assert len(watch.said) == 1
    watch.write(rows("one"))
    assert watch.look() == ["one"]
    assert watch.said[1:] == ["feeds.yaml is read again: removed two"]


def test_a_file_that_is_gone_for_a_moment_changes_nothing(watch: Watch) -> None:
    watch.path.unlink()
    assert watch.look(1) == ["one", "two"]
    watch.write(rows("one", "two", "three"))
    assert watch.look(1) == ["one", "two"], "it may be written now"
    assert watch.look(1) == ["one", "two", "three"]
    assert watch.said == ["feeds.yaml is read again: added three"]
    watch.path.unlink()
    assert watch.look(4) == ["one", "two", "three"]
    assert len(watch.said) == 2
    assert "does not exist" in watch.said[1]


def test_a_file_that_is_replaced_by_one_of_the_same_size_is_read(watch: Watch, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_text(rows("one", "six"))
    other.replace(watch.path)
    assert watch.look() == ["one", "six"]


def test_the_same_bytes_are_not_read_again(watch: Watch) -> None:
    os.utime(watch.path, (1, 1))
    watch.look(3)
    assert watch.said == []


def test_runs_read_the_last_valid_file(watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COPYDESK_FEEDS", raising=False)
    folder = watch.path.parent

    def read_by_a_run() -> list[str]:
        settings = load_settings({"COPYDESK_FEEDS": os.environ.get("COPYDESK_FEEDS", "")}, folder)
        return [each.key for each in load_feeds(settings.feeds_file).feeds]

    with served_copy(watch.path):
        # It may hold a login, as feeds.yaml may.
        assert stat.S_IMODE(Path(os.environ["COPYDESK_FEEDS"]).stat().st_mode) == 0o600
        watch.write("feeds: [")
        watch.look()
        assert read_by_a_run() == ["one", "two"]
        watch.write(rows("one"))
        watch.look()
        assert read_by_a_run() == ["one"]
        watch.write(HEAD + "  - {key: k, name: K, url: 'https://ada:pw@k.example/'}\n")
        watch.look()
        [warning] = load_feeds(Path(os.environ["COPYDESK_FEEDS"])).warnings
        assert warning.startswith("feeds.yaml:4: url holds a login")
    assert "COPYDESK_FEEDS" not in os.environ
    assert [path.name for path in folder.iterdir()] == ["feeds.yaml"]


def test_many_feeds_are_not_all_named() -> None:
    many = [feed(f"f{number}") for number in range(8)]
    assert describe_change([], many) == "added f0, f1, f2, f3, f4 and 3 more"
    assert describe_change(many, many) == "the feeds are the same"
