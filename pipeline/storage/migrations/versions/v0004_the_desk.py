"""Who wrote a version, what was acknowledged, where articles were published, how sources changed."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.add_column("versions", sa.Column("by", sa.Text(), nullable=True))
    op.add_column("versions", sa.Column("base", sa.Text(), nullable=True))
    op.add_column("versions", sa.Column("aside", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("findings", sa.Column("key", sa.Text(), nullable=False, server_default=""))
    op.add_column("verdicts", sa.Column("undoes", sa.Integer(), nullable=True))
    op.add_column("verdicts", sa.Column("replaces", sa.Text(), nullable=True))
    op.add_column("verdicts", sa.Column("leaves", sa.Text(), nullable=True))
    op.add_column("items", sa.Column("updated_payload", sa.Text(), nullable=True))
    op.create_index("items_state", "items", ["state", "published_at"])
    op.create_index("verdicts_at", "verdicts", ["at"])
    _acknowledgements()
    _publications()


def _acknowledgements() -> None:
    op.create_table(
        "acknowledgements",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("item_id", sa.Integer(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("withdrawn_by", sa.Text(), nullable=True),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["item_id"], ["items.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("acknowledgements_item", "acknowledgements", ["item_id", "key"])


def _publications() -> None:
    waiting = sa.text("done_at IS NULL")
    op.create_table(
        "publications",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("item_id", sa.Integer(), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("place", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["item_id"], ["items.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("publications_item", "publications", ["item_id"])
    op.create_index(
        "publications_waiting", "publications", ["target"], sqlite_where=waiting, postgresql_where=waiting
    )
