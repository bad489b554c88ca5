"""The tables, as SQLAlchemy sees them; migrations/ makes them."""

from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

metadata = sa.MetaData()

OPEN = ("seen", "answered")
"""States in which an item waits for work."""


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


def storable(text: str) -> str:
    """Return a text in which U+FFFD stands for what a database cannot hold."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").replace("\0", "\ufffd")


class Plain(sa.TypeDecorator[str]):
    """Text that both databases can hold: PostgreSQL takes no NUL, neither takes half a surrogate pair.

    What a model answers or a feed's error quotes may have them.
    """

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: sa.Dialect) -> str | None:
        """Replace what cannot be stored by U+FFFD."""
        return None if value is None else storable(value)


def _id() -> sa.Column[int]:
    return sa.Column("id", sa.Integer, primary_key=True, autoincrement=True)


def _to(table: str) -> sa.Column[int]:
    return sa.Column(f"{table[:-1]}_id", sa.Integer, sa.ForeignKey(f"{table}.id"), nullable=False)


_LEASED = sa.text("lease_owner IS NOT NULL")
_WAITING = sa.text("done_at IS NULL")
_UNWRITTEN = (sa.text("confirmed = 0"), sa.text("NOT confirmed"))
"""As SQLite and PostgreSQL are asked: the former uses such an index only for the words it was made with."""
IS_OPEN = "state IN ('seen', 'answered')"
_OPEN = sa.text(IS_OPEN)

feeds = sa.Table(
    "feeds",
    metadata,
    _id(),
    sa.Column("key", Plain, nullable=False, unique=True),
    sa.Column("first_key", Plain, nullable=False),
    sa.Column("name", Plain, nullable=False),
    sa.Column("url", Plain, nullable=False),
    sa.Column("poll", Plain, nullable=False, default="{}", server_default="{}"),  # a PollState
)

items = sa.Table(
    "items",
    metadata,
    _id(),
    _to("feeds"),
    sa.Column("guid", Plain, nullable=False),
    sa.Column("external_id", Plain, nullable=False, unique=True),
    sa.Column("canonical", Plain, index=True),
    sa.Column("owned_canonical", Plain, unique=True),  # the canonical URL, on the one item that drafts it
    sa.Column("payload", Plain, nullable=False),
    sa.Column("content_hash", Plain, nullable=False),
    sa.Column("updated_hash", Plain),  # set where the source changed after it was worked on
    sa.Column("title", Plain, nullable=False),
    sa.Column("published_at", Utc, nullable=False),
    sa.Column("state", Plain, nullable=False),
    sa.Column("reason", Plain),
    sa.Column("merged_into", Plain),  # external id
    sa.Column("story_id", sa.Integer),  # the first item that told the same story
    sa.Column("updates", sa.Integer, nullable=False, default=0, server_default="0"),
    sa.Column("updated_payload", Plain),  # the source as it is now, where it changed since
    sa.Column("attempts", sa.Integer, nullable=False, default=0),
    sa.Column("path", Plain, unique=True),
    sa.Column("lease_owner", Plain),
    sa.Column("lease_token", sa.Integer, nullable=False, default=0),
    sa.Column("lease_expires", sa.Float),  # seconds since 1970, on the database's clock
    sa.UniqueConstraint("feed_id", "guid", name="items_feed_guid"),
    sa.Index("items_queue", "feed_id", "state", "published_at"),
    sa.Index("items_state", "state", "published_at"),
    sa.Index("items_story", "story_id"),
    sa.Index("items_merged", "merged_into"),
    sa.Index("items_open", "feed_id", sqlite_where=_OPEN, postgresql_where=_OPEN),
    sa.Index("items_leased", "lease_owner", sqlite_where=_LEASED, postgresql_where=_LEASED),
)

bands = sa.Table(  # of MinHash signatures: items that share one may tell the same story
    "bands",
    metadata,
    sa.Column("band", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("item_id", sa.Integer, sa.ForeignKey("items.id"), primary_key=True),
    sa.Column("day", sa.Integer, nullable=False),  # days since 1970 on which it came, for pruning
    sa.Index("bands_day", "day"),
    sqlite_with_rowid=False,
)

pages = sa.Table(  # what items' web pages said, or why they said nothing
    "pages",
    metadata,
    sa.Column("url", Plain, primary_key=True),
    sa.Column("at", Utc, nullable=False),
    sa.Column("payload", Plain),
    sa.Column("error", Plain),
    sa.Index("pages_at", "at"),
)

forgotten = sa.Table(  # never to be taken again
    "forgotten",
    metadata,
    sa.Column("canonical", Plain, primary_key=True),
    sa.Column("at", Utc, nullable=False),
)

calls = sa.Table(
    "calls",
    metadata,
    _id(),
    _to("items"),
    sa.Column("purpose", Plain, nullable=False),
    sa.Column("at", Utc, nullable=False),
    sa.Column("model", Plain, nullable=False),
    sa.Column("prompt", Plain),
    sa.Column("answer", Plain, nullable=False),
    sa.Column("prompt_tokens", sa.Integer, nullable=False),
    sa.Column("completion_tokens", sa.Integer, nullable=False),
    sa.Column("unusable", Plain),  # why, where it was no article
    sa.Column("request_id", sa.Integer),  # the request that it answers
    sa.Column("run", Plain),
    sa.Column("cached_tokens", sa.Integer, nullable=False, default=0, server_default="0"),
    sa.Column("reasoning_tokens", sa.Integer, nullable=False, default=0, server_default="0"),
    sa.Column("micros", sa.BigInteger),  # millionths of a US dollar; none where the price is not known
    sa.Column("seconds", sa.Float),  # from the request to the answer
    sa.Index("calls_item", "item_id"),
    sa.Index("calls_at", "at"),
)

reservations = sa.Table(  # the most that calls under way may cost; a dead process leaves its own behind
    "reservations",
    metadata,
    _id(),
    sa.Column("run", Plain, nullable=False),
    sa.Column("at", Utc, nullable=False),
    sa.Column("micros", sa.BigInteger, nullable=False),
    sa.Column("owner", Plain),  # as in items.lease_owner; none where it is known to be dead
    sa.Index("reservations_at", "at"),
)

servers = sa.Table(  # in which manner a model on a server was asked last
    "servers",
    metadata,
    sa.Column("url", Plain, primary_key=True),
    sa.Column("model", Plain, primary_key=True),
    sa.Column("payload", Plain, nullable=False),
)

requests = sa.Table(  # what is to be written anew
    "requests",
    metadata,
    _id(),
    _to("items"),
    sa.Column("by", Plain, nullable=False),
    sa.Column("at", Utc, nullable=False),
    sa.Column("note", Plain),
    sa.Column("section", Plain),
    sa.Column("done_at", Utc),
    sa.Column("outcome", Plain),
    sa.Index("requests_item", "item_id"),
    sa.Index("requests_waiting", "item_id", sqlite_where=_WAITING, postgresql_where=_WAITING),
)

versions = sa.Table(
    "versions",
    metadata,
    _id(),
    _to("items"),
    sa.Column("at", Utc, nullable=False),
    sa.Column("path", Plain, nullable=False),
    sa.Column("sha256", Plain, nullable=False),
    sa.Column("text", Plain, nullable=False),
    sa.Column("confirmed", sa.Boolean, nullable=False, default=False),
    sa.Column("number", sa.Integer, nullable=False, default=1, server_default="1"),  # ai.version
    sa.Column("cause", Plain, nullable=False, default="draft", server_default="draft"),
    sa.Column("by", Plain),  # the editor, where one wrote it
    sa.Column("base", Plain),  # hash of what an editor's text replaces
    sa.Column("aside", sa.Boolean, nullable=False, default=False, server_default=sa.false()),
    sa.Column("form", Plain),  # the form that a refused text came from
    sa.Index("versions_item", "item_id"),
    sa.Index("versions_unwritten", "item_id", sqlite_where=_UNWRITTEN[0], postgresql_where=_UNWRITTEN[1]),
)

findings = sa.Table(
    "findings",
    metadata,
    _id(),
    _to("versions"),
    sa.Column("severity", Plain, nullable=False),
    sa.Column("payload", Plain, nullable=False),
    sa.Column("key", Plain, nullable=False, default="", server_default=""),  # as it is acknowledged
    sa.Index("findings_version", "version_id"),
)

views = sa.Table(  # which text of a draft was shown to which editor
    "views",
    metadata,
    sa.Column("item_id", sa.Integer, sa.ForeignKey("items.id"), primary_key=True),
    sa.Column("by", Plain, primary_key=True),
    sa.Column("sha256", Plain, primary_key=True),
    sa.Column("at", Utc, nullable=False),  # the first time
)

verdicts = sa.Table(
    "verdicts",
    metadata,
    _id(),
    _to("items"),
    sa.Column("decision", Plain, nullable=False),
    sa.Column("by", Plain, nullable=False),
    sa.Column("at", Utc, nullable=False),
    sa.Column("note", Plain),
    sa.Column("old_path", Plain, nullable=False),
    sa.Column("new_path", Plain, nullable=False),
    sa.Column("sha256_before", Plain, nullable=False),
    sa.Column("sha256_after", Plain, nullable=False),
    sa.Column("text", Plain, nullable=False),
    sa.Column("confirmed", sa.Boolean, nullable=False, default=False),
    sa.Column("undoes", sa.Integer),  # the verdict that this one takes back
    sa.Column("replaces", Plain),  # hash of what may be replaced at the new path
    sa.Column("leaves", Plain),  # text that comes to stand at the old path; none: the file goes
    sa.Index("verdicts_item", "item_id"),
    sa.Index("verdicts_at", "at"),
)

acknowledgements = sa.Table(  # findings that an editor answers for
    "acknowledgements",
    metadata,
    _id(),
    _to("items"),
    sa.Column("key", Plain, nullable=False),
    sa.Column("kind", Plain, nullable=False),
    sa.Column("message", Plain, nullable=False),
    sa.Column("reason", Plain, nullable=False),
    sa.Column("by", Plain, nullable=False),
    sa.Column("at", Utc, nullable=False),
    sa.Column("withdrawn_by", Plain),
    sa.Column("withdrawn_at", Utc),
    sa.Index("acknowledgements_item", "item_id", "key"),
)

publications = sa.Table(  # what is to be done, or was, about an article at a target
    "publications",
    metadata,
    _id(),
    _to("items"),
    sa.Column("target", Plain, nullable=False),
    sa.Column("action", Plain, nullable=False),  # publish or withdraw
    sa.Column("sha256", Plain, nullable=False),  # of the approved bytes
    sa.Column("sent", Plain),  # hash of what is written at the target; none: the approved bytes
    sa.Column("path", Plain, nullable=False),  # below the output folder: published/2026/02/…
    sa.Column("by", Plain, nullable=False),
    sa.Column("at", Utc, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False, default=0, server_default="0"),
    sa.Column("error", Plain),
    sa.Column("next_at", Utc),  # not before, after a failure
    sa.Column("done_at", Utc),
    sa.Column("place", Plain),  # where it went: a path, a commit, a URL
    sa.Index("publications_item", "item_id"),
    sa.Index("publications_waiting", "target", sqlite_where=_WAITING, postgresql_where=_WAITING),
)

alerts = sa.Table(  # trouble that somebody was told of
    "alerts",
    metadata,
    sa.Column("key", Plain, primary_key=True),
    sa.Column("told_at", Utc, nullable=False),
)
