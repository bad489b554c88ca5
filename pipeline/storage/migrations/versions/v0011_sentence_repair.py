"""Calls that repair sentences get a purpose of their own: `verify` is the second reader's."""

from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.execute("UPDATE calls SET purpose = 'sentence_repair' WHERE purpose = 'verify'")
