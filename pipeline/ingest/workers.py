"""Parses in processes apart: a hostile document costs one of them, and nobody else's time."""

import asyncio
import contextlib
import json
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from pydantic import TypeAdapter

from pipeline.errors import FeedError
from pipeline.ingest.extract import Page
from pipeline.ingest.parse import ParsedFeed
from pipeline.ingest.worker import COSTLY, OK
from pipeline.settings import bare_environment
from pipeline.urls import shown_url

CPU_S = 4.0
"""Seconds of processor time that one document may take."""
MEMORY = 190_000_000
"""Bytes that a worker may grow by."""
_WALL_S = 60.0
"""Seconds after which a worker is given up that neither answers nor uses its processor time."""
_JOBS = 1000
"""Documents after which a worker is replaced: what leaks does not add up."""
_ROOT = Path(__file__).parents[2]
"""Where a worker finds the same package as this process."""


class ParsePool:
    """A few worker processes, started when they are needed; a context manager.

    `parse` and `extract` raise FeedError as the functions of that name do, and of kind `too-costly` where a
    document takes more time or memory than it may.
    """

    def __init__(self, workers: int | None = None, cpu_s: float = CPU_S, memory: int = MEMORY) -> None:
        self._count = workers or min(4, os.cpu_count() or 1)
        self._limits = (str(cpu_s), str(memory))
        self._idle: asyncio.LifoQueue[_Worker | None] = asyncio.LifoQueue()
        self._all: set[_Worker] = set()

    async def __aenter__(self) -> Self:
        for _ in range(self._count):
            self._idle.put_nowait(None)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.gather(*(worker.stop() for worker in self._all))

    async def parse(self, body: bytes, content_type: str | None, url: str, now: datetime) -> ParsedFeed:
        """Return what a feed says; see `parse_feed`."""
        job = {"what": "parse", "type": content_type, "url": url, "now": now.isoformat()}
        return _FEED.validate_json(await self._run(job, body))

    async def extract(self, body: bytes, content_type: str | None, url: str, selector: str | None) -> Page:
        """Return the article of a page; see `extract`."""
        job = {"what": "extract", "type": content_type, "url": url, "selector": selector}
        return _PAGE.validate_json(await self._run(job, body))

    async def _run(self, job: dict[str, Any], body: bytes) -> bytes:
        worker = await self._idle.get()
        kept = None
        try:
            if worker is None or worker.ended:
                worker = await self._started()
            async with asyncio.timeout(_WALL_S):
                answer = await worker.ask(job, body)
            kept = worker if worker.jobs < _JOBS and not _costly(answer) else None
        except (OSError, asyncio.IncompleteReadError, TimeoutError) as error:
            raise FeedError(
                f"{shown_url(job['url'])} takes more time or memory to read than it may; "
                "is it what it should be?",
                kind="too-costly",
            ) from error
        finally:
            # Also where the caller was cancelled: what the worker still writes is nobody's.
            self._idle.put_nowait(kept)
            if kept is None and worker is not None:
                await asyncio.shield(self._drop(worker))
        return _read(answer, job["url"])

    async def _started(self) -> "_Worker":
        try:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "pipeline.ingest.worker", *self._limits,
                stdin=PIPE, stdout=PIPE, stderr=DEVNULL, cwd=_ROOT, env=bare_environment(),
            )  # fmt: skip
        except OSError as error:
            said = f"no process can be started to read feeds in: {error.strerror}; free memory or processes"
            raise FeedError(said, kind="unexpected") from error
        worker = _Worker(process)
        self._all.add(worker)
        return worker

    async def _drop(self, worker: "_Worker") -> None:
        self._all.discard(worker)
        await worker.stop()


class _Worker:
    """One process, and the talk with it."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self.jobs = 0

    @property
    def ended(self) -> bool:
        """Tell whether somebody ended the process while it had nothing to do."""
        return self._process.returncode is not None

    async def ask(self, job: dict[str, Any], body: bytes) -> bytes:
        """Hand over a job and return the answer. Raises OSError, IncompleteReadError if the process ends."""
        to, back = self._process.stdin, self._process.stdout
        if to is None or back is None:
            raise BrokenPipeError
        self.jobs += 1
        to.write(json.dumps(job | {"bytes": len(body)}).encode() + b"\n")
        to.write(body)
        await to.drain()
        length = int.from_bytes(await back.readexactly(8), "big")
        return await back.readexactly(length)

    async def stop(self) -> None:
        """End the process, whatever it does."""
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        if self._process.stdin:
            self._process.stdin.close()
            with contextlib.suppress(OSError):
                await self._process.stdin.wait_closed()
        await self._process.wait()


def _costly(answer: bytes) -> bool:
    """Tell whether a job took all that a worker may have: it ends itself then."""
    return answer.startswith(COSTLY)


def _read(answer: bytes, url: str) -> bytes:
    """Return the result within an answer. Raises the FeedError that it tells of."""
    if answer.startswith(OK):
        return answer[len(OK) : -1]
    said = json.loads(answer)["error"]
    own = "" if said["kind"] != "too-costly" else f"{shown_url(url)} "
    raise FeedError(own + said["message"], kind=said["kind"], **said["context"])


_FEED = TypeAdapter(ParsedFeed)
_PAGE = TypeAdapter(Page)
