"""The queue: drafts as a list to be worked through, filtered, counted and paged by the database."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa

from pipeline.ledger.items import chunks
from pipeline.ledger.overview import QueueCounts, QueuePage, QueueRow, Wanted
from pipeline.ledger.requests import waiting
from pipeline.ledger.schema import acknowledgements, feeds, findings, items, versions
from pipeline.models import Severity


class _Found(NamedTuple):
    """Subqueries about some drafts and no others: most of a ledger was decided long ago."""

    latest: sa.Subquery
    """The latest version of each."""
    open: sa.Subquery
    """How many findings of it block and warn, and nobody answers for."""
    blocks: sa.ColumnElement[int]
    warns: sa.ColumnElement[int]


def _found(among: sa.Select[tuple[int]] | Sequence[int]) -> _Found:
    latest = (
        sa.select(versions.c.item_id, sa.func.max(versions.c.id).label("id"))
        .where(~versions.c.aside, versions.c.item_id.in_(among))
        .group_by(versions.c.item_id)
        .subquery("latest")
    )
    answered = sa.and_(
        acknowledgements.c.item_id == latest.c.item_id,
        acknowledgements.c.key == findings.c.key,
        acknowledgements.c.withdrawn_at.is_(None),
    )
    joined = latest.join(findings, findings.c.version_id == latest.c.id)
    joined = joined.outerjoin(acknowledgements, answered)
    columns = [
        sa.func.sum(sa.case((findings.c.severity == severity.value, 1), else_=0)).label(severity.value)
        for severity in (Severity.BLOCK, Severity.WARN)
    ]
    query = sa.select(latest.c.item_id, *columns).select_from(joined)
    found = query.where(acknowledgements.c.id.is_(None)).group_by(latest.c.item_id).subquery("open")
    return _Found(latest, found, sa.func.coalesce(found.c.block, 0), sa.func.coalesce(found.c.warn, 0))


def _in_state(state: str) -> sa.Select[tuple[int]]:
    return sa.select(items.c.id).where(items.c.state == state)


def _kinds(found: _Found) -> dict[str, sa.ColumnElement[bool]]:
    return {
        "held": found.blocks > 0,
        "warned": sa.and_(found.blocks == 0, found.warns > 0),
        "clean": sa.and_(found.blocks == 0, found.warns == 0),
    }


def _order(wanted: Wanted, found: _Found) -> tuple[sa.ColumnElement[Any], ...]:
    newest = (items.c.published_at.desc(), items.c.id.desc())
    orders: dict[str, tuple[sa.ColumnElement[Any], ...]] = {
        "newest": newest,
        "oldest": (items.c.published_at, items.c.id),
        "findings": (found.blocks.desc(), found.warns.desc(), *newest),
    }
    return orders[wanted.order]


def _conditions(wanted: Wanted, found: _Found) -> list[sa.ColumnElement[bool]]:
    conditions = [items.c.state == wanted.state]
    if wanted.feeds is not None:
        conditions.append(feeds.c.key.in_(wanted.feeds))
    for word in wanted.words:
        conditions.append(items.c.title.icontains(word, autoescape=True))
    if wanted.findings:
        conditions.append(_kinds(found)[wanted.findings])
    if wanted.asked:
        conditions.append(items.c.id.in_(waiting))
    if wanted.changed:
        conditions.append(items.c.updated_payload.is_not(None))
    return conditions


def _joined(wanted: Wanted, found: _Found) -> sa.FromClause:
    joined = items.join(feeds)
    judged = wanted.findings or wanted.order == "findings"
    return joined.outerjoin(found.open, found.open.c.item_id == items.c.id) if judged else joined


def names(connection: sa.Connection, wanted: Wanted) -> list[str]:
    """Return the external ids of what is wanted, in order."""
    found = _found(_in_state(wanted.state))
    query = sa.select(items.c.external_id).select_from(_joined(wanted, found))
    return list(connection.scalars(query.where(*_conditions(wanted, found)).order_by(*_order(wanted, found))))


def page(connection: sa.Connection, wanted: Wanted, limit: int, offset: int) -> QueuePage:
    """Return a page of what is wanted, and how much there is of everything."""
    found = _found(_in_state(wanted.state))
    chosen = sa.select(items.c.id).select_from(_joined(wanted, found)).where(*_conditions(wanted, found))
    total = connection.scalar(sa.select(sa.func.count()).select_from(chosen.subquery())) or 0
    ids = list(connection.scalars(chosen.order_by(*_order(wanted, found)).limit(limit).offset(offset)))
    rows = {row.item_id: row for row in _rows(connection, ids)}
    return QueuePage(rows=tuple(rows[number] for number in ids), total=total, counts=counts(connection))


def _rows(connection: sa.Connection, ids: Sequence[int]) -> list[QueueRow]:
    found = _found(ids)
    columns = (
        items.c.id.label("item_id"), items.c.external_id, feeds.c.key.label("feed_key"), items.c.title,
        items.c.state, items.c.published_at, versions.c.at.label("drafted_at"), versions.c.cause,
        versions.c.number.label("version"), versions.c.by, versions.c.sha256,
        found.blocks.label("blocks"), found.warns.label("warns"),
        items.c.id.in_(waiting).label("asked"), items.c.updated_payload.is_not(None).label("changed"),
    )  # fmt: skip
    joined = items.join(feeds).join(found.latest, found.latest.c.item_id == items.c.id)
    joined = joined.join(versions, versions.c.id == found.latest.c.id)
    joined = joined.outerjoin(found.open, found.open.c.item_id == items.c.id)
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
    found = _found(_in_state("drafted"))
    columns = (sa.func.coalesce(sa.func.sum(found.blocks), 0), sa.func.coalesce(sa.func.sum(found.warns), 0))
    blocks, warns = connection.execute(sa.select(*columns).select_from(found.open)).one()
    return int(blocks), int(warns)
