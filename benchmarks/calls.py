"""What our own work around model calls costs, beside a bare loop of the same calls with the same SDK.

    python benchmarks/calls.py [--items 300] [--in-flight 50] [--latency 1.0]

Ours takes queued items through the ledger, prompt, call, reading, checks and writer to files. The floor
sends the same requests with the openai SDK and does nothing with the answers. Wall seconds, a server of fixed
latency in a process of its own.
"""

import argparse
import asyncio
import multiprocessing
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import openai
from newsdesk import EVERYTHING, configure

from pipeline.domain.models import Item, PollState
from pipeline.storage import Database, Policy, PollResult

TEXT = (
    "The port of Varnhem {number} will close its northern basin for eleven weeks from 3 March, the harbour "
    "board said on Tuesday. Engineers found that the quay wall, built in 1961, had moved 14 centimetres. "
    "Repairs will cost 6.2 million euros, of which the region pays half. "
) * 4


def whole_article() -> str:
    """Return the text of an answer."""
    from tests.fakes.model_server import whole_article

    return whole_article()


def serve(latency_s: float, address: "multiprocessing.Queue[str]", text: Callable[[], str]) -> None:
    """Answer every request after a fixed time with `text()`; all answers of a moment leave together."""
    sys.path.insert(0, str(Path(__file__).parents[1]))
    from tests.fakes.model_server import completion

    def reply() -> bytes:
        body = completion(text()).body or b""
        head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        return head.encode() + body

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            length = 0
            while line.strip():
                if line.lower().startswith(b"content-length:"):
                    length = int(line.partition(b":")[2])
                line = await reader.readline()
            await reader.readexactly(length)
            await asyncio.sleep(latency_s)
            writer.write(reply())
            await writer.drain()

    async def run() -> None:
        server = await asyncio.start_server(answer, "127.0.0.1", 0, backlog=1024)
        address.put(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1")
        await server.serve_forever()

    asyncio.run(run())


def queue(folder: Path, count: int) -> str:
    """Put items into a new ledger; returns its URL."""
    url = f"sqlite:///{folder / 'ledger.db'}"
    now = datetime.now(UTC)
    from pipeline.config import load_feeds

    with Database.open(url) as db:
        db.feeds.sync(load_feeds(folder / "feeds.yaml").feeds)
        made = [
            Item(
                guid=str(number),
                link=f"https://news.example/{number}",
                canonical=f"https://news.example/{number}",
                title=f"Varnhem {number} closes its basin",
                text=TEXT.format(number=number),
                published_at=now - timedelta(minutes=number),
            )
            for number in range(count)
        ]
        merged: list[Any] = []
        db.items.admit(
            "f",
            PollResult(new=made, updated=[], skipped=[], merged=merged, state=PollState()),
            policy=Policy(),
        )
    return url


async def ours(count: int) -> tuple[float, list[dict[str, Any]]]:
    """Draft everything; returns the seconds, and the messages of each request."""
    from pipeline.services.draft import draft_feed
    from pipeline.services.run import open_run

    async with open_run("ingest") as (ctx, subscriptions):
        [feed] = subscriptions.feeds
        prompt = ctx.prompts[feed.beat]
        started = time.perf_counter()
        outcomes = await draft_feed(ctx, feed, count)
        seconds = time.perf_counter() - started
        assert sum(bool(one.path and one.model) for one in outcomes) == count, outcomes[:3]
        from pipeline.services.compose import lease_source

        [row, *_] = ctx.db.drafts.list()
        lease: Any = type("Claim", (), {"item": row.item, "first_key": feed.first_key})()
        messages = prompt.messages(lease_source(feed, lease, []), ctx.beats[feed.beat])
    return seconds, [dict(message) for message in messages]


async def floor(count: int, in_flight: int, base_url: str, messages: list[dict[str, Any]]) -> float:
    """Send as many requests with the bare SDK; returns the seconds."""
    turns = asyncio.Semaphore(in_flight)
    asked: Any = messages
    async with openai.AsyncOpenAI(api_key="none", base_url=base_url, max_retries=0) as client:

        async def one() -> None:
            async with turns:
                await client.chat.completions.create(model="fake-1", messages=asked)

        started = time.perf_counter()
        await asyncio.gather(*(one() for _ in range(count)))
        return time.perf_counter() - started


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--items", type=int, default=300)
    parser.add_argument("--in-flight", type=int, default=50)
    parser.add_argument("--latency", type=float, default=1.0)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    address: multiprocessing.Queue[str] = multiprocessing.Queue()
    server = multiprocessing.Process(
        target=serve, args=(arguments.latency, address, whole_article), daemon=True
    )
    server.start()
    base_url = address.get()
    print("round\tours s\tbare SDK s\tratio")
    ratios = []
    for number in range(1, arguments.rounds + 1):
        with tempfile.TemporaryDirectory() as folder:
            configure(Path(folder), [("f", "F", "http://127.0.0.1:9/f")], EVERYTHING)
            os.environ |= {
                "COPYDESK_MODEL": "fake-1",
                "OPENAI_BASE_URL": base_url,
                "COPYDESK_MAX_IN_FLIGHT": str(arguments.in_flight),
                "COPYDESK_DATABASE_URL": queue(Path(folder), arguments.items),
            }
            mine, messages = asyncio.run(ours(arguments.items))
        bare = asyncio.run(floor(arguments.items, arguments.in_flight, base_url, messages))
        ratios.append(mine / bare)
        print(f"{number}\t{mine:.2f}\t{bare:.2f}\t{mine / bare:.3f}")
    print(f"median ratio {statistics.median(ratios):.3f}")
    server.terminate()
    return 0


if __name__ == "__main__":
    sys.exit(main())
