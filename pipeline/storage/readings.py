"""Stores what a second reader said of the sentences of drafts."""

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime

import sqlalchemy as sa

from pipeline.domain.readings import SentenceReading
from pipeline.storage.engine import Transactions
from pipeline.storage.schema import readings


class ReadingRepository(Transactions):
    """Adds and lists the readings of an item's draft."""

    def add(self, item_id: int, read: Sequence[SentenceReading]) -> None:
        """Store readings, in place of earlier ones of the same sentences against the same source."""
        rows = {_key(each): each for each in read}
        if not rows:
            return
        with self._writing() as connection:
            mine = readings.c.item_id == item_id
            connection.execute(readings.delete().where(mine, readings.c.key.in_(rows)))
            at = datetime.now(UTC)
            connection.execute(
                readings.insert(),
                [
                    {"item_id": item_id, "key": key, "at": at, "payload": each.model_dump_json()}
                    for key, each in rows.items()
                ],
            )

    def of_item(self, item_id: int) -> tuple[SentenceReading, ...]:
        """Return the readings of an item's draft, the latest ones last."""
        with self._reading() as connection:
            return readings_of(connection, item_id)


def readings_of(connection: sa.Connection, item_id: int) -> tuple[SentenceReading, ...]:
    """Return the readings of an item's draft, the latest ones last."""
    query = sa.select(readings.c.payload).where(readings.c.item_id == item_id).order_by(readings.c.id)
    return tuple(SentenceReading.model_validate_json(payload) for payload in connection.scalars(query))


def _key(reading: SentenceReading) -> str:
    """Return what is equal for two readings of a sentence against one text of the source."""
    about = "\0".join((reading.field, reading.source, reading.text))
    return hashlib.sha256(about.encode("utf-8", "replace")).hexdigest()[:32]
