"""A database and a server for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.storage import Database
from tests.databases import prepared
from tests.fakes.feed_server import FeedServer
from tests.pipeline.storage.records import feed


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    with Database.open(prepared(f"sqlite:///{tmp_path / 'ledger.db'}")) as opened:
        opened.feeds.sync([feed()])
        yield opened


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[FeedServer]:
    monkeypatch.setenv("NO_PROXY", "*")
    with FeedServer() as running:
        yield running
