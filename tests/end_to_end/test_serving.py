"""`copydesk serve` with Prefect's server: flows, requests of editors, graceful shutdown."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import yaml

from pipeline.config import Settings, load_feeds
from pipeline.services.draft_file import EditorContext
from pipeline.services.redraft import request_redraft
from pipeline.storage import Database
from tests.fakes.model_server import ModelServer, completion
from tests.fakes.stock import NOW, fill, layout

ROOT = Path(__file__).parents[2]
_PATIENCE_S = 300


@contextmanager
def started(settings: Settings, **environ: str) -> "Iterator[subprocess.Popen[str]]":
    """Yield `serve`, which is killed where a test fails: it would not end by itself."""
    inherited = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    own = {"PYTHONPATH": str(ROOT), "HOME": str(settings.base), "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        [sys.executable, "-m", "copydesk", "serve"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True, cwd=settings.base, env=inherited | own | environ, start_new_session=True,
        # Whoever runs the tests in the background has interrupts ignored, and so would this process.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    ) as process:  # fmt: skip
        try:
            yield process
        finally:
            process.kill()


def one_run(settings: Settings, *arguments: str, **environ: str) -> "subprocess.CompletedProcess[str]":
    own = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "HOME": str(settings.base)}
    command = [sys.executable, "-m", "copydesk", *arguments]
    return subprocess.run(command, cwd=settings.base, env=own | environ, capture_output=True, text=True)


def model_environ(model: ModelServer) -> dict[str, str]:
    return {
        "COPYDESK_MODEL": "m",
        "OPENAI_BASE_URL": model.base_url,
        "COPYDESK_ALLOW_HOSTS": urlsplit(model.base_url).netloc,
        "COPYDESK_MAX_IN_FLIGHT": "2",
    }


def servers(folder: Path) -> list[str]:
    """Return the processes that still work in a folder."""
    return [line for _, line in working_in(folder)]


def editor(settings: Settings, db: Database) -> EditorContext:
    return EditorContext(db, settings.output, load_feeds(settings.feeds_file), "Ada", lambda: NOW)


def working_in(folder: Path) -> list[tuple[int, str]]:
    """Return ids and command lines of the processes that still work in a folder."""
    processes = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if (process / "cwd").resolve() == folder:
                processes.append((int(process.name), (process / "cmdline").read_text().replace("\0", " ")))
        except OSError:
            continue
    return processes


def flow_runs(folder: Path) -> list[str]:
    """Return the names of the flows that ran on the server of a `serve`, a name a run."""
    api = f"http://127.0.0.1:{(folder / '.copydesk/prefect-server.port').read_text()}/api"
    names = {flow["id"]: flow["name"] for flow in query(f"{api}/flows/filter")}
    return [names[run["flow_id"]] for run in query(f"{api}/flow_runs/filter")]


def query(url: str) -> list[dict[str, str]]:
    request = urllib.request.Request(url, b"{}", {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=20) as answer:
        rows: list[dict[str, str]] = json.load(answer)
    return rows


def wait_for(condition: Callable[[], object], process: "subprocess.Popen[str]") -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while not condition():
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_section_is_rewritten_at_once_and_a_killed_serve_leaves_no_server(
    tmp_path: Path, migrate_prefect: Callable[[Path], None]
) -> None:
    """No feed is polled, no item drafted and no flow run started for the section."""
    settings = layout(tmp_path)
    migrate_prefect(settings.base)
    config = yaml.safe_load(settings.feeds_file.read_text())
    config["defaults"] |= {"schedule": "never", "min_chars": 0, "full_text": "never"}
    settings.feeds_file.write_text(yaml.safe_dump(config))
    refs = fill(settings, 2, faults=False)
    with (
        ModelServer() as model,
        Database.open(settings.database_url) as db,
        started(settings, **model_environ(model)) as process,
    ):
        assert process.stdout
        while "Ctrl-C stops the server" not in process.stdout.readline():
            assert process.poll() is None
        model.enqueue(completion(json.dumps({"text": "The section says something else now."})))
        request_redraft(editor(settings, db), refs[0], section="Overview", note="Shorter.")
        wait_for(lambda: db.drafts.get(refs[0]).version == 2, process)
        assert [len(model.received), flow_runs(settings.base)] == [1, []]
        assert "something else now" in db.drafts.get(refs[0]).version_text
        [server] = [pid for pid, line in working_in(settings.base) if "server start" in line]
        environ = Path(f"/proc/{server}/environ").read_text().split("\0")
        before = working_in(settings.base)
        run = one_run(settings, "run", "--json")
        assert run.returncode == 8, "the feed of the stock cannot be read"
        assert flow_runs(settings.base) == ["ingest"], "on the page of the server that is there"
        assert set(working_in(settings.base)) <= set(before), "what `serve` forks may have ended"
        assert {"DO_NOT_TRACK=1", "PREFECT_SERVER_ANALYTICS_ENABLED=false"} <= set(environ)
        process.kill()
    deadline = time.monotonic() + 300
    while servers(settings.base):
        assert time.monotonic() < deadline, servers(settings.base)
        time.sleep(0.2)


def as_a_service_manager_does(process: "subprocess.Popen[str]") -> None:
    process.terminate()


def as_a_terminal_does(process: "subprocess.Popen[str]") -> None:
    """Tell every process of the group; the runs are told by `serve` as well."""
    os.killpg(process.pid, signal.SIGINT)


@pytest.mark.soak  # in every run: test_direct.py, and services/test_redraft_watch.py
@pytest.mark.parametrize("stop_serve", [as_a_service_manager_does, as_a_terminal_does])
def test_serve_carries_out_requests_and_when_stopped_keeps_pending_answers(
    tmp_path: Path,
    stop_serve: Callable[["subprocess.Popen[str]"], None],
    migrate_prefect: Callable[[Path], None],
) -> None:
    """Redrafts are carried out by `serve` itself, and end as those of a run do."""
    with ModelServer(latency_s=5) as model:
        environ = model_environ(model)
        settings = layout(tmp_path)
        migrate_prefect(settings.base)
        config = yaml.safe_load(settings.feeds_file.read_text())
        config["defaults"] |= {"schedule": "0 0 1 1 *", "min_chars": 0, "full_text": "never"}
        settings.feeds_file.write_text(yaml.safe_dump(config))
        refs = fill(settings, 8, faults=False)
        with Database.open(settings.database_url) as db:
            for ref in refs:  # before, so that one run carries them all out
                request_redraft(editor(settings, db), ref)
        with started(settings, **environ) as process, Database.open(settings.database_url) as db:
            try:
                deadline = time.monotonic() + _PATIENCE_S
                while len(model.received) < 3 and time.monotonic() < deadline:
                    time.sleep(0.05)
            finally:
                requests_before = len(model.received)
                stop_serve(process)
                output = process.communicate(timeout=300)[0]
            assert process.returncode == 0, output
            assert "0 0 1 1 *  1 feed: stock-wire" in output
            assert "Traceback" not in output
            assert servers(settings.base) == []
            assert len(model.received) == requests_before == 3  # the first by itself, then two at a time
            written = sum(db.drafts.get(ref).version == 2 for ref in refs)
            assert written == len(model.answered)
            assert 0 < written < len(refs)
    log = settings.base / ".copydesk/prefect-server.log"
    assert log.stat().st_mode & 0o777 == 0o600
    assert "telemetry" not in log.read_text()
    with ModelServer() as other, Database.open(settings.database_url) as db:
        done = one_run(settings, "run", "--direct", **model_environ(other))
        assert done.returncode == 0, done.stderr
        assert [db.drafts.get(ref).version for ref in refs] == [2] * len(refs)
        assert len(other.answered) == len(refs) - written, "no answer is paid for twice"
