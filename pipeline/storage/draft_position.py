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

    @property
    def next(self) -> str | None:
        """The draft to show after this one has left: the following one, or at the end the previous."""
        return self.following or self.previous


def position(connection: sa.Connection, query: DraftQuery, ref: str) -> DraftPosition:
    """Return the position of the draft with the external id `ref`."""
    if is_joint(query):  # several statements would each read all findings or words
        return _position_in(matching_ids(connection, query), ref)
    listed = listed_drafts(connection, query, counted=False)
    keys = sort_keys(query, listed)
    columns = (key.column for key in keys)
    own = connection.execute(sa.select(*columns).where(listed.c.external_id == ref)).first()
    ids = sa.select(listed.c.id).limit(1)  # an index has them: the rows of all drafts are not read
    first = ids.order_by(*(key.ordered for key in keys))
    last = ids.order_by(*(key.reversed for key in keys))
    if own is None:
        total = connection.scalar(sa.select(sa.func.count()).select_from(listed)) or 0
        return DraftPosition(None, _external_id(connection, first), 0, total)
    before = sa.or_(*_ahead([(key.column, key.descending) for key in keys], own))
    after = sa.or_(*_ahead([(key.column, not key.descending) for key in keys], own))
    number = 1 + sa.func.coalesce(sa.func.sum(sa.case((before, 1), else_=0)), 0)
    at, total = connection.execute(sa.select(number, sa.func.count()).select_from(listed)).one()
    previous, following = last.where(before), first.where(after)
    return DraftPosition(_external_id(connection, previous), _external_id(connection, following), at, total)


def _external_id(connection: sa.Connection, item_id: sa.Select[tuple[int]]) -> str | None:
    return connection.scalar(sa.select(items.c.external_id).where(items.c.id == item_id.scalar_subquery()))


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
