"""Prefect's server is started anew when it ends, and not for ever; a fixed port that is taken is named."""

import contextlib
import errno
import logging
import os
import re
import signal
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from copydesk.prefect_server import ServerProcess, _server_process, _serving_port, fixed_port, full_server
from pipeline.domain.errors import ConfigError

_ENDS = ["/bin/sh", "-c", "exit 3"]
_STAYS = ["sleep", "600"]
_STAYS_AT = ["/bin/sh", "-c", "exec sleep 600", "sh"]
"""As _STAYS, with a port as its last argument."""


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PREFECT_HOME", str(tmp_path / "prefect"))


def keep_until_replaced(server: ServerProcess) -> None:
    """Call `keep` until it has started another process."""
    before, deadline = server._process.pid, time.monotonic() + 60
    while server._process.pid == before:
        assert time.monotonic() < deadline
        server.keep()
        time.sleep(0.01)


@pytest.mark.process
def test_a_killed_server_is_started_anew_and_one_that_runs_is_left(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    server = ServerProcess(_STAYS, 1, tmp_path / "server.log")
    try:
        first = server._process.pid
        server.keep()
        assert server._process.pid == first
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
def test_servers_of_one_home_start_one_after_the_other(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    steps: list[str] = []

    def choose(name: str) -> int:
        steps.append(f"{name} takes a port")
        return 1

    def start() -> None:
        with _server_process(tmp_path, _STAYS_AT, lambda: choose("second")):
            pass

    lock = tmp_path / "prefect" / "copydesk-start.lock"
    waiting = threading.Thread(target=start)
    with _server_process(tmp_path, _STAYS_AT, lambda: choose("first")) as first:
        waiting.start()
        _await_lock_request(lock)
        steps.append("first ends")
        pid = first.process._process.pid
    waiting.join(60)
    assert steps == ["first takes a port", "first ends", "second takes a port"]
    assert capsys.readouterr().err == f"Waiting: another command starts its Prefect server (lock: {lock}).\n"
    assert not Path(f"/proc/{pid}").exists()


def _await_lock_request(file: Path) -> None:
    """Wait until somebody waits for the lock of a file. Source: proc_locks(5)."""
    deadline = time.monotonic() + 60
    while not re.search(rf"-> FLOCK .*:{file.stat().st_ino} ", Path("/proc/locks").read_text()):
        assert time.monotonic() < deadline
        time.sleep(0.01)


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
        f"Prefect's server has ended with code 3, 5 times in ten minutes; correct what its log {log} says, "
        "and start `copydesk serve` again"
    )


def test_a_run_takes_another_port_only_while_the_fixed_one_is_in_use() -> None:
    def refuses(number: int) -> Callable[[int], None]:
        def bind(_port: int) -> None:
            raise OSError(number, os.strerror(number))

        return bind

    assert fixed_port(80, or_other=True, bind=refuses(errno.EADDRINUSE)) != 80
    assert fixed_port(80, bind=lambda _port: None) == 80
    for or_other, number in ((True, errno.EACCES), (False, errno.EADDRINUSE)):
        with pytest.raises(ConfigError, match=f"PORT 80 cannot be used .{os.strerror(number)}"):
            fixed_port(80, or_other=or_other, bind=refuses(number))


@pytest.mark.parametrize("written", ["70000", "-1", "0", "", "x", "9" * 5000])
def test_what_is_no_port_is_no_server(tmp_path: Path, written: str) -> None:
    (tmp_path / ".copydesk").mkdir()
    (tmp_path / ".copydesk/prefect-server.port").write_text(written)
    assert _serving_port(tmp_path) is None


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
