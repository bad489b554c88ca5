"""Versions: every text that a draft has had.

Saves: what editors write, recorded before the file is, so that a crash loses neither text.
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from pipeline.domain.errors import ReviewError
from pipeline.domain.models import Draft
from pipeline.storage.engine import chunks
from pipeline.storage.findings import findings_of, stored
from pipeline.storage.records import DraftRow, PendingText, Previous, Version
from pipeline.storage.schema import findings, items, verdicts, versions
from pipeline.storage.schema import versions as table

EDIT = "edit"
"""The cause of a text that an editor wrote."""
REVISE = "revise"
"""The cause of a published article's text that an editor takes up again."""
BY_HAND = (EDIT, REVISE)
"""Causes of texts that editors may have changed on disk: their front matter attests nothing."""
DESK = (*BY_HAND, "restore")
"""Causes of texts that editors bring about: no run writes them to disk."""


unwritten = sa.select(versions.c.item_id).where(
    ~versions.c.confirmed, ~versions.c.aside, versions.c.cause.not_in(DESK)
)
"""The numbers of the items whose text was meant to be written and is not known to be."""


def add(
    connection: sa.Connection,
    item_id: int,
    draft: Draft,
    *,
    number: int,
    cause: str,
    confirmed: bool,
    by: str | None = None,
    aside: bool = False,
    base: str | None = None,
    form: str | None = None,
) -> int:
    """Keep a text with its findings and return its number; `confirmed` where no file has to be written.

    One that is kept `aside` never stood on disk, and another one does.
    """
    said = {"path": draft.path, "sha256": draft.sha256, "text": draft.text, "by": by, "base": base}
    kept = {"number": number, "cause": cause, "confirmed": confirmed, "aside": aside, "form": form}
    row = versions.insert().values(item_id=item_id, at=datetime.now(UTC), **said, **kept)
    [version_id] = connection.execute(row).inserted_primary_key or [0]
    rows = [{"version_id": version_id, **stored(found)} for found in draft.findings]
    if rows:
        connection.execute(findings.insert(), rows)
    return int(version_id)


Text = sa.Row[tuple[object, ...]]


def texts(connection: sa.Connection, ids: Sequence[int]) -> dict[int, list[Text]]:
    """Return the texts of items, the last one last."""
    found: dict[int, list[Text]] = defaultdict(list)
    for some in chunks(ids):
        query = sa.select(versions).where(versions.c.item_id.in_(some)).order_by(versions.c.id)
        for row in connection.execute(query):
            found[row.item_id].append(row)
    return found


def intent(connection: sa.Connection, written: Sequence[Text], external_id: str) -> Draft | None:
    """Return a text that was meant to be written and is not known to be."""
    row = _last([one for one in written if one.cause not in DESK], confirmed=False)
    if row is None:
        return None
    found = tuple(findings_of(connection, row.id))
    return Draft(external_id=external_id, path=row.path, text=row.text, findings=found)


def previous(written: Sequence[Text]) -> Previous | None:
    """Return the text that stands, as we wrote it."""
    row = _last(written, confirmed=True)
    if row is None:
        return None
    edited = row.at if row.cause == EDIT else None
    origin = _last([one for one in written if one.cause not in BY_HAND], confirmed=True)
    return Previous(
        path=row.path,
        sha256=row.sha256,
        text=row.text,
        version=row.number,
        edited_at=edited,
        origin=origin.text if origin else "",
    )


def _last(written: Sequence[Text], *, confirmed: bool) -> Text | None:
    return next((row for row in reversed(written) if row.confirmed is confirmed and not row.aside), None)


def confirm(connection: sa.Connection, item_id: int) -> None:
    """Record that what a run meant to write stands."""
    mine = sa.and_(versions.c.item_id == item_id, versions.c.cause.not_in(DESK))
    connection.execute(versions.update().where(mine).values(confirmed=True))


def listed(connection: sa.Connection, item_id: int) -> list[Version]:
    """Return every text of an item, the first one first."""
    rows = connection.execute(
        sa.select(versions).where(versions.c.item_id == item_id).order_by(versions.c.id)
    ).all()
    return [_version(row, rows[:place]) for place, row in enumerate(rows)]


def _version(row: sa.Row[tuple[object, ...]], before: Sequence[sa.Row[tuple[object, ...]]]) -> Version:
    """Return a text with its label: its number, and its cause where another text has that number, too."""
    same = [other for other in before if other.number == row.number]
    label = f"{row.number}.{row.cause}" if same else str(row.number)
    again = sum(other.cause == row.cause for other in same)
    return Version(
        label=f"{label}{again + 1}" if again else label,
        number=row.number,
        cause=row.cause,
        at=row.at,
        sha256=row.sha256,
        text=row.text,
        by=row.by,
        aside=row.aside,
    )


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
    version_id = add(
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


def confirm_save(connection: sa.Connection, pending: PendingText, *, aside: bool) -> None:
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
    add(
        connection, row.item_id, draft, number=row.version, cause=EDIT, confirmed=True,
        by=by, aside=True, base=base, form=form,
    )  # fmt: skip


def drop_refused(connection: sa.Connection, item_id: int, by: str, form: str) -> None:
    """Let go of what a form sent before and could not be saved: it is saved now, as it was written on."""
    connection.execute(_refused(item_id, by, form))


def _refused(item_id: int, by: str, form: str) -> sa.Delete:
    mine = (table.c.item_id == item_id, table.c.aside, table.c.cause == EDIT, table.c.by == by)
    return table.delete().where(*mine, table.c.form == form)
