"""How long it takes to poll feeds that did not change, beside a bare client in the same run.

    python benchmarks/polling.py [--feeds 1000]

Each feed has a loopback address of its own (127.0.0.0/8), as each publisher has a host of its own. The
servers are processes apart. Ours is everything a run does for a quiet feed: the decision to poll, the
conditional request through the guarded client, the ledger's writes. The floor is a bare httpx client on the
same transport that sends the same conditional requests.
"""

import argparse
import asyncio
import contextlib
import multiprocessing
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
from httpx_aiohttp import AiohttpTransport
from newsdesk import configure

FEED = b"<rss version='2.0'><channel><title>Quiet</title></channel></rss>"
ETAG = '"1"'


class _Server(asyncio.Protocol):
    """As little of HTTP as answers a GET: 304 to who knows the ETag, else the feed."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        assert isinstance(self.transport, asyncio.Transport)
        if b"\r\nif-none-match:" in data.lower():
            self.transport.write(b"HTTP/1.1 304 Not Modified\r\nETag: %b\r\n\r\n" % ETAG.encode())
        else:
            head = f"HTTP/1.1 200 OK\r\nETag: {ETAG}\r\nContent-Length: {len(FEED)}\r\n\r\n"
            self.transport.write(head.encode() + FEED)


def _serve(port: int, ready: "multiprocessing.synchronize.Event") -> None:
    async def run() -> None:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(_Server, "0.0.0.0", port, reuse_port=True, backlog=4096)
        ready.set()
        await server.serve_forever()

    asyncio.run(run())


@contextlib.contextmanager
def served(port: int) -> Iterator[None]:
    """Answer on every loopback address."""
    ready = multiprocessing.Event()
    process = multiprocessing.Process(target=_serve, args=(port, ready), daemon=True)
    process.start()
    ready.wait()
    try:
        yield
    finally:
        process.terminate()
        process.join()


def addresses(count: int, port: int) -> list[str]:
    """Return as many URLs, each on its own address."""
    return [f"http://127.{1 + n // 62500}.{n // 250 % 250}.{1 + n % 250}:{port}/feed" for n in range(count)]


async def ours() -> tuple[float, float, int]:
    """Poll every feed once; returns seconds to open, to poll and write, and how many were unchanged."""
    from pipeline.services.poll import poll
    from pipeline.services.run import open_run

    started = time.perf_counter()
    async with open_run("ingest") as (ctx, subscriptions):
        opened = time.perf_counter()
        reports = await asyncio.gather(*(poll(ctx, feed) for feed in subscriptions.feeds))
        await ctx.poll_states.flush()
        done = time.perf_counter()
    return opened - started, done - opened, sum(report.unchanged for report in reports)


async def floor(urls: list[str]) -> float:
    """Return the seconds that a bare client takes for the same requests."""
    limits = httpx.Limits(max_connections=100, max_keepalive_connections=100)
    headers = {"If-None-Match": ETAG}
    async with httpx.AsyncClient(transport=AiohttpTransport(limits=limits)) as client:
        started = time.perf_counter()
        answers = await asyncio.gather(*(client.get(url, headers=headers) for url in urls))
        seconds = time.perf_counter() - started
    assert all(answer.status_code == 304 for answer in answers)
    return seconds


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--feeds", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--port", type=int, default=8907)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, served(arguments.port):
        urls = addresses(arguments.feeds, arguments.port)
        configure(Path(folder), [(f"f{n}", f"f{n}", url) for n, url in enumerate(urls)], {})
        asyncio.run(ours())
        pairs = [(asyncio.run(ours()), asyncio.run(floor(urls))) for _ in range(arguments.rounds)]
    print("round\topen s\tpoll s\tunchanged\tbare client s\tratio")
    for number, ((opened, polled, unchanged), bare) in enumerate(pairs, 1):
        print(f"{number}\t{opened:.2f}\t{polled:.2f}\t{unchanged}\t{bare:.2f}\t{polled / bare:.2f}")
    ratio = statistics.median(polled / bare for (_, polled, _), bare in pairs)
    print(f"median ratio {ratio:.2f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
