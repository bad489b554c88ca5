"""What the desk's pages of operations cost with many items: milliseconds until a browser has the whole page.

    python benchmarks/pages.py [--sizes 1000000] [--minutes 1.0] [--postgresql]

The ledger of `ledger.py`, an item every `--minutes`, with a review of each draft, findings, and a run every
quarter of an hour. Medians of five requests to the desk in this process, for each period that a page offers.
"""

import argparse
import platform
import sys
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import ledger
import sqlalchemy as sa
import yaml
from starlette.testclient import TestClient

from desk import create_app
from desk.auth import AccessPolicy
from pipeline.checks.pool import CheckPool
from pipeline.config import load_settings
from pipeline.storage import Database
from pipeline.storage.run_schema import runs
from pipeline.storage.schema import (
    acknowledgements,
    calls,
    draft_index,
    finding_ends,
    items,
    verdicts,
    versions,
)

_NOW = datetime.now(UTC)
_PORT = 8099
_TOKEN = "a-token-for-benchmarks-only"
_BATCH = 5_000
_REASONS = ("thin source: {} of 200 characters", "too old: {} days, at most 7", "advertising", "no words: {}")
_PAGES = ("runs", "feeds", "feeds/f1", "money", "checks", "articles")


def fill(db: Database, size: int, minutes: float) -> None:
    """Add what the pages count to a ledger of so many items, and spread it over the time before now."""
    engine = db._engine  # nothing but a benchmark fills a ledger in this way
    _spread(engine, size, minutes)
    with engine.begin() as connection:
        connection.execute(sa.update(calls).values(
            feed_id=sa.select(items.c.feed_id).where(items.c.id == calls.c.item_id).scalar_subquery()
        ))  # fmt: skip
        waiting = sa.select(versions.c.item_id, versions.c.id, versions.c.at, sa.false(), sa.literal(500))
        names = ["item_id", "version_id", "since", "revision", "word_count"]
        connection.execute(draft_index.insert().from_select(names, waiting))
    for first in range(0, size, _BATCH):
        numbers = range(first, min(size, first + _BATCH))
        rows = [_review(number, minutes) for number in numbers if number % 2 == 0 and number >= 5_000]
        ends = [_end(number, minutes) for number in numbers if number % 2 == 0 and number % 10]
        dismissals = [_dismissal(number, minutes) for number in numbers if number % 10 == 0]
        with engine.begin() as connection:
            for table, made in ((verdicts, rows), (finding_ends, ends), (acknowledgements, dismissals)):
                if made:
                    connection.execute(table.insert(), made)
    every = int(timedelta(minutes=size * minutes) / timedelta(minutes=15))
    with engine.begin() as connection:
        connection.execute(runs.insert(), [_run(number) for number in range(min(every, 40_000))])
    db.feeds.sync([ledger.feed(number) for number in range(ledger.FEEDS)])  # adds up counts
    if engine.dialect.name == "postgresql":
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as plain:
            plain.exec_driver_sql("VACUUM ANALYZE")  # as autovacuum does; nobody does so for SQLite


def _spread(engine: sa.Engine, size: int, minutes: float) -> None:
    """Give items, versions and calls their times and reasons."""
    for first in range(0, size, _BATCH):
        numbers = range(first, min(size, first + _BATCH))
        times = [{"number": number + 1, "moment": _at(number, minutes),
                  "why": _REASONS[number % 4].format(number % 190)} for number in numbers]  # fmt: skip
        moment = sa.bindparam("moment", type_=items.c.published_at.type)
        of_item = items.c.id == sa.bindparam("number")
        with engine.begin() as connection:
            connection.execute(items.update().where(of_item, items.c.state == "skipped").values(
                published_at=moment, reason=sa.bindparam("why")), times)  # fmt: skip
            if minutes == 1.0:
                continue
            connection.execute(items.update().where(of_item).values(published_at=moment), times)
            for table in (versions, calls):
                mine = table.c.item_id == sa.bindparam("number")
                connection.execute(table.update().where(mine).values(at=moment), times)


def _at(number: int, minutes: float) -> datetime:
    return _NOW - timedelta(minutes=number * minutes)


def _review(number: int, minutes: float) -> dict[str, Any]:
    return {
        "item_id": number + 1, "decision": "approve" if number % 6 else "reject", "by": "Ada",
        "at": _at(number, minutes), "old_path": f"drafts/{number}.md", "new_path": f"published/{number}.md",
        "sha256_before": "0" * 64, "sha256_after": "0" * 64, "text": "A sentence. " * 300, "confirmed": True,
    }  # fmt: skip


def _end(number: int, minutes: float) -> dict[str, Any]:
    kind, outcome = ("figure", "name", "date")[number % 3], ("taken", "edited", "passed")[number % 3]
    about = {"item_id": number + 1, "key": f"{number:016x}", "kind": kind, "message": "A figure differs."}
    return {**about, "outcome": outcome, "by": "Ada", "at": _at(number, minutes)}


def _dismissal(number: int, minutes: float) -> dict[str, Any]:
    about = {"item_id": number + 1, "key": f"{number:016x}", "kind": "name", "message": "A name differs."}
    return {**about, "reason": "derived", "preset": "derived", "by": "Ada", "at": _at(number, minutes)}


def _run(number: int) -> dict[str, Any]:
    at = _NOW - timedelta(minutes=15 * number)
    return {
        "name": f"ingest-{number:016x}", "flow": "ingest", "began_at": at, "owner": f"{platform.node()}|||",
        "ended_at": at + timedelta(seconds=40), "outcome": "done" if number % 9 else "stopped",
        "details": "[]", "drafted": 3, "polled": 20,
    }  # fmt: skip


def measured(url: str, size: int, folder: Path, minutes: float) -> dict[str, list[float]]:
    """Build a ledger and return the milliseconds of each page, for 7, 30 and 90 days."""
    with Database.open(url) as db:
        ledger.build(db, size)
        fill(db, size, minutes)
    feeds = [ledger.feed(number) for number in range(ledger.FEEDS)]
    document = {
        "beats": {"any": {}},
        "feeds": [{"key": each.key, "name": each.name, "url": each.url, "beat": "any", "category": "News"}
                  for each in feeds],
    }  # fmt: skip
    (folder / "feeds.yaml").write_text(yaml.safe_dump(document))
    values = {"COPYDESK_DATABASE_URL": url, "COPYDESK_DESK_TOKEN": _TOKEN, "HOME": str(folder)}
    settings = load_settings(values, folder)
    app = create_app(settings, AccessPolicy(port=_PORT, token=_TOKEN), checks=CheckPool(workers=1))
    base = f"http://127.0.0.1:{_PORT}"
    with TestClient(app, base_url=base, headers={"Origin": base}) as browser:
        browser.get(f"/?token={_TOKEN}")
        browser.post("/name", data={"name": "Ada", "next": "/name"})
        return {
            page: [
                ledger.median_ms(partial(_get, browser, f"/operations/{page}?days={days}"), 5)
                for days in (7, 30, 90)
            ]
            for page in _PAGES
        }


def _get(browser: TestClient, address: str, _round: int) -> None:
    answer = browser.get(address, follow_redirects=False)
    if answer.status_code != 200:
        raise SystemExit(f"{address} answered {answer.status_code}")


def main() -> int:
    """Print a table for each size."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sizes", type=int, nargs="+", default=[1_000_000])
    parser.add_argument("--minutes", type=float, default=1.0, help="between two items")
    parser.add_argument("--postgresql", action="store_true")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as temporary:
        folder = Path(temporary)
        measure: Callable[[str, int], dict[str, list[float]]]
        measure = partial(measured, folder=folder, minutes=arguments.minutes)
        on = ledger.on_postgresql if arguments.postgresql else ledger.on_sqlite
        tables = on(folder, arguments.sizes, measure)
    for size, pages in tables.items():
        print(f"{size:,} items, ms\t7 days\t30 days\t90 days")
        for name, times in pages.items():
            print(name + "\t" + "\t".join(f"{each:.0f}" for each in times))
    return 0


if __name__ == "__main__":
    sys.exit(main())
