"""Drafts, as the editor's commands need them."""

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from pipeline.errors import ReviewError
from pipeline.ledger import answering, requests, stories
from pipeline.ledger.items import updated_source
from pipeline.ledger.notes import findings_of
from pipeline.ledger.records import DraftRow
from pipeline.ledger.schema import feeds, items, versions
from pipeline.ledger.versions import BY_HAND, EDIT
from pipeline.models import Item

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
        "siblings": tuple(stories.siblings(connection, row.item_id)),
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
        request=requests.pending(connection, row.id),
        acknowledged=tuple(answering.of_items(connection, [row.id]).get(row.id, ())),
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
