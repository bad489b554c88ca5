"""When a publication that failed is tried again."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.add_column("publications", sa.Column("next_at", sa.DateTime(timezone=True), nullable=True))
