"""Replays snapshots of one feed in the order of their names, and shows what each brought.

    python benchmarks/sequence.py FOLDER

FOLDER holds a folder a feed, with its snapshots; each is served at the feed's one address, polled, and what
is new in it drafted as an offline brief. Then everything is replayed once more, which must bring nothing.
"""

import argparse
import asyncio
import contextlib
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

from newsdesk import EVERYTHING, configure

from pipeline.domain.errors import FeedError
from pipeline.domain.models import FeedConfig
from pipeline.services.context import RunContext
from pipeline.services.draft import draft_feed
from pipeline.services.poll import poll
from pipeline.services.run import open_run

COLUMNS = ("snapshot", "items", "new", "updated", "duplicate", "skipped", "drafted", "said")


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    body = b""


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(self.server.body)))
        self.end_headers()
        self.wfile.write(self.server.body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing: the table is the output."""


@contextlib.contextmanager
def serving() -> Iterator[_Server]:
    """Serve whatever `body` is at the time."""
    server = _Server(("127.0.0.1", 0), _Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


async def replay(ctx: RunContext, feed: FeedConfig, snapshots: list[Path], server: _Server) -> Counter[str]:
    """Replay a feed's snapshots, print a line each, and return the sums."""
    sums: Counter[str] = Counter()
    for path in snapshots:
        server.body = path.read_bytes()
        try:
            polled = await poll(ctx, feed, named=True)
        except FeedError as error:
            print(f"{path.name}\t\t\t\t\t\t\t{error.kind}")
            continue
        drafted = await draft_feed(ctx, feed, 1000)
        brought = {"new": polled.new, "updated": polled.updated, "duplicate": polled.merged}
        brought |= {"skipped": polled.skipped, "drafted": sum(bool(one.path) for one in drafted)}
        sums.update(brought)
        said = "unchanged" if polled.unchanged else "; ".join(polled.notes)
        print("\t".join(map(str, (path.name, "", *brought.values(), said))))
    return sums


async def run(folder: Path, server: _Server) -> int:
    """Replay every feed twice; returns how many items the second replay brought."""
    again: Counter[str] = Counter()
    async with open_run("ingest") as (ctx, subscriptions):
        for feed in subscriptions.feeds:
            snapshots = sorted(path for path in (folder / feed.name).iterdir() if path.is_file())
            print(f"\n{feed.name}\n" + "\t".join(COLUMNS))
            print("sum\t\t" + "\t".join(map(str, (await replay(ctx, feed, snapshots, server)).values())))
            with contextlib.redirect_stdout(None):
                again.update(await replay(ctx, feed, snapshots, server))
    print(f"\nagain: {again['new']} new, {again['drafted']} drafted, {again['duplicate']} duplicates")
    return again["new"] + again["drafted"]


def main() -> int:
    """Replay the folder named on the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--keep", type=Path, help="keep drafts and ledger in this folder")
    arguments = parser.parse_args()
    keys = sorted(path.name for path in arguments.folder.iterdir() if path.is_dir())
    with tempfile.TemporaryDirectory() as temporary, serving() as server:
        work = (arguments.keep or Path(temporary)).absolute()
        work.mkdir(parents=True, exist_ok=True)
        base = f"http://127.0.0.1:{server.server_address[1]}"
        configure(work, [(key.lower(), key, f"{base}/{key}") for key in keys], EVERYTHING)
        return bool(asyncio.run(run(arguments.folder, server)))


if __name__ == "__main__":
    sys.exit(main())
