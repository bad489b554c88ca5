"""A worker process: reads jobs from standard input, writes results to standard output, and may be killed.

A job is a line of JSON and the bytes that it announces; a result is a line of JSON. What a job may cost in
processor time and memory is limited here, where a hostile document can spend it.
"""

import json
import resource
import signal
import sys
from datetime import datetime
from typing import Any, BinaryIO

from pipeline.errors import FeedError
from pipeline.urls import shown_url

OK = b'{"ok":'
"""How the answer about a job that went well begins."""
COSTLY = b'{"error": {"kind": "too-costly"'
"""How the answer about one begins that took more than it may."""


def main() -> None:
    """Work until standard input ends: that is when the parent is gone, however it went."""
    cpu_s, memory = float(sys.argv[1]), int(sys.argv[2])
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    import pipeline.ingest.parse  # noqa: F401 - counts as idle

    _limit_memory(memory)
    source, target = sys.stdin.buffer, sys.stdout.buffer
    while line := source.readline():
        job = json.loads(line)
        body = source.read(job["bytes"])
        # In processor time: a machine that is busy elsewhere says nothing against a document.
        signal.setitimer(signal.ITIMER_PROF, cpu_s)
        answer = _done(job, body)
        signal.setitimer(signal.ITIMER_PROF, 0)
        _answer(target, answer)
        if answer.startswith(COSTLY):
            return  # memory that is scattered does not come back


def _limit_memory(most: int) -> None:
    """Let this process grow by so many bytes from what it has now."""
    try:
        with open("/proc/self/statm", encoding="ascii") as statm:  # noqa: PTH123
            held = int(statm.read().split()[5]) * resource.getpagesize()
    except OSError:  # not Linux: no limit of memory, that of time remains
        return
    resource.setrlimit(resource.RLIMIT_DATA, (held + most, held + most))


def _done(job: dict[str, Any], body: bytes) -> bytes:
    try:
        return OK + _result(job, body) + b"}"
    except FeedError as error:
        return _error(error.message, error.kind, error.context)
    except MemoryError:
        return _error("needs more memory than a feed may", "too-costly", {})
    except RecursionError:
        return _error(f"{shown_url(job['url'])} is nested deeper than a feed is", "malformed", {})
    except Exception as error:  # noqa: BLE001 - our defect: it must not look like a document's fault
        said = f"unexpected trouble, please report it: {type(error).__name__}: {error}"
        return _error(f"{shown_url(job['url'])}: {said}", "unexpected", {})


def _result(job: dict[str, Any], body: bytes) -> bytes:
    if job["what"] == "parse":
        from pipeline.ingest.parse import parse_feed

        now = datetime.fromisoformat(job["now"])
        return parse_feed(body, job["type"], job["url"], now).model_dump_json().encode()
    from pipeline.ingest.extract import extract

    return extract(body, job["type"], job["url"], job["selector"]).model_dump_json().encode()


def _error(message: str, kind: str, context: dict[str, object]) -> bytes:
    said = {"kind": kind, "message": message, "context": context}
    return json.dumps({"error": said}, default=str).encode()


def _answer(target: BinaryIO, answer: bytes) -> None:
    target.write(len(answer).to_bytes(8, "big") + answer)
    target.flush()


if __name__ == "__main__":
    main()
