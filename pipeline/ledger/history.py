"""History: everything that happened to a draft, by whom and when."""

from collections.abc import Iterator

import sqlalchemy as sa

from pipeline.ledger.records import Event
from pipeline.ledger.schema import acknowledgements, publications, requests, verdicts, versions
from pipeline.ledger.versions import EDIT


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
