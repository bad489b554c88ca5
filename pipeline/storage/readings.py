"""Stores what a second reader said of the sentences of drafts."""

import hashlib
from collections.abc import Sequence
from concurrent.futures import Future
from datetime import UTC, datetime
from functools import partial

import sqlalchemy as sa

from pipeline.domain.readings import SentenceReading
from pipeline.storage.batch_queue import BatchQueue
from pipeline.storage.budget import Entry
from pipeline.storage.engine import Transactions
from pipeline.storage.schema import readings


class ReadingRepository(Transactions):
    """Adds and lists the readings of an item's draft."""

    def __init__(self, engine: sa.Engine, owner: str, commits: BatchQueue[Entry, None]) -> None:
        super().__init__(engine, owner)
        self._commits = commits

    def submit(self, item_id: int, read: Sequence[SentenceReading]) -> "Future[None]":
        """Store readings soon, together with others and with answers.

        They replace earlier ones of the same sentences against the same source.
        """
        return self._commits.submit(Entry(partial(_add, item_id, read)))

    def of_item(self, item_id: int) -> tuple[SentenceReading, ...]:
        """Return the readings of an item's draft, the latest ones last."""
        with self._reading() as connection:
            return readings_of(connection, item_id)


def _add(item_id: int, read: Sequence[SentenceReading], connection: sa.Connection) -> None:
    rows = {_key(each): each for each in read}
    if not rows:
        return
    connection.execute(readings.delete().where(readings.c.item_id == item_id, readings.c.key.in_(rows)))
    at = datetime.now(UTC)
    values = [
        {"item_id": item_id, "key": key, "at": at, "payload": each.model_dump_json()}
        for key, each in rows.items()
    ]
    connection.execute(readings.insert(), values)


def readings_of(connection: sa.Connection, item_id: int) -> tuple[SentenceReading, ...]:
    """Return the readings of an item's draft, the latest ones last."""
    query = sa.select(readings.c.payload).where(readings.c.item_id == item_id).order_by(readings.c.id)
    return tuple(SentenceReading.model_validate_json(payload) for payload in connection.scalars(query))


def _key(reading: SentenceReading) -> str:
    """Return what is equal for two readings of a sentence against one text of the source."""
    about = "\0".join((reading.field, reading.source, reading.text))
    return hashlib.sha256(about.encode("utf-8", "replace")).hexdigest()[:32]
