"""The tiers of the tests, by marker.

`process`: starts a process (a command, a browser, a database server, a sandbox worker), or serves a desk; not
in `make quick`.
`soak`: takes minutes, or a program that others wrote; in `make soak` alone, where `make test` has a fast test
of the same rule beside it.
"""

import gc
import os
import platform
import resource
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("any-machine", deadline=None, max_examples=30)  # time depends on the machine
settings.load_profile("any-machine")

_HERE = Path(__file__).parent
_SOAK = ("benchmarks/", "sites/")
_PROCESS = (
    "end_to_end/",
    "desk/browser/",
    "desk/test_corrections.py",
    "desk/test_covers.py",
    "desk/test_race.py",
    "desk/test_safety.py",
    "copydesk/test_desk_command.py",
    "flows/test_run_processes.py",
    "pipeline/checks/test_pool.py",
    "pipeline/feeds/test_hostile.py",
    "pipeline/feeds/test_pool.py",
    "pipeline/publishing/targets/test_git.py",
    "pipeline/publishing/targets/test_git_push.py",
    *_SOAK,
)
_STARTING = frozenset(("browser", "desk", "node", "postgres_server", "prefect_api"))
"""Fixtures that start processes, or a desk: a server and a thread of it for each test."""
_STARTS = frozenset(("subprocess.Popen", "os.fork", "os.forkpty", "os.posix_spawn"))
"""Audit events of the standard library: https://docs.python.org/3/library/audit_events.html."""
_started: list[str] = []
"""What the test at hand has started."""


@pytest.hookimpl(wrapper=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> Iterator[None]:
    for item in items:
        place = item.path.relative_to(_HERE).as_posix()
        if place.startswith(_SOAK):
            item.add_marker(pytest.mark.soak)
        if place.startswith(_PROCESS) or _on_postgresql(item) or _STARTING & set(_fixtures(item)):
            item.add_marker(pytest.mark.process)
    yield  # what -m leaves out goes
    items[:] = _long_first(items, int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1")))


def _long_first(items: list[pytest.Item], workers: int) -> list[pytest.Item]:
    """Return the tests so that each worker, which gets as many in a row, has some of the longest first.

    The last tests are then short, and no worker waits for another one.
    """
    if workers == 1:
        return items
    long = [item for item in items if item.path.parent.name == "end_to_end"]
    others = [item for item in items if item.path.parent.name != "end_to_end"]
    ends = [len(others) * number // workers for number in range(workers + 1)]
    parts = [others[start:end] for start, end in pairwise(ends)]
    for number, part in enumerate(parts):
        part[2:2] = long[number::workers]  # not the very first: where a worker's tests begin is rounded
    return [item for part in parts for item in part]


def pytest_collection_finish() -> None:
    """Spare the garbage collector what stays to the end, all modules and tests: an eighth of the CPU time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)


def _fixtures(item: pytest.Item) -> tuple[str, ...]:
    return tuple(getattr(item, "fixturenames", ()))


def _on_postgresql(item: pytest.Item) -> bool:
    called = getattr(item, "callspec", None)
    return called is not None and "postgresql" in called.params.values()


def _note(
    event: str,
    _arguments: tuple[object, ...],
    starts: frozenset[str] = _STARTS,
    started: list[str] = _started,
) -> None:
    if event in starts:  # arguments, as this module's own names are gone when the last events come
        started.append(event)


platform.processor()  # starts `uname` once in a process; the OpenAI client asks for it
sys.addaudithook(_note)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup() -> None:
    _started.clear()  # before the first fixture of any scope


@pytest.fixture(autouse=True)
def _no_process(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail a test that starts a process and does not say so."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_minflt
    yield
    # Not every way of starting one is an audit event (multiprocessing, uvloop): one that ended is counted.
    ended = resource.getrusage(resource.RUSAGE_CHILDREN).ru_minflt > children
    if (_started or ended) and request.node.get_closest_marker("process") is None:
        pytest.fail("it starts a process: mark it with `pytest.mark.process`")
