"""What reading real feeds costs, beside the least that it could cost, in the same run.

    python benchmarks/parsing.py FOLDER [--rounds 5]

Ours is `parse_feed`: character set, mending, elements, plain text, dates, links, identity. The floor is
feedparser alone, its sanitiser and URL resolution off, and nh3 over what it found. Processor time.
"""

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import feedparser
import nh3

from pipeline.domain.errors import FeedError
from pipeline.feeds.parsing.parse import parse_feed

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def ours(body: bytes) -> int:
    """Read a feed as a run does; returns the number of its items."""
    try:
        return len(parse_feed(body, None, "https://feeds.example/f", NOW).items)
    except FeedError:
        return 0


def floor(body: bytes) -> int:
    """Read a feed with feedparser, and clean what it found with nh3."""
    feed = feedparser.parse(body, sanitize_html=False, resolve_relative_uris=False)
    for entry in feed.entries:
        for content in [*entry.get("content", []), entry.get("summary_detail", {})]:
            nh3.clean(content.get("value", ""))
    return len(feed.entries)


def measured(read: Callable[[bytes], int], bodies: list[bytes]) -> tuple[float, int]:
    """Return processor seconds and items."""
    started = time.process_time()
    items = sum(map(read, bodies))
    return time.process_time() - started, items


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    files = [path for path in sorted(arguments.folder.rglob("*")) if path.is_file()]
    bodies = [path.read_bytes() for path in files if path.name not in ("MANIFEST.tsv", "README.md")]
    measured(ours, bodies), measured(floor, bodies)
    print(f"{len(bodies)} feeds, {sum(map(len, bodies)) / 1e6:.1f} MB")
    print("round\tours s\titems\tfloor s\titems\tratio")
    ratios = []
    for number in range(1, arguments.rounds + 1):
        (mine, found), (least, plain) = measured(ours, bodies), measured(floor, bodies)
        ratios.append(mine / least)
        print(f"{number}\t{mine:.2f}\t{found}\t{least:.2f}\t{plain}\t{mine / least:.2f}")
    print(f"median ratio {statistics.median(ratios):.2f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
