"""A feed server for commands that read feeds."""

from collections.abc import Iterator

import pytest

from tests.fakes.feed_server import FeedServer
from tests.fakes.pages import rss


@pytest.fixture
def feeds() -> Iterator[FeedServer]:
    with FeedServer() as server:
        server.add("/feed", rss([20, 19]), content_type="application/rss+xml")
        yield server
