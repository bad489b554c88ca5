"""Figures over the whole ledger, for those who watch it."""

import sqlalchemy as sa

from pipeline.ledger.queue import open_findings
from pipeline.ledger.records import Figures, Spent
from pipeline.ledger.schema import calls, items, requests, versions


def figures(connection: sa.Connection) -> Figures:
    """Return what there is by state, what was paid, and what waits since when."""
    by_state = sa.select(items.c.state, sa.func.count()).group_by(items.c.state)
    waiting = items.c.state == "drafted"
    first = sa.select(sa.func.min(versions.c.at)).where(versions.c.cause == "draft")
    oldest = first.select_from(versions.join(items)).where(waiting)
    asked = sa.select(sa.func.count(), sa.func.min(requests.c.at)).where(requests.c.done_at.is_(None))
    count, since = connection.execute(asked).one()
    blocks, warns = open_findings(connection)
    return Figures(
        items={row[0]: row[1] for row in connection.execute(by_state)},
        spent=_spent(connection),
        oldest_draft=connection.scalar(oldest),
        requests=count,
        oldest_request=since,
        blocks=blocks,
        warns=warns,
    )


def _spent(connection: sa.Connection) -> tuple[Spent, ...]:
    columns = (
        calls.c.model, calls.c.purpose, sa.func.count(), sa.func.sum(calls.c.prompt_tokens),
        sa.func.sum(calls.c.completion_tokens), sa.func.sum(sa.func.coalesce(calls.c.micros, 0)),
    )  # fmt: skip
    query = sa.select(*columns).group_by(calls.c.model, calls.c.purpose).order_by(calls.c.model)
    rows = connection.execute(query).all()
    return tuple(Spent(row[0], row[1], *(int(number) for number in row[2:])) for row in rows)
