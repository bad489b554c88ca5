"""What a run costs whose feeds have all changed, beside the least that reading them could cost.

    python benchmarks/changed.py FOLDER [--feeds 1000]

The files of FOLDER, repeated under as many loopback addresses as feeds are wanted, are polled for the first
time: fetched, parsed in the worker processes, decided, admitted to the ledger. The floor is feedparser, its
sanitiser and URL resolution off, and nh3, over the same bytes. Processor seconds count all our processes.
"""

import argparse
import asyncio
import contextlib
import multiprocessing
import os
import resource
import statistics
import sys
import tempfile
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from newsdesk import configure
from parsing import NOW, floor
from polling import addresses

from pipeline.domain.errors import FeedError
from pipeline.feeds.pool import ParsePool


def _serve(bodies: list[bytes], port: int, ready: "multiprocessing.synchronize.Event") -> None:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            body = bodies[int(self.path.rpartition("/")[2]) % len(bodies)]
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Say nothing: the table is the output."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 1024

    with Server(("0.0.0.0", port), Handler) as server:
        ready.set()
        server.serve_forever()


def held_mb() -> float:
    """Return the memory that this process and the workers hold, in MB."""
    own = os.getpid()
    pids = [own, *map(int, Path(f"/proc/{own}/task/{own}/children").read_text().split())]
    pages = 0
    for pid in pids:
        if b"pipeline.feeds.worker" in Path(f"/proc/{pid}/cmdline").read_bytes() or pid == own:
            pages += int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 1e6


async def ours() -> tuple[float, float, float, int]:
    """Poll every feed; returns wall seconds, this process's own processor seconds, MB held, new items."""
    from pipeline.services.poll import poll
    from pipeline.services.run import open_run

    most = 0.0

    async def watch() -> None:
        nonlocal most
        while True:
            most = max(most, held_mb())
            await asyncio.sleep(0.2)

    async with open_run("ingest") as (ctx, subscriptions):
        watching = asyncio.create_task(watch())
        started, own = time.perf_counter(), time.process_time()
        every = (poll(ctx, feed) for feed in subscriptions.feeds)
        reports = await asyncio.gather(*every, return_exceptions=True)
        seconds, own = time.perf_counter() - started, time.process_time() - own
        watching.cancel()
    return seconds, own, most, sum(getattr(report, "new", 0) for report in reports)


async def read_alone(bodies: list[bytes], count: int) -> float:
    """Read so many feeds in the worker processes, and do nothing else; returns wall seconds."""
    started, turns = time.perf_counter(), asyncio.Semaphore(64)
    async with ParsePool() as pool:

        async def read(number: int) -> None:
            async with turns:
                with contextlib.suppress(FeedError):
                    await pool.parse(bodies[number % len(bodies)], None, "https://feeds.example/f", NOW)

        await asyncio.gather(*(read(number) for number in range(count)))
    return time.perf_counter() - started


def cpu_s() -> float:
    """Return the processor seconds of this process and of its children that ended."""
    both = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(use.ru_utime + use.ru_stime for use in both)


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--feeds", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--port", type=int, default=8908)
    arguments = parser.parse_args()
    files = [path for path in sorted(arguments.folder.rglob("*")) if path.is_file()]
    bodies = [path.read_bytes() for path in files if path.name not in ("MANIFEST.tsv", "README.md")]
    ready = multiprocessing.Event()
    server = multiprocessing.Process(target=_serve, args=(bodies, arguments.port, ready), daemon=True)
    server.start()
    ready.wait()
    with tempfile.TemporaryDirectory() as folder:
        urls = addresses(arguments.feeds, arguments.port)
        feeds = [(f"f{n}", f"f{n}", f"{url}/{n}") for n, url in enumerate(urls)]
        configure(Path(folder), feeds, {"max_age_days": None})
        before = cpu_s()
        wall, own, memory, items = asyncio.run(ours())
        mine = cpu_s() - before
    ratios = []
    for _ in range(arguments.rounds):
        before = cpu_s()
        alone = asyncio.run(read_alone(bodies, arguments.feeds))
        reading = cpu_s() - before
        before = time.process_time()
        found = sum(floor(bodies[number % len(bodies)]) for number in range(arguments.feeds))
        least = time.process_time() - before
        ratios.append(reading / least)
    server.terminate()
    print(f"{arguments.feeds} feeds\tours {mine:.1f} s of processor, {wall:.1f} s wall, {items} items new")
    print(f"of these\tnot in workers: {own:.1f} s of processor")
    print(f"read alone\t{reading:.1f} s of processor, {alone:.1f} s wall")
    print(f"floor\t{least:.1f} s of processor, {found} entries")
    print(f"median ratio, reading {statistics.median(ratios):.2f}\nratio, all of it {mine / least:.2f}")
    print(f"memory, all our processes: {memory:.0f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
