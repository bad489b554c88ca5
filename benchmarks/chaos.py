"""Kills what runs, at random, and looks whether anything is lost, doubled or paid for twice.

    python benchmarks/chaos.py [--items 3000] [--kills 40] [--faults 0.1]

Two workers (one of them writes no drafts), Prefect's server and the ledger on PostgreSQL, a model that fails
now and then. `kill -9` hits a worker, a flow's process, Prefect's server or PostgreSQL; what was killed is
started again, as a service manager would, and nothing else is done by hand. Ends with an error where a bar is
missed.
"""

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import psycopg
from machines import (
    PREFECT,
    Program,
    answers,
    flow_processes,
    free_port,
    healthy,
    postgresql,
    prefect_server,
    waited,
)
from modelserver import Asked, model_server, stats
from newsroom import feed_server, lay_out, rss

_RESTART_S = (0.5, 4.0)
"""Seconds after which what was killed is started again."""


class World(NamedTuple):
    """Everything that runs."""

    folder: Path
    environ: dict[str, str]
    db: str
    """URL as psycopg takes it."""
    prefect: int
    """Port of Prefect's server."""
    programs: dict[str, Program]


def world(folder: Path, feeds: dict[str, str], model_url: str, in_flight: int) -> World:
    """Lay everything out and start it."""
    home = folder / "home"
    environ = lay_out(home, feeds)
    database, prefect = free_port(), free_port()
    db = f"postgresql://copydesk@127.0.0.1:{database}/ledger"
    environ |= {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "COPYDESK_DATABASE_URL": db,
        "COPYDESK_MODEL": "fake-1",
        "OPENAI_BASE_URL": model_url,
        "COPYDESK_MAX_IN_FLIGHT": str(in_flight),
        "COPYDESK_MAX_IN_FLIGHT_TOTAL": str(in_flight),
        "PREFECT_API_URL": f"http://127.0.0.1:{prefect}/api",
        "PREFECT_WORKER_QUERY_SECONDS": "2",
        "PREFECT_LOGGING_LEVEL": "WARNING",
        "PREFECT_API_DATABASE_CONNECTION_URL": f"postgresql+asyncpg://copydesk@127.0.0.1:{database}/prefect",
    }
    pg = postgresql(folder / "pg", database)
    pg.keep()
    waited(lambda: answers(db.replace("/ledger", "/postgres")), 60, "PostgreSQL")
    with psycopg.connect(db.replace("/ledger", "/postgres"), autocommit=True) as connection:
        for name in ("ledger", "prefect"):
            connection.execute(f"CREATE DATABASE {name}".encode())
    working = [*PREFECT, "worker", "start", "--pool", "copydesk", "--limit", "3", "--work-queue", "default"]
    remote = environ | {"COPYDESK_WRITES_DRAFTS": "no"}
    programs = {
        "postgresql": pg,
        "prefect": prefect_server(prefect, environ, folder / "prefect.log", home),
        "writer": Program(
            "worker that writes",
            [*working, "--work-queue", "drafts"],
            environ,
            folder / "writer.log",
            cwd=home,
        ),
        "remote": Program("worker without drafts", working, remote, folder / "remote.log", cwd=home),
    }
    return World(folder, environ, db, prefect, programs)


def deploy(place: World) -> None:
    """Do what the runbook says, once."""
    place.programs["prefect"].keep()
    waited(lambda: healthy(place.prefect), 180, "Prefect's server")
    for command in (
        ["work-pool", "create", "copydesk", "--type", "process"],
        ["--no-prompt", "deploy", "--all"],
    ):
        subprocess.run(
            [*PREFECT, *command],
            check=True,
            cwd=place.folder / "home",
            env=place.environ,
            capture_output=True,
        )
    for program in place.programs.values():
        program.keep()


def victim(place: World, chance: random.Random) -> tuple[str, Callable[[], None]]:
    """Choose what is killed."""
    flows = flow_processes(place.folder / "home")
    names = [name for name, program in place.programs.items() if program.pid]
    choice = chance.choice([*names, *(["flow"] * 2 if flows else [])])
    if choice == "flow":
        pid = chance.choice(flows)
        return "a flow's process", lambda: os.kill(pid, signal.SIGKILL)
    return place.programs[choice].name, place.programs[choice].kill


def states(place: World) -> Counter[str]:
    """Return items by state; nothing where the ledger does not answer."""
    try:
        with psycopg.connect(place.db, connect_timeout=2) as connection:
            rows = connection.execute("SELECT state, count(*) FROM items GROUP BY state").fetchall()
    except psycopg.Error:
        return Counter()
    return Counter({str(state): int(count) for state, count in rows})


def runs(place: World) -> list[dict[str, Any]]:
    """Return all flow runs that are not over and not in the future."""
    asked = {"flow_runs": {"state": {"type": {"any_": ["RUNNING", "PENDING", "CANCELLING"]}}}}
    request = urllib.request.Request(
        f"http://127.0.0.1:{place.prefect}/api/flow_runs/filter",
        json.dumps(asked).encode(),
        {"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=20) as answer:
        found: list[dict[str, Any]] = json.load(answer)
    return found


def torment(
    place: World, model_url: str, kills: int, pause_s: tuple[float, float]
) -> tuple[int, Counter[str]]:
    """Kill at random moments; returns the calls that were under way then, and what was hit."""
    chance, under_way, hit = random.Random(20260205), 0, Counter[str]()
    for number in range(1, kills + 1):
        time.sleep(chance.uniform(*pause_s))
        name, kill = victim(place, chance)
        seen = stats(model_url)
        under_way += seen.under_way + seen.fresh
        kill()
        hit[name] += 1
        done = states(place)
        print(f"{number}\t{name}\t{done['drafted']} drafted, {done.total()} known", flush=True)
        time.sleep(chance.uniform(*_RESTART_S))
        for program in place.programs.values():
            program.keep()
    return under_way, hit


def supervised(place: World, ready: Callable[[], bool], seconds: float, what: str) -> None:
    """Wait as `waited` does, and keep everything running."""

    def looked() -> bool:
        for program in place.programs.values():
            program.keep()
        time.sleep(0.8)
        return ready()

    waited(looked, seconds, what)


def quiet(place: World, seconds: float) -> list[str]:
    """Wait until no run is under way that began before now; returns those that seem to run for ever."""
    begun = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime())
    deadline = time.monotonic() + seconds
    while old := [one for one in runs(place) if one["created"] < begun]:
        if time.monotonic() > deadline:
            return [f"{one['name']} {one['state_name']}" for one in old]
        time.sleep(2)
    return []


def verdict(place: World, asked: Asked, items: int, under_way: int, stuck: list[str]) -> list[str]:
    """Print what came of it and return the bars that were missed."""
    files = [path.name for path in (place.folder / "home/output/drafts").rglob("*.md")]
    left = [path for path in (place.folder / "home/output/drafts").rglob("*") if path.is_file()]
    found = states(place)
    print(f"items\t{dict(found)}\nfiles\t{len(files)}, of them different {len(set(files))}")
    print(f"paid answers\t{asked.answered} for {asked.items} items, at most {asked.most} for one")
    print(f"calls under way at the kills\t{under_way}\npeak of calls at one time\t{asked.peak}")
    print(f"runs that seem to run for ever\t{stuck or 'none'}")
    bars = {
        "an item is lost": found != Counter(drafted=items),
        "a file is doubled or missing": len(files) != items or len(set(files)) != items,
        "a half-written file is left": len(left) != len(files),
        "an answer was paid for twice": asked.answered > items + under_way,
        "a run seems to run for ever": bool(stuck),
    }
    return [name for name, missed in bars.items() if missed]


def main() -> int:
    """Run the trial."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--items", type=int, default=3000)
    parser.add_argument("--kills", type=int, default=40)
    parser.add_argument("--faults", type=float, default=0.1)
    parser.add_argument("--latency", type=float, default=2.0)
    parser.add_argument("--in-flight", type=int, default=10)
    parser.add_argument("--pause", type=float, nargs=2, default=(5.0, 22.0), help="seconds between two kills")
    parser.add_argument("--keep", type=Path, help="work in this folder and leave it, with all logs")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # what was started is ended even then
    pages = {f"/{n}": rss(n * arguments.items // 6, arguments.items // 6) for n in range(6)}
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as temporary,
        feed_server(pages) as feeds,
        model_server(arguments.latency, arguments.faults) as model_url,
    ):
        folder = (arguments.keep or Path(temporary)).absolute()
        folder.mkdir(exist_ok=True)
        folder.chmod(0o755)
        place = world(folder, {f"f{n}": f"{feeds}/{n}" for n in range(6)}, model_url, arguments.in_flight)
        try:
            deploy(place)
            supervised(place, lambda: stats(model_url).answered > 0, 300, "a first answer")
            begun = time.monotonic()
            under_way, hit = torment(place, model_url, arguments.kills, tuple(arguments.pause))
            print(f"killed\t{dict(hit)}\nkills took\t{time.monotonic() - begun:.0f} s", flush=True)
            supervised(place, lambda: states(place) == Counter(drafted=arguments.items), 1800, "all drafted")
            print(f"all drafted after\t{time.monotonic() - begun:.0f} s", flush=True)
            stuck = quiet(place, 420)
            missed = verdict(place, stats(model_url), arguments.items, under_way, stuck)
        finally:
            for program in reversed(place.programs.values()):
                program.end()
    print("missed: " + "; ".join(missed) if missed else "every bar is met")
    return bool(missed)


if __name__ == "__main__":
    sys.exit(main())
