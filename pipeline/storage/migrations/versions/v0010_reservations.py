"""Which model profile a reserved call is for: a profile has a limit of its own on calls in a minute."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.add_column("reservations", sa.Column("profile", sa.Text, nullable=True))
