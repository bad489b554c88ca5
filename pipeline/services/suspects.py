"""Puts items back into the queue that failed because of the model's server, not of their own text."""

import asyncio

from pipeline.domain.errors import FailureCause, LLMError
from pipeline.services.context import RunContext
from pipeline.storage import Lease


async def suspect(ctx: RunContext, lease: Lease, error: LLMError) -> None:
    """Remember an item whose failure is stored; it is put back if its row of failures ends the run.

    An overload is never an item's own: it is put back at once.
    """
    if error.cause is FailureCause.OVERLOAD:
        await asyncio.to_thread(ctx.db.leases.put_back, [lease], count=False)
    elif error.row is not None:
        ctx.suspects.append((error.row, lease))
        if ctx.fatal_errors:  # meanwhile
            await acquit(ctx)


async def acquit(ctx: RunContext) -> None:
    """Put back the items of the rows of failures that ended the run, as if they had not been attempted.

    With fallbacks, each model that was given up has such a row.
    """
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
