"""Items from the queue to files, through the real flow, beside a bare loop of the same calls.

    python benchmarks/throughput.py [--items 2000] [--in-flight 50] [--latency 1.0] [--faults 0.0]
                                    [--verifier]

A feed of so many items is polled first. Then the flow `drafting`, in a process of its own and with
Prefect's server beside it, takes them through ledger, prompt, openai SDK, checks and writer. The floor is
calls / calls in flight x latency; the bare loop sends as many requests with the same SDK, in the same
run, and keeps nothing. Memory is that of the flow's process and its children, at each quarter of the
items; pages that processes share are counted in parts (PSS). With --verifier each draft is read by a second
reader, and the bare loop sends two requests for each item.
"""

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple

from machines import free_port, healthy, prefect_server, waited
from modelserver import model_server, stats
from newsroom import feed_server, lay_out, rss
from served import proportional_mb, tree


class Ours(NamedTuple):
    """What the flow took."""

    seconds: float
    process_s: float
    """With start and imports."""
    drafted: int
    memory_mb: dict[int, float]
    """By the hundredth part of the items that were answered."""


def flow() -> None:
    """Run the flow in this process and print what it took."""
    from flows.drafting import drafting

    async def timed() -> None:
        began, started = time.time(), time.perf_counter()
        report = await drafting()
        seconds = time.perf_counter() - started
        drafted = sum(len(feed["drafts"]) for feed in report["feeds"])
        told = {"seconds": seconds, "drafted": drafted, "began": began, "ended": time.time()}
        print(json.dumps(told))

    asyncio.run(timed())


def poll() -> None:
    """Bring the items of the one feed into the ledger."""
    from pipeline.services.poll import poll as polled
    from pipeline.services.run import open_run

    async def run() -> None:
        async with open_run("ingest") as (ctx, subscriptions):
            await polled(ctx, subscriptions.feeds[0], named=True)

    asyncio.run(run())


def child(home: Path, environ: dict[str, str], what: str) -> "subprocess.Popen[str]":
    """Start this file once more, for one part, in a project folder."""
    command = [sys.executable, str(Path(__file__).absolute()), "--part", what]
    variables = {"PATH": os.environ["PATH"], "PREFECT_LOGGING_LEVEL": "CRITICAL", **environ}
    return subprocess.Popen(command, cwd=home, env=variables, stdout=subprocess.PIPE, text=True)


def ours(home: Path, environ: dict[str, str], model: str, items: int) -> Ours:
    """Draft everything; watch the memory meanwhile."""
    polling = child(home, environ, "poll")
    if polling.wait(600):
        raise SystemExit("the feed could not be polled")
    begun, before = time.perf_counter(), stats(model).answered
    drafting, memory = child(home, environ, "flow"), dict[int, float]()
    while drafting.poll() is None:
        part = 100 * (stats(model).answered - before) // items
        memory[part] = max(memory.get(part, 0.0), sum(map(proportional_mb, tree(drafting.pid))))
        time.sleep(0.5)
    took = time.perf_counter() - begun
    said = json.loads((drafting.stdout.read() if drafting.stdout else "").splitlines()[-1])
    return Ours(said["seconds"], took, said["drafted"], memory)


async def bare(items: int, in_flight: int, model: str, body: dict[str, Any]) -> float:
    """Send as many requests with the bare SDK, again where one fails; returns the seconds."""
    import openai

    turns = asyncio.Semaphore(in_flight)
    async with openai.AsyncOpenAI(api_key="none", base_url=model, max_retries=0) as client:

        async def one() -> None:
            async with turns:
                while True:
                    try:
                        await client.chat.completions.create(**body)
                        return
                    except openai.APIError:
                        continue

        started = time.perf_counter()
        await asyncio.gather(*(one() for _ in range(items)))
        return time.perf_counter() - started


def request_of(home: Path) -> dict[str, Any]:
    """Return a request as ours look: of the length of a real one, in the bare loop's form."""
    text = max((home / "output").rglob("*.md"), key=lambda path: path.stat().st_size).read_text()
    return {"model": "fake-1", "messages": [{"role": "user", "content": f"Varnhem 0 {text * 4}"}]}


def told(took: Ours, bare_s: float, floor_s: float, items: int, answered: int) -> None:
    """Print the table."""
    print("ours s\tbare SDK s\tfloor s\tours/bare\tours/floor\tprocess s\tdrafted\tpaid for each")
    figures = (took.seconds, bare_s, floor_s, took.seconds / bare_s, took.seconds / floor_s, took.process_s)
    print("\t".join(f"{one:.3f}" for one in figures), f"{took.drafted}", f"{answered / items:.3f}", sep="\t")
    parts = {wanted: [mb for part, mb in took.memory_mb.items() if wanted - 25 < part <= wanted]
             for wanted in (25, 50, 75, 100)}  # fmt: skip
    print("MB at most, by quarter\t" + "\t".join(f"{max(found, default=0):.0f}" for found in parts.values()))


def main() -> int:
    """Run the trial, or a part of it in a child."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--items", type=int, default=2000)
    parser.add_argument("--in-flight", type=int, default=50)
    parser.add_argument("--latency", type=float, default=1.0)
    parser.add_argument("--faults", type=float, default=0.0)
    parser.add_argument("--verifier", action="store_true")
    parser.add_argument("--part", choices=["poll", "flow"])
    arguments = parser.parse_args()
    if arguments.part:
        {"poll": poll, "flow": flow}[arguments.part]()
        return 0
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as temporary,
        feed_server({"/f": rss(0, arguments.items)}) as url,
        model_server(arguments.latency, arguments.faults) as model,
    ):
        measure(Path(temporary), f"{url}/f", model, arguments)
    return 0


def measure(folder: Path, url: str, model: str, arguments: argparse.Namespace) -> None:
    """Run ours, then the bare loop."""
    home, port = folder / "home", free_port()
    environ = lay_out(home, {"f": url})
    environ |= {
        "COPYDESK_MODEL": "fake-1",
        "OPENAI_BASE_URL": model,
        "COPYDESK_MAX_IN_FLIGHT": str(arguments.in_flight),
        "PREFECT_API_URL": f"http://127.0.0.1:{port}/api",
        "COPYDESK_VERIFIER": "default" if arguments.verifier else "off",
    }
    calls = arguments.items * (2 if arguments.verifier else 1)
    server = prefect_server(port, environ, folder / "prefect.log", home)
    server.keep()
    try:
        waited(lambda: healthy(port), 180, "Prefect's server")
        took = ours(home, environ, model, arguments.items)
        answered = stats(model).answered
    finally:
        server.end()
    bare_s = asyncio.run(bare(calls, arguments.in_flight, model, request_of(home)))
    floor_s = calls / arguments.in_flight * arguments.latency
    told(took, bare_s, floor_s, arguments.items, answered)


if __name__ == "__main__":
    sys.exit(main())
