"""One process against three on one ledger: what more of them bring.

    python benchmarks/scaling.py [--items 1800] [--in-flight 15] [--latency 2.0] [--processes 3]

PostgreSQL of our own, durable as it comes, and Prefect's server. A feed of so many items waits; the flow
`drafting` is run once by one process, then, on a new ledger, by several at the same time, which share the
queue. Seconds are from the start of the flows to the end of the last one, without imports.
"""

import argparse
import json
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import psycopg
from machines import Program, answers, free_port, healthy, postgresql, prefect_server, waited
from modelserver import Asked, model_server, stats
from newsroom import feed_server, lay_out, rss
from throughput import child


class Round(NamedTuple):
    """What some processes did together."""

    seconds: float
    drafted: list[int]
    """By each of them."""
    doubled: int
    """Files, or items in the ledger, that were drafted more than once."""
    asked: Asked


def measured(home: Path, environ: dict[str, str], model: str, processes: int) -> Round:
    """Draft everything with so many processes."""
    if child(home, environ, "poll").wait(600):
        raise SystemExit("the feed could not be polled")
    flows = [child(home, environ, "flow") for _ in range(processes)]
    said = [json.loads(flow.communicate()[0].splitlines()[-1]) for flow in flows]
    seconds = max(one["ended"] for one in said) - min(one["began"] for one in said)
    names = Counter(path.name for path in (home / "output").rglob("*.md"))
    with psycopg.connect(environ["COPYDESK_DATABASE_URL"]) as connection:
        query = (
            "SELECT count(*) FROM (SELECT item_id FROM versions GROUP BY item_id HAVING count(*) > 1) AS t"
        )
        row = connection.execute(query.encode()).fetchone()
    doubled = sum(count - 1 for count in names.values()) + (row[0] if row else 0)
    return Round(seconds, [one["drafted"] for one in said], doubled, stats(model))


def trial(folder: Path, database: int, prefect: int, arguments: argparse.Namespace, processes: int) -> Round:
    """Lay out a folder and a ledger of its own, and measure."""
    name = f"ledger{processes}"
    admin = f"postgresql://copydesk@127.0.0.1:{database}/postgres"
    with psycopg.connect(admin, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
    with (
        feed_server({"/f": rss(0, arguments.items)}) as url,
        model_server(arguments.latency) as model,
    ):
        home = folder / name
        environ = lay_out(home, {"f": f"{url}/f"}) | {
            "COPYDESK_DATABASE_URL": f"postgresql://copydesk@127.0.0.1:{database}/{name}",
            "COPYDESK_MODEL": "fake-1",
            "OPENAI_BASE_URL": model,
            "COPYDESK_MAX_IN_FLIGHT": str(arguments.in_flight),
            "PREFECT_API_URL": f"http://127.0.0.1:{prefect}/api",
        }
        return measured(home, environ, model, processes)


def told(rounds: dict[int, Round], arguments: argparse.Namespace) -> None:
    """Print the table."""
    print("processes\tseconds\tfloor s\tspeed-up\tdrafted by each\tdrafted twice\tpaid answers")
    for processes, one in rounds.items():
        floor = arguments.items * arguments.latency / arguments.in_flight / processes
        by_each = "+".join(map(str, one.drafted))
        print(
            f"{processes}\t{one.seconds:.1f}\t{floor:.1f}\t{rounds[1].seconds / one.seconds:.2f}\t{by_each}"
            f"\t{one.doubled}\t{one.asked.answered} for {one.asked.items}",
            flush=True,
        )


def main() -> int:
    """Run the trial."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--items", type=int, default=1800)
    parser.add_argument("--in-flight", type=int, default=15)
    parser.add_argument("--latency", type=float, default=2.0)
    parser.add_argument("--processes", type=int, default=3)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as temporary:
        folder, database, prefect = Path(temporary), free_port(), free_port()
        folder.chmod(0o755)
        programs: list[Program] = [postgresql(folder / "pg", database)]
        home = {"HOME": str(folder), "DO_NOT_TRACK": "1", "PREFECT_SERVER_ANALYTICS_ENABLED": "false"}
        programs.append(prefect_server(prefect, home, folder / "prefect.log", folder))
        try:
            for program in programs:
                program.keep()
            waited(lambda: answers(f"postgresql://copydesk@127.0.0.1:{database}/postgres"), 60, "PostgreSQL")
            waited(lambda: healthy(prefect), 180, "Prefect's server")
            counts = (1, arguments.processes)
            told({each: trial(folder, database, prefect, arguments, each) for each in counts}, arguments)
        finally:
            for program in programs:
                program.end()
    return 0


if __name__ == "__main__":
    sys.exit(main())
