"""When the page of an item is fetched again, or its publisher's reservation is looked up again."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    op.add_column("items", sa.Column("page_tries", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("items", sa.Column("retry_at", sa.DateTime(timezone=True), nullable=True))
