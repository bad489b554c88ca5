"""Erasure: deletes every text about a canonical URL and keeps that it is not to be taken again."""

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from pipeline.domain.errors import ReviewError
from pipeline.domain.models import Item
from pipeline.storage import publications
from pipeline.storage.engine import Row, Transactions, chunks
from pipeline.storage.findings import SYSTEM_EDITOR
from pipeline.storage.schema import (
    acknowledgements,
    calls,
    cover_images,
    draft_index,
    draft_terms,
    finding_ends,
    findings,
    items,
    pages,
    readings,
    requests,
    shown,
    verdicts,
    versions,
    views,
)
from pipeline.storage.schema import forgotten as erased

_PLACEHOLDER = "[forgotten]"


class ErasureRepository(Transactions):
    """Erases items: their texts go, and their URLs are never taken again."""

    def begin(self, canonical: str, now: datetime) -> list[str]:
        """Refuse a canonical URL from now on; returns the paths of the files about it, to be removed next.

        Its published articles are withdrawn from every target. Raises ReviewError while a run works on it.
        """
        with self._exclusive_write() as connection:
            refused = sa.select(erased.c.canonical).where(erased.c.canonical == canonical)
            if not connection.execute(refused).first():
                connection.execute(erased.insert().values(canonical=canonical, at=now))
            rows = _about(connection, canonical)
            for row in rows:
                publications.withdraw_all(connection, row.id, SYSTEM_EDITOR, now)
            return list(dict.fromkeys(path for row in rows for path in _paths(connection, row)))

    def finish(self, canonical: str) -> None:
        """Delete every text about a canonical URL whose files are removed.

        The costs of its calls stay, without the answers. Raises ReviewError while a run works on it.
        """
        with self._exclusive_write() as connection:
            rows = _about(connection, canonical)
            for url in {canonical, *_links(rows)}:  # a page is cached under "URL\nselector" as well
                cached = sa.or_(pages.c.url == url, pages.c.url.startswith(f"{url}\n", autoescape=True))
                connection.execute(pages.delete().where(cached))
            for row in rows:
                _erase(connection, row)


def _about(connection: sa.Connection, canonical: str) -> Sequence[Row]:
    rows = connection.execute(sa.select(items).where(items.c.canonical == canonical).with_for_update()).all()
    if any(row.lease_owner for row in rows):
        raise ReviewError("a run works on it just now; say it again when the run is over", draft=canonical)
    return rows


def _links(rows: Sequence[Row]) -> set[str]:
    links = {Item.model_validate_json(row.payload).link for row in rows}
    return {link for link in links if link}


def _paths(connection: sa.Connection, row: Row) -> list[str]:
    moved = sa.select(verdicts.c.new_path).where(verdicts.c.item_id == row.id)
    written = sa.select(versions.c.path).where(versions.c.item_id == row.id)
    return [path for path in (row.path, *connection.scalars(written), *connection.scalars(moved)) if path]


def _erase(connection: sa.Connection, row: Row) -> None:
    before = Item.model_validate_json(row.payload)
    remaining = Item(guid=before.guid, canonical=before.canonical, published_at=before.published_at)
    mine = versions.c.item_id == row.id
    _erase_covers(connection, row)
    theirs = findings.c.version_id.in_(sa.select(versions.c.id).where(mine))
    connection.execute(findings.delete().where(theirs))
    connection.execute(versions.delete().where(mine))
    of_item = (draft_index, draft_terms, views, shown, finding_ends, readings, requests, acknowledgements)
    for table in of_item:
        connection.execute(table.delete().where(table.c.item_id == row.id))
    emptied = {"text": "", "leaves": None, "record": None, "confirmed": True}
    connection.execute(verdicts.update().where(verdicts.c.item_id == row.id).values(**emptied))
    paid = {"answer": "", "unusable": _PLACEHOLDER}
    connection.execute(calls.update().where(calls.c.item_id == row.id).values(**paid))
    blank = {
        "title": _PLACEHOLDER,
        "payload": remaining.model_dump_json(),
        "state": "forgotten",
        "reason": None,
    }
    cleared = {"path": None, "owned_canonical": None, "story_id": None, "updated_hash": None}
    cleared |= {"updated_payload": None, "notice": None}
    connection.execute(items.update().where(items.c.id == row.id).values(**blank, **cleared))


def _erase_covers(connection: sa.Connection, row: Row) -> None:
    """Delete the cached images whose URLs stand in the item or in one of its texts."""
    written = sa.select(versions.c.text).where(versions.c.item_id == row.id)
    texts = [row.payload, row.updated_payload or "", *connection.scalars(written)]
    cached = connection.scalars(sa.select(cover_images.c.url)).all()
    urls = [url for url in cached if any(url in text for text in texts)]
    for chunk in chunks(urls):
        connection.execute(cover_images.delete().where(cover_images.c.url.in_(chunk)))


def erased_among(connection: sa.Connection, canonicals: Sequence[str]) -> frozenset[str]:
    """Return those of the canonical URLs that are erased."""
    matches: set[str] = set()
    for chunk in chunks(canonicals):
        query = sa.select(erased.c.canonical).where(erased.c.canonical.in_(chunk))
        matches.update(connection.scalars(query))
    return frozenset(matches)
