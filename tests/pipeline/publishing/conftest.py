"""A ledger and a server of each test's own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.storage import Ledger
from tests.fakes.feed_server import FeedServer
from tests.pipeline.storage.records import feed


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with Ledger.open(f"sqlite:///{tmp_path / 'ledger.db'}") as opened:
        opened.sync_feeds([feed()])
        yield opened


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[FeedServer]:
    monkeypatch.setenv("NO_PROXY", "*")
    with FeedServer() as running:
        yield running
