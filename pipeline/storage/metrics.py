"""Metrics over the whole database, for monitoring."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa

from pipeline.storage.draft_query import open_findings
from pipeline.storage.engine import Transactions
from pipeline.storage.finding_ends import KindOutcomes, count_outcomes
from pipeline.storage.schema import calls, items, requests, versions

BUCKETS_S = (1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0)
"""Upper bounds, in seconds, of the histogram of answer times. Source: chosen, not measured."""


class ModelUsage(NamedTuple):
    """All calls of a model for one purpose."""

    model: str
    purpose: str
    calls: int
    prompt_tokens: int
    completion_tokens: int
    micros: int | None
    """Millionths of a US dollar, of the calls whose price is known; None: of none."""


class LatencyBucket(NamedTuple):
    """The number of answers within an upper bound, cumulative."""

    upper_bound_s: float
    answers: int


class Latency(NamedTuple):
    """The answer times of all calls of a model, retries included."""

    model: str
    calls: int
    seconds: float
    """Their sum."""
    within: tuple[LatencyBucket, ...]


class Metrics(NamedTuple):
    """Numbers over the whole database."""

    items: dict[str, int]
    """By state."""
    spent: tuple[ModelUsage, ...]
    oldest_draft: datetime | None
    """When the longest waiting draft was written; None: none waits."""
    requests: int
    oldest_request: datetime | None
    blocks: int
    warns: int
    """Unacknowledged findings of waiting drafts, by severity."""
    latencies: tuple[Latency, ...] = ()
    outcomes: tuple[KindOutcomes, ...] = ()
    """How editors ended the findings of each kind."""


class MetricsRepository(Transactions):
    """Counts over the whole database."""

    def snapshot(self) -> Metrics:
        """Return the numbers of items, the spending, and what waits since when."""
        by_state = sa.select(items.c.state, sa.func.count()).group_by(items.c.state)
        waiting = sa.select(items.c.id).where(items.c.state == "drafted")
        first = sa.select(sa.func.min(versions.c.at)).where(versions.c.cause == "draft")
        oldest = first.where(versions.c.item_id.in_(waiting))
        pending = sa.select(sa.func.count(), sa.func.min(requests.c.at)).where(requests.c.done_at.is_(None))
        with self._reading() as connection:
            count, since = connection.execute(pending).one()
            blocks, warns = open_findings(connection)
            return Metrics(
                items={row[0]: row[1] for row in connection.execute(by_state)},
                spent=_usage(connection),
                oldest_draft=connection.scalar(oldest),
                requests=count,
                oldest_request=since,
                blocks=blocks,
                warns=warns,
                latencies=_latencies(connection),
                outcomes=tuple(count_outcomes(connection)),
            )


def _latencies(connection: sa.Connection) -> tuple[Latency, ...]:
    """Return the answer times by model."""
    counts = [sa.func.sum(sa.case((calls.c.seconds <= end, 1), else_=0)) for end in BUCKETS_S]
    query = sa.select(calls.c.model, sa.func.count(), sa.func.sum(calls.c.seconds), *counts)
    rows = connection.execute(query.where(calls.c.seconds.is_not(None)).group_by(calls.c.model))
    return tuple(Latency(row[0], int(row[1]), float(row[2]), _buckets(row[3:])) for row in rows)


def _buckets(counts: Sequence[Any]) -> tuple[LatencyBucket, ...]:
    return tuple(LatencyBucket(end, int(count)) for end, count in zip(BUCKETS_S, counts, strict=True))


def _usage(connection: sa.Connection) -> tuple[ModelUsage, ...]:
    columns = (
        calls.c.model, calls.c.purpose, sa.func.count(), sa.func.sum(calls.c.prompt_tokens),
        sa.func.sum(calls.c.completion_tokens), sa.func.sum(calls.c.micros),
    )  # fmt: skip
    query = sa.select(*columns).group_by(calls.c.model, calls.c.purpose).order_by(calls.c.model)
    rows = connection.execute(query).all()
    return tuple(
        ModelUsage(row[0], row[1], int(row[2]), int(row[3]), int(row[4]), row[5] and int(row[5]))
        for row in rows
    )
