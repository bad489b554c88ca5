"""Replay a folder of feed files through the real ingest flow: `python benchmarks/replay.py FOLDER`.

Each file is one feed, served on loopback; drafts are offline briefs in a temporary folder (or --keep DIR).
Two runs: the second must add nothing. Prints a line a feed, then the totals; exits with 1 where the
second run added a draft or a feed ended without drafts, "nothing new" or a named error.
"""

import argparse
import asyncio
import contextlib
import os
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

import yaml
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


def subscriptions(folder: Path, base_url: str) -> str:
    """Return a feeds.yaml with one feed a file."""
    feeds: list[dict[str, Any]] = []
    for number, path in enumerate(feed_files(folder)):
        key = f"{number:03d}-{slugify(path.name, max_length=50) or 'feed'}"
        url = f"{base_url}/{quote(path.name)}"
        feeds.append({"key": key, "name": path.name, "url": url, "category": "NEWS"})
    # Whatever a feed holds is drafted, and no page of it is fetched from its publisher.
    everything = {"max_items": 100_000, "max_age_days": None, "min_chars": 0, "full_text": "never"}
    defaults = {"beat": "any"} | everything
    beats = {"any": {"market": "market", "vocabulary": []}}
    return yaml.safe_dump({"defaults": defaults, "beats": beats, "feeds": feeds}, sort_keys=False)


def configure(work: Path, folder: Path, base_url: str) -> None:
    """Point this process at the replayed feeds, a ledger of their own, and no model."""
    (work / "feeds.yaml").write_text(subscriptions(folder, base_url), encoding="utf-8")
    os.environ.update(
        COPYDESK_FEEDS=str(work / "feeds.yaml"),
        COPYDESK_OUTPUT=str(work / "output"),
        COPYDESK_DATABASE_URL=f"sqlite:///{work / 'ledger.db'}",
        COPYDESK_MODEL="offline",
        COPYDESK_ALLOW_HOSTS=base_url.removeprefix("http://"),
        PREFECT_HOME=str(work / "prefect"),
        PREFECT_LOGGING_LEVEL="CRITICAL",
        PREFECT_SERVER_LOGGING_LEVEL="CRITICAL",
    )


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
    found += [f"{feed['feed']}: {feed['queued']} left queued" for feed in first["feeds"] if feed["queued"]]
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
        configure(work.absolute(), arguments.folder, stack.enter_context(served(arguments.folder)))
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
