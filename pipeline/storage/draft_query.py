"""Queries for drafts in the queue: filtered, sorted, counted and paged by the database."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal, NamedTuple

import sqlalchemy as sa

from pipeline.domain.models import FrozenModel
from pipeline.domain.reviews import Severity
from pipeline.domain.withdrawals import REVIEWED, notice_kind
from pipeline.storage.redraft_requests import waiting
from pipeline.storage.schema import acknowledgements, feeds, items, versions
from pipeline.storage.schema import findings as findings_table


class DraftQuery(FrozenModel):
    """Which drafts are listed, in which order."""

    state: str = "drafted"
    feeds: tuple[str, ...] | None = None
    """Keys; None: all feeds."""
    words: tuple[str, ...] = ()
    """All of them must be in the title."""
    findings: Literal["held", "warned", "clean"] | None = None
    """Drafts with an open finding that blocks; with open warnings only; with none of either; None: all."""
    asked: bool = False
    """Only those with a pending redraft request."""
    changed: bool = False
    """Only those whose source changed or has a notice."""
    order: Literal["newest", "oldest", "findings"] = "newest"


class QueueRow(FrozenModel):
    """A draft in the queue."""

    item_id: int
    external_id: str
    feed_key: str
    title: str
    state: str
    published_at: datetime
    drafted_at: datetime
    """When its last version was stored."""
    cause: str
    version: int
    by: str | None
    """The editor who wrote the last version."""
    sha256: str
    """Of the last version."""
    blocks: int
    warns: int
    """Findings of each severity that are not acknowledged."""
    asked: bool
    changed: bool
    """Its source has another text, or a notice."""
    notice: str | None
    """What became of its source, where there is no new text of it."""

    @property
    def change(self) -> str:
        """Return what kind of change its source has: changed, withdrawn or missing."""
        return notice_kind(self.notice or "changed")


class QueueCounts(NamedTuple):
    """Numbers of drafts."""

    states: dict[str, int]
    feeds: dict[str, int]
    """Drafts that wait for a review, by feed key."""


class QueuePage(NamedTuple):
    """A page of the queue."""

    rows: tuple[QueueRow, ...]
    total: int
    """Number of drafts that match, on all pages."""
    counts: QueueCounts


class _Subqueries(NamedTuple):
    """Subqueries restricted to some drafts, as most stored drafts were reviewed long ago."""

    latest: sa.Subquery
    """The last version of each."""
    open: sa.Subquery
    """Numbers of its findings that block and that warn and are not acknowledged."""
    blocks: sa.ColumnElement[int]
    warns: sa.ColumnElement[int]


def _subqueries(among: sa.Select[tuple[int]] | Sequence[int]) -> _Subqueries:
    latest = (
        sa.select(versions.c.item_id, sa.func.max(versions.c.id).label("id"))
        .where(~versions.c.aside, versions.c.item_id.in_(among))
        .group_by(versions.c.item_id)
        .subquery("latest")
    )
    acknowledgement = sa.and_(
        acknowledgements.c.item_id == latest.c.item_id,
        acknowledgements.c.key == findings_table.c.key,
        acknowledgements.c.withdrawn_at.is_(None),
    )
    joined = latest.join(findings_table, findings_table.c.version_id == latest.c.id)
    joined = joined.outerjoin(acknowledgements, acknowledgement)
    columns = [
        sa.func.sum(sa.case((findings_table.c.severity == severity.value, 1), else_=0)).label(severity.value)
        for severity in (Severity.BLOCK, Severity.WARN)
    ]
    query = sa.select(latest.c.item_id, *columns).select_from(joined)
    counts = query.where(acknowledgements.c.id.is_(None)).group_by(latest.c.item_id).subquery("open")
    return _Subqueries(
        latest, counts, sa.func.coalesce(counts.c.block, 0), sa.func.coalesce(counts.c.warn, 0)
    )


NOTICE = sa.case((~items.c.notice.startswith(REVIEWED), items.c.notice))
"""A notice that no editor has reviewed, else NULL."""
CHANGED = sa.or_(items.c.updated_payload.is_not(None), NOTICE.is_not(None))
"""The condition that an item's source has another text, or such a notice."""


def _in_state(state: str) -> sa.Select[tuple[int]]:
    return sa.select(items.c.id).where(items.c.state == state)


def _kinds(subqueries: _Subqueries) -> dict[str, sa.ColumnElement[bool]]:
    return {
        "held": subqueries.blocks > 0,
        "warned": sa.and_(subqueries.blocks == 0, subqueries.warns > 0),
        "clean": sa.and_(subqueries.blocks == 0, subqueries.warns == 0),
    }


def _order(query: DraftQuery, subqueries: _Subqueries) -> tuple[sa.ColumnElement[Any], ...]:
    newest = (items.c.published_at.desc(), items.c.id.desc())
    orders: dict[str, tuple[sa.ColumnElement[Any], ...]] = {
        "newest": newest,
        "oldest": (items.c.published_at, items.c.id),
        "findings": (subqueries.blocks.desc(), subqueries.warns.desc(), *newest),
    }
    return orders[query.order]


def _conditions(query: DraftQuery, subqueries: _Subqueries) -> list[sa.ColumnElement[bool]]:
    conditions = [items.c.state == query.state]
    if query.feeds is not None:
        conditions.append(feeds.c.key.in_(query.feeds))
    for word in query.words:
        conditions.append(items.c.title.icontains(word, autoescape=True))
    if query.findings:
        conditions.append(_kinds(subqueries)[query.findings])
    if query.asked:
        conditions.append(items.c.id.in_(waiting))
    if query.changed:
        conditions.append(CHANGED)
    return conditions


def _joined(query: DraftQuery, subqueries: _Subqueries) -> sa.FromClause:
    joined = items.join(feeds)
    needed = query.findings or query.order == "findings"
    return joined.outerjoin(subqueries.open, subqueries.open.c.item_id == items.c.id) if needed else joined


def matching_ids(connection: sa.Connection, query: DraftQuery) -> list[str]:
    """Return the external ids of the drafts that match, in order."""
    subqueries = _subqueries(_in_state(query.state))
    ids = (
        sa.select(items.c.external_id)
        .select_from(_joined(query, subqueries))
        .where(*_conditions(query, subqueries))
    )
    return list(connection.scalars(ids.order_by(*_order(query, subqueries))))


def matching_page(connection: sa.Connection, query: DraftQuery, limit: int, offset: int) -> QueuePage:
    """Return a page of the drafts that match, and the numbers of all drafts."""
    subqueries = _subqueries(_in_state(query.state))
    matching = (
        sa.select(items.c.id).select_from(_joined(query, subqueries)).where(*_conditions(query, subqueries))
    )
    total = connection.scalar(sa.select(sa.func.count()).select_from(matching.subquery())) or 0
    ids = list(connection.scalars(matching.order_by(*_order(query, subqueries)).limit(limit).offset(offset)))
    rows = {row.item_id: row for row in _rows(connection, ids)}
    return QueuePage(rows=tuple(rows[number] for number in ids), total=total, counts=counts(connection))


def _rows(connection: sa.Connection, ids: Sequence[int]) -> list[QueueRow]:
    subqueries = _subqueries(ids)
    columns = (
        items.c.id.label("item_id"), items.c.external_id, feeds.c.key.label("feed_key"), items.c.title,
        items.c.state, items.c.published_at, versions.c.at.label("drafted_at"), versions.c.cause,
        versions.c.number.label("version"), versions.c.by, versions.c.sha256,
        subqueries.blocks.label("blocks"), subqueries.warns.label("warns"),
        items.c.id.in_(waiting).label("asked"), CHANGED.label("changed"), NOTICE.label("notice"),
    )  # fmt: skip
    joined = items.join(feeds).join(subqueries.latest, subqueries.latest.c.item_id == items.c.id)
    joined = joined.join(versions, versions.c.id == subqueries.latest.c.id)
    joined = joined.outerjoin(subqueries.open, subqueries.open.c.item_id == items.c.id)
    query = sa.select(*columns).select_from(joined).where(items.c.id.in_(ids))
    return [QueueRow(**row._asdict()) for row in connection.execute(query)]


def counts(connection: sa.Connection) -> QueueCounts:
    """Return the numbers of drafts by state, and of those that wait for a review by feed."""
    drafts = items.c.state.in_(("drafted", "approved", "rejected"))
    by_state = sa.select(items.c.state, sa.func.count()).where(drafts).group_by(items.c.state)
    by_feed = sa.select(feeds.c.key, sa.func.count()).select_from(items.join(feeds))
    waits = by_feed.where(items.c.state == "drafted").group_by(feeds.c.key)
    return QueueCounts(
        states={row[0]: row[1] for row in connection.execute(by_state)},
        feeds={row[0]: row[1] for row in connection.execute(waits)},
    )


def open_findings(connection: sa.Connection) -> tuple[int, int]:
    """Return how many unacknowledged findings of waiting drafts block and how many warn."""
    subqueries = _subqueries(_in_state("drafted"))
    columns = (
        sa.func.coalesce(sa.func.sum(subqueries.blocks), 0),
        sa.func.coalesce(sa.func.sum(subqueries.warns), 0),
    )
    blocks, warns = connection.execute(sa.select(*columns).select_from(subqueries.open)).one()
    return int(blocks), int(warns)
