"""Where a draft stands in the queue; in most orders without a list of all drafts that wait."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa

from pipeline.storage.draft_query import DraftQuery, is_joint, listed_drafts, matching_ids, sort_keys
from pipeline.storage.schema import items


class DraftPosition(NamedTuple):
    """Where a draft is among those that match a query."""

    previous: str | None
    following: str | None
    """The first one, where the draft does not match."""
    number: int
    """From 1; 0: it does not match."""
    total: int


def position(connection: sa.Connection, query: DraftQuery, ref: str) -> DraftPosition:
    """Return the position of the draft with the external id `ref`."""
    if is_joint(query):  # several statements would each read all findings or words
        return _position_in(matching_ids(connection, query), ref)
    around = _Around(connection, query, ref)
    number, total = around.count()
    return DraftPosition(around.previous(), around.following(), number, total)


def next_draft(connection: sa.Connection, query: DraftQuery, ref: str) -> str | None:
    """Return the draft to show after `ref` has left: the following one, or at the end the previous."""
    if is_joint(query):
        place = _position_in(matching_ids(connection, query), ref)
        return place.following or place.previous
    around = _Around(connection, query, ref)
    return around.following() or around.previous()


class _Around:
    """Asks for what stands around a draft; each method reads the index of the drafts that match once."""

    def __init__(self, connection: sa.Connection, query: DraftQuery, ref: str) -> None:
        self._connection = connection
        self._listed = listed_drafts(connection, query, counted=False)
        self._keys = sort_keys(query, self._listed)
        own = sa.select(*(key.column for key in self._keys)).where(self._listed.c.external_id == ref)
        self._own = connection.execute(own).first()
        """The draft's values of the sort keys; None: it does not match."""

    def previous(self) -> str | None:
        """Return the draft before it."""
        return self._nearest(ahead=True) if self._own else None

    def following(self) -> str | None:
        """Return the draft after it; the first one, where it does not match."""
        return self._nearest(ahead=False)

    def count(self) -> tuple[int, int]:
        """Return its number, from 1 (0: it does not match), and the number of all."""
        before: sa.ColumnElement[int] = sa.literal(0)
        if self._own:
            before = 1 + sa.func.coalesce(sa.func.sum(sa.case((self._is(ahead=True), 1), else_=0)), 0)
        counts = sa.select(before, sa.func.count()).select_from(self._listed)
        number, total = self._connection.execute(counts).one()
        return number, total

    def _nearest(self, *, ahead: bool) -> str | None:
        order = (key.reversed if ahead else key.ordered for key in self._keys)
        nearest = sa.select(self._listed.c.id).order_by(*order).limit(1)  # an index has the ids
        if self._own:
            nearest = nearest.where(self._is(ahead=ahead))
        query = sa.select(items.c.external_id).where(items.c.id == nearest.scalar_subquery())
        return self._connection.scalar(query)

    def _is(self, *, ahead: bool) -> sa.ColumnElement[bool]:
        columns = [(key.column, key.descending == ahead) for key in self._keys]
        return sa.or_(*_ahead(columns, self._own or ()))


def _ahead(
    columns: Sequence[tuple[sa.ColumnElement[Any], bool]], values: Sequence[Any]
) -> Iterator[sa.ColumnElement[bool]]:
    """Yield conditions of which one holds for each row ahead of `values` in lexicographic order."""
    for at, ((column, descending), value) in enumerate(zip(columns, values, strict=True)):
        equal = [other == own for (other, _), own in zip(columns[:at], values, strict=False)]
        own_value = sa.literal(value, column.type)  # SQLAlchemy compares no plain boolean by order
        yield sa.and_(*equal, column > own_value if descending else column < own_value)


def _position_in(refs: Sequence[str], ref: str) -> DraftPosition:
    if ref not in refs:
        return DraftPosition(None, refs[0] if refs else None, 0, len(refs))
    at = refs.index(ref)
    following = refs[at + 1] if at + 1 < len(refs) else None
    return DraftPosition(refs[at - 1] if at else None, following, at + 1, len(refs))
