"""Main loop of a worker process: jobs from standard input, answers to standard output, under limits.

A job is a line of JSON and as many bytes as its key `bytes` says. An answer is 8 bytes of length and JSON.
"""

import json
import resource
import signal
import sys
from collections.abc import Callable
from typing import Any, BinaryIO

from pipeline.domain.errors import CopydeskError

OK = b'{"ok":'
"""Beginning of the answer of a successful job."""
OVER_LIMIT = b'{"error": {"kind": "too-costly"'
"""Beginning of the answer of a job over its limits."""

Work = Callable[[dict[str, Any], bytes], bytes]
"""Returns the result of a job and its bytes, as JSON; raises CopydeskError for an expected failure."""


def run_worker(work: Work) -> None:
    """Run jobs until standard input ends, which it does when the parent has ended.

    Memory of modules that are imported before does not count against the limit.
    """
    cpu_s, memory = float(sys.argv[1]), int(sys.argv[2])
    for number in (signal.SIGINT, signal.SIGTERM):  # a service manager may signal every process of the group
        signal.signal(number, signal.SIG_IGN)
    _limit_memory(memory)
    source, target = sys.stdin.buffer, sys.stdout.buffer
    while line := source.readline():
        job = json.loads(line)
        body = source.read(job["bytes"])
        # CPU time, not wall-clock time: a busy machine must not fail a document.
        signal.setitimer(signal.ITIMER_PROF, cpu_s)
        answer = _run_job(work, job, body)
        signal.setitimer(signal.ITIMER_PROF, 0)
        _write_result(target, answer)
        if answer.startswith(OVER_LIMIT):
            return  # fragmented memory is not given back


def _limit_memory(max_growth: int) -> None:
    """Limit this process to its current memory and `max_growth` bytes more."""
    try:
        with open("/proc/self/statm", encoding="ascii") as statm:  # noqa: PTH123
            current = int(statm.read().split()[5]) * resource.getpagesize()
    except OSError:  # not Linux: no memory limit, only the time limit
        return
    resource.setrlimit(resource.RLIMIT_DATA, (current + max_growth, current + max_growth))


def _run_job(work: Work, job: dict[str, Any], body: bytes) -> bytes:
    try:
        return OK + work(job, body) + b"}"
    except CopydeskError as error:
        return _error(error.message, getattr(error, "kind", "refused"), error.context)
    except MemoryError:
        return _error("needs more memory than it may", "too-costly", {})
    except RecursionError:
        return _error("is nested too deeply", "too-deep", {})
    except Exception as error:  # noqa: BLE001 - a defect of Copydesk must not look like a fault of the document
        message = f"unexpected trouble, please report it: {type(error).__name__}: {error}"
        return _error(message, "unexpected", {})


def _error(message: str, kind: str, context: dict[str, object]) -> bytes:
    details = {"kind": kind, "message": message, "context": context}
    return json.dumps({"error": details}, default=str).encode()


def _write_result(target: BinaryIO, answer: bytes) -> None:
    target.write(len(answer).to_bytes(8, "big") + answer)
    target.flush()
