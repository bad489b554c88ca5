"""The table of runs, as SQLAlchemy sees it; migrations/ makes it."""

import sqlalchemy as sa

from pipeline.storage.column_types import SafeText, UtcDateTime
from pipeline.storage.schema import metadata

_UNENDED = sa.text("outcome IS NULL")
_COUNTS = (
    "polled", "new", "drafted", "held", "skipped", "merged", "failed", "waiting", "queued", "unread",
    "micros", "unpriced", "exit_code",
)  # fmt: skip

runs = sa.Table(
    "runs",
    metadata,
    sa.Column("name", SafeText, primary_key=True),  # as in calls.run
    sa.Column("flow", SafeText, nullable=False),
    sa.Column("page", SafeText, nullable=False, default="", server_default=""),  # its URL in Prefect
    sa.Column("began_at", UtcDateTime, nullable=False),
    sa.Column("owner", SafeText, nullable=False),  # as in items.lease_owner
    sa.Column("ended_at", UtcDateTime),
    sa.Column("outcome", SafeText),  # done or stopped; none: it runs, or its process was killed
    *(sa.Column(name, sa.BigInteger, nullable=False, default=0, server_default="0") for name in _COUNTS),
    sa.Column("stopped", SafeText),  # why it ended early
    sa.Column("details", SafeText),  # what it did with each feed, as JSON
    sa.Index("runs_began", "began_at", "outcome"),
    sa.Index("runs_flow", "flow", "began_at"),
    sa.Index("runs_open", "began_at", sqlite_where=_UNENDED, postgresql_where=_UNENDED),
)
