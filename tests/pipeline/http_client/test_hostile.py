"""Hostile responses that are meant to use up time or memory."""

import asyncio
import gzip

import pytest

from pipeline.domain.errors import FeedError
from pipeline.http_client import HttpClient, RequestLimits, limits
from tests.fakes.feed_server import FeedServer

OK = b"HTTP/1.1 200 OK\r\n"
ENDLESS = {
    "headers": (OK, b"X-A: bbbbbbbbbbb\r\n" * 4000, "http"),
    "header": (OK + b"X-A: ", b"b" * 65_000, "http"),
    "status line": (b"HTTP/1.1 200 ", b"b" * 65_000, "http"),
    "trailers": (OK + b"Transfer-Encoding: chunked\r\n\r\n0\r\n", b"X-A: b\r\n" * 9000, "http"),
    "chunk extensions": (OK + b"Transfer-Encoding: chunked\r\n\r\n1;", b"a=b;" * 20_000, "http"),
    "body": (OK + b"\r\n", b"b" * 65_000, "too-large"),
    "gzip members": (OK + b"Content-Encoding: gzip\r\n\r\n", gzip.compress(b"") * 3000, "http"),
    "gzip padding": (
        OK + b"Content-Encoding: gzip\r\n\r\n" + gzip.compress(b"x"),
        bytes(65_000),
        "too-large",
    ),
}


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "*")


async def kind_of(server: FeedServer, raw: bytes, forever: bytes = b"") -> str:
    url = server.add_raw("/feed", raw, forever=forever)
    # Long enough that no deadline helps.
    async with HttpClient("test", RequestLimits(timeout_s=600), allowed=server.hosts) as net:
        with pytest.raises(FeedError) as caught:
            await net.get(url)
    return caught.value.kind


@pytest.mark.parametrize("what", ENDLESS)
async def test_an_answer_without_end_is_cut_short(what: str) -> None:
    raw, forever, kind = ENDLESS[what]
    with FeedServer() as server:
        assert await kind_of(server, raw, forever) == kind


async def test_a_decompression_bomb_is_refused() -> None:
    with FeedServer() as server:
        bomb = gzip.compress(bytes(100_000_000))
        assert len(bomb) < 100_000
        assert await kind_of(server, OK + b"Content-Encoding: gzip\r\n\r\n" + bomb) == "too-large"


@pytest.mark.parametrize(
    "raw", [b"", b"SSH-2.0-OpenSSH_9\r\n", b"\x15\x03\x01\x00\x02\x02\x16", b"HTTP/1.1 2x0 OK\r\n\r\n"]
)
async def test_what_is_no_answer_is_named(raw: bytes) -> None:
    with FeedServer() as server:
        assert await kind_of(server, raw) == "http"


async def test_long_headers_of_honest_servers_are_read() -> None:
    with FeedServer() as server:
        url = server.add("/feed", b"x", headers={"X-Cache-Tags": "t" * 20_000})
        async with HttpClient("test", allowed=server.hosts) as net:
            assert len((await net.get(url)).headers["x-cache-tags"]) == 20_000


DRIPS = {
    "head": OK + b"X-A: ",
    "body": OK + b"Content-Length: 9999\r\n\r\n",
    "chunks": OK + b"Transfer-Encoding: chunked\r\n\r\n",
    "gzip": OK + b"Content-Encoding: gzip\r\n\r\n\x1f\x8b\x08\x08" + bytes(6),  # then a name without end
}


@pytest.mark.parametrize("what", DRIPS)
async def test_a_slow_body_is_ended_before_the_deadline(what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "WINDOW_S", 0.2)
    drop = {"head": b"b", "chunks": b"1\r\nx\r\n"}.get(what, b"x")
    with FeedServer() as server:
        url = server.add_raw("/feed", DRIPS[what], forever=drop, drip_s=0.02)
        async with HttpClient("test", RequestLimits(timeout_s=600), allowed=server.hosts) as net:
            with pytest.raises(FeedError, match="too slowly") as caught:
                await asyncio.wait_for(net.get(url), 120)
    assert caught.value.kind == "timeout"


def test_a_late_but_quick_answer_is_not_slow() -> None:
    watched = limits.MinimumRate()
    # A head; ten seconds of thought; a short body, and the mark of its end.
    assert not any(watched.is_too_slow(size, now) for size, now in [(200, 0.0), (300, 10.0), (5, 10.1)])


def test_many_quick_pieces_are_not_slow() -> None:
    watched = limits.MinimumRate()
    assert not any(watched.is_too_slow(100, number / 10) for number in range(100))
