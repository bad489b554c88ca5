"""Concurrency limits of requests, per host and in total."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator

import pytest

from pipeline.http_client import HttpClient, RequestLimits
from pipeline.http_client.transport import MAX_IDLE_CONNECTIONS
from tests.fakes.feed_server import FeedServer


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "*")


@pytest.fixture
def server() -> Iterator[FeedServer]:
    with FeedServer() as running:
        yield running


async def test_requests_to_one_host_are_limited(server: FeedServer) -> None:
    urls = [server.add(f"/{number}", b"x", delay_s=0.2) for number in range(12)]
    async with HttpClient("test", RequestLimits(per_host=3), allowed=server.hosts) as net:
        await asyncio.gather(*(net.get(url) for url in urls))
    assert server.most_at_once == 3


async def test_requests_to_a_redirect_target_are_limited(server: FeedServer) -> None:
    target = server.add("/feed", b"x", delay_s=0.05)
    with contextlib.ExitStack() as stack:
        others = [stack.enter_context(FeedServer()) for _ in range(8)]
        allowed = server.hosts.union(*(other.hosts for other in others))
        urls = [other.add("/", status=302, headers={"Location": target}) for other in others]
        async with HttpClient("test", RequestLimits(per_host=2), allowed=allowed) as net:
            await asyncio.gather(*(net.get(url) for url in urls))
    assert server.most_at_once == 2


async def test_waiting_to_start_does_not_count_as_a_timeout(server: FeedServer) -> None:
    urls = [server.add(f"/{number}", b"x", delay_s=0.5) for number in range(9)]
    async with HttpClient("test", RequestLimits(timeout_s=4, per_host=1), allowed=server.hosts) as net:
        answers = await asyncio.gather(*(net.get(url) for url in urls))
    assert [answer.status for answer in answers] == [200] * 9


async def test_the_queue_of_a_slow_host_blocks_no_other_host(server: FeedServer) -> None:
    with FeedServer() as other:
        limits = RequestLimits(per_host=1, total=2)
        slow, quick = server.add("/slow", b"x", delay_s=60), other.add("/quick", b"x")
        async with HttpClient("test", limits, allowed=server.hosts | other.hosts) as net:
            queue = [asyncio.create_task(net.get(slow)) for _ in range(5)]
            while not server.requests:
                await asyncio.sleep(0.01)
            assert (await net.get(quick)).status == 200
            for each in queue:
                each.cancel()
            await asyncio.gather(*queue, return_exceptions=True)


class PatientServer:
    """Answers 304 to every request and leaves closing the connection to the client."""

    def __init__(self) -> None:
        self.open = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.open += 1
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                await reader.readuntil(b"\r\n\r\n")
                writer.write(b"HTTP/1.1 304 Not Modified\r\n\r\n")
        writer.close()
        self.open -= 1

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[int]:
        server = await asyncio.start_server(self.serve, "127.0.0.1", 0)
        async with server:
            yield server.sockets[0].getsockname()[1]
            while self.open:
                await asyncio.sleep(0.01)


async def loopback(host: str, port: int) -> list[str]:
    return ["127.0.0.1"]


async def test_idle_connections_are_limited() -> None:
    server = PatientServer()
    async with server.running() as port:
        places = [f"host-{number}.example:{port}" for number in range(2 * MAX_IDLE_CONNECTIONS)]
        async with HttpClient("test", allowed=places, resolve=loopback) as net:
            for place in places:
                assert (await net.get(f"http://{place}/feed")).status == 304
            while server.open > MAX_IDLE_CONNECTIONS:
                await asyncio.sleep(0.01)
            assert server.open == MAX_IDLE_CONNECTIONS
