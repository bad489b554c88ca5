"""What queries about open findings share: drafts with their index, and findings that nobody dismissed."""

import sqlalchemy as sa

from pipeline.storage.schema import acknowledgements, draft_index, findings, items

COUNTED = ("block", "warn")
"""Severities that an editor has to decide on."""


def indexed_drafts(connection: sa.Connection) -> tuple[sa.FromClause, sa.FromClause]:
    """Return items with their rows of the index of drafts, and these rows, to select few of them from.

    PostgreSQL would read the whole index, as it estimates single rows too high; OFFSET keeps it from joining
    in another order, so that it reads their rows alone.
    """
    if connection.dialect.name == "sqlite":
        return items.join(draft_index), draft_index
    mine = sa.select(draft_index).where(draft_index.c.item_id == items.c.id)
    row = mine.offset(0).lateral("indexed_row")
    return items.join(row, sa.true()), row


def join_findings(joined: sa.FromClause, draft: sa.FromClause) -> sa.FromClause:
    """Join findings to drafts, whose rows of the index are `draft`, and its dismissal to each finding."""
    counted = sa.and_(findings.c.version_id == draft.c.version_id, findings.c.severity.in_(COUNTED))
    dismissal = sa.and_(_is_dismissal(findings), acknowledgements.c.item_id == draft.c.item_id)
    return joined.join(findings, counted).outerjoin(acknowledgements, dismissal)


def count_open(connection: sa.Connection) -> tuple[int, int]:
    """Return how many findings of waiting drafts block and how many warn; dismissed ones do not count."""
    return count_open_of(connection, *indexed_drafts(connection), items.c.state == "drafted")


def count_open_of(
    connection: sa.Connection,
    joined: sa.FromClause,
    draft: sa.FromClause,
    *conditions: sa.ColumnElement[bool],
) -> tuple[int, int]:
    """Return the same numbers of the drafts for which the conditions hold; as for `join_findings`."""
    numbers = (sa.func.count(sa.case((findings.c.severity == each, 1))) for each in COUNTED)
    query = sa.select(*numbers).select_from(join_findings(joined, draft))
    blocks, warns = connection.execute(query.where(*conditions, acknowledgements.c.id.is_(None))).one()
    return blocks, warns


def has_open_finding(connection: sa.Connection, kind: str) -> sa.ColumnElement[bool]:
    """Return the condition that a draft of the index has a finding of a kind that nobody dismissed."""
    own = findings.alias("own_findings")
    dismissed = sa.exists().where(acknowledgements.c.item_id == draft_index.c.item_id, _is_dismissal(own))
    return sa.exists().where(
        own.c.version_id == draft_index.c.version_id,
        own.c.severity.in_(COUNTED),
        kind_of(connection, own) == kind,
        ~dismissed.correlate(own, draft_index),
    )


def _is_dismissal(of: sa.FromClause) -> sa.ColumnElement[bool]:
    return sa.and_(acknowledgements.c.key == of.c.key, acknowledgements.c.withdrawn_at.is_(None))


def kind_of(connection: sa.Connection, of: sa.FromClause) -> sa.ColumnElement[str]:
    """Return the kind of findings, which their JSON has."""
    if connection.dialect.name == "sqlite":
        return sa.func.coalesce(sa.func.json_extract(of.c.payload, "$.kind"), "")
    return sa.func.coalesce(sa.cast(of.c.payload, sa.JSON)["kind"].as_string(), "")
