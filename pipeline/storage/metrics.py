"""Figures over the whole ledger, for those who watch it."""

import sqlalchemy as sa

from pipeline.storage.drafts import open_findings
from pipeline.storage.schema import calls, items, requests, versions
from pipeline.storage.summaries import Figures, Latency, Spent


def figures(connection: sa.Connection) -> Figures:
    """Return what there is by state, what was paid, and what waits since when."""
    by_state = sa.select(items.c.state, sa.func.count()).group_by(items.c.state)
    waiting = sa.select(items.c.id).where(items.c.state == "drafted")
    first = sa.select(sa.func.min(versions.c.at)).where(versions.c.cause == "draft")
    oldest = first.where(versions.c.item_id.in_(waiting))
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
        latencies=latencies(connection),
    )


BUCKETS_S = (1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0)
"""Upper ends, in seconds, of the classes that answers are counted in by how long they took."""


def latencies(connection: sa.Connection) -> tuple[Latency, ...]:
    """Return how long answers took, by model."""
    counts = [sa.func.sum(sa.case((calls.c.seconds <= end, 1), else_=0)) for end in BUCKETS_S]
    query = sa.select(calls.c.model, sa.func.count(), sa.func.sum(calls.c.seconds), *counts)
    rows = connection.execute(query.where(calls.c.seconds.is_not(None)).group_by(calls.c.model))
    return tuple(
        Latency(row[0], int(row[1]), float(row[2]), tuple(zip(BUCKETS_S, map(int, row[3:]), strict=True)))
        for row in rows
    )


def _spent(connection: sa.Connection) -> tuple[Spent, ...]:
    columns = (
        calls.c.model, calls.c.purpose, sa.func.count(), sa.func.sum(calls.c.prompt_tokens),
        sa.func.sum(calls.c.completion_tokens), sa.func.sum(sa.func.coalesce(calls.c.micros, 0)),
    )  # fmt: skip
    query = sa.select(*columns).group_by(calls.c.model, calls.c.purpose).order_by(calls.c.model)
    rows = connection.execute(query).all()
    return tuple(Spent(row[0], row[1], *(int(number) for number in row[2:])) for row in rows)
