"""An index of model calls by run, which the cap of a run sums up before each call."""

from alembic import op

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    op.create_index("calls_run", "calls", ["run", "micros"])
