"""What calls cost, what is put aside for them, how servers are asked, what is to be written anew."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    for name in ("cached_tokens", "reasoning_tokens"):
        op.add_column("calls", sa.Column(name, sa.Integer(), nullable=False, server_default="0"))
    op.add_column("calls", sa.Column("request_id", sa.Integer(), nullable=True))
    op.add_column("calls", sa.Column("run", sa.Text(), nullable=True))
    op.add_column("calls", sa.Column("micros", sa.BigInteger(), nullable=True))
    op.create_index("calls_at", "calls", ["at"])
    op.create_table(
        "reservations",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("run", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("micros", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("reservations_at", "reservations", ["at"])
    op.create_table(
        "servers",
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("url", "model"),
    )
    _requests()
    op.add_column("versions", sa.Column("number", sa.Integer(), nullable=False, server_default="1"))
    op.add_column("versions", sa.Column("cause", sa.Text(), nullable=False, server_default="draft"))
    _number()


def _requests() -> None:
    op.create_table(
        "requests",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("item_id", sa.Integer(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("section", sa.Text(), nullable=True),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["item_id"], ["items.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    waiting = sa.text("done_at IS NULL")
    op.create_index("requests_item", "requests", ["item_id"])
    op.create_index(
        "requests_waiting", "requests", ["item_id"], sqlite_where=waiting, postgresql_where=waiting
    )


def _number() -> None:
    """Count the versions that are there already, in their order."""
    op.execute(
        "UPDATE versions SET number = (SELECT count(*) FROM versions AS earlier "
        "WHERE earlier.item_id = versions.item_id AND earlier.id <= versions.id)"
    )
    op.execute("UPDATE versions SET cause = 'redraft' WHERE number > 1")
