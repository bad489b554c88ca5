"""`copydesk serve` for days of a clock that runs faster: memory, missed schedules, repeated log lines.

    python benchmarks/months.py [--hours 72] [--speed 60] [--feeds 50] [--faults 0.05] [--minutes 15]

For `serve`, its Prefect server and its runs the time of day runs `--speed` seconds a second from when they
have started (fast_clock.c; needs a C compiler). Every feed has a new item each simulated hour, one feed after
the other; a part of the requests fails: not found, a page in place of a feed, a document that is cut off.
Ends with an error where a bar is missed.
"""

import argparse
import itertools
import json
import random
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any, NamedTuple

from newsroom import feed_server, lay_out, rss
from served import Serving, memory_mb, running_serve, serving, tree

_MAX_GROWTH = 1.15
"""Resident memory at the end, as a part of that after a third of the time. Chosen, not measured."""
_FAILURES = ("Failed", "Crashed", "Cancelled")
"""States of runs that did not do their work."""
_START_S = 40
"""Seconds that the clock is left as it is, in which `serve` starts. Chosen, not measured."""
_MAX_LEASE_S = 3600
"""The longest lease that Prefect's settings allow."""
_TIME = re.compile(r"^\d\d:\d\d:\d\d\.\d{3} \| ")
"""With which a line begins."""
_REPEAT_S = 60.0
"""Seconds within which no line is to come twice: real ones for what `serve` itself says, else simulated."""


class Feeds(Mapping[str, bytes]):
    """Documents by path: with a new item each simulated hour, and at random not what was asked for."""

    def __init__(self, count: int, faults: float, speed: float) -> None:
        self._count, self._faults, self._speed = count, faults, speed
        self._chance, self._begun = random.Random(7), time.monotonic()
        self.served = Counter[str]()

    def __getitem__(self, path: str) -> bytes:
        if path not in iter(self):  # robots.txt
            raise KeyError(path)
        number = int(path.strip("/"))
        hours = int((time.monotonic() - self._begun) * self._speed / 3600 + number / self._count)
        body = rss(number * 1000, 1 + hours)
        if self._chance.random() >= self._faults:
            self.served["whole"] += 1
            return body
        fault = self._chance.choice(["missing", "page", "cut"])
        self.served[fault] += 1
        if fault == "missing":
            raise KeyError(path)
        return b"<!doctype html><title>Log in</title>" if fault == "page" else body[: len(body) // 2]

    def __iter__(self) -> Iterator[str]:
        return (f"/{number}" for number in range(self._count))

    def __len__(self) -> int:
        return self._count


class Clock(NamedTuple):
    """The time of day of all processes."""

    begin: int
    """When it begins to run faster, in seconds since 1970."""
    speed: int

    def environ(self, folder: Path) -> dict[str, str]:
        """Return the variables of a command that has this clock, as its children then have."""
        library = folder / "fast_clock.so"
        source = Path(__file__).with_name("fast_clock.c")
        subprocess.run(["cc", "-shared", "-fPIC", "-O2", "-o", library, source, "-ldl"], check=True)
        variables = {"LD_PRELOAD": str(library), "FAST_CLOCK_BEGIN": str(self.begin)}
        return variables | {"FAST_CLOCK_SPEED": str(self.speed)}

    def wait_until_fast(self) -> None:
        """Wait until it runs faster."""
        time.sleep(max(0, self.begin - time.time()) + 1)


class Lines:
    """What `serve` prints, each line with the time at which it came."""

    def __init__(self, log: Path, speed: float) -> None:
        self._log, self._speed = log, speed
        self._stop = threading.Event()
        self._last: dict[str, float] = {}
        self.repeated = Counter[str]()
        self.count = 0
        self._thread = threading.Thread(target=self._follow)

    def __enter__(self) -> "Lines":
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._stop.set()
        self._thread.join()

    def _follow(self) -> None:
        with self._log.open(encoding="utf-8", errors="replace") as text:
            while not self._stop.is_set():
                for line in text:
                    self._note(_TIME.sub("", line.strip()))
                time.sleep(0.2)

    def _note(self, line: str) -> None:
        now = time.monotonic()
        self.count += 1
        is_timed_by_sleeps = "copydesk.serve" in line  # they are real
        repeat_s = _REPEAT_S if is_timed_by_sleeps else _REPEAT_S / self._speed
        if line and now - self._last.get(line, -repeat_s) < repeat_s:
            self.repeated[line] += 1
        self._last[line] = now


def runs(api: str) -> list[dict[str, Any]]:
    """Return the ingest runs that are not in the future, in the order of their times."""
    found: list[dict[str, Any]] = []
    for offset in itertools.count(0, 200):
        asked = {
            "flows": {"name": {"any_": ["ingest"]}},
            "flow_runs": {"state": {"type": {"not_any_": ["SCHEDULED"]}}},
            "limit": 200,
            "offset": offset,
        }
        request = urllib.request.Request(
            f"{api}/flow_runs/filter", json.dumps(asked).encode(), {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            page: list[dict[str, Any]] = json.load(answer)
        found += page
        if len(page) < 200:
            return sorted(found, key=lambda one: str(one["expected_start_time"]))
    raise AssertionError


class Period(NamedTuple):
    """The simulated time that was watched."""

    begin: datetime
    end: datetime


def simulated_now(api: str) -> datetime:
    """Return the time by the clock of Prefect's server."""
    with urllib.request.urlopen(f"{api}/health", timeout=60) as answer:
        return parsedate_to_datetime(answer.headers["Date"])


def missed(times: list[datetime], period: Period, interval: timedelta) -> int:
    """Return how many times of the schedule had no run, from the first to the last one of a period.

    The last interval is left out: its run may be about to start.
    """
    if not times:
        return int((period.end - period.begin) / interval)
    offset = (times[0] - period.begin) % interval
    number = int((period.end - period.begin - offset) / interval)
    due = (period.begin + offset + n * interval for n in range(number))
    return sum(all(abs(time - moment) > interval / 2 for time in times) for moment in due)


def verdict(
    running: Serving, lines: Lines, memory: list[tuple[float, float]], begin: datetime, interval: timedelta
) -> list[str]:
    """Print what came of it and return the bars that were missed."""
    found = runs(running.api)
    states = Counter(str(one["state_name"]) for one in found)
    times = [datetime.fromisoformat(one["expected_start_time"]) for one in found]
    without = missed(times, Period(begin, simulated_now(running.api)), interval)
    for one in found:
        if one["state_name"] in _FAILURES:
            print(f"{one['state_name']}\t{one['name']}: {one['state']['message']}")
    print(f"runs\t{len(found)}: {dict(states)}\nscheduled times without a run\t{without}")
    print(f"lines\t{lines.count}, repeated within a minute: {dict(lines.repeated) or 'none'}")
    ours, server = (memory[-1][n] / memory[len(memory) // 3][n] for n in (0, 1))
    print(f"growth of memory in the last two thirds\tours {ours:.2f}, server {server:.2f}")
    bars = {
        "a schedule was missed": without > 0,
        "a run failed": bool(sum(states[name] for name in _FAILURES)),
        "a line came twice a minute": bool(lines.repeated),
        "memory grows": ours > _MAX_GROWTH,
    }
    return [name for name, is_missed in bars.items() if is_missed]


def watch(running: Serving, seconds: float, speed: float) -> list[tuple[float, float]]:
    """Return the resident memory of `serve` and of its server in megabytes, at each fifteenth of the time."""
    print("hour\tours, MB\tserver, MB\truns", flush=True)
    memory = []
    for part in range(1, 16):
        time.sleep(seconds / 15)
        memory.append(
            (memory_mb(running_serve(running.process.pid)), sum(map(memory_mb, tree(running.server))))
        )
        hour = part * seconds / 15 * speed / 3600
        print(f"{hour:.1f}\t{memory[-1][0]:.0f}\t{memory[-1][1]:.0f}\t{len(runs(running.api))}", flush=True)
    return memory


def real_time_windows(speed: int) -> dict[str, str]:
    """Return settings of Prefect for what it compares with the time of day, and waits for in real time."""
    return {
        "PREFECT_FLOWS_HEARTBEAT_FREQUENCY": str(30 * speed),  # a run is dead after six heartbeats
        "PREFECT_SERVER_CONCURRENCY_INITIAL_DEPLOYMENT_LEASE_DURATION": str(min(300 * speed, _MAX_LEASE_S)),
        "PREFECT_RUNNER_POLL_FREQUENCY": "1",  # real seconds between two looks for due runs
        "PREFECT_WORKER_PREFETCH_SECONDS": "0",  # a run that is fetched early sleeps as long in real time
    }


def main() -> int:
    """Run the trial."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--hours", type=float, default=72)
    parser.add_argument("--speed", type=int, default=60)
    parser.add_argument("--feeds", type=int, default=50)
    parser.add_argument("--faults", type=float, default=0.05)
    parser.add_argument("--minutes", type=int, default=15, help="between two runs of the schedule")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # what was started is ended even then
    feeds = Feeds(arguments.feeds, arguments.faults, arguments.speed)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as temporary, feed_server(feeds) as url:
        home = Path(temporary) / "home"
        places = {f"f{number}": f"{url}/{number}" for number in range(arguments.feeds)}
        environ = lay_out(home, places, schedule=f"{arguments.minutes}m", poll_minutes=[0, 0])
        environ |= real_time_windows(arguments.speed)
        clock = Clock(int(time.time()) + _START_S, arguments.speed)
        with serving(home, environ | clock.environ(Path(temporary))) as running:
            clock.wait_until_fast()
            begin = simulated_now(running.api)
            with Lines(running.log, arguments.speed) as lines:
                memory = watch(running, arguments.hours * 3600 / arguments.speed, arguments.speed)
            failures = verdict(running, lines, memory, begin, timedelta(minutes=arguments.minutes))
    print(f"answers\t{dict(feeds.served)}")
    print("missed: " + "; ".join(failures) if failures else "every bar is met")
    return bool(failures)


if __name__ == "__main__":
    sys.exit(main())
