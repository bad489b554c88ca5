"""How long a command takes to start, beside Python alone.

    python benchmarks/startup.py [--rounds 7]

Wall seconds of whole processes, medians. `status` and `drafts list` open a ledger; `import flows` is what
a flow run pays before its first line; `run --direct` polls a feed on loopback that has not changed. The
floors are an empty Python and the import of Prefect. Exit code 1 where `run --direct` takes more than 2.5 s.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from newsroom import feed_server, lay_out, rss

_COPYDESK = ["-m", "copydesk"]
_STEPS = {
    "python": ["-c", "pass"],
    "import prefect": ["-c", "import prefect.flows"],
    "copydesk --help": [*_COPYDESK, "--help"],
    "copydesk status": [*_COPYDESK, "status"],
    "copydesk drafts list": [*_COPYDESK, "drafts", "list"],
    "import flows": ["-c", "import flows.ingest"],
    "copydesk run --direct, nothing new": [*_COPYDESK, "run", "f", "--direct"],
}
_MOST_S = {"copydesk run --direct, nothing new": 2.5}


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=7)
    arguments = parser.parse_args()
    print("process\tseconds")
    late = False
    with tempfile.TemporaryDirectory() as temporary, feed_server({"/f": rss(0, 3)}) as url:
        home = Path(temporary) / "home"
        environ = lay_out(home, {"f": f"{url}/f"}) | {"PATH": os.environ["PATH"]}
        for name, step in _STEPS.items():
            seconds(
                step, home, environ
            )  # what is only done once: bytecode, the ledger, the feed's first poll
            took = statistics.median(seconds(step, home, environ) for _ in range(arguments.rounds))
            print(f"{name}\t{took:.3f}", flush=True)
            late = late or took > _MOST_S.get(name, took)
    return int(late)


def seconds(step: list[str], home: Path, environ: dict[str, str]) -> float:
    """Return how long a process takes."""
    began = time.perf_counter()
    subprocess.run([sys.executable, *step], cwd=home, env=environ, check=True, capture_output=True)
    return time.perf_counter() - began


if __name__ == "__main__":
    sys.exit(main())
