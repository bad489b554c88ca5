"""Carries out the redraft requests of editors within `copydesk serve`: a flow run would start for seconds."""

import asyncio
import contextlib
import importlib
from collections.abc import AsyncIterator, Sequence

from flows.events import emit
from pipeline.checks.pool import CheckPool
from pipeline.domain.models import Beat
from pipeline.services import ingest as services
from pipeline.services.redraft_watch import RedraftWatcher
from pipeline.services.report import RunReport
from pipeline.services.run import Ports
from pipeline.services.shutdown import StopSwitch
from pipeline.storage import Database, StartableRedraft

_CHECK_WORKERS = 2
"""Processes that check the redrafts, started by the first ones and kept. Chosen, not measured."""


async def _warm_up(checks: CheckPool) -> None:
    """Import the model client and start a process that checks, which take two seconds of an idle machine."""
    await asyncio.to_thread(importlib.import_module, "pipeline.llm.client")
    await checks.check(None, "", Beat(key="none", market="", vocabulary=()), None)


class Redrafts:
    """The redrafts of a serving process."""

    def __init__(self, watcher: RedraftWatcher, switch: StopSwitch, task: asyncio.Task[None]) -> None:
        self._watcher, self._switch, self._task = watcher, switch, task

    @property
    def are_active(self) -> bool:
        """Whether some are under way, or may begin."""
        return not self._task.done()

    def stop(self) -> None:
        """Begin none, and have those under way send no further request and wait for their answers."""
        self._watcher.stop()
        self._switch.stop()

    def cancel(self) -> None:
        """End at once: answers under way are lost."""
        self._task.cancel()


def redraft_ports(switch: StopSwitch, checks: CheckPool) -> Ports:
    """Return the ports of redrafts: Prefect gets no report, as it never deletes that of no flow run."""
    return Ports(emit=emit, say=lambda _message: None, switch=switch, checks=checks)


@contextlib.asynccontextmanager
async def redrafting(db: Database, *, warm: bool) -> AsyncIterator[Redrafts]:
    """Carry out redraft requests in the background until the block is left.

    `warm`: load what redrafts need at once, and not when the first editor waits for it.
    """
    async with CheckPool(_CHECK_WORKERS) as checks:
        switch = StopSwitch()
        ports = redraft_ports(switch, checks)

        async def carry_out(due: Sequence[StartableRedraft]) -> RunReport:
            return await services.redrafts(due, ports)

        watcher = RedraftWatcher(db.redrafts.startable, carry_out)

        async def watch() -> None:
            if warm:
                await _warm_up(checks)
            await watcher.watch()

        task = asyncio.create_task(watch())
        try:
            yield Redrafts(watcher, switch, task)
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
