"""Three processes on one SQLite ledger: whether a user ever reads "database is locked".

    python benchmarks/sqlite.py [--minutes 10] [--processes 3]

Each process admits new items, drafts them through the real pipeline with a model that answers at once,
and looks at the queue as the desk does, over and over and at the same time. Counts what came to a user's
eyes.
"""

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from modelserver import model_server
from newsroom import lay_out, texts

from pipeline.storage import PollResult

_PORTION = 30
"""Items that are admitted at a time."""


def work(number: int, seconds: float) -> None:
    """Be one of the processes; print what came of it."""
    from pipeline.domain.errors import DatabaseError
    from pipeline.domain.models import Item, PollState
    from pipeline.services.draft import draft_feed
    from pipeline.services.run import open_run
    from pipeline.storage import Database, Policy

    trouble: list[str] = []
    slowest = 0.0
    drafted = 0

    def looked(db: Database) -> None:
        nonlocal slowest
        began = time.perf_counter()
        db.metrics.snapshot()
        db.feeds.status()
        db.feeds.item_counts()
        slowest = max(slowest, time.perf_counter() - began)

    def admit(db: Database, key: str, first: int) -> None:
        made = [
            Item(
                guid=f"{number}-{n}",
                title=f"Varnhem {n} of {number}",
                text=text,
                published_at=datetime.now(UTC),
            )
            for n, text in enumerate(texts(first * 7 + number, _PORTION), start=first)
        ]
        db.items.admit(
            key, PollResult(new=made, updated=[], skipped=[], merged=[], state=PollState()), policy=Policy()
        )

    async def run() -> None:
        nonlocal drafted
        until, first = time.monotonic() + seconds, 0
        async with open_run("ingest") as (ctx, subscriptions):
            [feed] = subscriptions.feeds
            while time.monotonic() < until:
                try:
                    await asyncio.to_thread(admit, ctx.db, feed.key, first)
                    _, outcomes = await asyncio.gather(
                        asyncio.to_thread(looked, ctx.db), draft_feed(ctx, feed, _PORTION)
                    )
                    drafted += sum(bool(one.path) for one in outcomes)
                except DatabaseError as error:
                    trouble.append(error.message)
                trouble.extend(error.message for error in ctx.fatal_errors)
                ctx.fatal_errors.clear()
                first += _PORTION

    asyncio.run(run())
    print(json.dumps({"drafted": drafted, "trouble": trouble[:5], "count": len(trouble), "slowest": slowest}))


def main() -> int:
    """Run the trial, or be one of its processes."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--processes", type=int, default=3)
    parser.add_argument("--part", type=int)
    arguments = parser.parse_args()
    if arguments.part is not None:
        work(arguments.part, arguments.minutes * 60)
        return 0
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as temporary, model_server(0.0) as model:
        home = Path(temporary) / "home"
        environ = lay_out(home, {"f": "http://127.0.0.1:9/f"})
        environ |= {"COPYDESK_MODEL": "fake-1", "OPENAI_BASE_URL": model, "PATH": os.environ["PATH"]}
        said = [json.loads(one) for one in together(home, environ, arguments)]
    print("process\tdrafted\terrors that a user reads\tslowest look s")
    for number, one in enumerate(said):
        print(f"{number}\t{one['drafted']}\t{one['count']} {'; '.join(one['trouble'])}\t{one['slowest']:.2f}")
    return int(any(one["count"] for one in said))


def together(home: Path, environ: dict[str, str], arguments: argparse.Namespace) -> list[str]:
    """Run the processes at the same time; returns the last line of each."""
    command = [sys.executable, str(Path(__file__).absolute()), "--minutes", str(arguments.minutes), "--part"]
    running = [
        subprocess.Popen([*command, str(number)], cwd=home, env=environ, stdout=subprocess.PIPE, text=True)
        for number in range(arguments.processes)
    ]
    return [process.communicate()[0].splitlines()[-1] for process in running]


if __name__ == "__main__":
    sys.exit(main())
