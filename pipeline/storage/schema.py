"""The tables, as SQLAlchemy sees them; migrations/ makes them."""

import sqlalchemy as sa

from pipeline.storage.column_types import SafeText, UtcDateTime, id_column, reference

metadata = sa.MetaData()

OPEN = ("seen", "answered")
"""States in which an item waits to be drafted."""


_LEASED = sa.text("lease_owner IS NOT NULL")
_WAITING = sa.text("done_at IS NULL")
_UNWRITTEN = (sa.text("confirmed = 0"), sa.text("NOT confirmed"))
"""Conditions for SQLite and PostgreSQL; SQLite uses a partial index only for the same expression."""
IS_OPEN = "state IN ('seen', 'answered')"
_OPEN = sa.text(IS_OPEN)
IS_FAILING = "state IN ('seen', 'answered', 'failed') AND reason IS NOT NULL"
_FAILING = sa.text(IS_FAILING)

feeds = sa.Table(
    "feeds",
    metadata,
    id_column(),
    sa.Column("key", SafeText, nullable=False, unique=True),
    sa.Column("first_key", SafeText, nullable=False),
    sa.Column("name", SafeText, nullable=False),
    sa.Column("url", SafeText, nullable=False),
    sa.Column("poll", SafeText, nullable=False, default="{}", server_default="{}"),  # a PollState
)

items = sa.Table(
    "items",
    metadata,
    id_column(),
    reference("feeds"),
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
    sa.Index("items_published", "published_at", "feed_id", "state"),
    sa.Index("items_story", "story_id"),
    sa.Index("items_merged", "merged_into"),
    sa.Index("items_open", "feed_id", sqlite_where=_OPEN, postgresql_where=_OPEN),
    sa.Index("items_failing", "id", sqlite_where=_FAILING, postgresql_where=_FAILING),
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
    id_column(),
    reference("items"),
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
    sa.Column("feed_id", sa.Integer),  # the feed of its item, so that a sum by feed reads no items
    sa.Index("calls_item", "item_id"),
    sa.Index("calls_costs", "at", "model", "feed_id", "micros"),
    sa.Index("calls_run", "run", "micros"),
)

readings = sa.Table(  # what a second reader said of the sentences of a draft
    "readings",
    metadata,
    id_column(),
    reference("items"),
    sa.Column("key", SafeText, nullable=False),  # of field, sentence and source
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Column("payload", SafeText, nullable=False),
    sa.Index("readings_item", "item_id"),
)

reservations = sa.Table(  # reserved costs of calls under way; those of dead processes stay
    "reservations",
    metadata,
    id_column(),
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
    id_column(),
    reference("items"),
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
    id_column(),
    reference("items"),
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
    id_column(),
    reference("versions"),
    sa.Column("severity", SafeText, nullable=False),
    sa.Column("payload", SafeText, nullable=False),
    sa.Column("key", SafeText, nullable=False, default="", server_default=""),  # as it is acknowledged
    sa.Index("findings_version", "version_id", "severity", "key"),
)

draft_index = sa.Table(  # what the desk's queue lists and sorts by: derived from versions
    "draft_index",
    metadata,
    sa.Column("item_id", sa.Integer, sa.ForeignKey("items.id"), primary_key=True),
    sa.Column("version_id", sa.Integer, nullable=False),  # the last one that is not aside
    sa.Column("since", UtcDateTime, nullable=False),  # when the draft, or its revision, began to wait
    sa.Column("revision", sa.Boolean, nullable=False),  # of an article that was published
    sa.Column("word_count", sa.Integer, nullable=False),
)

draft_terms = sa.Table(  # what it searches by; apart, as a list without a search reads the other one only
    "draft_terms",
    metadata,
    sa.Column("item_id", sa.Integer, sa.ForeignKey("items.id"), primary_key=True),
    sa.Column("terms", SafeText, nullable=False),  # each word of title and text once, case-folded
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
    id_column(),
    reference("items"),
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
    sa.Column("record", SafeText),  # of an approval, as JSON; none in older rows
    sa.Index("verdicts_item", "item_id"),
    sa.Index("verdicts_decided", "at", "decision"),
)

acknowledgements = sa.Table(  # findings that an editor accepts
    "acknowledgements",
    metadata,
    id_column(),
    reference("items"),
    sa.Column("key", SafeText, nullable=False),
    sa.Column("kind", SafeText, nullable=False),
    sa.Column("message", SafeText, nullable=False),
    sa.Column("reason", SafeText, nullable=False),
    sa.Column("by", SafeText, nullable=False),
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Column("withdrawn_by", SafeText),
    sa.Column("withdrawn_at", UtcDateTime),
    sa.Column("preset", SafeText),  # the reason as one of the desk's list; none in older rows
    sa.Index("acknowledgements_item", "item_id", "key"),
    sa.Index("acknowledgements_at", "at"),
)

shown = sa.Table(  # sections of drafts that were shown to editors
    "shown",
    metadata,
    id_column(),
    reference("items"),
    sa.Column("by", SafeText, nullable=False),
    sa.Column("section", SafeText, nullable=False),  # its heading
    sa.Column("sentences", SafeText, nullable=False),  # hashes of its sentences, with spaces between
    sa.Column("at", UtcDateTime),  # none where times of reviews are not stored
    sa.Index("shown_item", "item_id", "by"),
)

finding_ends = sa.Table(  # findings that an editor's change ended
    "finding_ends",
    metadata,
    id_column(),
    reference("items"),
    sa.Column("key", SafeText, nullable=False),
    sa.Column("kind", SafeText, nullable=False),
    sa.Column("message", SafeText, nullable=False),
    sa.Column("outcome", SafeText, nullable=False),  # taken or edited
    sa.Column("by", SafeText, nullable=False),
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Index("finding_ends_item", "item_id"),
    sa.Index("finding_ends_at", "at"),
)

cover_images = sa.Table(  # fetched images of covers: the bytes, or why there are none
    "cover_images",
    metadata,
    sa.Column("url", SafeText, primary_key=True),
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Column("media_type", SafeText),
    sa.Column("data", sa.LargeBinary),
    sa.Column("error", SafeText),
)

publications = sa.Table(  # what a target is to do, or did, about an article
    "publications",
    metadata,
    id_column(),
    reference("items"),
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
