"""How long a command takes to start, beside Python alone.

    python benchmarks/startup.py [--rounds 7]

Wall seconds of whole processes, medians. `status` and `drafts list` open a ledger; `import flows` is what
a run pays before its first line; the floors are an empty Python and the import of Prefect.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from newsroom import lay_out

_COPYDESK = ["-m", "copydesk"]
_STEPS = {
    "python": ["-c", "pass"],
    "import prefect": ["-c", "import prefect.flows"],
    "copydesk --help": [*_COPYDESK, "--help"],
    "copydesk status": [*_COPYDESK, "status"],
    "copydesk drafts list": [*_COPYDESK, "drafts", "list"],
    "import flows": ["-c", "import flows.ingest"],
}


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=7)
    arguments = parser.parse_args()
    print("process\tseconds")
    with tempfile.TemporaryDirectory() as temporary:
        home = Path(temporary) / "home"
        environ = lay_out(home, {"f": "http://127.0.0.1:9/f"}) | {"PATH": os.environ["PATH"]}
        for name, step in _STEPS.items():
            took = [seconds(step, home, environ) for _ in range(arguments.rounds)]
            print(f"{name}\t{statistics.median(took):.3f}", flush=True)
    return 0


def seconds(step: list[str], home: Path, environ: dict[str, str]) -> float:
    """Return how long a process takes."""
    began = time.perf_counter()
    subprocess.run([sys.executable, *step], cwd=home, env=environ, check=True, capture_output=True)
    return time.perf_counter() - began


if __name__ == "__main__":
    sys.exit(main())
