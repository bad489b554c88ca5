"""Web pages of items: fetched once, kept for a while."""

from datetime import datetime

import sqlalchemy as sa

from pipeline.ledger.records import PageRow
from pipeline.ledger.schema import pages


def kept(connection: sa.Connection, url: str) -> PageRow | None:
    """Return what was kept of a page."""
    row = connection.execute(sa.select(pages).where(pages.c.url == url)).first()
    return PageRow(at=row.at, payload=row.payload, error=row.error) if row else None


def keep(connection: sa.Connection, url: str, payload: str | None, error: str | None, now: datetime) -> None:
    """Keep what a page said, or why it said nothing, instead of what was kept before."""
    connection.execute(pages.delete().where(pages.c.url == url))
    connection.execute(pages.insert().values(url=url, at=now, payload=payload, error=error))


def drop(connection: sa.Connection, url: str | None) -> None:
    """Let go of a page's text, whatever selector it was found by: it is to be read again."""
    if url:
        mine = sa.or_(pages.c.url == url, pages.c.url.startswith(f"{url}\n", autoescape=True))
        connection.execute(pages.delete().where(mine, pages.c.payload.is_not(None)))


def prune(connection: sa.Connection, before: datetime) -> int:
    """Drop pages that were fetched before a moment and return how many."""
    return connection.execute(pages.delete().where(pages.c.at < before)).rowcount
