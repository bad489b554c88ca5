"""Is the model at work whenever a text is ready? Feeds that need all their pages, two of them on one host.

    python benchmarks/lanes.py [--items 25] [--delay 1.0] [--latency 1.0] [--in-flight 8]

Four feeds have so many items each. Their pages are on three hosts (addresses of loopback): those of the
first two feeds on one. A process of its own drafts all of them. A text is ready when its source is complete,
page included, and until the model is asked about it; a lane is a request that the model may answer at one
time. Until the first answer of a run only one request is sent, so figures begin with that.

The bound is the pages of the busiest host, a delay between each two, and one answer. With --events the
timeline is printed: seconds, what happened, texts ready, lanes at work.
"""

import argparse
import asyncio
import contextlib
import itertools
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from unittest import mock

from modelserver import model_server
from newsroom import lay_out, texts

if TYPE_CHECKING:
    from pipeline.domain.models import FeedConfig, Item
    from pipeline.feeds.pages.turns import Place
    from pipeline.llm.chat import ChatResponse
    from pipeline.llm.deadline import Deadline
    from pipeline.services.context import RunContext
    from pipeline.storage import Lease

HOSTS = ("127.0.0.2", "127.0.0.2", "127.0.0.3", "127.0.0.4")
"""Where the pages of each feed are."""
_NUMBER = re.compile(r"Varnhem (\d+)")


class Event(NamedTuple):
    """What happened to an item, in seconds of the machine's monotonic clock."""

    at: float
    kind: str
    """`page`: its page was requested; `served`: and answered; `ready`; `call`: the model was asked about it;
    `answer`: and answered."""
    number: int


class Interval(NamedTuple):
    """The time between two events."""

    seconds: float
    ready: int
    working: int


class Site:
    """Serves the feeds, and the pages of their items at the addresses of `HOSTS`; notes every page."""

    def __init__(self, items: int) -> None:
        self.events: list[Event] = []
        self._lock = threading.Lock()
        self._texts = texts(0, items * len(HOSTS))
        self._items = items
        self.ports: dict[str, int] = {}

    def body(self, path: str) -> bytes:
        """Return what a path answers with; empty: nothing is there."""
        kind, _, number = path.strip("/").partition("/")
        if not number.isdecimal():
            return b""
        return self._feed(int(number)) if kind == "feed" else self._page(int(number))

    def _feed(self, index: int) -> bytes:
        host = HOSTS[index]
        rows = "".join(
            f"<item><title>Varnhem {number} closes its basin</title><guid>item-{number}</guid>"
            f"<link>http://{host}:{self.ports[host]}/page/{number}</link>"
            f"<pubDate>Mon, 02 Feb 2026 10:00:00 GMT</pubDate>"
            f"<description>Varnhem {number}.</description></item>"
            for number in range(index * self._items, (index + 1) * self._items)
        )
        return f"<rss version='2.0'><channel><title>Ports</title>{rows}</channel></rss>".encode()

    def _page(self, number: int) -> bytes:
        text = f"<p>The port of Varnhem {number} said on Monday: {self._texts[number]}.</p>"
        return f"<html><body><article><h1>Port</h1>{text}</article></body></html>".encode()

    def note(self, kind: str, path: str) -> None:
        """Note an event of a page."""
        if path.startswith("/page/"):
            with self._lock:
                self.events.append(Event(time.monotonic(), kind, int(path.rpartition("/")[2])))


@contextlib.contextmanager
def served(site: Site) -> Iterator[None]:
    """Serve a site at all its hosts."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            site.note("page", self.path)
            body = site.body(self.path)
            self.send_response(200 if body else 404)
            kind = "application/rss+xml" if self.path.startswith("/feed") else "text/html"
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            site.note("served", self.path)
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Say nothing: the table is the output."""

    try:
        servers = [ThreadingHTTPServer((host, 0), Handler) for host in dict.fromkeys(HOSTS)]
    except OSError as error:
        names = ", ".join(dict.fromkeys(HOSTS))
        sys.exit(f"needs the loopback addresses {names} ({error}): on macOS add each with ifconfig lo0 alias")
    for server in servers:
        site.ports[str(server.server_address[0])] = server.server_address[1]
        threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield
    finally:
        for server in servers:
            server.shutdown()
            server.server_close()


def drafted() -> None:
    """Poll and draft in this process; print the events of the texts and calls as JSON."""
    from pipeline.llm.client import LLMClient
    from pipeline.services import draft, source
    from pipeline.services.ingest import ingest

    events: list[Event] = []
    complete, send = source.complete_source, LLMClient.send

    def note(kind: str, text: str) -> None:
        events.append(Event(time.monotonic(), kind, int(_NUMBER.findall(text)[-1])))

    async def noted_source(ctx: "RunContext", feed: "FeedConfig", lease: "Lease", place: "Place") -> "Item":
        item = await complete(ctx, feed, lease, place)
        note("ready", item.title)
        return item

    async def noted_send(
        client: LLMClient,
        body: dict[str, Any],
        *,
        deadline: "Deadline | None" = None,
        timeout_s: float | None = None,
    ) -> "ChatResponse":
        text = json.dumps(body["messages"])
        note("call", text)
        try:
            return await send(client, body, deadline=deadline, timeout_s=timeout_s)
        finally:
            note("answer", text)

    with (
        mock.patch.object(draft, "complete_source", noted_source),
        mock.patch.object(LLMClient, "send", noted_send),
    ):
        report = asyncio.run(ingest())
    print(json.dumps({"events": events, "drafted": sum(len(feed.drafts) for feed in report.feeds)}))


def timeline(events: list[Event], lanes: int) -> Iterator[tuple[Event, Interval]]:
    """Yield each event with the time since the one before it: texts ready then, and lanes at work.

    Requests beyond the lanes wait in the client for one: their texts count as ready.
    """
    ready = calls = 0
    for before, event in itertools.pairwise(events):
        ready += (before.kind == "ready") - (before.kind == "call")
        calls += (before.kind == "call") - (before.kind == "answer")
        working = min(calls, lanes)
        yield event, Interval(event.at - before.at, ready + calls - working, working)


def idle_s(intervals: list[Interval], lanes: int) -> tuple[float, float]:
    """Return the seconds in which a text was ready and a lane free, and those in which no lane worked."""
    idle = [each for each in intervals if each.ready and each.working < lanes]
    return sum(each.seconds for each in idle), sum(each.seconds for each in idle if not each.working)


def bound_s(items: int, delay_s: float, latency_s: float) -> float:
    """Return the seconds that no run can beat: a delay between two pages, and the last answer."""
    return (items * max(Counter(HOSTS).values()) - 1) * delay_s + latency_s


def gaps(events: list[Event], start: str, end: str, since: float) -> str:
    """Return the median and the longest time between two events of the items that ended after `since`."""
    at = {(event.kind, event.number): event.at for event in events}
    ended = [number for kind, number in at if kind == end and at[kind, number] > since]
    seconds = sorted(at[end, number] - at[start, number] for number in ended)
    if not seconds:
        return "no item"  # in a run of a few items all may end before
    return f"median {seconds[len(seconds) // 2]:.3f}\tlongest {seconds[-1]:.3f}"


def told(events: list[Event], count: int, arguments: argparse.Namespace) -> None:
    """Print the figures."""
    rows, lanes = list(timeline(events, arguments.in_flight)), arguments.in_flight
    if arguments.events:
        for event, interval in rows:
            shown = (f"{event.at - events[0].at:.3f}", event.kind, event.number)
            print(*shown, interval.ready, interval.working, sep="\t")
    first = next(event.at for event in events if event.kind == "answer")
    intervals = [interval for event, interval in rows if event.at > first]
    idle, all_idle = idle_s(intervals, lanes)
    total, spent = sum(each.seconds for each in intervals), events[-1].at - events[0].at
    bound = bound_s(arguments.items, arguments.delay, arguments.latency)
    print("drafted\tseconds\tbound s\tratio\tready, lane free s\tof the time\tready, no lane s\tmost at work")
    most = max(each.working for each in intervals)
    figures = (f"{spent:.2f}", f"{bound:.2f}", f"{spent / bound:.3f}", f"{idle:.3f}", f"{idle / total:.4f}")
    print(count, *figures, f"{all_idle:.3f}", most, sep="\t")
    print(f"text ready to call, s\t{gaps(events, 'ready', 'call', first + arguments.latency)}")
    print(f"page served to call, s\t{gaps(events, 'served', 'call', first + arguments.latency)}")
    order = [event.number // arguments.items for event in events if event.kind == "page"]
    shared = [feed for feed in order if HOSTS[feed] == HOSTS[0]]
    print(f"turns of the two feeds of one host\t{''.join(map(str, shared))}")


def measure(folder: Path, model: str, site: Site, arguments: argparse.Namespace) -> tuple[list[Event], int]:
    """Draft everything in a child; return all events in order, and the number of drafts."""
    urls = {f"f{index}": f"http://{host}:{site.ports[host]}/feed/{index}" for index, host in enumerate(HOSTS)}
    chosen = {} if arguments.delay == 1 else {"page_delay": arguments.delay}
    environ = lay_out(folder / "home", urls, min_chars=200, full_text="auto", **chosen)
    variables = {
        "PATH": os.environ["PATH"],
        "COPYDESK_MODEL": "fake-1",
        "OPENAI_BASE_URL": model,
        "COPYDESK_MAX_IN_FLIGHT": str(arguments.in_flight),
        "COPYDESK_VERIFIER": "off",
    }
    command = [sys.executable, str(Path(__file__).absolute()), "--part", "drafted"]
    done = subprocess.run(
        command, cwd=folder / "home", env=environ | variables, stdout=subprocess.PIPE, check=True
    )
    result = json.loads(done.stdout.splitlines()[-1])
    events = [*site.events, *(Event(*each) for each in result["events"])]
    return sorted(events), result["drafted"]


def main() -> int:
    """Run the trial, or its part in a child."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--items", type=int, default=25)
    parser.add_argument("--delay", type=float, default=1.0)
    parser.add_argument("--latency", type=float, default=1.0)
    parser.add_argument("--in-flight", type=int, default=8)
    parser.add_argument("--events", action="store_true")
    parser.add_argument("--part", choices=["drafted"])
    arguments = parser.parse_args()
    if arguments.part:
        drafted()
        return 0
    site = Site(arguments.items)
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as temporary,
        served(site),
        model_server(arguments.latency) as model,
    ):
        events, count = measure(Path(temporary), model, site, arguments)
    told(events, count, arguments)
    return 0


if __name__ == "__main__":
    sys.exit(main())
