"""Drafts, as the editor's commands need them.

History: everything that happened to a draft, by whom and when.

The queue: drafts as a list to be worked through, filtered, counted and paged by the database.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa

from pipeline.domain.errors import ReviewError
from pipeline.domain.models import Item, Severity
from pipeline.storage import duplicate_groups, findings, redraft_requests
from pipeline.storage.engine import chunks
from pipeline.storage.findings import findings_of
from pipeline.storage.items import updated_source
from pipeline.storage.records import DraftRow, Event
from pipeline.storage.redraft_requests import waiting
from pipeline.storage.schema import acknowledgements, feeds, items, publications, requests, verdicts, versions
from pipeline.storage.schema import findings as findings_table
from pipeline.storage.summaries import QueueCounts, QueuePage, QueueRow, Wanted
from pipeline.storage.versions import BY_HAND, EDIT

_every = versions.alias()
_LATEST = (
    sa.select(sa.func.max(_every.c.id))
    .where(_every.c.item_id == items.c.id, ~_every.c.aside)
    .correlate(items)
    .scalar_subquery()
)


def _query() -> sa.Select[tuple[object, ...]]:
    columns = (
        feeds.c.key, versions.c.id.label("version_id"), versions.c.text, versions.c.at, versions.c.number,
        versions.c.cause,
    )  # fmt: skip
    joined = items.join(feeds).join(
        versions, sa.and_(versions.c.item_id == items.c.id, versions.c.id == _LATEST)
    )
    return sa.select(items, *columns).select_from(joined).order_by(items.c.published_at.desc(), items.c.id)


def listed(connection: sa.Connection, states: Sequence[str]) -> list[DraftRow]:
    """Return the drafts in these states, newest first."""
    rows = connection.execute(_query().where(items.c.state.in_(states))).all()
    return [_row(connection, row) for row in rows]


def one(connection: sa.Connection, ref: str) -> DraftRow:
    """Return the draft that an external id (or its beginning), a path or a file name means.

    Raises ReviewError where none or several answer.
    """
    name = ref.strip().replace("\\", "/")
    decided = ("drafted", "approved", "rejected")
    where = [items.c.external_id.startswith(name, autoescape=True)]
    for ending in {name, name.rpartition("output/")[2]}:
        where += [items.c.path == ending, items.c.path.endswith(f"/{ending}", autoescape=True)]
    rows = (
        connection.execute(_query().where(items.c.state.in_(decided), sa.or_(*where))).all() if name else []
    )
    if len(rows) != 1:
        raise _unclear(ref, [str(row.path) for row in rows])
    row = _row(connection, rows[0])
    told = {
        "siblings": tuple(duplicate_groups.siblings(connection, row.item_id)),
        "written_by_model": _written_by_model(connection, row.item_id),
        "origin": _origin(connection, row.item_id),
    }
    return row.model_copy(update=told)


def _origin(connection: sa.Connection, item_id: int) -> str:
    mine = sa.and_(versions.c.item_id == item_id, ~versions.c.aside, versions.c.cause.not_in(BY_HAND))
    last = sa.select(versions.c.text).where(mine).order_by(versions.c.id.desc()).limit(1)
    return connection.scalar(last) or ""


def _written_by_model(connection: sa.Connection, item_id: int) -> str:
    ours = sa.select(versions.c.text).where(versions.c.item_id == item_id, versions.c.cause != EDIT)
    return "\n".join(connection.scalars(ours))


def _unclear(ref: str, paths: list[str]) -> ReviewError:
    if not paths:
        return ReviewError(f"no draft is called {ref!r}; `copydesk drafts list` shows them", draft=ref)
    some = ", ".join(paths[:3]) + (" …" if len(paths) > 3 else "")
    return ReviewError(f"{ref!r} means {len(paths)} drafts ({some}); give more of its name", draft=ref)


def _row(connection: sa.Connection, row: sa.Row[tuple[object, ...]]) -> DraftRow:
    return DraftRow(
        item_id=row.id,
        external_id=row.external_id,
        feed_key=row.key,
        title=row.title,
        path=row.path,
        state=row.state,
        published_at=row.published_at,
        drafted_at=row.at,
        findings=tuple(findings_of(connection, row.version_id)),
        item=Item.model_validate_json(row.payload),
        version=row.number,
        version_text=row.text,
        cause=row.cause,
        request=redraft_requests.pending(connection, row.id),
        acknowledged=tuple(findings.of_items(connection, [row.id]).get(row.id, ())),
        updated=updated_source(row),
        was_updated=row.updates > 0 or row.updated_payload is not None,
    )


def count_since(connection: sa.Connection, feed_id: int, since: datetime) -> int:
    """Return how many items of a feed got a draft since a moment."""
    written = sa.select(versions.c.id).where(versions.c.item_id == items.c.id, versions.c.at >= since)
    query = sa.select(sa.func.count()).where(items.c.feed_id == feed_id, written.exists())
    return connection.scalar(query) or 0


def require_free(connection: sa.Connection, row: DraftRow, *, leased: bool = False) -> None:
    """Raise ReviewError where a draft was decided on meanwhile, or a run works on it (unless `leased`)."""
    columns = sa.select(items.c.state, items.c.lease_owner).where(items.c.id == row.item_id)
    now = connection.execute(columns.with_for_update()).one()
    if now.state != "drafted":
        raise ReviewError(f"{row.path} is {now.state}; nothing was changed", draft=row.path)
    if now.lease_owner and not leased:
        said = f"{row.path} is being written anew just now; say it again when the run is over"
        raise ReviewError(said, draft=row.path)


def of_item(connection: sa.Connection, item_id: int) -> list[Event]:
    """Return what happened to an item's draft, the last of it first."""
    every = (_versions, _verdicts, _requests, _acknowledgements, _publications)
    found = [event for part in every for event in part(connection, item_id)]
    return sorted(found, key=lambda event: event.at, reverse=True)


def _versions(connection: sa.Connection, item_id: int) -> Iterator[Event]:
    columns = (versions.c.at, versions.c.by, versions.c.cause, versions.c.number, versions.c.aside)
    query = sa.select(*columns).where(versions.c.item_id == item_id).order_by(versions.c.id)
    for row in connection.execute(query):
        why = "it was not saved" if row.cause == EDIT else "another text stood"
        detail = f"version {row.number}" + (f", kept aside: {why}" if row.aside else "")
        yield Event(row.at, row.by, row.cause, detail)


def _verdicts(connection: sa.Connection, item_id: int) -> Iterator[Event]:
    columns = (verdicts.c.at, verdicts.c.by, verdicts.c.decision, verdicts.c.note)
    for row in connection.execute(sa.select(*columns).where(verdicts.c.item_id == item_id)):
        yield Event(row.at, row.by, row.decision, row.note)


def _requests(connection: sa.Connection, item_id: int) -> Iterator[Event]:
    for row in connection.execute(sa.select(requests).where(requests.c.item_id == item_id)):
        told = [text for text in (row.section, row.note) if text]
        yield Event(row.at, row.by, "asked", ": ".join(told) or None)
        if row.done_at is not None:
            yield Event(row.done_at, None, "answered", row.outcome)


def _acknowledgements(connection: sa.Connection, item_id: int) -> Iterator[Event]:
    mine = sa.select(acknowledgements).where(acknowledgements.c.item_id == item_id)
    for row in connection.execute(mine):
        yield Event(row.at, row.by, "acknowledged", f"{row.message} ({row.reason})")
        if row.withdrawn_at is not None:
            yield Event(row.withdrawn_at, row.withdrawn_by, "withdrawn", row.message)


def _publications(connection: sa.Connection, item_id: int) -> Iterator[Event]:
    mine = publications.c.item_id == item_id
    for row in connection.execute(sa.select(publications).where(mine, publications.c.done_at.is_not(None))):
        what = "published" if row.action == "publish" else "taken down"
        yield Event(row.done_at, None, what, f"{row.target}: {row.place or ''}")


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
        acknowledgements.c.key == findings_table.c.key,
        acknowledgements.c.withdrawn_at.is_(None),
    )
    joined = latest.join(findings_table, findings_table.c.version_id == latest.c.id)
    joined = joined.outerjoin(acknowledgements, answered)
    columns = [
        sa.func.sum(sa.case((findings_table.c.severity == severity.value, 1), else_=0)).label(severity.value)
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
