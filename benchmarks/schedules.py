"""A schedule of a minute for twenty of them, with a stop of five: no runs overlap, and one catches up.

    python benchmarks/schedules.py [--minutes 20] [--stop 5] [--how sleep|restart]

`sleep` halts every process, as a machine that is put to sleep does; `restart` ends `copydesk serve` and
starts it again. One article takes the model 100 s, so that its run meets the next one's time. Ends with an
error where runs overlapped or more than one caught up.
"""

import argparse
import contextlib
import itertools
import json
import os
import signal
import sys
import tempfile
import time
import urllib.request
from datetime import datetime
from pathlib import Path
from typing import Any

from modelserver import model_server
from newsroom import feed_server, lay_out, rss
from served import Serving, serving, tree

_LONG_S = 100.0


def runs(api: str) -> list[dict[str, Any]]:
    """Return the ingest runs that began, or were cancelled, in the order of their times."""
    asked = {
        "flows": {"name": {"any_": ["ingest"]}},
        "flow_runs": {"state": {"type": {"not_any_": ["SCHEDULED"]}}},
        "limit": 200,
    }
    request = urllib.request.Request(
        f"{api}/flow_runs/filter", json.dumps(asked).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=20) as answer:
        found: list[dict[str, Any]] = json.load(answer)
    return sorted(found, key=lambda one: str(one["start_time"] or one["expected_start_time"]))


def moment(text: str) -> float:
    """Return seconds since 1970."""
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def judged(found: list[dict[str, Any]], polls: list[float], woken: float, minutes: float) -> list[str]:
    """Print the runs and return the bars that were missed."""
    ran = [one for one in found if one["start_time"] and one["state_type"] != "CANCELLED"]
    spans = [(moment(one["start_time"]), moment(one["end_time"] or one["start_time"])) for one in ran]
    for one, (start, end) in zip(ran, spans, strict=True):
        late = start - moment(one["expected_start_time"])
        print(f"{one['start_time'][11:19]}\t{end - start:.0f} s\t{late:.0f} s late\t{one['state_name']}")
    overlaps = sum(later[0] < earlier[1] for earlier, later in itertools.pairwise(spans))
    print(f"runs\t{len(ran)} in {minutes:.0f} minutes, {len(found) - len(ran)} cancelled")
    caught = sum(woken <= poll < woken + 30 for poll in polls)
    print(f"overlaps\t{overlaps}\npolls\t{len(polls)}\npolls within 30 s of waking\t{caught}")
    bars = {"runs overlapped": overlaps > 0, "caught up not once": caught != 1}
    return [name for name, missed in bars.items() if missed]


def asleep(running: Serving, seconds: float) -> None:
    """Halt every process for a while."""
    halted = tree(running.process.pid)
    for pid in halted:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGSTOP)
    time.sleep(seconds)
    for pid in halted:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)


def trial(
    home: Path, environ: dict[str, str], polls: list[float], how: str, minutes: float, stop_s: float
) -> list[str]:
    """Serve, stop, serve on; returns the bars that were missed."""
    before_s = minutes * 60 * 0.4
    after_s = minutes * 60 - before_s - stop_s
    if how == "sleep":
        with serving(home, environ) as running:
            time.sleep(before_s)
            asleep(running, stop_s)
            woken = time.time()
            time.sleep(after_s)
            return judged(runs(running.api), polls, woken, minutes)
    with serving(home, environ):
        time.sleep(before_s)
    time.sleep(stop_s)
    with serving(home, environ) as running:
        woken = time.time()
        time.sleep(after_s)
        return judged(runs(running.api), polls, woken, minutes)


def main() -> int:
    """Run the trial."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=20)
    parser.add_argument("--stop", type=float, default=5)
    parser.add_argument("--how", choices=["sleep", "restart"], default="sleep")
    arguments = parser.parse_args()
    polls: list[float] = []
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as temporary,
        feed_server({"/f": rss(0, 1)}, polls) as url,
        model_server(_LONG_S) as model,
    ):
        home = Path(temporary) / "home"
        environ = lay_out(home, {"f": f"{url}/f"}, schedule="1m", poll_minutes=[0, 0])
        environ |= {"COPYDESK_MODEL": "fake-1", "OPENAI_BASE_URL": model, "COPYDESK_MODEL_TIMEOUT": "200"}
        missed = trial(home, environ, polls, arguments.how, arguments.minutes, arguments.stop * 60)
    print("missed: " + "; ".join(missed) if missed else "every bar is met")
    return bool(missed)


if __name__ == "__main__":
    sys.exit(main())
