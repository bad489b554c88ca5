"""What polls teach, which items tell one story, fetched pages, and what is never to be taken again."""

from datetime import UTC

import sqlalchemy as sa
from alembic import op

from pipeline.domain.models import PollState

revision = "0002"
down_revision = "0001"

_OLD = ("etag", "last_modified", "last_polled_at", "failures", "last_error")


def upgrade() -> None:
    op.add_column("feeds", sa.Column("poll", sa.Text(), nullable=False, server_default="{}"))
    _carry_over()
    for name in _OLD:
        op.drop_column("feeds", name)
    op.add_column("items", sa.Column("story_id", sa.Integer(), nullable=True))
    op.add_column("items", sa.Column("updates", sa.Integer(), nullable=False, server_default="0"))
    op.create_index("items_story", "items", ["story_id"])
    is_open = sa.text("state IN ('seen', 'answered')")
    op.create_index("items_open", "items", ["feed_id"], sqlite_where=is_open, postgresql_where=is_open)
    op.create_index("items_merged", "items", ["merged_into"])
    op.create_table(
        "bands",
        sa.Column("band", sa.BigInteger(), nullable=False),
        sa.Column("item_id", sa.Integer(), nullable=False),
        sa.Column("day", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["item_id"], ["items.id"]),
        sa.PrimaryKeyConstraint("band", "item_id"),
        sqlite_with_rowid=False,
    )
    op.create_index("bands_day", "bands", ["day"])
    op.create_table(
        "pages",
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("payload", sa.Text(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("url"),
    )
    op.create_index("pages_at", "pages", ["at"])
    op.create_table(
        "forgotten",
        sa.Column("canonical", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("canonical"),
    )


def _carry_over() -> None:
    """Keep validators and failures: a feed that never changes again would never send itself again."""
    times = {"last_polled_at": sa.DateTime(timezone=True)}
    old = sa.table("feeds", *(sa.column(name, times.get(name)) for name in ("id", "poll", *_OLD)))
    connection = op.get_bind()
    for row in connection.execute(sa.select(old)).mappings().all():
        values = {name: row[name] for name in _OLD}
        if (polled := row["last_polled_at"]) and polled.tzinfo is None:  # SQLite's come without their zone
            values["last_polled_at"] = polled.replace(tzinfo=UTC)
        kept = PollState.model_validate(values).model_dump_json(exclude_defaults=True)
        connection.execute(old.update().where(old.c.id == row["id"]).values(poll=kept))
