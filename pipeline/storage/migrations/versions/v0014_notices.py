"""What became of an item's source: withdrawn, missing, changed where the new text may not be read."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    op.add_column("items", sa.Column("notice", sa.Text(), nullable=True))
