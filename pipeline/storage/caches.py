"""The ledger's part for alerts: who is told of what, and not again at every run.

Web pages of items: fetched once, kept for a while.
"""

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from pipeline.storage.engine import Base
from pipeline.storage.records import PageRow
from pipeline.storage.schema import alerts, pages


class Telling(Base):
    """What was told of trouble."""

    def untold(self, keys: Sequence[str], now: datetime, again: datetime) -> list[str]:
        """Return the keys that nobody was told of since `again`, and note that somebody is told now."""
        with self._alone() as connection:
            query = sa.select(alerts.c.key).where(alerts.c.key.in_(keys), alerts.c.told_at > again)
            told = set(connection.scalars(query))
            fresh = [key for key in dict.fromkeys(keys) if key not in told]
            if fresh:
                connection.execute(alerts.delete().where(alerts.c.key.in_(fresh)))
                connection.execute(alerts.insert(), [{"key": key, "told_at": now} for key in fresh])
            return fresh

    def not_told(self, keys: Sequence[str]) -> None:
        """Take back that somebody was told: nobody could be reached."""
        with self._writing() as connection:
            connection.execute(alerts.delete().where(alerts.c.key.in_(keys)))


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
