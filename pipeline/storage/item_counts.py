"""Numbers of items by feed and state, which triggers of the table `items` keep in each transaction.

Counting the items reads an index entry for each of them. SQLite has one row a feed and state. PostgreSQL has
a row for each change, since two transactions that change one row would wait for each other; `fold` adds them
up.
"""

from collections import defaultdict

import sqlalchemy as sa

from pipeline.storage.schema import feeds, metadata

item_counts = sa.Table(
    "item_counts",
    metadata,
    sa.Column("feed_id", sa.Integer, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("number", sa.BigInteger, nullable=False),
    info={"filled_by": "INSERT INTO item_counts SELECT feed_id, state, count(*) FROM items GROUP BY 1, 2"},
)
_MAX_ROWS = 1_000
"""Rows from which PostgreSQL's changes are added up; a sum over so many takes a millisecond."""
_FOLD = sa.text(
    "WITH folded AS (DELETE FROM item_counts RETURNING feed_id, state, number) "
    "INSERT INTO item_counts SELECT feed_id, state, sum(number) FROM folded "
    "GROUP BY feed_id, state HAVING sum(number) <> 0"
)


def counts_by_feed(connection: sa.Connection) -> dict[str, dict[str, int]]:
    """Return the number of items by feed key and state; states without any are left out."""
    number = sa.func.sum(item_counts.c.number)
    query = (
        sa.select(feeds.c.key, item_counts.c.state, number)
        .select_from(feeds.join(item_counts, item_counts.c.feed_id == feeds.c.id))
        .group_by(feeds.c.key, item_counts.c.state)
        .having(number != 0)
    )
    result: dict[str, dict[str, int]] = defaultdict(dict)
    for key, state, count in connection.execute(query):
        result[key][state] = int(count)
    return dict(result)


def fold(connection: sa.Connection) -> None:
    """Add up PostgreSQL's changes if there are many; the caller holds the exclusive lock."""
    if connection.dialect.name == "postgresql":
        rows = connection.scalar(sa.select(sa.func.count()).select_from(item_counts))
        if rows and rows > _MAX_ROWS:
            connection.execute(_FOLD)
