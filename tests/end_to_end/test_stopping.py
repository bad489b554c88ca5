"""A run that gets a signal, alone or with its process group: what it saves and what it leaves."""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.end_to_end.project import Project, run_copydesk
from tests.end_to_end.test_interrupted_runs import rss
from tests.end_to_end.test_serving import servers
from tests.fakes.feed_server import FeedServer
from tests.fakes.model_server import ModelServer, Reply

IN_FLIGHT = 4
RUN = ("run",)
BACKFILL = ("backfill", "stories", "--limit", "24", "--yes")


def lay_out(project: Project, model: ModelServer, **environ: str) -> Project:
    project.environ |= {
        "COPYDESK_MODEL": "m",
        "OPENAI_BASE_URL": model.base_url,
        "COPYDESK_MAX_IN_FLIGHT": str(IN_FLIGHT),
    }
    project.environ |= environ
    return project


@contextlib.contextmanager
def begun(project: Project, model: ModelServer, *arguments: str) -> Iterator["subprocess.Popen[str]"]:
    """Start a command, and yield it when one answer came, and as many are under way as may be."""
    process = run_copydesk(project, *arguments, wait=False)
    try:
        until(lambda: model.requests - len(model.answered) == IN_FLIGHT, process)
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(120)


def until(
    condition: Callable[[], bool], process: "subprocess.Popen[str] | None" = None, seconds: float = 300
) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        assert process is None or process.poll() is None
        time.sleep(0.02)


@pytest.fixture
def one_feed_project(tmp_path: Path, feeds: FeedServer, migrate_prefect: Callable[[Path], None]) -> Project:
    """Lay out a project whose runs bring a Prefect server of their own."""
    feeds.add("/stories.xml", rss(), content_type="application/rss+xml")
    project = Project.create(tmp_path / "project", {"stories": feeds.url("/stories.xml")}, max_items=24)
    migrate_prefect(Path(project.environ["HOME"]))
    return project


@pytest.mark.soak  # in every run, without Prefect: test_direct.py
@pytest.mark.parametrize(("number", "arguments"), [(signal.SIGINT, RUN), (signal.SIGTERM, BACKFILL)])
def test_a_stopped_process_group_keeps_pending_answers_and_sends_no_request(
    one_feed_project: Project, number: signal.Signals, arguments: tuple[str, ...]
) -> None:
    """Either signal, in one process: `tests/pipeline/services/test_shutdown.py`."""
    with ModelServer(latency_s=5) as model:
        project = lay_out(one_feed_project, model)
        with begun(project, model, *arguments) as process:
            os.killpg(process.pid, number)
            assert process.wait(300) == 130
        assert model.requests == len(model.answered) == 1 + IN_FLIGHT
    drafts = project.drafts()
    assert len(drafts) == 1 + IN_FLIGHT
    assert not any("could not be checked" in draft.read_text() for draft in drafts)
    assert servers(project.folder) == []


@pytest.mark.soak  # in every run: test_serving.py
def test_a_killed_run_leaves_no_server_behind(one_feed_project: Project) -> None:
    with ModelServer() as model:
        model.enqueue(Reply(), *[Reply(stall=True)] * IN_FLIGHT)
        project = lay_out(one_feed_project, model)
        with begun(project, model, "run") as process:
            assert any("prefect.server" in line for line in servers(project.folder))
            process.kill()
        until(lambda: not servers(project.folder))


@pytest.mark.soak  # without processes: test_shutdown.py, and test_draft.py for what is left to the next run
def test_without_waiting_the_run_is_stopped_and_the_next_run_asks_again(
    flow_project: Callable[..., Project], feeds: FeedServer
) -> None:
    feeds.add("/stories.xml", rss(), content_type="application/rss+xml")
    with ModelServer() as model:
        model.enqueue(Reply(), *[Reply(stall=True)] * IN_FLIGHT)
        project = flow_project({"stories": feeds.url("/stories.xml")}, max_items=24)
        lay_out(project, model, COPYDESK_STOP_GRACE="1")
        with begun(project, model, "run") as process:
            os.killpg(process.pid, signal.SIGTERM)
            assert process.wait(300) == 130
        assert model.requests == 1 + IN_FLIGHT
        assert run_copydesk(project, "run").returncode == 0
    assert len(project.drafts()) == 24


@pytest.mark.soak  # in every run, without Prefect: test_direct.py
def test_a_second_signal_a_second_later_ends_at_once(
    flow_project: Callable[..., Project], feeds: FeedServer
) -> None:
    feeds.add("/stories.xml", rss(), content_type="application/rss+xml")
    with ModelServer() as model:
        model.enqueue(Reply(), *[Reply(stall=True)] * IN_FLIGHT)
        project = flow_project({"stories": feeds.url("/stories.xml")}, max_items=24)
        lay_out(project, model, COPYDESK_STOP_GRACE="3600", COPYDESK_MODEL_DEADLINE="3600")
        with begun(project, model, "run") as process:
            os.killpg(process.pid, signal.SIGINT)
            time.sleep(1)  # somebody presses Ctrl-C again
            os.killpg(process.pid, signal.SIGINT)
            assert process.wait(300) == 130
