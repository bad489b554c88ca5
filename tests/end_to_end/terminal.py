"""The command line in a pseudo-terminal, with an answer to its question."""

import contextlib
import os
import pty
import subprocess
import sys
from typing import NamedTuple

from tests.end_to_end.project import Project


class Answered(NamedTuple):
    returncode: int
    stdout: str
    shown: str
    """What stood on the terminal, errors and questions."""


def run_at_terminal(project: Project, *arguments: str, question: str, answer: str) -> Answered:
    """Call the command line, and type an answer when a question stands there."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "copydesk", *arguments],
        cwd=project.folder,
        env=project.environ,
        stdin=theirs,
        stderr=theirs,
        stdout=subprocess.PIPE,
    )
    os.close(theirs)
    shown = _read_until(ours, question)
    os.write(ours, f"{answer}\n".encode())
    stdout, _ = process.communicate(timeout=300)
    shown += _read_until(ours, None)
    os.close(ours)
    return Answered(process.returncode, stdout.decode(), shown.decode())


def _read_until(terminal: int, question: str | None) -> bytes:
    """Return what comes, up to a question or to the end."""
    shown = b""
    with contextlib.suppress(OSError):  # nobody has the other side open any more
        while question is None or question.encode() not in shown:
            piece = os.read(terminal, 65_536)
            if not piece:
                break
            shown += piece
    return shown
