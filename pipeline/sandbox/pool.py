"""Pool of worker processes, started when needed and replaced when they end; they get no secrets."""

import asyncio
import contextlib
import json
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from pipeline.config import minimal_environment
from pipeline.sandbox.worker import OK, OVER_LIMIT

CPU_S = 4.0
"""CPU seconds of one job. Chosen, not measured."""
MEMORY_BYTES = 190_000_000
"""Bytes by which a worker's memory may grow. Chosen, not measured."""
_WALL_S = 60.0
"""Wall-clock seconds after which a worker is killed that neither answers nor uses its CPU time. Chosen."""
_MAX_JOBS = 1000
"""Jobs after which a worker is replaced, so that memory leaks do not add up. Chosen, not measured."""
_ROOT = Path(__file__).parents[2]
"""Working directory of a worker: it imports the same package as this process."""


class JobError(Exception):
    """A job failed; its kind, message and context are those of the error in the worker.

    Kind `too-costly`: it took more time or memory than allowed. `no-process`: no worker could be started.
    """

    def __init__(self, kind: str, message: str, context: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.context = context or {}


class WorkerPool:
    """A few worker processes that run the jobs of a module; a context manager.

    The module calls `run_worker` when it runs as `__main__`.
    """

    def __init__(
        self, module: str, workers: int | None = None, cpu_s: float = CPU_S, memory: int = MEMORY_BYTES
    ) -> None:
        self._module = module
        self._count = workers or min(4, os.cpu_count() or 1)
        self._limits = (str(cpu_s), str(memory))
        self._idle: asyncio.LifoQueue[_Worker | None] = asyncio.LifoQueue()
        self.workers: set[_Worker] = set()

    async def __aenter__(self) -> Self:
        for _ in range(self._count):
            self._idle.put_nowait(None)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.gather(*(worker.stop() for worker in self.workers))

    async def run(self, job: dict[str, Any], body: bytes) -> bytes:
        """Return the result of a job, as JSON. Raises JobError."""
        worker = await self._idle.get()
        reusable = None
        try:
            if worker is None or worker.ended:
                worker = await self._start()
            async with asyncio.timeout(_WALL_S):
                answer = await worker.call(job, body)
            reusable = worker if worker.jobs < _MAX_JOBS and not answer.startswith(OVER_LIMIT) else None
        except (OSError, asyncio.IncompleteReadError, TimeoutError) as error:
            raise JobError("too-costly", "takes more time or memory than it may") from error
        finally:
            # Also after a cancellation: the worker's late answer must not be read by another job.
            self._idle.put_nowait(reusable)
            if reusable is None and worker is not None:
                await asyncio.shield(self._replace(worker))
        return _result(answer)

    async def _start(self) -> "_Worker":
        try:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", self._module, *self._limits,
                stdin=PIPE, stdout=PIPE, stderr=DEVNULL, cwd=_ROOT, env=minimal_environment(),
                start_new_session=True,  # Ctrl-C must not end the workers before the run
            )  # fmt: skip
        except OSError as error:
            message = f"no process can be started to read in: {error.strerror}; free memory or processes"
            raise JobError("no-process", message) from error
        worker = _Worker(process)
        self.workers.add(worker)
        return worker

    async def _replace(self, worker: "_Worker") -> None:
        self.workers.discard(worker)
        await worker.stop()


class _Worker:
    """One process and its pipes."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self.jobs = 0

    @property
    def ended(self) -> bool:
        """Tell whether the process has ended, for example killed while idle."""
        return self._process.returncode is not None

    async def call(self, job: dict[str, Any], body: bytes) -> bytes:
        """Send a job and return the answer. Raises OSError or IncompleteReadError if the process ends."""
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
        """Kill the process."""
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        if self._process.stdin:
            self._process.stdin.close()
            with contextlib.suppress(OSError):
                await self._process.stdin.wait_closed()
        await self._process.wait()


def _result(answer: bytes) -> bytes:
    """Return the result in an answer. Raises JobError where it has an error."""
    if answer.startswith(OK):
        return answer[len(OK) : -1]
    error = json.loads(answer)["error"]
    raise JobError(error["kind"], error["message"], error["context"])
