"""What monitoring reads (by `/metrics` and `status`): counts of items, totals of calls, two indexes."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
_ENDS_S = (1, 2, 5, 10, 20, 30, 60, 120, 300)
_SUMS = ("calls", "prompt_tokens", "completion_tokens", "priced", "micros", "timed")
_FAILING = sa.text("state IN ('seen', 'answered', 'failed') AND reason IS NOT NULL")
_BUCKETS = ", ".join(f"coalesce(sum(CASE WHEN seconds <= {end} THEN 1 ELSE 0 END), 0)" for end in _ENDS_S)
FILL = (
    "INSERT INTO call_totals SELECT model, purpose, count(*), sum(prompt_tokens), sum(completion_tokens), "  # noqa: S608
    f"count(micros), coalesce(sum(micros), 0), count(seconds), {_BUCKETS}, coalesce(sum(seconds), 0) "
    "FROM calls GROUP BY model, purpose"
)


def upgrade() -> None:
    buckets = [f"within_{end}_s" for end in _ENDS_S]
    op.create_table(
        "call_totals",
        sa.Column("model", sa.Text(), primary_key=True),
        sa.Column("purpose", sa.Text(), primary_key=True),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in (*_SUMS, *buckets)),
        sa.Column("seconds", sa.Float(), nullable=False),
    )
    op.execute(FILL)
    _count_items()
    op.create_index("items_failing", "items", ["id"], sqlite_where=_FAILING, postgresql_where=_FAILING)
    op.create_index("runs_flow", "runs", ["flow", "began_at"])


def _count_items() -> None:
    """Make the table of counts and the triggers that keep it."""
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    op.create_table(
        "item_counts",
        sa.Column("feed_id", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
    )
    if is_sqlite:
        op.create_index("item_counts_key", "item_counts", ["feed_id", "state"], unique=True)
    op.execute("INSERT INTO item_counts SELECT feed_id, state, count(*) FROM items GROUP BY feed_id, state")
    for statement in _SQLITE if is_sqlite else _POSTGRESQL:
        op.execute(statement)


_ADD = "INSERT INTO item_counts (feed_id, state, number) VALUES"
_INTO_ROW = "ON CONFLICT (feed_id, state) DO UPDATE SET number = number + excluded.number;"
_CHANGED = "WHEN (OLD.state <> NEW.state OR OLD.feed_id <> NEW.feed_id)"
_SQLITE = (
    f"CREATE TRIGGER items_counted AFTER INSERT ON items BEGIN "
    f"{_ADD} (NEW.feed_id, NEW.state, 1) {_INTO_ROW} END",
    f"CREATE TRIGGER items_recounted AFTER UPDATE OF state, feed_id ON items {_CHANGED} BEGIN "
    f"{_ADD} (OLD.feed_id, OLD.state, -1) {_INTO_ROW} {_ADD} (NEW.feed_id, NEW.state, 1) {_INTO_ROW} END",
    f"CREATE TRIGGER items_uncounted AFTER DELETE ON items BEGIN "
    f"{_ADD} (OLD.feed_id, OLD.state, -1) {_INTO_ROW} END",
)
_POSTGRESQL = (
    f"""CREATE FUNCTION copydesk_count_items() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_OP <> 'INSERT' THEN
            {_ADD} (OLD.feed_id, OLD.state, -1);
        END IF;
        IF TG_OP <> 'DELETE' THEN
            {_ADD} (NEW.feed_id, NEW.state, 1);
        END IF;
        RETURN NULL;
    END $$""",
    "CREATE TRIGGER items_counted AFTER INSERT OR DELETE ON items "
    "FOR EACH ROW EXECUTE FUNCTION copydesk_count_items()",
    f"CREATE TRIGGER items_recounted AFTER UPDATE OF state, feed_id ON items "
    f"FOR EACH ROW {_CHANGED} EXECUTE FUNCTION copydesk_count_items()",
)
