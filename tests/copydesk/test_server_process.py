"""Prefect's server and the desk are started anew when they end; a fixed port that is taken is named."""

import contextlib
import errno
import itertools
import logging
import os
import re
import signal
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import cast

import pytest

from copydesk.child_processes import Child, RestartedProcess
from copydesk.desk import SERVE_TOKEN, _token
from copydesk.prefect_server import ServerProcess, _server_process, _serving_port, fixed_port, full_server
from copydesk.serve import desk_variables, keep_desk
from pipeline.domain.errors import ConfigError
from tests.fakes.stock import layout

_ENDS = ["/bin/sh", "-c", "exit 3"]
_STAYS = ["sleep", "600"]
_STAYS_AT = ["/bin/sh", "-c", "exec sleep 600", "sh"]
"""As _STAYS, with a port as its last argument."""


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PREFECT_HOME", str(tmp_path / "prefect"))


def keep_until_replaced(server: ServerProcess) -> None:
    """Call `keep` until it has started another process."""
    before, deadline = server.process.pid, time.monotonic() + 60
    while server.process.pid == before:
        assert time.monotonic() < deadline
        server.keep()
        time.sleep(0.01)


@pytest.mark.process
def test_a_killed_server_is_started_anew_and_one_that_runs_is_left(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    server = ServerProcess(_STAYS, 1, tmp_path / "server.log")
    try:
        first = server.process.pid
        server.keep()
        assert server.process.pid == first
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
def test_a_log_that_has_grown_is_followed_by_a_new_one(tmp_path: Path) -> None:
    log = tmp_path / "server.log"
    log.touch()
    os.truncate(log, 10_000_001)
    for _ in range(2):
        ServerProcess(["/bin/sh", "-c", "echo started; exec sleep 600"], 1, log).end()
    assert log.stat().st_size < 100
    assert (tmp_path / "server.log.1").stat().st_size == 10_000_001


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
        pid = first.process.process.pid
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


class FakeChild:
    """A process that has ended with a code, or runs while that is None."""

    pid = 2**31 - 1
    """No process has it: the largest one is 2**22. Source: proc_sys_kernel(5)."""

    def __init__(self) -> None:
        self.code: int | None = None

    def poll(self) -> int | None:
        return self.code


class FakeDesk:
    """A desk that ends when the test says so; its clock moves a second with each check."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.started: list[FakeChild] = []
        self.fails = False
        self.process = RestartedProcess("The desk", self.start, 60.0, clock=lambda: self.now)

    def start(self) -> Child:
        if self.fails:
            raise OSError(errno.ENOMEM, os.strerror(errno.ENOMEM))
        self.started.append(FakeChild())
        return cast(Child, self.started[-1])

    def end(self, code: int) -> None:
        self.started[-1].code = code

    def check(self, seconds: int) -> None:
        for _ in range(seconds):
            self.now += 1
            keep_desk(self.process)


def test_a_desk_that_crashes_once_is_started_anew_at_once(caplog: pytest.LogCaptureFixture) -> None:
    desk = FakeDesk()
    desk.check(100)
    desk.end(-9)
    desk.check(1)
    assert len(desk.started) == 2
    desk.check(100)
    assert caplog.messages == ["The desk has ended with code -9, 1 time in ten minutes: it is started anew"]


def test_a_desk_that_cannot_start_is_told_once_a_minute_at_most_and_never_given_up(
    caplog: pytest.LogCaptureFixture,
) -> None:
    desk, lines = FakeDesk(), list[tuple[float, str]]()
    for _ in range(4 * 3600):
        desk.end(2)
        before = len(caplog.messages)
        desk.check(1)
        lines += [(desk.now, message) for message in caplog.messages[before:]]
    times = [at for at, _ in lines]
    assert min(later - at for at, later in itertools.pairwise(times)) >= 60
    assert "5 times in ten minutes: the feeds are served without it" in lines[4][1]
    assert times[5] - times[4] >= 600
    assert times[-1] > desk.now - 700
    assert len(desk.started) > len(lines) - 2


def test_a_desk_for_which_there_is_no_memory_is_started_later(caplog: pytest.LogCaptureFixture) -> None:
    desk = FakeDesk()
    desk.check(100)
    desk.end(-9)
    desk.fails = True
    desk.check(1)
    desk.fails = False
    desk.check(100)
    assert len(desk.started) == 2
    assert caplog.messages[1] == "The desk cannot be started: Cannot allocate memory"


def test_a_desk_that_is_started_anew_has_the_same_link(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    variables = desk_variables(tmp_path / "feeds.yaml")
    own = layout(tmp_path, {"COPYDESK_DESK_TOKEN": "sixteen-letters!"})
    without = own.model_copy(update={"desk_token": None})
    tokens = []
    for _ in range(2):
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        tokens.append(_token(without))
        assert SERVE_TOKEN not in os.environ, "the processes of the desk do not get it"
    assert tokens == [variables[SERVE_TOKEN]] * 2
    assert len({tokens[0], _token(without), desk_variables(tmp_path)[SERVE_TOKEN]}) == 3
    monkeypatch.setenv(SERVE_TOKEN, tokens[0])
    assert _token(own) == "sixteen-letters!"


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
