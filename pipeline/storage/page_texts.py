"""Texts that open pages of the desk started from or sent: what their next save is merged with.

They are rows of `versions` that no list shows: saves of an edit session that a later one replaced, texts
that a page showed and no version has, and texts as they were sent, where a merged text was saved.
"""

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import sqlalchemy as sa

from pipeline.domain.reviews import Draft
from pipeline.storage import item_rows
from pipeline.storage.engine import Row, Transactions
from pipeline.storage.item_rows import PAGE, SENT, UNLISTED, NewVersion
from pipeline.storage.records import DraftRow
from pipeline.storage.schema import versions

_KEPT_FOR = timedelta(days=1)
"""How long a page may stay open before its text is forgotten. Chosen, not measured."""
_MAX_ROWS, _MIN_ROWS, _MAX_CHARS = 300, 20, 2_000_000
"""Most texts kept of a draft, fewer of a long one: so many characters. Chosen: autosaves of five minutes."""


class PageText(NamedTuple):
    """A text that a page started from."""

    text: str
    at: datetime
    """When the text was stored that the page was last told of."""
    own: str = ""
    """SHA-256 of what the page itself saved since; empty: nothing."""


class PageTextRepository(Transactions):
    """Finds and stores the texts that pages of the desk started from."""

    def keep(self, draft_row: DraftRow, text: str) -> None:
        """Keep a text that a page shows and that is not stored yet: another program wrote it."""
        draft = Draft(external_id=draft_row.external_id, path=draft_row.path, text=text)
        with self._writing() as connection:
            if _latest(connection, draft_row.item_id, versions.c.sha256 == draft.sha256) is None:
                _add(connection, draft_row, draft, NewVersion(draft_row.version, PAGE, True, aside=True))

    def base(self, item_id: int, sha256: str, *, editor: str = "", form: str = "") -> PageText | None:
        """Return the text from which a page's text was written; None if it is not known.

        `sha256` names it. If a later save of the same page (`form`) was carried out, the page never got the
        response: its text was written from what it sent then.
        """
        with self._reading() as connection:
            newest = _latest(connection, item_id, versions.c.sha256 == sha256)
            saved = _last_saved(connection, item_id, editor, form) if form else None
            if saved is None or (newest is not None and newest.id >= saved.id):
                return None if newest is None else PageText(newest.text, newest.at)
            sent = _latest(
                connection, item_id, versions.c.cause == SENT, versions.c.base == saved.sha256,
                versions.c.form == form, versions.c.by == editor, versions.c.id < saved.id,
            )  # fmt: skip
            row = saved if sent is None else sent
            return PageText(row.text, (newest or row).at, saved.sha256)

    def drop(self, item_id: int) -> None:
        """Delete the texts that are kept for merging alone."""
        with self._writing() as connection:
            connection.execute(versions.delete().where(_unlisted(item_id)))


def add_sent(
    connection: sa.Connection, draft_row: DraftRow, text: str, editor: str, form: str, merged_sha256: str
) -> None:
    """Keep a text as it was sent, before the text that it was merged into is stored."""
    draft = Draft(external_id=draft_row.external_id, path=draft_row.path, text=text)
    version = NewVersion(
        draft_row.version, SENT, True, by=editor, aside=True, base=merged_sha256, form=form or None
    )
    _add(connection, draft_row, draft, version)


def unlist(connection: sa.Connection, item_id: int, version_id: int) -> None:
    """Take a save that a later one of its session replaced out of the lists: a page may start from it."""
    this = versions.c.id == version_id
    connection.execute(versions.update().where(this).values(cause=PAGE, aside=True))
    length = connection.scalar(sa.select(sa.func.length(versions.c.text)).where(this)) or 1
    _prune(connection, item_id, length)


def _add(connection: sa.Connection, draft_row: DraftRow, draft: Draft, version: NewVersion) -> None:
    item_rows.add(connection, draft_row.item_id, draft, version)
    _prune(connection, draft_row.item_id, len(draft.text))


def _prune(connection: sa.Connection, item_id: int, length: int) -> None:
    rows = min(_MAX_ROWS, max(_MIN_ROWS, _MAX_CHARS // max(length, 1)))
    newest = sa.select(versions.c.id).where(_unlisted(item_id)).order_by(versions.c.id.desc()).limit(rows)
    past = sa.or_(versions.c.at < datetime.now(UTC) - _KEPT_FOR, versions.c.id.not_in(newest))
    connection.execute(versions.delete().where(_unlisted(item_id), past))


def _unlisted(item_id: int) -> sa.ColumnElement[bool]:
    return sa.and_(versions.c.item_id == item_id, versions.c.cause.in_(UNLISTED))


def _last_saved(connection: sa.Connection, item_id: int, editor: str, form: str) -> Row | None:
    """Return the last text that a page saved, unless another program's text was there."""
    was_saved = sa.or_(~versions.c.aside, versions.c.cause == PAGE)
    return _latest(connection, item_id, versions.c.by == editor, versions.c.form == form, was_saved)


def _latest(connection: sa.Connection, item_id: int, *conditions: sa.ColumnElement[bool]) -> Row | None:
    query = sa.select(versions).where(versions.c.item_id == item_id, *conditions)
    return connection.execute(query.order_by(versions.c.id.desc()).limit(1)).first()
