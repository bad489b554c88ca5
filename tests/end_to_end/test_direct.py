"""Runs without Prefect do not import it, and have the same results as flow runs."""

import contextlib
import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from pipeline.domain.placeholders import PLACEHOLDERS
from tests.commands import call_copydesk
from tests.end_to_end.project import Project, run_copydesk
from tests.end_to_end.test_interrupted_runs import rss
from tests.end_to_end.test_serving import servers
from tests.end_to_end.test_stopping import IN_FLIGHT, begun, lay_out
from tests.fakes.feed_server import FeedServer
from tests.fakes.model_server import ModelServer, Reply, error

PROBE = """
import atexit, json, sys

def told():
    names = sorted(name for name in sys.modules if name.partition(".")[0] == "prefect")
    json.dump(names, open("imported.json", "w"))

atexit.register(told)
from copydesk.main import main
main()
"""
"""The command line, which leaves the names of Prefect's modules that were imported."""
TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|\+00:00| UTC)?")
PROOF = re.compile(r"(?:\\n|\n)  proof: [0-9a-f]{64}")
"""The hash of the record of a review, which holds times."""
OTHER_EACH_TIME = re.compile(r"(.*_)?id|(.*_)?at|lease_.*|sha256.*|run|seconds|owner|form|base|sent|record")
"""Columns with numbers of rows, times, and what is made of them."""
ITEMS = "".join(
    f"<item><title>{place} opens a port</title><guid>{place}</guid><link>https://news.example/{place}</link>"
    "<pubDate>Mon, 02 Feb 2026 10:00:00 GMT</pubDate>"
    f"<description>The port of {place} opens after {weeks} weeks, its board said.</description></item>"
    for place, weeks in (("Aalborg", 11), ("Brest", 12), ("Cadiz", 13))
)
FEED = f"<rss version='2.0'><channel><title>News</title>{ITEMS}</channel></rss>".encode()


class Way(NamedTuple):
    """How a run is started."""

    options: tuple[str, ...] = ()
    environ: tuple[tuple[str, str], ...] = ()


FLOW = Way()
DIRECT = (Way(options=("--direct",)), Way(environ=(("COPYDESK_PREFECT", "off"),)))


def probed(project: Project, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Call the command line in a process of its own; no module of Prefect's may have been imported."""
    command = [sys.executable, "-c", PROBE, *arguments]
    done = subprocess.run(
        command, cwd=project.folder, env=project.environ, text=True, capture_output=True, timeout=300
    )
    assert json.loads((project.folder / "imported.json").read_text()) == []
    return done


def tables(project: Project) -> dict[str, list[str]]:
    """Return the rows of the ledger, without what differs from one run to the next."""
    with contextlib.closing(sqlite3.connect(project.folder / ".copydesk/ledger.db")) as database:
        database.row_factory = sqlite3.Row
        names = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {
            name: sorted(_row(row, name) for row in database.execute(f"SELECT * FROM {name}"))
            for name in names
        }


def _row(row: sqlite3.Row, table: str) -> str:
    columns = {name: row[name] for name in row.keys() if not OTHER_EACH_TIME.fullmatch(name)}  # noqa: SIM118
    if columns.get("place"):
        columns["place"] = Path(columns["place"]).name
    if table == "runs":
        feeds = json.loads(columns["details"])
        drafted = [{**feed, "drafts": sorted(feed.get("drafts", ())), "seconds": 0} for feed in feeds]
        columns = {**columns, "name": "", "details": drafted}
    return PROOF.sub("", TIME.sub("TIME", json.dumps(columns, sort_keys=True)))


def files(project: Project) -> dict[str, str]:
    output = project.folder / "output"
    paths = [path for path in sorted(output.rglob("*")) if path.suffix == ".md"]
    return {
        str(path.relative_to(output)): PROOF.sub("", TIME.sub("TIME", path.read_text())) for path in paths
    }


def report(stdout: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(TIME.sub("TIME", stdout))
    del content["seconds"], content["output"]
    for feed in content["feeds"]:
        del feed["seconds"]
        feed |= {name: sorted(feed[name]) for name in ("drafts", "refs")}  # in the order of the answers
    return content


def approve_first(project: Project) -> None:
    draft = project.drafts()[0]
    text = draft.read_text()
    for placeholder in PLACEHOLDERS:
        text = text.replace(placeholder, "The desk expects little of it.")
    draft.write_text(text)
    approved = call_copydesk(project, "approve", draft.stem[-8:])
    assert approved.returncode == 0, approved.stderr


def lived(project: Project, way: Way, model: ModelServer, feeds: FeedServer) -> list[object]:
    """Run a newsroom of two feeds, one of them missing, four times; return what it told and left."""
    feeds.add("/news.xml", FEED, content_type="application/rss+xml", etag='"1"')
    path = project.folder / "feeds.yaml"
    content = yaml.safe_load(path.read_text()) | {"publish": {"site": {"kind": "folder", "path": "site"}}}
    path.write_text(yaml.safe_dump(content, sort_keys=False))
    project.environ |= dict(way.environ)
    run = ("run", *way.options)
    first = call_copydesk(project, *run, "news", "--json")
    approve_first(project)
    second = call_copydesk(project, *run)
    project.environ |= {"COPYDESK_MODEL": "fake-1", "OPENAI_BASE_URL": model.base_url}
    drafts = call_copydesk(project, "redraft", "--offline", *way.options)
    feeds.add("/news.xml", FEED.replace(b"Brest", b"Douala"), content_type="application/rss+xml", etag='"2"')
    model.refuse = lambda _request: error(401, "no such key")
    refused = call_copydesk(project, *run, "news", "--json")
    model.refuse = lambda _request: None
    third = call_copydesk(project, "backfill", "news", "--yes", *way.options, "--json")
    site = sorted(path.name for path in (project.folder / "site").rglob("*.md"))
    assert (report(first.stdout)["feeds"][0]["new"], len(site), refused.returncode) == (3, 1, 4)
    assert "Nothing new" in second.stdout
    assert "rewritten by fake-1" in drafts.stdout
    reports = [report(done.stdout) for done in (first, refused, third)]
    outputs = [TIME.sub("TIME", text) for done in (second, drafts) for text in (done.stdout, done.stderr)]
    codes = [done.returncode for done in (first, second, drafts, refused, third)]
    return [reports, outputs, codes, site, files(project), tables(project)]


def test_every_way_to_run_has_the_same_result(
    tmp_path: Path, flow_project: Callable[..., Project], feeds: FeedServer
) -> None:
    places = {"news": feeds.url("/news.xml"), "gone": feeds.url("/gone.xml")}
    with ModelServer() as model:
        expected = lived(flow_project(places), FLOW, model, feeds)
        direct = lived(Project.create(tmp_path / "direct", places), DIRECT[0], model, feeds)
        for result, other in zip(direct, expected, strict=True):
            assert result == other


@pytest.mark.parametrize(
    "way", [DIRECT[0], pytest.param(DIRECT[1], marks=pytest.mark.soak)], ids=["option", "variable"]
)
def test_prefect_is_never_imported(tmp_path: Path, feeds: FeedServer, way: Way) -> None:
    feeds.add("/news.xml", FEED, content_type="application/rss+xml")
    project = Project.create(tmp_path / "project", {"news": feeds.url("/news.xml")})
    # Nothing listens there: who asks for Prefect fails.
    project.environ |= {"PREFECT_API_URL": "http://127.0.0.1:9/api", **dict(way.environ)}
    with ModelServer() as model:
        done = probed(project, "run", *way.options, "--json")
        assert (done.returncode, len(report(done.stdout)["feeds"][0]["drafts"])) == (0, 3), done.stderr
        assert done.stderr == ""
        if way.environ:  # the same for each command, and the same as the option
            return
        project.environ |= {"COPYDESK_MODEL": "fake-1", "OPENAI_BASE_URL": model.base_url}
        assert probed(project, "backfill", "news", "--dry-run", *way.options).returncode == 0
        assert probed(project, "redraft", "--offline", *way.options).returncode == 0


def test_a_schedule_without_prefect_is_refused_in_a_sentence(tmp_path: Path, feeds: FeedServer) -> None:
    project = Project.create(tmp_path / "project", {"news": feeds.url("/news.xml")})
    project.environ["COPYDESK_PREFECT"] = "off"
    refused = probed(project, "serve")
    assert (refused.returncode, refused.stderr.count("\n")) == (2, 1)
    assert "set COPYDESK_PREFECT=on" in refused.stderr
    assert "copydesk run" in refused.stderr


@pytest.mark.parametrize("number", [signal.SIGTERM, pytest.param(signal.SIGINT, marks=pytest.mark.soak)])
def test_a_stopped_process_group_keeps_pending_answers(
    tmp_path: Path, feeds: FeedServer, number: signal.Signals
) -> None:
    feeds.add("/stories.xml", rss(), content_type="application/rss+xml")
    with ModelServer(latency_s=2) as model:
        places = {"stories": feeds.url("/stories.xml")}
        project = lay_out(Project.create(tmp_path / "project", places, max_items=24), model)
        with begun(project, model, "run", "--direct") as process:
            os.killpg(process.pid, number)
            assert process.wait(60) == 130
        assert model.requests == len(model.answered) == 1 + IN_FLIGHT
    assert len(project.drafts()) == 1 + IN_FLIGHT
    assert servers(project.folder) == []


@pytest.mark.soak  # in every run with Prefect: test_stopping.py
def test_a_second_signal_ends_at_once_and_the_next_run_goes_on(tmp_path: Path, feeds: FeedServer) -> None:
    feeds.add("/stories.xml", rss(), content_type="application/rss+xml")
    with ModelServer() as model:
        model.enqueue(Reply(), *[Reply(stall=True)] * IN_FLIGHT)
        places = {"stories": feeds.url("/stories.xml")}
        project = lay_out(
            Project.create(tmp_path / "project", places, max_items=24), model, COPYDESK_STOP_GRACE="3600"
        )
        with begun(project, model, "run", "--direct") as process:
            os.killpg(process.pid, signal.SIGINT)
            time.sleep(1)  # somebody presses Ctrl-C again
            os.killpg(process.pid, signal.SIGINT)
            assert process.wait(60) == 130
        assert run_copydesk(project, "run", "--direct").returncode == 0
    assert len(project.drafts()) == 24


@pytest.mark.soak  # in every run: services/test_sharing.py
def test_the_flow_of_other_machines_drafts_what_is_queued(
    flow_project: Callable[..., Project], feeds: FeedServer
) -> None:
    feeds.add("/news.xml", FEED, content_type="application/rss+xml")
    project = flow_project({"news": feeds.url("/news.xml")})
    with ModelServer() as model:
        project.environ |= {"COPYDESK_MODEL": "fake-1", "OPENAI_BASE_URL": model.base_url}
        model.refuse = lambda _request: error(401, "no such key")
        assert call_copydesk(project, "run").returncode == 4
        model.refuse = lambda _request: None
        asked = feeds.requests_of("/news.xml")
        code = "from flows.drafting import drafting; import asyncio, json; "
        code += "print(json.dumps(asyncio.run(drafting())))"
        done = subprocess.run(
            [sys.executable, "-c", code],
            cwd=project.folder, env=project.environ, text=True, capture_output=True, timeout=300,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
    assert len(report(done.stdout)["feeds"][0]["drafts"]) == len(project.drafts()) == 3
    assert feeds.requests_of("/news.xml") == asked


def test_a_model_server_that_asks_for_a_long_pause_ends_the_run(tmp_path: Path) -> None:
    with FeedServer() as feeds, ModelServer() as model:
        feeds.add("/feed", FEED, content_type="application/rss+xml")
        project = Project.create(tmp_path / "project", {"ports": feeds.url("/feed")})
        project.environ |= {
            "COPYDESK_MODEL": "m",
            "OPENAI_BASE_URL": model.base_url,
            "COPYDESK_MAX_IN_FLIGHT": "1",
            "COPYDESK_MODEL_DEADLINE": "20",
        }
        model.enqueue(error(429, "daily limit", retry_after="3600"))
        ended = run_copydesk(project, "run", "--direct")
    assert ended.returncode == 4
    [message] = [line for line in ended.stderr.splitlines() if line.startswith("copydesk: ")]
    assert re.search(
        r"daily limit; .* asks to be left alone until \d\d:\d\d.*; 3 items stay queued$", message
    )
    assert model.requests == 1
    assert project.drafts() == []
