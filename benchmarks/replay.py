"""Replay a folder of feed files through the real ingest flow: `python benchmarks/replay.py FOLDER`.

Each file is one feed, served on loopback; drafts are offline briefs in a temporary folder (or --keep DIR).
Two runs: the second must add nothing. Prints a line a feed, then the totals; exits with 1 where the
second run added a draft or a feed ended without drafts, "nothing new" or a named error.
"""

import argparse
import asyncio
import contextlib
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

from newsdesk import EVERYTHING, configure
from slugify import slugify


class _Folder(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, folder: Path) -> None:
        self.files = {f"/{path.name}": path for path in feed_files(folder)}
        super().__init__(("127.0.0.1", 0), _Handler)


class _Handler(BaseHTTPRequestHandler):
    server: _Folder

    def do_GET(self) -> None:
        path = self.server.files.get(unquote(self.path))
        body = path.read_bytes() if path else b""
        self.send_response(200 if path else 404)
        kind = "application/feed+json" if path and body.lstrip()[:1] == b"{" else "application/xml"
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        with contextlib.suppress(ConnectionError):
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing: the report is the output."""


def feed_files(folder: Path) -> list[Path]:
    """Return the feed files of a folder: everything but its manifest and readme."""
    skipped = {"MANIFEST.tsv", "README.md"}
    return sorted(path for path in folder.iterdir() if path.is_file() and path.name not in skipped)


@contextlib.contextmanager
def served(folder: Path) -> Iterator[str]:
    """Serve a folder on loopback; yields its base URL."""
    server = _Folder(folder)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


def subscriptions(folder: Path, base_url: str) -> list[tuple[str, str, str]]:
    """Return key, name and URL of a feed for each file."""
    return [
        (
            f"{number:03d}-{slugify(path.name, max_length=50) or 'feed'}",
            path.name,
            f"{base_url}/{quote(path.name)}",
        )
        for number, path in enumerate(feed_files(folder))
    ]


async def runs() -> list[tuple[dict[str, Any], float]]:
    """Run the flow twice; returns each report with its wall seconds."""
    from flows.ingest import ingest

    results = []
    for _ in range(2):
        started = time.monotonic()
        results.append((await ingest(), time.monotonic() - started))
    return results


def line(feed: dict[str, Any]) -> str:
    """Return one feed's line of the report."""
    said = (
        feed["error"]
        or "; ".join((*feed["failed"], *feed["notes"]))
        or ("" if feed["drafts"] else "nothing new")
    )
    return (
        f"{feed['feed']}\t{feed['new']}\t{len(feed['drafts'])}\t{feed['merged']}\t{feed['skipped']}\t{said}"
    )


def trouble(first: dict[str, Any], second: dict[str, Any]) -> list[str]:
    """Say what breaks the promise; empty where it holds."""
    found = [f"{feed['feed']}: {reason}" for feed in first["feeds"] for reason in feed["failed"]]
    left = {feed["feed"]: feed["queued"] + feed["waiting"] for feed in first["feeds"]}
    found += [f"{key}: {count} left queued" for key, count in left.items() if count]
    found += [f"second run added {path}" for feed in second["feeds"] for path in feed["drafts"]]
    return found


def main() -> int:
    """Replay the folder named on the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--keep", type=Path, help="keep drafts and ledger in this folder")
    arguments = parser.parse_args()
    with contextlib.ExitStack() as stack:
        work = arguments.keep or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        work.mkdir(parents=True, exist_ok=True)
        feeds = subscriptions(arguments.folder, stack.enter_context(served(arguments.folder)))
        configure(work.absolute(), feeds, EVERYTHING)
        (first, first_s), (second, second_s) = asyncio.run(runs())
    print("feed\tnew\tdrafted\tmerged\tskipped\tsaid")
    print("\n".join(line(feed) for feed in first["feeds"]))
    drafted = sum(len(feed["drafts"]) for feed in first["feeds"])
    named = sum(feed["error"] is not None for feed in first["feeds"])
    print(f"\n{len(first['feeds'])} feeds, {drafted} drafts, {named} named errors in {first_s:.1f} s")
    print(f"again: {sum(len(feed['drafts']) for feed in second['feeds'])} drafts in {second_s:.1f} s")
    broken = trouble(first, second)
    print("\n".join(broken), end="\n" if broken else "")
    return bool(broken)


if __name__ == "__main__":
    sys.exit(main())
