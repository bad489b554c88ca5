"""The queue: drafts as a list to be worked through, filtered, counted and paged by the database."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from pipeline.ledger.items import chunks
from pipeline.ledger.records import QueueCounts, QueuePage, QueueRow, Wanted
from pipeline.ledger.requests import waiting
from pipeline.ledger.schema import acknowledgements, feeds, findings, items, versions
from pipeline.models import Severity

_LATEST = (
    sa.select(versions.c.item_id, sa.func.max(versions.c.id).label("id"))
    .where(~versions.c.aside)
    .group_by(versions.c.item_id)
    .subquery("latest")
)


def _open() -> sa.Subquery:
    """Return how many findings of each latest version block and warn, and nobody answers for."""
    answered = sa.and_(
        acknowledgements.c.item_id == _LATEST.c.item_id,
        acknowledgements.c.key == findings.c.key,
        acknowledgements.c.withdrawn_at.is_(None),
    )
    joined = _LATEST.join(findings, findings.c.version_id == _LATEST.c.id)
    joined = joined.outerjoin(acknowledgements, answered)
    columns = [
        sa.func.sum(sa.case((findings.c.severity == severity.value, 1), else_=0)).label(severity.value)
        for severity in (Severity.BLOCK, Severity.WARN)
    ]
    query = sa.select(_LATEST.c.item_id, *columns).select_from(joined)
    return query.where(acknowledgements.c.id.is_(None)).group_by(_LATEST.c.item_id).subquery("open")


_OPEN = _open()
_BLOCKS = sa.func.coalesce(_OPEN.c.block, 0)
_WARNS = sa.func.coalesce(_OPEN.c.warn, 0)
_FOUND = {
    "held": _BLOCKS > 0,
    "warned": sa.and_(_BLOCKS == 0, _WARNS > 0),
    "clean": sa.and_(_BLOCKS == 0, _WARNS == 0),
}
_ORDERS: dict[str, tuple[sa.ColumnElement[Any], ...]] = {
    "newest": (items.c.published_at.desc(), items.c.id.desc()),
    "oldest": (items.c.published_at, items.c.id),
    "findings": (_BLOCKS.desc(), _WARNS.desc(), items.c.published_at.desc(), items.c.id.desc()),
}


def _conditions(wanted: Wanted) -> list[sa.ColumnElement[bool]]:
    found = [items.c.state == wanted.state]
    if wanted.feeds is not None:
        found.append(feeds.c.key.in_(wanted.feeds))
    for word in wanted.words:
        found.append(items.c.title.icontains(word, autoescape=True))
    if wanted.findings:
        found.append(_FOUND[wanted.findings])
    if wanted.asked:
        found.append(items.c.id.in_(waiting))
    if wanted.changed:
        found.append(items.c.updated_payload.is_not(None))
    return found


def _joined(wanted: Wanted) -> sa.FromClause:
    joined = items.join(feeds)
    judged = wanted.findings or wanted.order == "findings"
    return joined.outerjoin(_OPEN, _OPEN.c.item_id == items.c.id) if judged else joined


def names(connection: sa.Connection, wanted: Wanted) -> list[str]:
    """Return the external ids of what is wanted, in order."""
    query = sa.select(items.c.external_id).select_from(_joined(wanted)).where(*_conditions(wanted))
    return list(connection.scalars(query.order_by(*_ORDERS[wanted.order])))


def page(connection: sa.Connection, wanted: Wanted, limit: int, offset: int) -> QueuePage:
    """Return a page of what is wanted, and how much there is of everything."""
    chosen = sa.select(items.c.id).select_from(_joined(wanted)).where(*_conditions(wanted))
    total = connection.scalar(sa.select(sa.func.count()).select_from(chosen.subquery())) or 0
    ids = list(connection.scalars(chosen.order_by(*_ORDERS[wanted.order]).limit(limit).offset(offset)))
    rows = {row.item_id: row for row in _rows(connection, ids)}
    return QueuePage(rows=tuple(rows[number] for number in ids), total=total, counts=counts(connection))


def _rows(connection: sa.Connection, ids: Sequence[int]) -> list[QueueRow]:
    columns = (
        items.c.id.label("item_id"), items.c.external_id, feeds.c.key.label("feed_key"), items.c.title,
        items.c.state, items.c.published_at, versions.c.at.label("drafted_at"), versions.c.cause,
        versions.c.number.label("version"), versions.c.by, versions.c.sha256,
        _BLOCKS.label("blocks"), _WARNS.label("warns"),
        items.c.id.in_(waiting).label("asked"), items.c.updated_payload.is_not(None).label("changed"),
    )  # fmt: skip
    joined = items.join(feeds).join(_LATEST, _LATEST.c.item_id == items.c.id)
    joined = joined.join(versions, versions.c.id == _LATEST.c.id)
    joined = joined.outerjoin(_OPEN, _OPEN.c.item_id == items.c.id)
    query = sa.select(*columns).select_from(joined).where(items.c.id.in_(ids))
    return [QueueRow(**row._asdict()) for row in connection.execute(query)]


def counts(connection: sa.Connection) -> QueueCounts:
    """Return how many drafts there are by state, and by feed those that wait for an editor."""
    decided = items.c.state.in_(("drafted", "approved", "rejected"))
    by_state = sa.select(items.c.state, sa.func.count()).where(decided).group_by(items.c.state)
    by_feed = sa.select(feeds.c.key, sa.func.count()).select_from(items.join(feeds))
    waits = by_feed.where(items.c.state == "drafted").group_by(feeds.c.key)
    return QueueCounts(
        states={row[0]: row[1] for row in connection.execute(by_state)},
        feeds={row[0]: row[1] for row in connection.execute(waits)},
    )


def titles(connection: sa.Connection, ids: Sequence[int]) -> dict[int, tuple[str, str]]:
    """Return external ids and titles, by the numbers of their items."""
    found = {}
    for some in chunks(ids):
        query = sa.select(items.c.id, items.c.external_id, items.c.title).where(items.c.id.in_(some))
        found.update({row.id: (row.external_id, row.title) for row in connection.execute(query)})
    return found


def open_findings(connection: sa.Connection) -> tuple[int, int]:
    """Return how many findings of waiting drafts block and warn, and nobody answers for."""
    joined = items.join(_OPEN, _OPEN.c.item_id == items.c.id)
    columns = (sa.func.coalesce(sa.func.sum(_BLOCKS), 0), sa.func.coalesce(sa.func.sum(_WARNS), 0))
    query = sa.select(*columns).select_from(joined).where(items.c.state == "drafted")
    blocks, warns = connection.execute(query).one()
    return int(blocks), int(warns)
