"""What was read leniently in an answer, whether its usage is estimated, and which model profile gave it."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.add_column("calls", sa.Column("estimated", sa.Boolean, nullable=False, server_default=sa.false()))
    op.add_column("calls", sa.Column("notes", sa.Text, nullable=True))
    op.add_column("calls", sa.Column("profile", sa.Text, nullable=True))
