"""Limits over all machines, texts that wait to be written, how long models take, what was told by alerts."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.add_column("reservations", sa.Column("owner", sa.Text, nullable=True))
    op.add_column("calls", sa.Column("seconds", sa.Float, nullable=True))
    # As each dialect is asked: SQLite uses such an index only for the words that it was made with.
    op.create_index(
        "versions_unwritten", "versions", ["item_id"],
        sqlite_where=sa.text("confirmed = 0"), postgresql_where=sa.text("NOT confirmed"),
    )  # fmt: skip
    op.create_table(
        "alerts",
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=False),
    )
