"""The tables, as SQLAlchemy sees them; migrations/ makes them."""

from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

metadata = sa.MetaData()


class Utc(sa.TypeDecorator[datetime]):
    """An aware UTC time, on databases with and without time zones."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        """Refuse naive times: nobody can say which moment they mean."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value} has no time zone")
        return value.astimezone(UTC)

    def process_result_value(self, value: Any, dialect: sa.Dialect) -> datetime | None:  # noqa: ANN401
        """Return what SQLite stored without its zone as UTC again."""
        if value is None:
            return None
        moment: datetime = value
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _id() -> sa.Column[int]:
    return sa.Column("id", sa.Integer, primary_key=True, autoincrement=True)


def _to(table: str) -> sa.Column[int]:
    return sa.Column(f"{table[:-1]}_id", sa.Integer, sa.ForeignKey(f"{table}.id"), nullable=False)


feeds = sa.Table(
    "feeds",
    metadata,
    _id(),
    sa.Column("key", sa.Text, nullable=False, unique=True),
    sa.Column("first_key", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("url", sa.Text, nullable=False),
    sa.Column("etag", sa.Text),
    sa.Column("last_modified", sa.Text),
    sa.Column("last_polled_at", Utc),
    sa.Column("failures", sa.Integer, nullable=False, default=0),
    sa.Column("last_error", sa.Text),
)

items = sa.Table(
    "items",
    metadata,
    _id(),
    _to("feeds"),
    sa.Column("guid", sa.Text, nullable=False),
    sa.Column("external_id", sa.Text, nullable=False, unique=True),
    sa.Column("canonical", sa.Text, index=True),
    sa.Column("owned_canonical", sa.Text, unique=True),  # the canonical URL, on the one item that drafts it
    sa.Column("payload", sa.Text, nullable=False),
    sa.Column("content_hash", sa.Text, nullable=False),
    sa.Column("updated_hash", sa.Text),  # set where the source changed after it was worked on
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("published_at", Utc, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("reason", sa.Text),
    sa.Column("merged_into", sa.Text),  # external id
    sa.Column("attempts", sa.Integer, nullable=False, default=0),
    sa.Column("path", sa.Text, unique=True),
    sa.Column("lease_owner", sa.Text),
    sa.Column("lease_token", sa.Integer, nullable=False, default=0),
    sa.Column("lease_expires", sa.Float),  # seconds since 1970, on the database's clock
    sa.UniqueConstraint("feed_id", "guid", name="items_feed_guid"),
    sa.Index("items_queue", "feed_id", "state", "published_at"),
)

calls = sa.Table(
    "calls",
    metadata,
    _id(),
    _to("items"),
    sa.Column("purpose", sa.Text, nullable=False),
    sa.Column("at", Utc, nullable=False),
    sa.Column("model", sa.Text, nullable=False),
    sa.Column("prompt", sa.Text),
    sa.Column("answer", sa.Text, nullable=False),
    sa.Column("prompt_tokens", sa.Integer, nullable=False),
    sa.Column("completion_tokens", sa.Integer, nullable=False),
    sa.Column("unusable", sa.Text),  # why, where it was no article
    sa.Index("calls_item", "item_id"),
)

versions = sa.Table(
    "versions",
    metadata,
    _id(),
    _to("items"),
    sa.Column("at", Utc, nullable=False),
    sa.Column("path", sa.Text, nullable=False),
    sa.Column("sha256", sa.Text, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("confirmed", sa.Boolean, nullable=False, default=False),
    sa.Index("versions_item", "item_id"),
)

findings = sa.Table(
    "findings",
    metadata,
    _id(),
    _to("versions"),
    sa.Column("severity", sa.Text, nullable=False),
    sa.Column("payload", sa.Text, nullable=False),
    sa.Index("findings_version", "version_id"),
)

verdicts = sa.Table(
    "verdicts",
    metadata,
    _id(),
    _to("items"),
    sa.Column("decision", sa.Text, nullable=False),
    sa.Column("by", sa.Text, nullable=False),
    sa.Column("at", Utc, nullable=False),
    sa.Column("note", sa.Text),
    sa.Column("old_path", sa.Text, nullable=False),
    sa.Column("new_path", sa.Text, nullable=False),
    sa.Column("sha256_before", sa.Text, nullable=False),
    sa.Column("sha256_after", sa.Text, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("confirmed", sa.Boolean, nullable=False, default=False),
    sa.Index("verdicts_item", "item_id"),
)
