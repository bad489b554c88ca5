"""Fixtures: a database of five items, a feed server, an HTTP client that may reach it."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from pipeline.http_client import HttpClient
from pipeline.storage import Database
from tests.databases import prepared
from tests.fakes.feed_server import FeedServer
from tests.pipeline.storage.records import admit, feed, item


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    with Database.open(prepared(f"sqlite:///{tmp_path / 'ledger.db'}")) as opened:
        opened.feeds.sync([feed()])
        facts = "Example Corp mined 1,250 coins in May, it says."
        admit(opened, *(item(number, text=f"Text {number}. {facts}") for number in range(5)))
        yield opened


@pytest.fixture
def server() -> Iterator[FeedServer]:
    with FeedServer() as running:
        yield running


@pytest.fixture
async def net(server: FeedServer) -> AsyncIterator[HttpClient]:
    async with HttpClient("test", allowed=server.hosts) as opened:
        yield opened
