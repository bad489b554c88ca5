"""Publishes what was approved, as a task a target, at the end of a run."""

from collections.abc import Sequence
from datetime import UTC, datetime

from flows.tasks import as_task
from pipeline.errors import LedgerError, OutputError, PublishError
from pipeline.publish import Outcome, Press, drain
from pipeline.settings import Target
from pipeline.work import Newsroom


async def drained(room: Newsroom, targets: Sequence[Target]) -> list[Outcome]:
    """Carry out what waits at targets; a target that fails is a failed task, and the run goes on."""
    if not room.settings.writes_drafts:
        return []
    press = Press(room.ledger, room.settings.output, targets, room.net, room.settings.hooks)
    try:
        return await drain(press, datetime.now(UTC), each=as_task)
    except (LedgerError, OutputError, PublishError) as error:
        return [Outcome(target="all", error=error.message)]
