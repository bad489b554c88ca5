"""What `copydesk serve` costs while nothing happens.

    python benchmarks/idle.py [--minutes 60] [--feeds 10] [--schedule 15m]

Feeds that never change, on schedule. Processor time of our processes (the serving one, and each flow run that
it waited for) and of Prefect's server, as parts of one core; resident memory at each tenth of the time.
"""

import argparse
import sys
import tempfile
from pathlib import Path

from newsroom import feed_server, lay_out, rss
from served import memory_mb, seconds_used, serving, tree, wait_and_look


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--feeds", type=int, default=10)
    parser.add_argument("--schedule", default="15m")
    arguments = parser.parse_args()
    pages = {f"/{number}": rss(number * 3, 3) for number in range(arguments.feeds)}
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as temporary, feed_server(pages) as url:
        home = Path(temporary) / "home"
        feeds = {f"f{number}": f"{url}/{number}" for number in range(arguments.feeds)}
        environ = lay_out(home, feeds, schedule=arguments.schedule)
        with serving(home, environ) as running:
            watch(running.process.pid, running.server, arguments.minutes * 60)
    return 0


def watch(ours: int, server: int, seconds: float) -> None:
    """Print what both cost."""
    print("minute\tours, % of a core\tserver, % of a core\tours, MB\tserver, MB")
    before = (seconds_used(ours), server_seconds(server))
    for gone in wait_and_look(seconds + 1, seconds / 10):
        if not gone:
            continue
        now = (seconds_used(ours), server_seconds(server))
        used = [after - then for after, then in zip(now, before, strict=True)]
        parts = "\t".join(f"{100 * one / gone:.2f}" for one in used)
        memory = "\t".join(f"{one:.0f}" for one in (memory_mb(ours), sum(map(memory_mb, tree(server)))))
        print(f"{gone / 60:.1f}\t{parts}\t{memory}", flush=True)


def server_seconds(pid: int) -> float:
    """Return the processor time of Prefect's server."""
    return sum(seconds_used(one) for one in tree(pid))


if __name__ == "__main__":
    sys.exit(main())
