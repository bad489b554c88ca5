"""Versions: every text of a draft, and the saves of editors.

A save is recorded before its file is written, so that a crash loses neither the old nor the new text.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import sqlalchemy as sa

from pipeline.domain.errors import ReviewError
from pipeline.domain.reviews import Draft
from pipeline.storage import item_rows, leases, page_texts
from pipeline.storage.draft_index import REVISE, reindex
from pipeline.storage.engine import Row, Transactions
from pipeline.storage.item_rows import EDIT, EDITORS_CAUSES, UNLISTED, NewVersion, require_editable
from pipeline.storage.records import DraftRow, Lease, Version
from pipeline.storage.schema import OPEN, feeds, findings, items, verdicts, versions, views

_Versions = list[Version]  # within the class, `list` is its method


class Save(NamedTuple):
    """How an editor's text is saved."""

    base: str | None
    """SHA-256 of the text that it replaces; None: there is none."""
    session: timedelta | None = None
    """The same editor's last save within this time is replaced in the list of versions."""
    cause: str = EDIT
    """edit or restore."""
    number: int | None = None
    """`ai.version`; None: as it was."""
    title: str | None = None
    """The item's title in the queue; None: as it was."""
    form: str = ""
    """The desk's form that it was sent from: what was refused from there before is deleted."""
    sent: str | None = None
    """The text as it was sent, where it was merged with another; None: it was not."""


class PendingSave(NamedTuple):
    """An editor's text whose file is not known to be written."""

    version_id: int
    item_id: int
    path: str
    sha256: str
    text: str
    base: str | None
    """SHA-256 of the text that it replaces; None: there is none."""
    earlier: int | None
    """Id of the version that it replaces in the list."""


class ViewedVersion(NamedTuple):
    """The last text of a draft that an editor saw or wrote before the current one."""

    sha256: str
    text: str
    redrafted_since: bool
    """A model has rewritten the draft after it."""


_Saves = list[PendingSave]


class VersionRepository(Transactions):
    """Stores the texts of drafts."""

    def add(self, lease: Lease, draft: Draft, *, number: int, cause: str) -> None:
        """Store a text that needs no file: it never had one, or its file is about to be replaced.

        Raises LeaseLost.
        """
        with self._writing() as connection:
            leases.update_held(connection, lease, path=draft.path)
            version = NewVersion(number=number, cause=cause, confirmed=True)
            item_rows.add(connection, lease.item_id, draft, version)

    def add_superseded(self, lease: Lease, draft: Draft, number: int, reason: str) -> None:
        """End a lease with a text that is not written to disk, as an editor changed the draft meanwhile.

        Raises LeaseLost.
        """
        with self._writing() as connection:
            leases.update_held(connection, lease)
            version = NewVersion(number=number, cause="redraft", confirmed=True, aside=True)
            item_rows.add(connection, lease.item_id, draft, version)
            leases.end_with_current(connection, lease, reason)

    def was_edited(self, lease: Lease) -> bool:
        """Return whether a leased item's draft has another text than when it was leased."""
        with self._reading() as connection:
            current = item_rows.previous(item_rows.texts(connection, [lease.item_id])[lease.item_id])
        return (current and current.sha256) != (lease.previous and lease.previous.sha256)

    def unwritten(self) -> dict[int, str]:
        """Return the feed keys of items with a text that waits to be written and that no run holds, by id."""
        query = sa.select(items.c.id, feeds.c.key).select_from(items.join(feeds))
        with self._reading() as connection:
            pending = (
                items.c.state.in_(OPEN),
                items.c.id.in_(item_rows.unwritten),
                leases.free(connection),
            )
            return {row[0]: row[1] for row in connection.execute(query.where(*pending))}

    def begin_save(self, draft_row: DraftRow, draft: Draft, editor: str, save: Save) -> PendingSave:
        """Record an editor's text, or a restored one, before its file is written.

        Raises ReviewError where the draft was reviewed meanwhile.
        """
        with self._writing() as connection:
            require_editable(connection, draft_row, leased=save.cause == EDIT)
            if save.title is not None and save.title != draft_row.title:
                this = items.update().where(items.c.id == draft_row.item_id)
                connection.execute(this.values(title=save.title))
            if save.form:
                connection.execute(_refused(draft_row.item_id, editor, save.form))
            if save.sent is not None:
                page_texts.add_sent(connection, draft_row, save.sent, editor, save.form, draft.sha256)
            return _begin_save(connection, draft_row, draft, editor, save)

    def begin_revision(self, draft_row: DraftRow, draft: Draft, editor: str) -> PendingSave:
        """Record that a published article gets a new draft, before its file is written.

        Raises ReviewError where it was reviewed meanwhile.
        """
        this = items.c.id == draft_row.item_id
        with self._writing() as connection:
            state = connection.scalar(sa.select(items.c.state).where(this).with_for_update())
            pending = sa.select(verdicts.c.id).where(
                verdicts.c.item_id == draft_row.item_id, ~verdicts.c.confirmed
            )
            if state != "approved" or connection.execute(pending).first():
                message = f"{draft_row.path} was decided on meanwhile; nothing was changed"
                raise ReviewError(message, draft=draft_row.path)
            connection.execute(items.update().where(this).values(state="drafted", path=draft.path))
            return _begin_save(connection, draft_row, draft, editor, Save(base=None, cause=REVISE))

    def unfinished(self) -> _Saves:
        """Return the saves whose files are not known to be written."""
        pending = (~versions.c.confirmed, versions.c.cause.in_(EDITORS_CAUSES))
        query = sa.select(versions).where(*pending).order_by(versions.c.id)
        with self._reading() as connection:
            return [
                PendingSave(row.id, row.item_id, row.path, row.sha256, row.text, row.base, None)
                for row in connection.execute(query)
            ]

    def confirm_save(self, pending: PendingSave, *, aside: bool = False) -> None:
        """Record that a text's file is written, or (`aside`) that another text is there and stays."""
        with self._writing() as connection:
            this = versions.update().where(versions.c.id == pending.version_id)
            connection.execute(this.values(confirmed=True, aside=aside))
            if pending.earlier is not None and not aside:
                connection.execute(findings.delete().where(findings.c.version_id == pending.earlier))
                page_texts.unlist(connection, pending.item_id, pending.earlier)
            if aside:
                reindex(connection, pending.item_id)

    def add_refused(self, draft_row: DraftRow, draft: Draft, editor: str, *, base: str, form: str) -> None:
        """Store an editor's text that could not be saved, as a superseded version.

        `base` is the SHA-256 of the text that the editor saw; `form` is the form that it was sent from. It
        replaces what was refused from that form before; without a form, the editor's refused texts over that
        base. Raises ReviewError where the item was erased meanwhile.
        """
        item_id = draft_row.item_id
        with self._writing() as connection:
            state = connection.scalar(sa.select(items.c.state).where(items.c.id == item_id).with_for_update())
            if state == "forgotten":
                message = f"{draft_row.path} was forgotten meanwhile; nothing was kept"
                raise ReviewError(message, draft=draft_row.path)
            earlier = _refused(item_id, editor, form)
            connection.execute(earlier if form else earlier.where(versions.c.base == base))
            version = NewVersion(
                number=draft_row.version,
                cause=EDIT,
                confirmed=True,
                by=editor,
                aside=True,
                base=base,
                form=form,
            )
            item_rows.add(connection, item_id, draft, version)

    def last_viewed(self, item_id: int, editor: str, current: str) -> ViewedVersion | None:
        """Return the last version that an editor saw or wrote, other than the one with the hash `current`.

        None where there is none, or where the current text is the editor's own.
        """
        texts = (versions.c.item_id == item_id, ~versions.c.aside)
        view = (views.c.item_id == item_id, views.c.by == editor, views.c.sha256 == versions.c.sha256)
        own = versions.c.by == editor
        earlier = sa.select(versions.c.id, versions.c.sha256, versions.c.text).where(
            *texts, versions.c.sha256 != current, sa.or_(own, sa.exists().where(*view))
        )
        with self._reading() as connection:
            written = sa.select(versions.c.id).where(*texts, own, versions.c.sha256 == current)
            row = connection.execute(earlier.order_by(versions.c.id.desc()).limit(1)).first()
            if row is None or connection.execute(written.limit(1)).first():
                return None
            redraft = sa.exists().where(*texts, versions.c.id > row.id, versions.c.cause == "redraft")
            return ViewedVersion(row.sha256, row.text, bool(connection.scalar(sa.select(redraft))))

    def list(self, item_id: int) -> _Versions:
        """Return every text of a draft, the first one first; without what is kept for merging alone."""
        listed = (versions.c.item_id == item_id, versions.c.cause.not_in(UNLISTED))
        query = sa.select(versions).where(*listed).order_by(versions.c.id)
        with self._reading() as connection:
            rows = connection.execute(query).all()
        return [_version(row, rows[:index]) for index, row in enumerate(rows)]


def _version(row: Row, before: Sequence[Row]) -> Version:
    """Return a version with its label: its number, and its cause where an earlier one has that number."""
    same = [other for other in before if other.number == row.number]
    label = f"{row.number}.{row.cause}" if same else str(row.number)
    again = sum(other.cause == row.cause for other in same)
    return Version(
        label=f"{label}{again + 1}" if again else label,
        number=row.number,
        cause=row.cause,
        at=row.at,
        sha256=row.sha256,
        text=row.text,
        by=row.by,
        aside=row.aside,
    )


def _begin_save(
    connection: sa.Connection, draft_row: DraftRow, draft: Draft, editor: str, save: Save
) -> PendingSave:
    earlier = (
        _last_of_session(connection, draft_row, editor, save.base, save.session) if save.session else None
    )
    number = save.number or draft_row.version
    version = NewVersion(
        number=number, cause=save.cause, confirmed=False, by=editor, base=save.base, form=save.form or None
    )
    version_id = item_rows.add(connection, draft_row.item_id, draft, version)
    return PendingSave(
        version_id, draft_row.item_id, draft.path, draft.sha256, draft.text, save.base, earlier
    )


def _last_of_session(
    connection: sa.Connection, draft_row: DraftRow, editor: str, base: str | None, session: timedelta
) -> int | None:
    """Return the id of the last version where the same editor saved it within the session."""
    query = sa.select(versions).where(versions.c.item_id == draft_row.item_id, ~versions.c.aside)
    last = connection.execute(query.order_by(versions.c.id.desc()).limit(1)).first()
    same = last is not None and (last.cause, last.by, last.sha256) == (EDIT, editor, base)
    return last.id if last is not None and same and last.at > datetime.now(UTC) - session else None


def _refused(item_id: int, editor: str, form: str) -> sa.Delete:
    refused = (versions.c.item_id == item_id, versions.c.aside, versions.c.cause == EDIT)
    return versions.delete().where(*refused, versions.c.by == editor, versions.c.form == form)
