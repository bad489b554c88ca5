"""Money: what calls cost, what is put aside for those under way, and where the caps are."""

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from pipeline.errors import BudgetSpent
from pipeline.ledger.records import CallRow, Cap
from pipeline.ledger.schema import calls, feeds, items, reservations


def reserve(
    connection: sa.Connection,
    run: str,
    most: int,
    least: int,
    caps: Sequence[Cap],
    now: datetime,
    stale: datetime,
) -> tuple[int, int]:
    """Put up to `most` aside and return its number and amount; where less is left, not below `least`.

    Raises BudgetSpent naming the cap that it would break; `pending` in the error's context tells whether
    calls that began after `stale` hold some of that cap: they may give some back.
    """
    micros = most
    for cap in caps:
        spent, held = _spent(connection, run, cap), _held(connection, run, cap)
        micros = min(micros, cap.micros - spent - held)
        if micros < least:
            said = (
                f"the cap of the {cap.name} is reached: {dollars(spent)} of {dollars(cap.micros)} spent, "
                f"and the next call may cost {dollars(least)}"
            )
            pending = _held(connection, run, cap, stale) > 0
            raise BudgetSpent(said, cap=cap.name, spent=spent, pending=pending)
    inserted = connection.execute(reservations.insert().values(run=run, at=now, micros=micros))
    [number] = inserted.inserted_primary_key or [0]
    return int(number), micros


def release(connection: sa.Connection, number: int) -> None:
    """Take an amount back that was put aside."""
    connection.execute(reservations.delete().where(reservations.c.id == number))


def _spent(connection: sa.Connection, run: str, cap: Cap) -> int:
    within = calls.c.run == run if cap.since is None else calls.c.at >= cap.since
    return int(connection.scalar(sa.select(sa.func.sum(calls.c.micros)).where(within)) or 0)


def _held(connection: sa.Connection, run: str, cap: Cap, after: datetime | None = None) -> int:
    table = reservations
    within = [table.c.run == run if cap.since is None else table.c.at >= cap.since]
    within += [table.c.at > after] if after else []
    return int(connection.scalar(sa.select(sa.func.sum(table.c.micros)).where(*within)) or 0)


def calls_since(connection: sa.Connection, since: datetime | None) -> list[CallRow]:
    """Return what was paid for since a moment, in the order of the calls."""
    columns = (
        calls.c.at, feeds.c.key, calls.c.model, calls.c.purpose, calls.c.prompt_tokens, calls.c.cached_tokens,
        calls.c.completion_tokens, calls.c.reasoning_tokens, calls.c.micros,
    )  # fmt: skip
    query = sa.select(*columns).select_from(calls.join(items).join(feeds)).order_by(calls.c.id)
    if since is not None:
        query = query.where(calls.c.at >= since)
    return [CallRow(*row) for row in connection.execute(query)]


def dollars(micros: int) -> str:
    """Return an amount as a person reads it: cents, and more digits where it is less than ten cents."""
    amount = micros / 1_000_000
    return f"${amount:,.2f}" if amount >= 0.1 or not micros else f"${amount:.4f}"
