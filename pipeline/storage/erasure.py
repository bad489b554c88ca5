"""Forgetting: every text about a URL goes, and that it is not to be taken again stays."""

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from pipeline.domain.errors import ReviewError
from pipeline.domain.models import Item
from pipeline.storage import publications
from pipeline.storage.engine import chunks
from pipeline.storage.findings import OURSELVES
from pipeline.storage.schema import (
    acknowledgements,
    calls,
    findings,
    forgotten,
    items,
    pages,
    requests,
    verdicts,
    versions,
    views,
)

_GONE = "[forgotten]"


def begin(connection: sa.Connection, canonical: str, now: datetime) -> list[str]:
    """Never take a URL again from now on; returns the paths of the files about it, to be removed next.

    What was published of it is to be withdrawn from every target. Raises ReviewError while a run works on it.
    """
    if not connection.execute(sa.select(forgotten).where(forgotten.c.canonical == canonical)).first():
        connection.execute(forgotten.insert().values(canonical=canonical, at=now))
    rows = _about(connection, canonical)
    for row in rows:
        publications.withdraw_all(connection, row.id, OURSELVES, now)
    paths = [path for row in rows for path in _paths(connection, row)]
    return list(dict.fromkeys(paths))


def finish(connection: sa.Connection, canonical: str) -> None:
    """Drop every text about a URL. What was paid stays in the books, without the answer.

    Raises ReviewError while a run works on it.
    """
    rows = _about(connection, canonical)
    for url in {canonical, *_links(rows)}:  # also those that a selector was used on
        kept = sa.or_(pages.c.url == url, pages.c.url.startswith(f"{url}\n", autoescape=True))
        connection.execute(pages.delete().where(kept))
    for row in rows:
        _empty(connection, row)


def _about(connection: sa.Connection, canonical: str) -> Sequence[sa.Row[tuple[object, ...]]]:
    rows = connection.execute(sa.select(items).where(items.c.canonical == canonical).with_for_update()).all()
    if any(row.lease_owner for row in rows):
        raise ReviewError("a run works on it just now; say it again when the run is over", draft=canonical)
    return rows


def _links(rows: Sequence[sa.Row[tuple[object, ...]]]) -> set[str]:
    links = {Item.model_validate_json(row.payload).link for row in rows}
    return {link for link in links if link}


def _paths(connection: sa.Connection, row: sa.Row[tuple[object, ...]]) -> list[str]:
    moved = sa.select(verdicts.c.new_path).where(verdicts.c.item_id == row.id)
    written = sa.select(versions.c.path).where(versions.c.item_id == row.id)
    return [path for path in (row.path, *connection.scalars(written), *connection.scalars(moved)) if path]


def _empty(connection: sa.Connection, row: sa.Row[tuple[object, ...]]) -> None:
    before = Item.model_validate_json(row.payload)
    kept = Item(guid=before.guid, canonical=before.canonical, published_at=before.published_at)
    mine = versions.c.item_id == row.id
    judged = findings.c.version_id.in_(sa.select(versions.c.id).where(mine))
    connection.execute(findings.delete().where(judged))
    connection.execute(versions.delete().where(mine))
    connection.execute(views.delete().where(views.c.item_id == row.id))
    connection.execute(requests.delete().where(requests.c.item_id == row.id))
    emptied = {"text": "", "leaves": None, "confirmed": True}
    connection.execute(verdicts.update().where(verdicts.c.item_id == row.id).values(**emptied))
    connection.execute(acknowledgements.delete().where(acknowledgements.c.item_id == row.id))
    spent = {"answer": "", "unusable": _GONE}
    connection.execute(calls.update().where(calls.c.item_id == row.id).values(**spent))
    blank = {"title": _GONE, "payload": kept.model_dump_json(), "state": "forgotten", "reason": None}
    gone = {"path": None, "owned_canonical": None, "story_id": None, "updated_hash": None}
    gone["updated_payload"] = None
    connection.execute(items.update().where(items.c.id == row.id).values(**blank, **gone))


def among(connection: sa.Connection, canonicals: Sequence[str]) -> frozenset[str]:
    """Return those of the canonical URLs that are never to be taken again."""
    found: set[str] = set()
    for some in chunks(canonicals):
        query = sa.select(forgotten.c.canonical).where(forgotten.c.canonical.in_(some))
        found.update(connection.scalars(query))
    return frozenset(found)
