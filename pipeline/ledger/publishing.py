"""The ledger's part for publishing: what is to be done at each target, and what came of it."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from pipeline.ledger import publications
from pipeline.ledger.base import Base
from pipeline.ledger.publications import Backlog, Publication


class Publishing(Base):
    """What becomes of approved articles."""

    def publications(self) -> list[Publication]:
        """Return what is to be done, the oldest first."""
        with self._reading() as connection:
            return publications.waiting(connection)

    def publications_of(self, item_id: int) -> list[Publication]:
        """Return all that was to be done about an item, the first one first."""
        with self._reading() as connection:
            return publications.of_item(connection, item_id)

    def standing(self, target: str) -> list[Publication]:
        """Return what was done last about each item at a target, the newest article first."""
        with self._reading() as connection:
            return publications.standing(connection, target)

    def approved_texts(self, wanted: Sequence[tuple[int, str]]) -> dict[tuple[int, str], str]:
        """Return the texts that were approved, by item and hash; what was forgotten since is missing."""
        with self._reading() as connection:
            return publications.approved_texts(connection, wanted)

    def approved_hashes(self, ids: Iterable[int]) -> dict[int, frozenset[str]]:
        """Return the hashes of all that was ever approved of items."""
        with self._reading() as connection:
            return publications.approved_hashes(connection, ids)

    def sent_hashes(self, ids: Iterable[int]) -> dict[int, frozenset[str]]:
        """Return the hashes of what was sent of items in other bytes than the approved ones."""
        with self._reading() as connection:
            return publications.sent_hashes(connection, ids)

    def sending(self, hashes: Mapping[int, str | None]) -> None:
        """Record, by publication, the hash of what is about to be written; none: the approved bytes."""
        if hashes:
            with self._writing() as connection:
                publications.sending(connection, hashes)

    def published(self, ids: Iterable[int], place: str, now: datetime) -> None:
        """Record that publications were carried out."""
        with self._writing() as connection:
            publications.done(connection, ids, place, now)

    def not_published(self, number: int, error: str, now: datetime) -> None:
        """Record that a publication failed: it is tried again after a pause."""
        with self._writing() as connection:
            publications.failed(connection, number, error, now)

    def backlog(self) -> list[Backlog]:
        """Return what is still to be done, by target."""
        with self._reading() as connection:
            return publications.backlog(connection)

    def publish_again(self, item_id: int, targets: Sequence[str], now: datetime) -> int:
        """Queue an item's approved text at targets; returns how many publications were added."""
        with self._alone() as connection:
            return publications.publish_again(connection, item_id, targets, now)

    def publish_all(self, targets: Sequence[str], now: datetime) -> int:
        """Queue what targets lack of the approved articles, and what they have too much.

        Returns how many publications were added.
        """
        with self._alone() as connection:
            return publications.publish_all(connection, targets, now)
