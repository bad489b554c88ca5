"""Drafts: articles with their stored texts, as editors list and read them, and their histories."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

import sqlalchemy as sa

from pipeline.domain.errors import ReviewError
from pipeline.domain.models import Item
from pipeline.storage import draft_query, duplicate_groups, redraft_requests
from pipeline.storage.draft_position import DraftPosition, next_draft, position
from pipeline.storage.draft_query import DraftQuery, QueueCounts, QueuePage
from pipeline.storage.engine import Row, Transactions
from pipeline.storage.feeds import feed_id
from pipeline.storage.findings import acknowledged
from pipeline.storage.item_rows import BY_HAND, EDIT, UNLISTED, findings_of, updated_source
from pipeline.storage.queue_details import QueueDetails, details_of
from pipeline.storage.readings import readings_of
from pipeline.storage.records import DraftRow
from pipeline.storage.schema import acknowledgements, feeds, items, publications, requests, verdicts, versions


class HistoryEvent(NamedTuple):
    """Something that happened to a draft."""

    at: datetime
    by: str | None
    what: str
    """draft, edit, …, approve, …, asked, acknowledged, withdrawn, published …"""
    detail: str | None = None


_Drafts = list[DraftRow]  # within the class, `list` is its method
_Ids = list[str]
_History = list[HistoryEvent]


class DraftRepository(Transactions):
    """Finds drafts."""

    def get(self, ref: str) -> DraftRow:
        """Return the draft for an external id (or its start), a path or a file name, with all its fields.

        Raises ReviewError where no draft or several match.
        """
        name = ref.strip().replace("\\", "/")
        of_drafts = _query().where(items.c.state.in_(("drafted", "approved", "rejected")))
        with self._reading() as connection:
            # A whole id needs no search among the ids and paths of all items.
            rows = connection.execute(of_drafts.where(items.c.external_id == name)).all()
            if not rows and name:
                rows = connection.execute(of_drafts.where(_is_called(name))).all()
            if len(rows) != 1:
                raise _ambiguous(ref, [str(row.path) for row in rows])
            draft = _row(connection, rows[0])
            details = {
                "siblings": tuple(duplicate_groups.siblings(connection, draft.item_id)),
                "written_by_model": _written_by_model(connection, draft.item_id),
                "origin": _origin(connection, draft.item_id),
                "readings": readings_of(connection, draft.item_id),
            }
        return draft.model_copy(update=details)

    def page(self, query: DraftQuery, *, limit: int = 50, offset: int = 0) -> QueuePage:
        """Return a page of the drafts that match, and the numbers of all drafts."""
        with self._reading() as connection:
            return draft_query.matching_page(connection, query, limit, offset)

    def ids(self, query: DraftQuery) -> _Ids:
        """Return the external ids of the drafts that match, in order."""
        with self._reading() as connection:
            return draft_query.matching_ids(connection, query)

    def position(self, query: DraftQuery, ref: str) -> DraftPosition:
        """Return where the draft with an external id is among those that match."""
        with self._reading() as connection:
            return position(connection, query, ref)

    def next(self, query: DraftQuery, ref: str) -> str | None:
        """Return the draft to show after one has left: the following one, or at the end the previous."""
        with self._reading() as connection:
            return next_draft(connection, query, ref)

    def details(self, item_ids: Sequence[int], editor: str) -> dict[int, QueueDetails]:
        """Return what rows of the queue say of their texts to an editor, by item id."""
        with self._reading() as connection:
            return details_of(connection, item_ids, editor)

    def counts(self) -> QueueCounts:
        """Return the numbers of drafts by state, and of those that wait for a review by feed."""
        with self._reading() as connection:
            return draft_query.counts(connection)

    def count_since(self, feed_key: str, since: datetime) -> int:
        """Return the number of items of a feed that got a draft since a time."""
        written = sa.select(versions.c.id).where(versions.c.item_id == items.c.id, versions.c.at >= since)
        with self._reading() as connection:
            mine = (items.c.feed_id == feed_id(connection, feed_key), written.exists())
            return connection.scalar(sa.select(sa.func.count()).where(*mine)) or 0

    def history(self, item_id: int) -> _History:
        """Return what happened to an item's draft, the last event first."""
        parts = (_versions, _verdicts, _requests, _acknowledgements, _publications)
        with self._reading() as connection:
            events = [event for part in parts for event in part(connection, item_id)]
        return sorted(events, key=lambda event: event.at, reverse=True)

    def list(self, states: Sequence[str] = ("drafted",)) -> _Drafts:
        """Return the drafts in these states, newest first, without `origin` and `written_by_model`."""
        with self._reading() as connection:
            rows = connection.execute(_query().where(items.c.state.in_(states))).all()
            return [_row(connection, row) for row in rows]


_every = versions.alias()
_LATEST = (
    sa.select(sa.func.max(_every.c.id))
    .where(_every.c.item_id == items.c.id, ~_every.c.aside)
    .correlate(items)
    .scalar_subquery()
)


def _query() -> sa.Select[tuple[object, ...]]:
    columns = (
        feeds.c.key, versions.c.id.label("version_id"), versions.c.text, versions.c.at, versions.c.number,
        versions.c.cause,
    )  # fmt: skip
    joined = items.join(feeds).join(
        versions, sa.and_(versions.c.item_id == items.c.id, versions.c.id == _LATEST)
    )
    return sa.select(items, *columns).select_from(joined).order_by(items.c.published_at.desc(), items.c.id)


def _is_called(name: str) -> sa.ColumnElement[bool]:
    match = [items.c.external_id.startswith(name, autoescape=True)]
    for ending in {name, name.rpartition("output/")[2]}:
        match += [items.c.path == ending, items.c.path.endswith(f"/{ending}", autoescape=True)]
    return sa.or_(*match)


def _origin(connection: sa.Connection, item_id: int) -> str:
    mine = sa.and_(versions.c.item_id == item_id, ~versions.c.aside, versions.c.cause.not_in(BY_HAND))
    last = sa.select(versions.c.text).where(mine).order_by(versions.c.id.desc()).limit(1)
    return connection.scalar(last) or ""


def _written_by_model(connection: sa.Connection, item_id: int) -> str:
    ours = sa.select(versions.c.text).where(
        versions.c.item_id == item_id, versions.c.cause.not_in((EDIT, *UNLISTED))
    )
    return "\n".join(connection.scalars(ours))


def _ambiguous(ref: str, paths: list[str]) -> ReviewError:
    if not paths:
        return ReviewError(f"no draft is called {ref!r}; `copydesk drafts list` shows them", draft=ref)
    some = ", ".join(paths[:3]) + (" …" if len(paths) > 3 else "")
    return ReviewError(f"{ref!r} means {len(paths)} drafts ({some}); give more of its name", draft=ref)


def _row(connection: sa.Connection, row: Row) -> DraftRow:
    return DraftRow(
        item_id=row.id,
        external_id=row.external_id,
        feed_key=row.key,
        title=row.title,
        path=row.path,
        state=row.state,
        published_at=row.published_at,
        drafted_at=row.at,
        findings=tuple(findings_of(connection, row.version_id)),
        item=Item.model_validate_json(row.payload),
        version=row.number,
        version_text=row.text,
        cause=row.cause,
        request=redraft_requests.pending(connection, row.id),
        acknowledged=tuple(acknowledged(connection, [row.id]).get(row.id, ())),
        updated=updated_source(row),
        was_updated=row.updates > 0 or row.updated_payload is not None,
    )


def _versions(connection: sa.Connection, item_id: int) -> Iterator[HistoryEvent]:
    columns = (versions.c.at, versions.c.by, versions.c.cause, versions.c.number, versions.c.aside)
    listed = (versions.c.item_id == item_id, versions.c.cause.not_in(UNLISTED))
    for row in connection.execute(sa.select(*columns).where(*listed).order_by(versions.c.id)):
        why = "it was not saved" if row.cause == EDIT else "another text stood"
        detail = f"version {row.number}" + (f", kept aside: {why}" if row.aside else "")
        yield HistoryEvent(row.at, row.by, row.cause, detail)


def _verdicts(connection: sa.Connection, item_id: int) -> Iterator[HistoryEvent]:
    columns = (verdicts.c.at, verdicts.c.by, verdicts.c.decision, verdicts.c.note)
    for row in connection.execute(sa.select(*columns).where(verdicts.c.item_id == item_id)):
        yield HistoryEvent(row.at, row.by, row.decision, row.note)


def _requests(connection: sa.Connection, item_id: int) -> Iterator[HistoryEvent]:
    for row in connection.execute(sa.select(requests).where(requests.c.item_id == item_id)):
        details = [text for text in (row.section, row.note) if text]
        yield HistoryEvent(row.at, row.by, "asked", ": ".join(details) or None)
        if row.done_at is not None:
            yield HistoryEvent(row.done_at, None, "answered", row.outcome)


def _acknowledgements(connection: sa.Connection, item_id: int) -> Iterator[HistoryEvent]:
    mine = sa.select(acknowledgements).where(acknowledgements.c.item_id == item_id)
    for row in connection.execute(mine):
        yield HistoryEvent(row.at, row.by, "acknowledged", f"{row.message} ({row.reason})")
        if row.withdrawn_at is not None:
            yield HistoryEvent(row.withdrawn_at, row.withdrawn_by, "withdrawn", row.message)


def _publications(connection: sa.Connection, item_id: int) -> Iterator[HistoryEvent]:
    mine = publications.c.item_id == item_id
    for row in connection.execute(sa.select(publications).where(mine, publications.c.done_at.is_not(None))):
        what = "published" if row.action == "publish" else "taken down"
        yield HistoryEvent(row.done_at, None, what, f"{row.target}: {row.place or ''}")
