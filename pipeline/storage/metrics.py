"""Metrics over the whole database, for monitoring."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa

from pipeline.storage.call_totals import BUCKET_COLUMNS, BUCKETS_S, call_totals
from pipeline.storage.engine import Transactions, is_current
from pipeline.storage.finding_ends import RECENT, KindOutcomes, count_outcomes
from pipeline.storage.open_findings import count_open, indexed_drafts
from pipeline.storage.run_schema import runs
from pipeline.storage.schema import items, requests


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


class LastRun(NamedTuple):
    """The last run of a flow that ended."""

    flow: str
    ended_at: datetime
    exit_code: int


class Metrics(NamedTuple):
    """Numbers over the whole database, but those of items: FeedStatus has them."""

    spent: tuple[ModelUsage, ...]
    drafts: int
    """Waiting drafts."""
    oldest_draft: datetime | None
    """When the longest waiting draft, or its revision, began to wait; None: none waits."""
    requests: int
    oldest_request: datetime | None
    blocks: int
    warns: int
    """Unacknowledged findings of waiting drafts, by severity."""
    latencies: tuple[Latency, ...] = ()
    outcomes: tuple[KindOutcomes, ...] = ()
    """How editors ended the findings of each kind in the last 30 days."""
    last_runs: tuple[LastRun, ...] = ()


class MetricsRepository(Transactions):
    """Numbers for monitoring. No query reads more rows than wait or than an index holds for it."""

    def is_migrated(self) -> bool:
        """Return whether the tables are those of this Copydesk. Raises DatabaseError if nothing answers."""
        with self._reading() as connection:
            return is_current(connection)

    def snapshot(self, now: datetime) -> Metrics:
        """Return the spending, the last runs, what waits since when, and recent ends of findings."""
        pending = sa.select(sa.func.count(), sa.func.min(requests.c.at)).where(requests.c.done_at.is_(None))
        with self._reading() as connection:
            count, requested = connection.execute(pending).one()
            drafts, oldest = _waiting_drafts(connection)
            blocks, warns = count_open(connection)
            totals = connection.execute(sa.select(call_totals).order_by(call_totals.c.model)).all()
            return Metrics(
                spent=tuple(map(_usage, totals)),
                drafts=drafts,
                oldest_draft=oldest,
                requests=count,
                oldest_request=requested,
                blocks=blocks,
                warns=warns,
                latencies=_latencies(totals),
                outcomes=tuple(count_outcomes(connection, now - RECENT)),
                last_runs=_last_runs(connection),
            )


def _waiting_drafts(connection: sa.Connection) -> tuple[int, datetime | None]:
    """Return how many drafts wait for an editor, and since when the first of them does."""
    joined, draft = indexed_drafts(connection)
    since = sa.func.min(draft.c.since, type_=draft.c.since.type)
    query = sa.select(sa.func.count(), since).select_from(joined).where(items.c.state == "drafted")
    drafts, oldest = connection.execute(query).one()
    return drafts, oldest


def _last_runs(connection: sa.Connection) -> tuple[LastRun, ...]:
    """Return the last run of each flow that ended."""
    columns = (runs.c.flow, runs.c.ended_at, runs.c.exit_code)
    flows = connection.scalars(sa.select(runs.c.flow).distinct().order_by(runs.c.flow)).all()
    last: list[sa.Row[Any]] = []
    for flow in flows:
        ended = sa.select(*columns).where(runs.c.flow == flow, runs.c.ended_at.is_not(None))
        last += connection.execute(ended.order_by(runs.c.began_at.desc()).limit(1)).all()
    return tuple(LastRun(row.flow, row.ended_at, int(row.exit_code)) for row in last)


def _latencies(totals: Sequence[sa.Row[Any]]) -> tuple[Latency, ...]:
    """Return the answer times by model."""
    by_model: dict[str, list[sa.Row[Any]]] = {}
    for row in totals:
        if row.timed:
            by_model.setdefault(row.model, []).append(row)
    return tuple(
        Latency(model, sum(row.timed for row in rows), sum(row.seconds for row in rows), _buckets(rows))
        for model, rows in by_model.items()
    )


def _buckets(rows: Sequence[sa.Row[Any]]) -> tuple[LatencyBucket, ...]:
    return tuple(
        LatencyBucket(end, sum(getattr(row, name) for row in rows))
        for end, name in zip(BUCKETS_S, BUCKET_COLUMNS, strict=True)
    )


def _usage(row: sa.Row[Any]) -> ModelUsage:
    micros = int(row.micros) if row.priced else None
    return ModelUsage(
        row.model, row.purpose, int(row.calls), int(row.prompt_tokens), int(row.completion_tokens), micros
    )
