"""Child processes have no telemetry and end with the process that started them."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from copydesk.child_processes import start_process
from copydesk.prefect_server import _serving_port, small_server
from flows.prefect_api import has_server, refresh_settings
from pipeline.config import minimal_environment
from pipeline.config.env_values import NO_TELEMETRY
from pipeline.domain.errors import ConfigError
from tests.fakes.feed_server import FeedServer

ROOT = Path(__file__).parents[2]
PRINTS = [sys.executable, "-c", "import json, os; print(json.dumps(dict(os.environ)))"]
STARTS = """
import subprocess, sys
from copydesk.child_processes import start_process
child = start_process([sys.executable, "-c", "import sys, time; print('up', flush=True); time.sleep(600)"])
print(child.pid, flush=True)
child.wait()
"""


@pytest.fixture
def unset(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in NO_TELEMETRY:
        monkeypatch.setenv(name, "")  # so that it is put back
        monkeypatch.delenv(name)
    return monkeypatch


def environ_of_a_child(folder: Path) -> dict[str, str]:
    with (folder / "printed").open("wb") as output:
        assert start_process(PRINTS, output).wait(300) == 0
    environ = json.loads((folder / "printed").read_text())
    assert isinstance(environ, dict)
    return environ


@pytest.mark.process
@pytest.mark.usefixtures("unset")
def test_a_process_started_before_the_import_of_prefect_has_no_telemetry(tmp_path: Path) -> None:
    assert environ_of_a_child(tmp_path).items() >= NO_TELEMETRY.items()


@pytest.mark.process
def test_an_operators_own_value_wins(tmp_path: Path, unset: pytest.MonkeyPatch) -> None:
    unset.setenv("DO_NOT_TRACK", "0")
    assert environ_of_a_child(tmp_path)["DO_NOT_TRACK"] == "0"
    assert minimal_environment()["DO_NOT_TRACK"] == "0"


@pytest.mark.usefixtures("unset")
def test_workers_have_no_telemetry() -> None:
    assert minimal_environment().items() >= NO_TELEMETRY.items()


@pytest.mark.process
@pytest.mark.skipif(sys.platform != "linux", reason="needs prctl")
def test_it_ends_when_its_parent_is_killed() -> None:
    environ = os.environ | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", STARTS]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environ, text=True) as parent:
        assert parent.stdout
        lines = {parent.stdout.readline().strip(), parent.stdout.readline().strip()}
        [pid] = [int(line) for line in lines - {"up"}]
        os.kill(pid, 0)
        parent.send_signal(signal.SIGKILL)
        parent.wait(120)
    deadline = time.monotonic() + 300
    while is_there(pid):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def is_there(pid: int) -> bool:
    """Tell whether a process works; one that ended and that nobody has asked about since does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_a_run_uses_the_answering_server_of_serve_and_no_other_program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PREFECT_API_URL", "")
    refresh_settings()
    port_file = tmp_path / ".copydesk/prefect-server.port"
    with FeedServer() as server:
        port = int(server.url("").rpartition(":")[2])
        port_file.parent.mkdir()
        port_file.write_text(str(port))
        assert _serving_port(tmp_path) is None
        server.add("/api/health", b"true", content_type="application/json")
        with small_server(tmp_path) as ready:
            ready()
            assert os.environ["PREFECT_API_URL"] == f"http://127.0.0.1:{port}/api"
            assert has_server()
    refresh_settings()
    assert "PREFECT_API_URL" not in os.environ
    assert _serving_port(tmp_path) is None
    port_file.write_text("no port")
    assert _serving_port(tmp_path) is None


def test_a_log_that_cannot_be_written_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PREFECT_API_URL", "")
    monkeypatch.setenv("PREFECT_HOME", str(tmp_path / "prefect"))
    (tmp_path / ".copydesk").write_text("in the way")
    with pytest.raises(ConfigError, match=r"prefect-server\.log"), small_server(tmp_path):
        pass
