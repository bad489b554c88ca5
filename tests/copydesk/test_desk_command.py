"""`copydesk desk` in its own process: the printed link, the audit log, errors, shutdown."""

import json
import logging
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from copydesk.desk import _PrivateLog, _shown
from pipeline.config import Settings
from tests.commands import call_copydesk
from tests.end_to_end.project import Project
from tests.fakes.stock import fill, layout

ROOT = Path(__file__).parents[2]


def environment(settings: Settings, **environ: str) -> dict[str, str]:
    inherited = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    own = {"PYTHONPATH": str(ROOT), "HOME": str(settings.base), "PYTHONUNBUFFERED": "1", "COLUMNS": "40"}
    return inherited | own | environ


@contextmanager
def opened(
    settings: Settings, *arguments: str, **environ: str
) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Start a desk; yields its process and the link that it prints."""
    command = [sys.executable, "-m", "copydesk", "desk", "--port", "0", *arguments]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=settings.base,
        env=environment(settings, **environ),
    ) as process:  # fmt: skip
        assert process.stdout
        match = re.search(r"http://\S+", process.stdout.readline())
        assert match
        try:
            yield process, match[0]
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(120)


def answered(link: str, **headers: str) -> httpx.Response:
    """Ask until the desk listens."""
    transport = httpx.HTTPTransport(retries=20)
    with httpx.Client(transport=transport, headers=headers, follow_redirects=True, timeout=120) as client:
        return client.get(link)


def test_the_link_signs_in_and_ctrl_c_stops_the_desk(tmp_path: Path) -> None:
    settings = layout(tmp_path)
    fill(settings, 1)
    with opened(settings) as (process, link):
        assert "Your name is recorded" in answered(link).text
        assert answered(link.partition("?")[0]).status_code == 401
    assert process.returncode in (0, 130, -signal.SIGINT)
    lines = (tmp_path / ".copydesk/desk-audit.jsonl").read_text().splitlines()
    assert [json.loads(line)["status"] for line in lines] == [401]
    assert (tmp_path / ".copydesk/desk-audit.jsonl").stat().st_mode & 0o077 == 0


def test_a_configured_token_keeps_the_link(tmp_path: Path) -> None:
    settings = layout(tmp_path)
    with opened(settings, COPYDESK_DESK_TOKEN="sixteen-letters!") as (_, link):
        assert link.endswith("?token=sixteen-letters!")
        assert answered(link).status_code == 200


@pytest.mark.parametrize(
    ("host", "shown"),
    [
        ("0.0.0.0", "127.0.0.1"),
        ("::", "127.0.0.1"),
        ("", "127.0.0.1"),
        ("localhost", "127.0.0.1"),
        ("127.0.0.1", "127.0.0.1"),
        ("192.0.2.7", "192.0.2.7"),
        ("::1", "[::1]"),
    ],
)
def test_the_link_names_an_address_that_a_browser_can_open(host: str, shown: str) -> None:
    assert _shown(host) == shown


def test_mistakes_are_one_line_and_an_exit_code(tmp_path: Path) -> None:
    settings = layout(tmp_path)

    def start_desk(*arguments: str, **environ: str) -> tuple[int, str]:
        done = call_copydesk(Project(tmp_path, environment(settings, **environ)), "desk", *arguments)
        return done.returncode, done.stderr

    with socket.create_server(("127.0.0.1", 0)) as taken:
        code, message = start_desk("--port", str(taken.getsockname()[1]))
    assert (code, "choose another one with --port" in message) == (2, True)
    assert start_desk("--host", "203.0.113.9")[0] == 2
    assert "too short" in start_desk(COPYDESK_DESK_TOKEN="short")[1]
    assert "host names" in start_desk(COPYDESK_DESK_HOSTS="http://x/")[1]
    assert "header" in start_desk(COPYDESK_DESK_USER_HEADER="no header:")[1]
    code, message = start_desk(COPYDESK_DESK_USER_HEADER="X-Forwarded-User")
    assert code == 2
    assert "COPYDESK_DESK_USER_HEADER is set without COPYDESK_DESK_USER_SECRET" in " ".join(message.split())
    assert "too short" in start_desk(COPYDESK_DESK_USER_SECRET="short")[1]
    assert start_desk(COPYDESK_FEEDS="missing.yaml")[0] == 2


def test_only_the_owner_can_read_the_audit_log_also_after_rotation(tmp_path: Path) -> None:
    path = tmp_path / "desk-audit.jsonl"
    path.write_text("{}\n")
    path.chmod(0o644)
    log = _PrivateLog(path, maxBytes=10, backupCount=2)
    for number in range(3):
        log.emit(logging.makeLogRecord({"msg": f"line {number} of it"}))
    log.close()
    modes = {path.name: oct(path.stat().st_mode & 0o777) for path in tmp_path.iterdir()}
    assert modes == {f"desk-audit.jsonl{ending}": "0o600" for ending in ("", ".1", ".2")}
