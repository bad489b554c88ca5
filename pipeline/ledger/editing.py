"""The ledger's part for the editor: drafts, verdicts, requests, versions, and what is to be forgotten."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from pipeline.ledger import (
    answering,
    drafts,
    filing,
    forgetting,
    history,
    queue,
    requests,
    saves,
    verdicts,
    versions,
    views,
)
from pipeline.ledger.base import Base
from pipeline.ledger.filing import Filed
from pipeline.ledger.overview import QueueCounts, QueuePage, Wanted
from pipeline.ledger.records import (
    Asked,
    DraftRow,
    Event,
    Given,
    Move,
    PendingText,
    PendingVerdict,
    Version,
)
from pipeline.models import Draft, Finding, Verdict


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

    def queue(self, wanted: Wanted, *, limit: int = 50, offset: int = 0) -> QueuePage:
        """Return a page of the drafts that are wanted, and how many there are of everything."""
        with self._reading() as connection:
            return queue.page(connection, wanted, limit, offset)

    def queue_names(self, wanted: Wanted) -> list[str]:
        """Return the external ids of the drafts that are wanted, in order."""
        with self._reading() as connection:
            return queue.names(connection, wanted)

    def queue_counts(self) -> QueueCounts:
        """Return how many drafts there are by state, and by feed those that wait for an editor."""
        with self._reading() as connection:
            return queue.counts(connection)

    def history(self, item_id: int) -> list[Event]:
        """Return what happened to a draft, the last of it first."""
        with self._reading() as connection:
            return history.of_item(connection, item_id)

    # Verdicts

    def intend_verdict(
        self, row: DraftRow, verdict: Verdict, move: Move, targets: Sequence[str] = ()
    ) -> PendingVerdict:
        """Record a verdict before the file moves, and what publication targets are to do.

        Raises ReviewError where another one came first.
        """
        with self._writing() as connection:
            return verdicts.intend(connection, row, verdict, move, targets)

    def unfinished_verdicts(self) -> list[PendingVerdict]:
        """Return the verdicts that a killed command left to be carried out."""
        with self._reading() as connection:
            return verdicts.unfinished(connection)

    def confirm_verdict(self, pending: PendingVerdict) -> None:
        """Record that the file has moved."""
        with self._writing() as connection:
            verdicts.confirm(connection, pending)

    def verdicts(self, item_id: int) -> list[Given]:
        """Return the verdicts on an item that were carried out, the first one first."""
        with self._reading() as connection:
            return verdicts.of_item(connection, item_id)

    def latest_verdicts(self, limit: int = 20) -> list[Given]:
        """Return the last verdicts that were carried out, the last one first."""
        with self._reading() as connection:
            return verdicts.latest(connection, limit)

    def titles(self, ids: Sequence[int]) -> dict[int, tuple[str, str]]:
        """Return external ids and titles, by the numbers of their items."""
        with self._reading() as connection:
            return queue.titles(connection, ids)

    def external_id(self, item_id: int) -> str:
        """Return the external id of an item."""
        return self.titles([item_id])[item_id][0]

    def acknowledge(self, row: DraftRow, finding: Finding, reason: str, by: str, now: datetime) -> None:
        """Answer for a finding of a draft. Raises ReviewError where the draft was decided on."""
        with self._writing() as connection:
            drafts.require_free(connection, row, leased=True)
            answering.add(connection, row, finding, reason, by, now)

    def withdraw(self, row: DraftRow, key: str, by: str, now: datetime) -> None:
        """Answer for a finding no more. Raises ReviewError where the draft was decided on."""
        with self._writing() as connection:
            drafts.require_free(connection, row, leased=True)
            answering.withdraw(connection, row.item_id, key, by, now)

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

    def intend_save(
        self,
        row: DraftRow,
        draft: Draft,
        by: str,
        *,
        base: str | None,
        sitting: timedelta | None = None,
        cause: str = "edit",
        number: int | None = None,
        title: str | None = None,
        form: str = "",
    ) -> PendingText:
        """Record what an editor wrote, or restored, before the file is.

        `base` is the hash of what it is to replace, `number` its `ai.version` and `title` what the queue
        calls it (None: as it was). What the same editor saved last, within a `sitting`, is replaced in the
        list of versions as well, and so is what was kept aside of the same page `form`. Raises ReviewError
        where the draft was decided on meanwhile.
        """
        with self._writing() as connection:
            drafts.require_free(connection, row, leased=cause == "edit")
            if title is not None and title != row.title:
                saves.rename(connection, row.item_id, title)
            if form:
                saves.drop_refused(connection, row.item_id, by, form)
            return saves.intend(connection, row, draft, by, base, sitting, cause=cause, number=number)

    def intend_revision(self, row: DraftRow, draft: Draft, by: str) -> PendingText:
        """Record that a published article gets a new draft before its file is written.

        Raises ReviewError where something else came first.
        """
        with self._writing() as connection:
            return saves.intend_revision(connection, row, draft, by)

    def unfinished_texts(self) -> list[PendingText]:
        """Return what editors wrote and a killed process may not have written to disk."""
        with self._reading() as connection:
            return saves.unfinished(connection)

    def confirm_save(self, pending: PendingText, *, aside: bool = False) -> None:
        """Record that it stands, or that it is kept aside because something else does."""
        with self._writing() as connection:
            saves.confirm(connection, pending, aside=aside)

    def keep_refused(self, row: DraftRow, draft: Draft, by: str, *, base: str, form: str) -> None:
        """Keep what an editor wrote and could not be saved, as a version aside.

        `base` is the hash of the text that the editor saw, `form` names the page that it was written in. It
        replaces what was kept of that page before; without a name, what the editor wrote over that base.
        Raises ReviewError where the item was forgotten meanwhile.
        """
        with self._writing() as connection:
            saves.keep_refused(connection, row, draft, by, base, form)

    # Views

    def note_view(self, item_id: int, by: str, sha256: str, now: datetime) -> None:
        """Record that an editor was shown a text of a draft; only the first time is kept."""
        if not self.viewed(item_id, by, sha256):  # reading waits for nobody
            with self._writing() as connection:
                views.add(connection, item_id, by, sha256, now)

    def viewed(self, item_id: int, by: str, sha256: str) -> bool:
        """Tell whether an editor was shown the text of this hash."""
        with self._reading() as connection:
            return views.known(connection, item_id, by, sha256)

    # Files

    def filed(self) -> dict[str, int]:
        """Return the paths of the files that stand, or that a run is about to write, with their items."""
        with self._reading() as connection:
            return filing.paths(connection)

    def filed_text(self, item_id: int, path: str) -> Filed | None:
        """Return what stands at a path of an item; None: nothing yet, a run is about to write it."""
        with self._reading() as connection:
            return filing.text_at(connection, item_id, path)

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
