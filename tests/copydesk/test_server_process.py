"""Prefect's server is started anew when it ends, and not for ever; a fixed port that is taken is named."""

import contextlib
import logging
import os
import signal
import socket
import time
from pathlib import Path

import pytest

from copydesk.prefect_server import ServerProcess, full_server
from pipeline.domain.errors import ConfigError

_ENDS = ["/bin/sh", "-c", "exit 3"]
_STAYS = ["sleep", "600"]


def keep_until_replaced(server: ServerProcess) -> None:
    """Call `keep` until it has started another process."""
    pid, deadline = server.pid, time.monotonic() + 60
    while server.pid == pid:
        assert time.monotonic() < deadline
        server.keep()
        time.sleep(0.01)


@pytest.mark.process
def test_a_killed_server_is_started_anew_and_one_that_runs_is_left(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    server = ServerProcess(_STAYS, 1, tmp_path / "server.log")
    try:
        first = server.pid
        server.keep()
        assert server.pid == first
        os.kill(first, signal.SIGKILL)
        with caplog.at_level(logging.WARNING, "copydesk.serve"):
            keep_until_replaced(server)
        assert caplog.messages == [
            "Prefect's server has ended with code -9, 1 time in ten minutes: it is started anew"
        ]
        server.keep()
        assert len(caplog.messages) == 1
    finally:
        server.end()


@pytest.mark.process
def test_a_server_that_ends_again_and_again_is_given_up_in_one_line(tmp_path: Path) -> None:
    now = [1000.0]
    log = tmp_path / "server.log"
    server = ServerProcess(_ENDS, 1, log, clock=lambda: now[0])
    with contextlib.ExitStack() as stack:
        stack.callback(server.end)
        keep_until_replaced(server)
        now[0] += 601
        for _ in range(4):
            keep_until_replaced(server)
        with pytest.raises(ConfigError) as given_up:
            keep_until_replaced(server)
    assert given_up.value.message == (
        f"Prefect's server has ended with code 3, 5 times in ten minutes; see its log {log}"
    )


def test_a_fixed_port_that_is_taken_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with (
            pytest.raises(ConfigError, match=f"COPYDESK_PREFECT_PORT {port} cannot be used"),
            full_server(tmp_path, port),
        ):
            pass
