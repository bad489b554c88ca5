"""Flow runs are found among the children of `serve`, with or without ps."""

import contextlib
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from flows.run_processes import run_processes, send_signal


@contextlib.contextmanager
def child(*arguments: str, apart: bool = False) -> Iterator["subprocess.Popen[bytes]"]:
    command = [sys.executable, "-c", "import sys; sys.stdin.read()", *arguments]
    with subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=apart) as process:
        try:
            yield process
        finally:
            process.kill()


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs Linux")
def test_a_run_is_found_without_ps_and_the_server_is_no_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with child("prefect.engine") as run, child("prefect", apart=True) as server, child("desk") as other:
        assert run.pid in run_processes()
        assert not {server.pid, other.pid} & run_processes()


def test_no_signal_is_sent_to_an_ended_process() -> None:
    with child() as gone:
        gone.kill()
        gone.wait()
    with child() as process:
        send_signal([gone.pid, process.pid], signal.SIGKILL)
        assert process.wait(120) == -signal.SIGKILL
