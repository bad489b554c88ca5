"""Shown sections: which sentences of a draft were on an editor's screen, as hashes."""

from collections.abc import Iterable
from datetime import datetime

import sqlalchemy as sa

from pipeline.storage.engine import Transactions
from pipeline.storage.schema import items, shown


class ShownRepository(Transactions):
    """Stores which sections of drafts were shown to which editors."""

    def record(
        self, item_id: int, by: str, heading: str, sentences: Iterable[str], at: datetime | None
    ) -> None:
        """Record that a section was shown, by the hashes of its sentences; nothing where all of them were.

        `at` is None where times of reviews are not stored. Of an erased item nothing is stored.
        """
        hashes = list(sentences)
        if self.hashes(item_id, by).issuperset(hashes):  # a read does not wait for writers
            return
        with self._writing() as connection:
            this = sa.select(items.c.state).where(items.c.id == item_id).with_for_update()
            is_known = _times(connection, item_id, by).keys() >= set(hashes)
            if connection.scalar(this) in (None, "forgotten") or is_known:
                return
            row = {"section": heading, "sentences": " ".join(hashes), "at": at}
            connection.execute(shown.insert().values(item_id=item_id, by=by, **row))

    def hashes(self, item_id: int, by: str) -> frozenset[str]:
        """Return the hashes of all sentences of a draft that were shown to an editor, also of former ones."""
        return frozenset(self.times(item_id, by))

    def times(self, item_id: int, by: str) -> dict[str, datetime | None]:
        """Return when each sentence was first shown to an editor; None where that is not stored."""
        with self._reading() as connection:
            return _times(connection, item_id, by)


def _times(connection: sa.Connection, item_id: int, by: str) -> dict[str, datetime | None]:
    mine = sa.select(shown).where(shown.c.item_id == item_id, shown.c.by == by).order_by(shown.c.id)
    times: dict[str, datetime | None] = {}
    for row in connection.execute(mine):
        for sentence in row.sentences.split():
            times.setdefault(sentence, row.at)
    return times
