"""The tables, as SQLAlchemy sees them; migrations/ makes them."""

import contextlib
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

metadata = sa.MetaData()

OPEN = ("seen", "answered")
"""States in which an item waits to be drafted."""


class UtcDateTime(sa.TypeDecorator[datetime]):
    """An aware UTC time, on databases with and without time zones."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        """Return a time in UTC. Raises ValueError for a time without zone."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value} has no time zone")
        return value.astimezone(UTC)

    def process_result_value(self, value: Any, dialect: sa.Dialect) -> datetime | None:  # noqa: ANN401
        """Return a stored time in UTC; SQLite stores no zone."""
        if value is None:
            return None
        moment: datetime = value
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def replace_unstorable(text: str) -> str:
    """Return a text with U+FFFD for characters that a database cannot store: NUL, lone surrogates."""
    if "\0" not in text:
        with contextlib.suppress(UnicodeEncodeError):  # a lone surrogate
            text.encode()
            return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").replace("\0", "\ufffd")


class SafeText(sa.TypeDecorator[str]):
    """Text that both databases can store: PostgreSQL refuses NUL, both refuse lone surrogates.

    Answers of models and quotations of feeds can contain them.
    """

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: sa.Dialect) -> str | None:
        """Return the text with U+FFFD for characters that cannot be stored."""
        return None if value is None else replace_unstorable(value)


def _id() -> sa.Column[int]:
    return sa.Column("id", sa.Integer, primary_key=True, autoincrement=True)


def _to(table: str) -> sa.Column[int]:
    return sa.Column(f"{table[:-1]}_id", sa.Integer, sa.ForeignKey(f"{table}.id"), nullable=False)


_LEASED = sa.text("lease_owner IS NOT NULL")
_WAITING = sa.text("done_at IS NULL")
_UNWRITTEN = (sa.text("confirmed = 0"), sa.text("NOT confirmed"))
"""Conditions for SQLite and PostgreSQL; SQLite uses a partial index only for the same expression."""
IS_OPEN = "state IN ('seen', 'answered')"
_OPEN = sa.text(IS_OPEN)

feeds = sa.Table(
    "feeds",
    metadata,
    _id(),
    sa.Column("key", SafeText, nullable=False, unique=True),
    sa.Column("first_key", SafeText, nullable=False),
    sa.Column("name", SafeText, nullable=False),
    sa.Column("url", SafeText, nullable=False),
    sa.Column("poll", SafeText, nullable=False, default="{}", server_default="{}"),  # a PollState
)

items = sa.Table(
    "items",
    metadata,
    _id(),
    _to("feeds"),
    sa.Column("guid", SafeText, nullable=False),
    sa.Column("external_id", SafeText, nullable=False, unique=True),
    sa.Column("canonical", SafeText, index=True),
    sa.Column("owned_canonical", SafeText, unique=True),  # the canonical URL, on the one item that drafts it
    sa.Column("payload", SafeText, nullable=False),
    sa.Column("content_hash", SafeText, nullable=False),
    sa.Column("updated_hash", SafeText),  # set where the source changed after work on it began
    sa.Column("title", SafeText, nullable=False),
    sa.Column("published_at", UtcDateTime, nullable=False),
    sa.Column("state", SafeText, nullable=False),
    sa.Column("reason", SafeText),
    sa.Column("merged_into", SafeText),  # external id
    sa.Column("story_id", sa.Integer),  # the duplicate group: the id of its first item
    sa.Column("updates", sa.Integer, nullable=False, default=0, server_default="0"),
    sa.Column("updated_payload", SafeText),  # the source as it is now, where it changed since
    sa.Column("notice", SafeText),  # what became of the source, where there is no new text of it
    sa.Column("attempts", sa.Integer, nullable=False, default=0),
    sa.Column("page_tries", sa.Integer, nullable=False, default=0, server_default="0"),  # that failed
    sa.Column("retry_at", UtcDateTime),  # not drafted before this time
    sa.Column("path", SafeText, unique=True),
    sa.Column("lease_owner", SafeText),
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

bands = sa.Table(  # of MinHash signatures: items that share one may be duplicates
    "bands",
    metadata,
    sa.Column("band", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("item_id", sa.Integer, sa.ForeignKey("items.id"), primary_key=True),
    sa.Column("day", sa.Integer, nullable=False),  # days since 1970 on which it came, for pruning
    sa.Index("bands_day", "day"),
    sqlite_with_rowid=False,
)

pages = sa.Table(  # cached web pages of items: the text, or why there is none
    "pages",
    metadata,
    sa.Column("url", SafeText, primary_key=True),
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Column("payload", SafeText),
    sa.Column("error", SafeText),
    sa.Index("pages_at", "at"),
)

forgotten = sa.Table(  # erased canonical URLs, never to be taken again
    "forgotten",
    metadata,
    sa.Column("canonical", SafeText, primary_key=True),
    sa.Column("at", UtcDateTime, nullable=False),
)

calls = sa.Table(
    "calls",
    metadata,
    _id(),
    _to("items"),
    sa.Column("purpose", SafeText, nullable=False),
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Column("model", SafeText, nullable=False),
    sa.Column("prompt", SafeText),
    sa.Column("answer", SafeText, nullable=False),
    sa.Column("prompt_tokens", sa.Integer, nullable=False),
    sa.Column("completion_tokens", sa.Integer, nullable=False),
    sa.Column("unusable", SafeText),  # why, where it was no article
    sa.Column("request_id", sa.Integer),  # the request that it answers
    sa.Column("run", SafeText),
    sa.Column("cached_tokens", sa.Integer, nullable=False, default=0, server_default="0"),
    sa.Column("reasoning_tokens", sa.Integer, nullable=False, default=0, server_default="0"),
    sa.Column("micros", sa.BigInteger),  # millionths of a US dollar; none where the price is not known
    sa.Column("seconds", sa.Float),  # from the request to the answer
    sa.Column("estimated", sa.Boolean, nullable=False, default=False, server_default=sa.false()),
    sa.Column("notes", SafeText),  # what was read leniently, one note a line
    sa.Column("profile", SafeText),  # the model profile; none in older rows
    sa.Index("calls_item", "item_id"),
    sa.Index("calls_at", "at"),
)

readings = sa.Table(  # what a second reader said of the sentences of a draft
    "readings",
    metadata,
    _id(),
    _to("items"),
    sa.Column("key", SafeText, nullable=False),  # of field, sentence and source
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Column("payload", SafeText, nullable=False),
    sa.Index("readings_item", "item_id"),
)

reservations = sa.Table(  # reserved costs of calls under way; those of dead processes stay
    "reservations",
    metadata,
    _id(),
    sa.Column("run", SafeText, nullable=False),
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Column("micros", sa.BigInteger, nullable=False),
    sa.Column("owner", SafeText),  # as in items.lease_owner; none where it is known to be dead
    sa.Column("profile", SafeText),  # the model profile that is called
    sa.Index("reservations_at", "at"),
)

servers = sa.Table(  # capabilities of models on servers
    "servers",
    metadata,
    sa.Column("url", SafeText, primary_key=True),
    sa.Column("model", SafeText, primary_key=True),
    sa.Column("payload", SafeText, nullable=False),
)

requests = sa.Table(  # redraft requests
    "requests",
    metadata,
    _id(),
    _to("items"),
    sa.Column("by", SafeText, nullable=False),
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Column("note", SafeText),
    sa.Column("section", SafeText),
    sa.Column("done_at", UtcDateTime),
    sa.Column("outcome", SafeText),
    sa.Index("requests_item", "item_id"),
    sa.Index("requests_waiting", "item_id", sqlite_where=_WAITING, postgresql_where=_WAITING),
)

versions = sa.Table(
    "versions",
    metadata,
    _id(),
    _to("items"),
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Column("path", SafeText, nullable=False),
    sa.Column("sha256", SafeText, nullable=False),
    sa.Column("text", SafeText, nullable=False),
    sa.Column("confirmed", sa.Boolean, nullable=False, default=False),
    sa.Column("number", sa.Integer, nullable=False, default=1, server_default="1"),  # ai.version
    sa.Column("cause", SafeText, nullable=False, default="draft", server_default="draft"),
    sa.Column("by", SafeText),  # the editor, where one wrote it
    sa.Column("base", SafeText),  # hash of what an editor's text replaces
    sa.Column("aside", sa.Boolean, nullable=False, default=False, server_default=sa.false()),
    sa.Column("form", SafeText),  # the form that a refused text came from
    sa.Index("versions_item", "item_id"),
    sa.Index("versions_unwritten", "item_id", sqlite_where=_UNWRITTEN[0], postgresql_where=_UNWRITTEN[1]),
)

findings = sa.Table(
    "findings",
    metadata,
    _id(),
    _to("versions"),
    sa.Column("severity", SafeText, nullable=False),
    sa.Column("payload", SafeText, nullable=False),
    sa.Column("key", SafeText, nullable=False, default="", server_default=""),  # as it is acknowledged
    sa.Index("findings_version", "version_id"),
)

views = sa.Table(  # which text of a draft was shown to which editor
    "views",
    metadata,
    sa.Column("item_id", sa.Integer, sa.ForeignKey("items.id"), primary_key=True),
    sa.Column("by", SafeText, primary_key=True),
    sa.Column("sha256", SafeText, primary_key=True),
    sa.Column("at", UtcDateTime, nullable=False),  # the first time
)

verdicts = sa.Table(
    "verdicts",
    metadata,
    _id(),
    _to("items"),
    sa.Column("decision", SafeText, nullable=False),
    sa.Column("by", SafeText, nullable=False),
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Column("note", SafeText),
    sa.Column("old_path", SafeText, nullable=False),
    sa.Column("new_path", SafeText, nullable=False),
    sa.Column("sha256_before", SafeText, nullable=False),
    sa.Column("sha256_after", SafeText, nullable=False),
    sa.Column("text", SafeText, nullable=False),
    sa.Column("confirmed", sa.Boolean, nullable=False, default=False),
    sa.Column("undoes", sa.Integer),  # the verdict that this one takes back
    sa.Column("replaces", SafeText),  # hash of what may be replaced at the new path
    sa.Column("leaves", SafeText),  # text for the old path; none: that file is removed
    sa.Index("verdicts_item", "item_id"),
    sa.Index("verdicts_at", "at"),
)

acknowledgements = sa.Table(  # findings that an editor accepts
    "acknowledgements",
    metadata,
    _id(),
    _to("items"),
    sa.Column("key", SafeText, nullable=False),
    sa.Column("kind", SafeText, nullable=False),
    sa.Column("message", SafeText, nullable=False),
    sa.Column("reason", SafeText, nullable=False),
    sa.Column("by", SafeText, nullable=False),
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Column("withdrawn_by", SafeText),
    sa.Column("withdrawn_at", UtcDateTime),
    sa.Index("acknowledgements_item", "item_id", "key"),
)

publications = sa.Table(  # what a target is to do, or did, about an article
    "publications",
    metadata,
    _id(),
    _to("items"),
    sa.Column("target", SafeText, nullable=False),
    sa.Column("action", SafeText, nullable=False),  # publish or withdraw
    sa.Column("sha256", SafeText, nullable=False),  # of the approved bytes
    sa.Column("sent", SafeText),  # hash of what is written at the target; none: the approved bytes
    sa.Column("path", SafeText, nullable=False),  # below the output folder: published/2026/02/…
    sa.Column("by", SafeText, nullable=False),
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False, default=0, server_default="0"),
    sa.Column("error", SafeText),
    sa.Column("next_at", UtcDateTime),  # not before, after a failure
    sa.Column("done_at", UtcDateTime),
    sa.Column("place", SafeText),  # where it went: a path, a commit, a URL
    sa.Index("publications_item", "item_id"),
    sa.Index("publications_waiting", "target", sqlite_where=_WAITING, postgresql_where=_WAITING),
)

alerts = sa.Table(  # alerts that were sent
    "alerts",
    metadata,
    sa.Column("key", SafeText, primary_key=True),
    sa.Column("told_at", UtcDateTime, nullable=False),
)
