"""A run killed at any moment loses no data, writes no partial file, and pays for no answer twice."""

import collections
import contextlib
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.articles.front_matter import loads
from tests.end_to_end.project import Project, free_port, run_copydesk
from tests.fakes.feed_server import FeedServer
from tests.fakes.model_server import ModelServer

IN_FLIGHT = 6


@pytest.fixture
def model(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """An OpenAI-compatible server in a process of its own; yields its base URL and its own record."""
    record, port = tmp_path / "answered.txt", free_port()
    record.touch()
    command = [sys.executable, "-m", "tests.fakes.model_server", "--port", str(port)]
    command += ["--latency", "0.15", "--count-file", str(record)]
    process = subprocess.Popen(command)
    try:
        yield f"http://127.0.0.1:{port}/v1", record
    finally:
        process.terminate()
        process.wait(120)


def rss(count: int) -> bytes:
    items = "".join(
        f"<item><title>Miner {n} reports {n} BTC</title><guid>item-{n}</guid>"
        f"<link>https://feed.example/{n}</link><pubDate>Mon, 02 Feb 2026 10:00:00 GMT</pubDate>"
        f"<description>Miner {n} mined {n} BTC on Monday, it said. Costs rose by 3%.</description></item>"
        for n in range(count)
    )
    return f"<rss version='2.0'><channel><title>Feed</title>{items}</channel></rss>".encode()


def kill_somewhere(project: Project, record: Path, moment: random.Random) -> None:
    """Start a run and kill it: some while starting, most while items are being worked on."""
    before = record.stat().st_size
    process = run_copydesk(project, "run", wait=False)
    deadline = time.monotonic() + 300
    if moment.random() < 0.1:
        time.sleep(moment.uniform(0.1, 2.0))
    else:
        while record.stat().st_size == before and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.005)
        time.sleep(moment.uniform(0.0, 0.35))
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait(120)


@pytest.mark.parametrize(
    ("kills", "items", "prefect"), [(3, 40, "off"), pytest.param(25, 260, "on", marks=pytest.mark.soak)]
)
def test_killed_at_random_moments_then_finished_by_one_more_run(
    tmp_path: Path,
    model: tuple[str, Path],
    request: pytest.FixtureRequest,
    kills: int,
    items: int,
    prefect: str,
) -> None:
    base_url, record = model
    moment = random.Random(20260205)
    with FeedServer() as feeds:
        feeds.add("/feed.xml", rss(items), content_type="application/rss+xml")
        project = Project.create(tmp_path / "project", {"one": feeds.url("/feed.xml")}, max_items=items)
        project.environ |= {
            "COPYDESK_MODEL": "fake",
            "OPENAI_BASE_URL": base_url,
            "COPYDESK_MAX_IN_FLIGHT": str(IN_FLIGHT),
            "COPYDESK_PREFECT": prefect,
        }
        if prefect == "on":
            project.environ["PREFECT_API_URL"] = request.getfixturevalue("prefect_api")
        for _ in range(kills):
            kill_somewhere(project, record, moment)
        last = run_copydesk(project, "run", "--json")
        assert last.returncode == 0, last.stderr

    drafts = sorted((project.folder / "output/drafts").rglob("*"))
    files = [path for path in drafts if path.is_file()]
    assert len([path for path in files if path.suffix == ".md"]) == items
    assert [path for path in files if path.suffix != ".md"] == [], "leftovers of killed writes"
    identities = collections.Counter(loads(path.read_text())[0]["externalId"] for path in files)
    assert set(identities.values()) == {1}
    assert all(loads(path.read_text())[0]["ai"]["rewritten"] is True for path in files)
    with contextlib.closing(sqlite3.connect(project.folder / ".copydesk/ledger.db")) as db:
        assert db.execute("SELECT state, count(*) FROM items GROUP BY state").fetchall() == [
            ("drafted", items)
        ]
    answered = record.read_text().splitlines()
    assert items <= len(answered) <= items + kills * IN_FLIGHT


def killed_at(project: Project, server: ModelServer, answers: int) -> int:
    """Start a run, kill it when so many answers are sent; return the calls that are then unanswered."""
    process = run_copydesk(project, "run", wait=False)
    deadline = time.monotonic() + 300
    while len(server.answered) < answers and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.001)
    os.killpg(process.pid, signal.SIGKILL)
    waiting = server.requests - len(server.answered)
    process.wait(120)
    return waiting


@pytest.mark.soak
def test_what_was_received_before_a_kill_is_not_paid_for_again(tmp_path: Path) -> None:
    """With fifty calls in flight: what a kill may lose is what was on its way."""
    with FeedServer() as feeds, ModelServer(latency_s=1.0, spread_s=4.0) as server:
        feeds.add("/feed.xml", rss(100), content_type="application/rss+xml")
        project = Project.create(tmp_path / "project", {"one": feeds.url("/feed.xml")}, max_items=100)
        project.environ |= {
            "COPYDESK_MODEL": "fake",
            "OPENAI_BASE_URL": server.base_url,
            "COPYDESK_MAX_IN_FLIGHT": "50",
            "COPYDESK_PREFECT": "off",
        }
        waiting = killed_at(project, server, 30) + killed_at(project, server, 70)
        last = run_copydesk(project, "run", "--json")
        assert last.returncode == 0, last.stderr
        assert len(set(server.answered)) == 100, "none is lost"
        assert len(server.answered) <= 100 + waiting + 5
    assert len(list((project.folder / "output/drafts").rglob("*.md"))) == 100
