"""Versions: every text that a draft has had."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime

import sqlalchemy as sa

from pipeline.ledger.items import chunks
from pipeline.ledger.notes import findings_of
from pipeline.ledger.records import Previous, Version
from pipeline.ledger.schema import findings, versions
from pipeline.models import Draft

OWN = ("draft", "redraft", "restore")
"""Causes that count: an editor's text and a repaired one belong to the version they began as."""


def add(
    connection: sa.Connection, item_id: int, draft: Draft, *, number: int, cause: str, confirmed: bool
) -> None:
    """Keep a text with its findings; `confirmed` where no file has to be written for it."""
    said = {"path": draft.path, "sha256": draft.sha256, "text": draft.text}
    kept = {"number": number, "cause": cause, "confirmed": confirmed, "at": datetime.now(UTC)}
    inserted = connection.execute(versions.insert().values(item_id=item_id, **said, **kept))
    [version_id] = inserted.inserted_primary_key or [None]
    rows = [
        {"version_id": version_id, "severity": found.severity.value, "payload": found.model_dump_json()}
        for found in draft.findings
    ]
    if rows:
        connection.execute(findings.insert(), rows)


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
    row = _last(written, confirmed=False)
    if row is None:
        return None
    found = tuple(findings_of(connection, row.id))
    return Draft(external_id=external_id, path=row.path, text=row.text, findings=found)


def previous(written: Sequence[Text]) -> Previous | None:
    """Return the text that stands, as we wrote it."""
    row = _last(written, confirmed=True)
    if row is None:
        return None
    return Previous(path=row.path, sha256=row.sha256, text=row.text, version=row.number)


def _last(written: Sequence[Text], *, confirmed: bool) -> Text | None:
    return next((row for row in reversed(written) if row.confirmed is confirmed), None)


def confirm(connection: sa.Connection, item_id: int) -> None:
    """Record that what was meant to be written stands."""
    connection.execute(versions.update().where(versions.c.item_id == item_id).values(confirmed=True))


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
    )
