"""The command line, called in this process: a process of its own costs seconds, most of them imports."""

import contextlib
import gc
import io
import logging
import os
import subprocess
import sys
import threading
import warnings
from collections.abc import Iterator
from unittest import mock
from urllib.parse import urlsplit

from rich.console import Console

from copydesk import console
from copydesk.main import main
from copydesk.prefect_server import silence_prefect
from flows.prefect_api import refresh_settings
from tests.end_to_end.project import Project
from tests.fakes.pools import working_here


def call_copydesk(project: Project, *arguments: str, given: str = "") -> "subprocess.CompletedProcess[str]":
    """Call a command as a user would, with `given` to read, and return its exit code and what it printed.

    Not for coroutines, `--sample`, or what a process of its own is: signals, its start and its end. A command
    with a flow needs a running Prefect server in PREFECT_API_URL. Feeds, pages and drafts are read in this
    process, too.
    """
    assert "--sample" not in arguments, "a process that has entered the sample stays there"
    streams = io.BytesIO(given.encode()), io.BytesIO(), io.BytesIO()
    stdin, stdout, stderr = (io.TextIOWrapper(one, encoding="utf-8", write_through=True) for one in streams)
    with contextlib.ExitStack() as stack:
        if "PREFECT_API_URL" in project.environ:
            stack.enter_context(_prefect_drained(project.environ["PREFECT_API_URL"]))
        stack.enter_context(mock.patch.dict(os.environ, project.environ, clear=True))
        stack.enter_context(contextlib.chdir(project.folder))
        stack.enter_context(mock.patch.multiple(sys, argv=["copydesk", *arguments], stdin=stdin))
        stack.enter_context(contextlib.redirect_stdout(stdout))
        stack.enter_context(contextlib.redirect_stderr(stderr))
        stack.enter_context(_logging_restored())
        stack.enter_context(working_here())
        for one in (console.out, console.err):
            stack.enter_context(_plain(one, int(project.environ["COLUMNS"])))
        if "PREFECT_API_URL" in project.environ:
            silence_prefect()
            refresh_settings()
        code = _code_of_main()
    shown = (one.getvalue().decode().replace("\r\n", "\n") for one in streams[1:])
    return subprocess.CompletedProcess(["copydesk", *arguments], code, *shown)


def _code_of_main() -> int:
    try:
        main()
    except SystemExit as ended:
        return int(ended.code or 0)
    return 0


@contextlib.contextmanager
def _plain(shown: Console, width: int) -> Iterator[None]:
    """Have a console write as one that is made where stdout is no terminal; it takes sys.stdout by itself."""
    with mock.patch.multiple(shown, _width=width, _color_system=None, _file=None):
        yield


@contextlib.contextmanager
def _logging_restored() -> Iterator[None]:
    loggers = [logging.getLogger(), logging.getLogger("copydesk"), logging.getLogger("copydesk.desk.audit")]
    before = [(one, one.handlers[:], one.level, one.propagate) for one in loggers]
    try:
        yield
    finally:
        logging.captureWarnings(False)
        sys.excepthook, threading.excepthook = sys.__excepthook__, threading.__excepthook__
        for one, handlers, level, propagate in before:
            one.handlers[:] = handlers
            one.setLevel(level)
            one.propagate = propagate


@contextlib.contextmanager
def _prefect_drained(api: str) -> Iterator[None]:
    """Have Prefect send what it reports, then take in the environment from before.

    Each run leaves a client of its API unclosed (prefect/results.py, on the default storage), which does not
    show where the process ends: sockets to that server, and no others, are passed over.
    """
    from prefect.events.worker import EventsWorker

    leaked = rf"unclosed <socket\.socket .*raddr=\('127\.0\.0\.1', {urlsplit(api).port}\)>"
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", leaked, ResourceWarning)
        try:
            yield
        finally:
            EventsWorker.drain_all()
            refresh_settings()
            gc.collect()
