"""Worker pools that work in this process: a worker process costs a command more than all that it reads."""

import asyncio
import contextlib
import importlib
import json
import threading
from collections.abc import Iterator
from typing import Any
from unittest import mock

from pipeline.sandbox import WorkerPool
from pipeline.sandbox.pool import _result
from pipeline.sandbox.worker import _run_job

_one_at_a_time = threading.Lock()
"""No worker process has threads: what reads documents need not be made for them."""


class WorkHere(WorkerPool):
    """The same answers to the same jobs as from worker processes, and no limit of time or memory."""

    async def run(self, job: dict[str, Any], body: bytes) -> bytes:
        return _result(await asyncio.to_thread(self._answer, json.dumps(job), body))

    def _answer(self, job: str, body: bytes) -> bytes:
        with _one_at_a_time:
            return _run_job(importlib.import_module(self._module).work, json.loads(job), body)


@contextlib.contextmanager
def working_here() -> Iterator[None]:
    """Have the pools that are opened meanwhile start no processes."""
    with (
        mock.patch("pipeline.feeds.pool.WorkerPool", WorkHere),
        mock.patch("pipeline.checks.pool.WorkerPool", WorkHere),
    ):
        yield
