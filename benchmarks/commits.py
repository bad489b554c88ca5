"""Milliseconds from the last byte of a model's answer until it is committed, with many calls in flight.

    python benchmarks/commits.py [--items 500] [--in-flight 50] [--latency 1.0] [--bar 200]

A kill loses what was received and is not committed: it is paid for again. The server, in a process of its
own, writes the time at which it sends into each answer. Ends with an error where the 99th hundredth is over
the bar.
"""

import argparse
import asyncio
import multiprocessing
import os
import re
import statistics
import sys
import tempfile
import time
from concurrent.futures import Future
from pathlib import Path
from typing import Any

from calls import queue, serve
from newsdesk import EVERYTHING, configure

_SENT = re.compile(r"sent at (\d+\.\d+)")


def timed_article() -> str:
    """Return the text of an answer with the time at which it is sent."""
    from tests.fakes.model_server import whole_article

    return whole_article(from_author=f"This looks steady, sent at {time.monotonic():.6f}")


async def waits(count: int) -> list[float]:
    """Draft everything; return the seconds from each answer's last byte to its commit."""
    from pipeline.domain.model_calls import LLMResponse
    from pipeline.services.draft import draft_feed
    from pipeline.services.run import open_run
    from pipeline.storage import CallDetails, Lease

    found: list[float] = []
    async with open_run("ingest") as (ctx, subscriptions):
        [feed] = subscriptions.feeds
        repository: Any = ctx.db.budget
        submit = ctx.db.budget.submit

        def timed(lease: Lease, answer: LLMResponse, details: CallDetails) -> "Future[None]":
            sent = _SENT.search(answer.text)
            assert sent is not None
            at = float(sent[1])
            committed = submit(lease, answer, details)
            committed.add_done_callback(lambda _: found.append(time.monotonic() - at))
            return committed

        repository.submit = timed
        outcomes = await draft_feed(ctx, feed, count)
        assert sum(bool(one.path) for one in outcomes) == count, outcomes[:3]
    return found


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--items", type=int, default=500)
    parser.add_argument("--in-flight", type=int, default=50)
    parser.add_argument("--latency", type=float, default=1.0)
    parser.add_argument("--bar", type=float, default=200.0, help="milliseconds")
    arguments = parser.parse_args()
    address: multiprocessing.Queue[str] = multiprocessing.Queue()
    server = multiprocessing.Process(
        target=serve, args=(arguments.latency, address, timed_article), daemon=True
    )
    server.start()
    with tempfile.TemporaryDirectory() as folder:
        configure(Path(folder), [("f", "F", "http://127.0.0.1:9/f")], EVERYTHING)
        os.environ |= {
            "COPYDESK_MODEL": "fake-1",
            "OPENAI_BASE_URL": address.get(),
            "COPYDESK_MAX_IN_FLIGHT": str(arguments.in_flight),
            "COPYDESK_DATABASE_URL": queue(Path(folder), arguments.items),
        }
        parts = statistics.quantiles(asyncio.run(waits(arguments.items)), n=100)
    server.terminate()
    print("median ms\t90th\t99th")
    print("\t".join(f"{1000 * parts[one]:.0f}" for one in (49, 89, 98)))
    return int(1000 * parts[98] > arguments.bar)


if __name__ == "__main__":
    sys.exit(main())
