"""Puts items back into the queue that failed because of the model's server, not of their own text."""

import asyncio

from pipeline.domain.errors import LLMError
from pipeline.llm.breaker import Row
from pipeline.services.context import RunContext
from pipeline.storage import Lease


async def suspect(ctx: RunContext, lease: Lease, error: LLMError) -> None:
    """Remember an item whose failure is stored; it is put back if its row of failures ends the run."""
    row = error.context.get("row")
    if isinstance(row, Row):
        ctx.suspects.append((row, lease))
        if row.ended_run and ctx.fatal_errors:  # meanwhile
            await acquit(ctx, error)


async def acquit(ctx: RunContext, error: Exception) -> None:
    """Put back the items of the rows of failures that ended the run, as if they had not been attempted.

    With fallbacks, each model that was given up has such a row.
    """
    row = error.context.get("row") if isinstance(error, LLMError) else None
    if row is None:
        return
    leases = [lease for of, lease in ctx.suspects if of.ended_run]
    ctx.suspects[:] = [(of, lease) for of, lease in ctx.suspects if not of.ended_run]
    if leases:
        await asyncio.to_thread(ctx.db.leases.put_back, leases, count=False)


async def adjourn(ctx: RunContext, feed_key: str) -> None:
    """Put back the items of a feed that failed while no answer of the run was usable: nobody knows why.

    The attempt counts, so that an item that always fails is not asked about for ever.
    """
    leases = [(row, lease) for row, lease in ctx.suspects if row.unproven and lease.feed_key == feed_key]
    if leases:
        ctx.suspects[:] = [entry for entry in ctx.suspects if entry not in leases]
        await asyncio.to_thread(ctx.db.leases.put_back, [lease for _, lease in leases], count=True)
