"""Saves: what editors write, recorded before the file is, so that a crash loses neither text."""

from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from pipeline.errors import ReviewError
from pipeline.ledger import versions
from pipeline.ledger.records import DraftRow, PendingText
from pipeline.ledger.schema import findings, items, verdicts
from pipeline.ledger.schema import versions as table
from pipeline.ledger.versions import DESK, EDIT
from pipeline.models import Draft


def intend(
    connection: sa.Connection,
    row: DraftRow,
    draft: Draft,
    by: str,
    base: str | None,
    sitting: timedelta | None = None,
    *,
    cause: str = EDIT,
    number: int | None = None,
) -> PendingText:
    """Record a text that is to stand where bytes of the hash `base` stand now (None: nothing)."""
    earlier = _of_this_sitting(connection, row, by, base, sitting) if sitting else None
    version_id = versions.add(
        connection, row.item_id, draft, number=number or row.version, cause=cause,
        confirmed=False, by=by, base=base,
    )  # fmt: skip
    return PendingText(version_id, row.item_id, draft.path, draft.sha256, draft.text, base, earlier)


def _of_this_sitting(
    connection: sa.Connection, row: DraftRow, by: str, base: str | None, sitting: timedelta
) -> int | None:
    """Return the number of the last version where the same editor saved it just before."""
    query = sa.select(table).where(table.c.item_id == row.item_id, ~table.c.aside)
    last = connection.execute(query.order_by(table.c.id.desc()).limit(1)).first()
    same = last is not None and (last.cause, last.by, last.sha256) == (EDIT, by, base)
    return last.id if last is not None and same and last.at > datetime.now(UTC) - sitting else None


def rename(connection: sa.Connection, item_id: int, title: str) -> None:
    """Call an item by its draft's title, as the queue shows and finds it."""
    connection.execute(items.update().where(items.c.id == item_id).values(title=title))


def intend_revision(connection: sa.Connection, row: DraftRow, draft: Draft, by: str) -> PendingText:
    """Make a draft of a published article. Raises ReviewError where something else came first."""
    state = connection.scalar(sa.select(items.c.state).where(items.c.id == row.item_id).with_for_update())
    waits = sa.select(verdicts.c.id).where(verdicts.c.item_id == row.item_id, ~verdicts.c.confirmed)
    if state != "approved" or connection.execute(waits).first():
        raise ReviewError(f"{row.path} was decided on meanwhile; nothing was changed", draft=row.path)
    again = {"state": "drafted", "path": draft.path}
    connection.execute(items.update().where(items.c.id == row.item_id).values(**again))
    return intend(connection, row, draft, by, None, cause="revise")


def unfinished(connection: sa.Connection) -> list[PendingText]:
    """Return what editors wrote and nobody knows to stand on disk."""
    query = sa.select(table).where(~table.c.confirmed, table.c.cause.in_(DESK)).order_by(table.c.id)
    return [
        PendingText(row.id, row.item_id, row.path, row.sha256, row.text, row.base, None)
        for row in connection.execute(query)
    ]


def confirm(connection: sa.Connection, pending: PendingText, *, aside: bool) -> None:
    """Record that a text stands, or that it does not and is kept beside the one that does."""
    this = table.update().where(table.c.id == pending.version_id)
    connection.execute(this.values(confirmed=True, aside=aside))
    if pending.earlier is not None and not aside:
        connection.execute(findings.delete().where(findings.c.version_id == pending.earlier))
        connection.execute(table.delete().where(table.c.id == pending.earlier))


def keep_refused(
    connection: sa.Connection, row: DraftRow, draft: Draft, by: str, base: str, form: str
) -> None:
    """Keep a text that could not be saved, in the place of what the same form sent before.

    Where no form is named, what the editor sent over the same base counts as that.

    Raises ReviewError where the item was forgotten meanwhile.
    """
    state = connection.scalar(sa.select(items.c.state).where(items.c.id == row.item_id).with_for_update())
    if state == "forgotten":
        raise ReviewError(f"{row.path} was forgotten meanwhile; nothing was kept", draft=row.path)
    earlier = _refused(row.item_id, by, form)
    connection.execute(earlier if form else earlier.where(table.c.base == base))
    versions.add(
        connection, row.item_id, draft, number=row.version, cause=EDIT, confirmed=True,
        by=by, aside=True, base=base, form=form,
    )  # fmt: skip


def drop_refused(connection: sa.Connection, item_id: int, by: str, form: str) -> None:
    """Let go of what a form sent before and could not be saved: it is saved now, as it was written on."""
    connection.execute(_refused(item_id, by, form))


def _refused(item_id: int, by: str, form: str) -> sa.Delete:
    mine = (table.c.item_id == item_id, table.c.aside, table.c.cause == EDIT, table.c.by == by)
    return table.delete().where(*mine, table.c.form == form)
