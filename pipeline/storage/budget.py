"""Money: what calls cost, what is put aside for those under way, and where the caps are."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa

from pipeline.domain.errors import BudgetExceeded, RateLimited
from pipeline.storage.processes import is_dead
from pipeline.storage.records import UNLIMITED, CallRow, Cap, Limits
from pipeline.storage.schema import calls, feeds, items, reservations

_MINUTE = timedelta(minutes=1)


def reserve(
    connection: sa.Connection,
    run: str,
    most: int,
    least: int,
    caps: Sequence[Cap],
    now: datetime,
    stale: datetime,
    limits: Limits = UNLIMITED,
    owner: str | None = None,
) -> tuple[int, int]:
    """Put up to `most` aside and return its number and amount; where less is left, not below `least`.

    Raises BudgetSpent naming the cap that it would break; `pending` in the error's context tells whether
    calls that began after `stale` hold some of that cap: they may give some back. Raises LimitReached where
    it is not this call's turn yet.
    """
    _respect(connection, limits, now, stale)
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
            raise BudgetExceeded(said, cap=cap.name, spent=spent, pending=pending)
    row = reservations.insert().values(run=run, at=now, micros=micros, owner=owner)
    inserted = connection.execute(row)
    [number] = inserted.inserted_primary_key or [0]
    return int(number), micros


def _respect(connection: sa.Connection, limits: Limits, now: datetime, stale: datetime) -> None:
    """Raise LimitReached where as many calls are under way, or were made in a minute, as there may be."""
    table = reservations
    under_way = sa.and_(table.c.at > stale, table.c.owner.is_not(None))
    if limits.at_once is not None and _count(connection, under_way) >= limits.at_once:
        raise RateLimited("as many calls are under way as there may be", limit="at once")
    if limits.a_minute is not None:
        last = now - _MINUTE
        made = sa.select(sa.func.count()).where(calls.c.at > last)
        if _count(connection, table.c.at > last) + (connection.scalar(made) or 0) >= limits.a_minute:
            raise RateLimited("as many calls were made in a minute as there may be", limit="a minute")


def _count(connection: sa.Connection, condition: sa.ColumnElement[bool]) -> int:
    return connection.scalar(sa.select(sa.func.count()).select_from(reservations).where(condition)) or 0


def free_dead(connection: sa.Connection) -> None:
    """Note that nobody waits for calls of processes of this host that live no more.

    What was put aside for them stays: they may have been billed.
    """
    query = sa.select(reservations.c.owner).where(reservations.c.owner.is_not(None)).distinct()
    dead = [owner for owner in connection.scalars(query) if owner and is_dead(owner)]
    if dead:
        ended = reservations.update().where(reservations.c.owner.in_(dead))
        connection.execute(ended.values(owner=None))


def release(connection: sa.Connection, number: int) -> None:
    """Take an amount back that was put aside."""
    connection.execute(reservations.delete().where(reservations.c.id == number))


def _spent(connection: sa.Connection, run: str, cap: Cap) -> int:
    within = _within(run, cap, calls)
    return int(connection.scalar(sa.select(sa.func.sum(calls.c.micros)).where(*within)) or 0)


def _within(run: str, cap: Cap, table: sa.Table) -> list[sa.ColumnElement[bool]]:
    """Return which rows of calls or reservations count for a cap."""
    if cap.since is None:
        return [table.c.run == run]
    named = [table.c.run.startswith(cap.runs, autoescape=True)] if cap.runs else []
    return [table.c.at >= cap.since, *named]


def _held(connection: sa.Connection, run: str, cap: Cap, after: datetime | None = None) -> int:
    table = reservations
    within = _within(run, cap, table)
    within += [table.c.at > after, table.c.owner.is_not(None)] if after else []
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
