"""The inside of a worker process: jobs from standard input, results to standard output; it may be killed.

A job is a line of JSON and the bytes that it announces; a result is its length and JSON. What a job may cost
in processor time and memory is limited here, where a hostile text can spend it.
"""

import json
import resource
import signal
import sys
from collections.abc import Callable
from typing import Any, BinaryIO

from pipeline.domain.errors import CopydeskError

OK = b'{"ok":'
"""How the answer about a job that went well begins."""
OVER_LIMIT = b'{"error": {"kind": "too-costly"'
"""How the answer about one begins that took more than it may."""

Work = Callable[[dict[str, Any], bytes], bytes]
"""Makes a result, as JSON, of a job and its bytes; raises a CopydeskError where that is an outcome too."""


def run_worker(work: Work) -> None:
    """Work until standard input ends: that is when the parent is gone, however it went.

    Whatever is imported before is not counted against the memory that a job may take.
    """
    cpu_s, memory = float(sys.argv[1]), int(sys.argv[2])
    for number in (signal.SIGINT, signal.SIGTERM):  # a service manager may tell every process of ours
        signal.signal(number, signal.SIG_IGN)
    _limit_memory(memory)
    source, target = sys.stdin.buffer, sys.stdout.buffer
    while line := source.readline():
        job = json.loads(line)
        body = source.read(job["bytes"])
        # In processor time: a machine that is busy elsewhere says nothing against a document.
        signal.setitimer(signal.ITIMER_PROF, cpu_s)
        answer = _run_job(work, job, body)
        signal.setitimer(signal.ITIMER_PROF, 0)
        _write_result(target, answer)
        if answer.startswith(OVER_LIMIT):
            return  # memory that is scattered does not come back


def _limit_memory(most: int) -> None:
    """Let this process grow by so many bytes from what it has now."""
    try:
        with open("/proc/self/statm", encoding="ascii") as statm:  # noqa: PTH123
            held = int(statm.read().split()[5]) * resource.getpagesize()
    except OSError:  # not Linux: no limit of memory, that of time remains
        return
    resource.setrlimit(resource.RLIMIT_DATA, (held + most, held + most))


def _run_job(work: Work, job: dict[str, Any], body: bytes) -> bytes:
    try:
        return OK + work(job, body) + b"}"
    except CopydeskError as error:
        return _error(error.message, getattr(error, "kind", "refused"), error.context)
    except MemoryError:
        return _error("needs more memory than it may", "too-costly", {})
    except RecursionError:
        return _error("is nested too deeply", "too-deep", {})
    except Exception as error:  # noqa: BLE001 - our defect: it must not look like a document's fault
        said = f"unexpected trouble, please report it: {type(error).__name__}: {error}"
        return _error(said, "unexpected", {})


def _error(message: str, kind: str, context: dict[str, object]) -> bytes:
    said = {"kind": kind, "message": message, "context": context}
    return json.dumps({"error": said}, default=str).encode()


def _write_result(target: BinaryIO, answer: bytes) -> None:
    target.write(len(answer).to_bytes(8, "big") + answer)
    target.flush()
