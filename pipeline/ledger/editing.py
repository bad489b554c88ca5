"""The ledger's part for the editor: drafts, verdicts, requests, versions, and what is to be forgotten."""

import hashlib
from collections.abc import Sequence
from datetime import datetime

from pipeline.ledger import drafts, forgetting, requests, versions
from pipeline.ledger.base import Base
from pipeline.ledger.records import Asked, DraftRow, PendingVerdict, Version
from pipeline.models import Draft, Verdict


class Editing(Base):
    """What is done to a draft."""

    def drafts(self, states: Sequence[str] = ("drafted",)) -> list[DraftRow]:
        """Return the drafts in these states, newest first."""
        with self._reading() as connection:
            return drafts.listed(connection, states)

    def draft(self, ref: str) -> DraftRow:
        """Return the draft meant by an external id, its beginning, a path or a file name.

        Raises ReviewError where none or several answer.
        """
        with self._reading() as connection:
            return drafts.one(connection, ref)

    def intend_verdict(self, row: DraftRow, verdict: Verdict, new_path: str, text: str) -> PendingVerdict:
        """Record a verdict before the file moves. Raises ReviewError where another one came first."""
        after = hashlib.sha256(text.encode()).hexdigest()
        with self._writing() as connection:
            return drafts.intend_verdict(connection, row, verdict, new_path, text, after)

    def unfinished_verdicts(self) -> list[PendingVerdict]:
        """Return the verdicts that a killed command left to be carried out."""
        with self._reading() as connection:
            return drafts.unfinished(connection)

    def confirm_verdict(self, pending: PendingVerdict) -> None:
        """Record that the file has moved."""
        with self._writing() as connection:
            drafts.confirm_verdict(connection, pending)

    # Requests and versions

    def request_redraft(
        self, row: DraftRow, by: str, now: datetime, *, note: str | None = None, section: str | None = None
    ) -> None:
        """Ask for a draft, or one section of it, to be written anew.

        Raises ReviewError where it was decided on, or is asked for already.
        """
        with self._writing() as connection:
            requests.add(connection, row, by, now, note, section)

    def requested(self) -> dict[str, int]:
        """Return how many requests wait, by feed key."""
        with self._reading() as connection:
            return requests.by_feed(connection)

    def asked(self, feed_key: str, guid: str) -> Asked | None:
        """Return what is asked for of a feed's item, where something is."""
        with self._reading() as connection:
            return requests.of_item(connection, feed_key, guid)

    def versions(self, item_id: int) -> list[Version]:
        """Return every text that a draft has had, the first one first."""
        with self._reading() as connection:
            return versions.listed(connection, item_id)

    def keep_text(self, row: DraftRow, draft: Draft, *, number: int, cause: str, stands: bool) -> None:
        """Keep a text of a draft: one that `stands` on disk already, or one that is about to be written.

        Raises ReviewError where a run works on the draft, or it was decided on.
        """
        with self._writing() as connection:
            drafts.require_free(connection, row)
            versions.add(connection, row.item_id, draft, number=number, cause=cause, confirmed=stands)

    def confirm_text(self, row: DraftRow) -> None:
        """Record that it is written."""
        with self._writing() as connection:
            versions.confirm(connection, row.item_id)

    # Forgetting

    def begin_forgetting(self, canonical: str, now: datetime) -> list[str]:
        """Never take a URL again; returns the paths of the files about it, to be removed next.

        Raises ReviewError while a run works on it.
        """
        with self._alone() as connection:
            return forgetting.begin(connection, canonical, now)

    def forget(self, canonical: str) -> None:
        """Drop every text about a URL whose files are gone. Raises ReviewError while a run works on it."""
        with self._alone() as connection:
            forgetting.finish(connection, canonical)
