"""What the ledger's questions cost at 10,000, 100,000 and a million items.

    python benchmarks/ledger.py [--sizes 10000 100000 1000000] [--postgresql]

Items of 20 feeds, half of them drafted with a text of usual length, and an answer each; one in ten waits to
be drafted, and a twentieth of these has failed. Milliseconds, medians of seven. The floors are `SELECT 1` and
a transaction that writes one row, on the same file.
"""

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import sqlalchemy as sa
from machines import running_postgresql
from newsroom import texts

from pipeline.domain.models import FeedConfig, Item, PollState, external_id
from pipeline.storage import CallCost, Database, DraftQuery, Policy, PollResult, SpendingCap
from pipeline.storage.migrations.versions.v0018_totals import FILL
from pipeline.storage.schema import calls, findings, items, versions

FEEDS = 20
_NOW = datetime.now(UTC)
_BATCH = 5_000
Found = TypeVar("Found")
"""What is measured on a ledger."""


def feed(number: int) -> FeedConfig:
    """Return a subscription."""
    return FeedConfig(
        key=f"f{number}", name=f"F{number}", url=f"https://f{number}.example/f", beat="any", category="N"
    )


def rows(first: int, count: int, body: str) -> Iterator[tuple[dict[str, Any], dict[str, Any] | None]]:
    """Yield items, and the versions of those that are drafted."""
    for number in range(first, first + count):
        key, guid = f"f{number % FEEDS}", f"g{number}"
        link = f"https://{key}.example/{number}"
        at = _NOW - timedelta(minutes=number)
        item = Item(guid=guid, link=link, title=f"Varnhem {number}", text="x" * 400, published_at=at)
        drafted = number % 2 == 0
        state = ("drafted" if number < 5_000 else "approved") if drafted else "skipped"
        state = "seen" if number % 10 == 3 else state
        failed = number % 200 == 13
        path = f"drafts/{number}.md" if drafted else None
        row = {
            "id": number + 1, "feed_id": number % FEEDS + 1, "guid": guid, "path": path, "state": state,
            "external_id": external_id(key, guid), "canonical": link, "owned_canonical": link,
            "payload": item.model_dump_json(), "content_hash": "0" * 64, "title": item.title,
            "published_at": at, "attempts": int(failed), "lease_token": 0,
            "reason": "busy" if failed else None,
        }  # fmt: skip
        version = {
            "item_id": number + 1, "at": at, "path": path, "sha256": "0" * 64, "text": body,
            "confirmed": True, "number": 1, "cause": "draft", "aside": False,
        }  # fmt: skip
        yield row, version if drafted else None


def build(db: Database, size: int) -> None:
    """Fill a new ledger."""
    db.feeds.sync([feed(number) for number in range(FEEDS)])
    body = "---\ntitle: x\n---\n" + "A sentence of usual length stands here. " * 80
    engine = db._engine  # nothing but a benchmark fills a ledger in this way
    for first in range(0, size, _BATCH):
        made = list(rows(first, min(_BATCH, size - first), body))
        drafted = [version for _, version in made if version]
        with engine.begin() as connection:
            connection.execute(items.insert(), [row for row, _ in made])
            connection.execute(versions.insert(), drafted)
            connection.execute(calls.insert(), [_call(version) for version in drafted])
    with engine.begin() as connection:
        waiting = sa.select(versions.c.id).where(versions.c.item_id <= 5_000)
        found = [{"version_id": number, "severity": "warn", "payload": "{}", "key": "k"}
                 for number in connection.scalars(waiting)]  # fmt: skip
        connection.execute(findings.insert(), found)
        connection.execute(sa.text(FILL))  # the calls came past the repository, which keeps their totals
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql("ANALYZE")  # as autovacuum does; nobody does so for SQLite
            # Numbers were given out behind its back.
            last = "SELECT setval(pg_get_serial_sequence('items', 'id'), (SELECT max(id) FROM items))"
            connection.exec_driver_sql(last)
    db.feeds.sync([feed(number) for number in range(FEEDS)])  # adds up PostgreSQL's counts, as each run does


def _call(version: dict[str, Any]) -> dict[str, Any]:
    return {
        "item_id": version["item_id"], "purpose": "draft", "at": version["at"], "model": "m", "answer": "{}",
        "prompt_tokens": 1000, "completion_tokens": 400, "micros": 900, "seconds": 4.0, "run": "r",
    }  # fmt: skip


def median_ms(step: Callable[[int], object], rounds: int = 7) -> float:
    """Return the median of a step's milliseconds; it is told the number of its round."""
    took = []
    for number in range(rounds):
        began = time.perf_counter()
        step(number)
        took.append((time.perf_counter() - began) * 1000)
    return statistics.median(took)


def steps(db: Database, size: int) -> dict[str, Callable[[int], object]]:
    """Return what is measured, by name."""

    def admit(number: int) -> None:
        made = [
            Item(guid=f"n{number}-{n}", title=f"New {n}", text=text, published_at=_NOW)
            for n, text in enumerate(texts(number, 20))
        ]
        state = PollState()
        db.items.admit(
            "f1", PollResult(new=made, updated=[], skipped=[], merged=[], state=state), policy=Policy()
        )

    def lease(_number: int) -> None:
        db.leases.release(db.leases.acquire("f1", 20, 900.0))

    def reserve(_number: int) -> None:
        cap = SpendingCap("day", 10**15, day)
        db.budget.release(db.budget.reserve("r", CallCost(0, 0), [cap], _NOW, stale=day)[0])

    guids = [f"g{number}" for number in range(1, size, max(1, size // 50))]
    links = [f"https://f1.example/{number}" for number in range(1, size, max(1, size // 50))]
    day = _NOW - timedelta(days=1)
    return {
        "SELECT 1": lambda _: _select(db),
        "one row written": lambda number: db.caches.save_page(f"https://x.example/{number}", None, "x", _NOW),
        "admit 20 items": admit,
        "claim 20, give back": lease,
        "known: 50 guids": lambda _: db.items.existing("f1", guids, links),
        "queues of all feeds": lambda _: db.items.backlogs(datetime.now(UTC)),
        "poll states": lambda _: db.feeds.poll_states(),
        "page of the desk's queue": lambda _: db.drafts.page(DraftQuery()),
        "reserve under a day's cap": reserve,
        "drafted in a day": lambda _: db.drafts.count_since("f1", day),
        "unwritten texts": lambda _: db.versions.unwritten(),
        "status of feeds": lambda _: db.feeds.status(),
        "metrics for Prometheus": lambda _: metrics(db),
    }


def metrics(db: Database) -> None:
    """Read all that grows with the items in an answer to Prometheus."""
    db.metrics.snapshot(_NOW)
    db.feeds.status()
    db.items.backlogs(_NOW)
    db.publications.backlog()


def _select(db: Database) -> None:
    with db._reading() as connection:
        connection.execute(sa.text("SELECT 1"))


def measured(url: str, size: int) -> dict[str, float]:
    """Build a ledger of so many items and return the milliseconds."""
    with Database.open(url) as db:
        build(db, size)
        return {name: median_ms(step) for name, step in steps(db, size).items()}


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--postgresql", action="store_true")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as temporary:
        folder = Path(temporary)
        on_one = on_postgresql if arguments.postgresql else on_sqlite
        found = on_one(folder, arguments.sizes, measured)
    print("ms\t" + "\t".join(f"{size:,}" for size in found))
    for name in next(iter(found.values())):
        print(name + "\t" + "\t".join(f"{one[name]:.2f}" for one in found.values()))
    return 0


def on_sqlite(folder: Path, sizes: list[int], measure: Callable[[str, int], Found]) -> dict[int, Found]:
    """Measure on SQLite, a file a size."""
    return {size: measure(f"sqlite:///{folder / f'{size}.db'}", size) for size in sizes}


def on_postgresql(folder: Path, sizes: list[int], measure: Callable[[str, int], Found]) -> dict[int, Found]:
    """Measure on a PostgreSQL of our own, a database a size."""
    with running_postgresql(folder) as admin:
        engine = sa.create_engine(
            admin.replace("postgresql:", "postgresql+psycopg:"), isolation_level="AUTOCOMMIT"
        )
        for size in sizes:
            with engine.connect() as connection:
                connection.exec_driver_sql(f"CREATE DATABASE l{size}")
        engine.dispose()
        return {size: measure(admin.replace("/postgres", f"/l{size}"), size) for size in sizes}


if __name__ == "__main__":
    sys.exit(main())
