"""A feed server on loopback, and an HTTP client that may connect to it."""

from collections.abc import AsyncIterator, Iterator

import pytest

from pipeline.http_client import HttpClient, RequestLimits
from tests.fakes.feed_server import FeedServer


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[FeedServer]:
    monkeypatch.setenv("NO_PROXY", "*")
    with FeedServer() as running:
        yield running


@pytest.fixture
async def net(server: FeedServer) -> AsyncIterator[HttpClient]:
    async with HttpClient("test", RequestLimits(timeout_s=60), allowed=server.hosts) as opened:
        yield opened
