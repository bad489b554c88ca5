"""What deciding about an item costs on a small ledger and on a large one: new, known, near-duplicate.

    python benchmarks/deciding.py [--small 10000] [--large 1000000]

Each ledger is filled with items of random words, their signatures included; then polls of 100 items are
decided and admitted, of which 40 are known, 50 are new and 10 tell a story that the ledger has. The floor is
the same on the small ledger, in the same run.
"""

import argparse
import contextlib
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import sqlalchemy as sa

from pipeline.domain.models import FeedConfig, Item, PollState, external_id
from pipeline.domain.near_duplicates import signature_bands
from pipeline.storage import Database, Policy, PollResult
from pipeline.storage.schema import bands as bands_table
from pipeline.storage.schema import items as items_table

NOW = datetime(2026, 3, 1, tzinfo=UTC)
WORDS = [f"{a}{b}{c}" for a in "bdfgklmnprstvz" for b in "aeiou" for c in ("lan", "mer", "tos", "rik", "dun")]
FEEDS = [
    FeedConfig(key=f"f{n}", name=f"f{n}", url=f"https://f{n}.example/", beat="b", category="N")
    for n in range(100)
]


def item(number: int, text_of: int | None = None) -> Item:
    """Return an item; `text_of` another one's number makes it tell that one's story."""
    words = random.Random(number if text_of is None else text_of).choices(WORDS, k=90)
    link = f"https://news.example/{number}"
    return Item(
        guid=f"guid-{number}",
        link=link,
        canonical=link,
        title=" ".join(words[:7]),
        text=" ".join(words),
        published_at=NOW - timedelta(minutes=number % 8000),
    )


def fill(db: Database, count: int) -> None:
    """Put items into a ledger as polls of long ago would have left them."""
    db.feeds.sync(FEEDS)
    for start in range(0, count, 20_000):
        numbers = range(start, min(count, start + 20_000))
        made = [item(number) for number in numbers]
        rows = [
            {
                "id": number + 1, "feed_id": number % 100 + 1, "guid": one.guid, "canonical": one.canonical,
                "owned_canonical": one.canonical, "external_id": external_id(f"f{number % 100}", one.guid),
                "payload": one.model_dump_json(), "content_hash": one.content_hash, "title": one.title,
                "published_at": one.published_at, "state": "approved", "attempts": 0, "lease_token": 0,
            }
            for number, one in zip(numbers, made, strict=True)
        ]  # fmt: skip
        marks = [
            {"band": band, "item_id": number + 1, "day": 1}
            for number, one in zip(numbers, made, strict=True)
            for band in signature_bands(one.title, one.text)
        ]
        with db._engine.begin() as connection:
            connection.execute(sa.text("PRAGMA cache_size = -800000"))
            connection.execute(items_table.insert(), rows)
            connection.execute(bands_table.insert(), sorted(marks, key=lambda mark: mark["band"]))


def poll(db: Database, first: int, count: int) -> float:
    """Decide and admit one poll of 100 items; returns the seconds an item."""
    feed, known = f"f{first % 100}", [(first % 100) + 100 * n for n in range(count // 100)][:40]
    fresh = [item(10_000_000 + first * 100 + n) for n in range(50)]
    told = [item(20_000_000 + first * 100 + n, text_of=(first * 7 + n * 11) % count) for n in range(10)]
    batch = [*map(item, known), *fresh, *told]
    started = time.perf_counter()
    met = db.items.existing(
        feed, [one.guid for one in batch], [one.canonical for one in batch if one.canonical]
    )
    new = [one for one in batch if one.guid not in met.guids]
    db.items.admit(
        feed, PollResult(new=new, updated=[], skipped=[], merged=[], state=PollState()), policy=Policy()
    )
    return (time.perf_counter() - started) / len(batch)


@contextlib.contextmanager
def filled(folder: Path, count: int) -> Iterator[Database]:
    """Yield a ledger of so many items."""
    started = time.perf_counter()
    with Database.open(f"sqlite:///{folder / f'{count}.db'}") as db:
        fill(db, count)
        print(f"{count:,} items filled in {time.perf_counter() - started:.0f} s", file=sys.stderr)
        yield db


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--small", type=int, default=10_000)
    parser.add_argument("--large", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=30)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with filled(folder, arguments.small) as small, filled(folder, arguments.large) as large:
            sizes = (arguments.small, arguments.large)
            pairs = [
                [poll(db, number, size) for db, size in zip((small, large), sizes, strict=True)]
                for number in range(arguments.rounds)
            ][5:]
    for size, column in zip(sizes, zip(*pairs, strict=True), strict=True):
        print(f"{size:>9,} items\t{statistics.median(column) * 1e6:.0f} µs an item")
    print(f"median ratio {statistics.median(large / small for small, large in pairs):.2f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
