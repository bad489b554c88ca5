"""The ledger's part for alerts: who is told of what, and not again at every run."""

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from pipeline.ledger.base import Base
from pipeline.ledger.schema import alerts


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
