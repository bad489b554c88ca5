"""Caches: web pages of items, images of covers, capabilities of model servers, alerts that were sent."""

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from pydantic import AwareDatetime

from pipeline.domain.models import FrozenModel
from pipeline.storage import duplicate_groups
from pipeline.storage.engine import Transactions
from pipeline.storage.schema import alerts, cover_images, pages, servers


class PageRow(FrozenModel):
    """The cached result of a page's fetch: its text, or why there is none."""

    at: AwareDatetime
    payload: str | None
    error: str | None


class CoverRow(FrozenModel):
    """The cached result of fetching a cover's image: its bytes, or why there are none."""

    at: AwareDatetime
    media_type: str | None
    data: bytes | None
    error: str | None


class CacheRepository(Transactions):
    """Stores what would cost a request, or an alert, to find out again."""

    def page(self, url: str) -> PageRow | None:
        """Return a web page's cached result."""
        with self._reading() as connection:
            row = connection.execute(sa.select(pages).where(pages.c.url == url)).first()
        return PageRow(at=row.at, payload=row.payload, error=row.error) if row else None

    def save_page(self, url: str, payload: str | None, error: str | None, now: datetime) -> None:
        """Replace a web page's cached result: its text, or why there is none."""
        with self._writing() as connection:
            connection.execute(pages.delete().where(pages.c.url == url))
            connection.execute(pages.insert().values(url=url, at=now, payload=payload, error=error))

    def cover(self, url: str) -> CoverRow | None:
        """Return the cached image of a cover."""
        with self._reading() as connection:
            row = connection.execute(sa.select(cover_images).where(cover_images.c.url == url)).first()
        if row is None:
            return None
        return CoverRow(at=row.at, media_type=row.media_type, data=row.data, error=row.error)

    def save_cover(self, url: str, row: CoverRow) -> None:
        """Replace the cached image of a cover."""
        with self._exclusive_write() as connection:
            connection.execute(cover_images.delete().where(cover_images.c.url == url))
            connection.execute(cover_images.insert().values(url=url, **row.model_dump()))

    def prune(self, before: datetime) -> int:
        """Delete pages, images and signatures older than a time; returns how many rows."""
        with self._writing() as connection:
            fetched = sum(
                connection.execute(table.delete().where(table.c.at < before)).rowcount
                for table in (pages, cover_images)
            )
            return fetched + duplicate_groups.prune(connection, before)

    def capabilities(self, url: str, model: str) -> str | None:
        """Return the stored capabilities of a model on a server, as JSON."""
        with self._reading() as connection:
            return connection.scalar(sa.select(servers.c.payload).where(_served(url, model)))

    def save_capabilities(self, url: str, model: str, payload: str) -> None:
        """Replace the stored capabilities of a model on a server."""
        with self._exclusive_write() as connection:
            connection.execute(servers.delete().where(_served(url, model)))
            connection.execute(servers.insert().values(url=url, model=model, payload=payload))

    def take_unsent_alerts(self, keys: Sequence[str], now: datetime, again: datetime) -> list[str]:
        """Return the alerts' keys that were not sent after `again`, and mark them as sent now."""
        with self._exclusive_write() as connection:
            # A time further ahead is of a clock that was wrong.
            lately = alerts.c.told_at.between(again, now + (now - again))
            query = sa.select(alerts.c.key).where(alerts.c.key.in_(keys), lately)
            sent = set(connection.scalars(query))
            unsent = [key for key in dict.fromkeys(keys) if key not in sent]
            if unsent:
                connection.execute(alerts.delete().where(alerts.c.key.in_(unsent)))
                connection.execute(alerts.insert(), [{"key": key, "told_at": now} for key in unsent])
            return unsent

    def return_alerts(self, keys: Sequence[str]) -> None:
        """Mark alerts as not sent: no recipient could be reached."""
        with self._writing() as connection:
            connection.execute(alerts.delete().where(alerts.c.key.in_(keys)))


def _served(url: str, model: str) -> sa.ColumnElement[bool]:
    return sa.and_(servers.c.url == url, servers.c.model == model)


def drop_page(connection: sa.Connection, url: str | None) -> None:
    """Delete a page's cached text, under any selector, so that it is fetched again; errors stay."""
    if url:
        same = sa.or_(pages.c.url == url, pages.c.url.startswith(f"{url}\n", autoescape=True))
        connection.execute(pages.delete().where(same, pages.c.payload.is_not(None)))
