"""One feed's fetch: what came of it is a value, or an error that names the feed."""

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime

import pytest

from pipeline.errors import FeedError
from pipeline.ingest.fetch import Fetched, Unchanged, Validators, fetch
from pipeline.models import FeedConfig
from pipeline.net import Net
from tests.fakes.feed_server import FeedServer

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[FeedServer]:
    monkeypatch.setenv("NO_PROXY", "*")
    with FeedServer() as running:
        yield running


@pytest.fixture
async def net(server: FeedServer) -> AsyncIterator[Net]:
    async with Net("copydesk-test", timeout_s=5) as opened:
        yield opened


def feed(url: str) -> FeedConfig:
    return FeedConfig(key="daily-coin", name="Daily Coin", url=url, beat="crypto", category="BTC")


async def test_a_feed_is_fetched_once_and_then_unchanged(net: Net, server: FeedServer) -> None:
    stamp = "Sun, 01 Mar 2026 10:00:00 GMT"
    url = server.add("/f", b"<rss/>", content_type="application/rss+xml", etag='W/"1"', last_modified=stamp)
    first = await fetch(net, feed(url), Validators(), NOW)
    assert isinstance(first, Fetched)
    assert (first.body, first.content_type, first.url) == (b"<rss/>", "application/rss+xml", url)
    assert first.validators == Validators(etag='W/"1"', last_modified=stamp)
    assert await fetch(net, feed(url), first.validators, NOW) == Unchanged()
    server.add("/f", b"<rss></rss>", etag='W/"2"')
    third = await fetch(net, feed(url), first.validators, NOW)
    assert isinstance(third, Fetched)
    assert third.validators.etag == 'W/"2"'
    assert "if-none-match" not in server.seen[0].headers
    assert server.seen[1].headers["if-none-match"] == 'W/"1"'
    assert server.seen[1].headers["if-modified-since"] == stamp


async def test_a_validator_that_cannot_be_sent_back_is_forgotten(net: Net, server: FeedServer) -> None:
    url = server.add("/f", b"<rss/>", headers={"ETag": '"caf\xe9"'})
    fetched = await fetch(
        net, feed(url), Validators(etag='"a\r\nX: y"', last_modified="Freitag, 1. März"), NOW
    )
    assert isinstance(fetched, Fetched)
    assert fetched.validators == Validators()
    assert "x" not in server.seen[0].headers


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (401, "refused"),
        (403, "refused"),
        (404, "not-found"),
        (410, "gone"),
        (418, "http"),
        (429, "rate-limited"),
        (500, "server"),
        (503, "server"),
    ],
)
async def test_a_refusal_is_named_with_its_feed(net: Net, server: FeedServer, status: int, kind: str) -> None:
    url = server.add("/f.xml?token=secret", b"<html>sorry</html>", status=status)
    with pytest.raises(FeedError) as caught:
        await fetch(net, feed(url), Validators(), NOW)
    error = caught.value
    assert (error.kind, error.context["status"], error.context["feed"]) == (kind, status, "daily-coin")
    assert error.message.startswith("daily-coin: ")
    assert str(status) in error.message
    assert "secret" not in error.message
    assert "\n" not in error.message


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("120", 120),
        ("Sun, 01 Mar 2026 12:01:00 GMT", 60),
        ("Sun, 01 Mar 2020 12:00:00 GMT", 0),
        ("soon", None),
        ("-5", None),
        ("9" * 400, None),
    ],
)
async def test_how_long_a_server_asks_to_wait(
    net: Net, server: FeedServer, header: str, seconds: float | None
) -> None:
    url = server.add("/f", status=429, headers={"Retry-After": header})
    with pytest.raises(FeedError) as caught:
        await fetch(net, feed(url), Validators(), NOW)
    assert caught.value.context["retry_after_s"] == seconds


async def test_trouble_on_the_way_names_the_feed_too(net: Net, server: FeedServer) -> None:
    url = server.add("/f", b"x").replace("http:", "https:")
    with pytest.raises(FeedError, match=r"^daily-coin: 127\.0\.0\.1: no secure connection") as caught:
        await fetch(net, feed(url), Validators(), NOW)
    assert caught.value.kind == "tls"
