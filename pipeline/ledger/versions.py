"""Versions: every text that a draft has had."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime

import sqlalchemy as sa

from pipeline.ledger.items import chunks
from pipeline.ledger.notes import findings_of, stored
from pipeline.ledger.records import Previous, Version
from pipeline.ledger.schema import findings, versions
from pipeline.models import Draft

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
