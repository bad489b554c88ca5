"""What was written at a target, where that is not the approved bytes."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.add_column("publications", sa.Column("sent", sa.Text, nullable=True))
