"""What the pages of operations read (by `/operations`): runs, feeds of calls, indexes by time."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
_COUNTS = (
    "polled", "new", "drafted", "held", "skipped", "merged", "failed", "waiting", "queued", "unread",
    "micros", "unpriced", "exit_code",
)  # fmt: skip
_UNENDED = sa.text("outcome IS NULL")


def upgrade() -> None:
    op.create_table(
        "runs",
        sa.Column("name", sa.Text(), primary_key=True),
        sa.Column("flow", sa.Text(), nullable=False),
        sa.Column("page", sa.Text(), nullable=False, server_default=""),
        sa.Column("began_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=True),
        *(sa.Column(name, sa.BigInteger(), nullable=False, server_default="0") for name in _COUNTS),
        sa.Column("stopped", sa.Text(), nullable=True),
        sa.Column("details", sa.Text(), nullable=True),
    )
    op.create_index("runs_began", "runs", ["began_at", "outcome"])
    op.create_index("runs_open", "runs", ["began_at"], sqlite_where=_UNENDED, postgresql_where=_UNENDED)
    op.add_column("calls", sa.Column("feed_id", sa.Integer(), nullable=True))
    op.execute("UPDATE calls SET feed_id = (SELECT feed_id FROM items WHERE items.id = calls.item_id)")
    op.drop_index("calls_at", "calls")
    op.create_index("calls_costs", "calls", ["at", "model", "feed_id", "micros"])
    op.create_index("items_published", "items", ["published_at", "feed_id", "state"])
    op.drop_index("verdicts_at", "verdicts")
    op.create_index("verdicts_decided", "verdicts", ["at", "decision"])
    op.create_index("acknowledgements_at", "acknowledgements", ["at"])
    op.create_index("finding_ends_at", "finding_ends", ["at"])
