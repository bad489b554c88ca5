"""Rows of items, versions and findings, for the transactions of several repositories."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple

import sqlalchemy as sa

from pipeline.domain.errors import ReviewError
from pipeline.domain.models import Item, Window, external_id
from pipeline.domain.reviews import Draft, Finding, claim_key
from pipeline.domain.withdrawals import REVIEWED
from pipeline.storage.draft_index import REVISE, reindex
from pipeline.storage.engine import Row, chunks
from pipeline.storage.feeds import FeedRow
from pipeline.storage.records import DraftRow, PreviousVersion
from pipeline.storage.schema import feeds, findings, items, versions

Columns = dict[str, object]
"""Values of a row, by column."""
NewRow = tuple[FeedRow, Item, Columns]
"""An item to be inserted, with its feed and with further columns."""

newest_payload = sa.func.coalesce(items.c.updated_payload, items.c.payload)
"""An item's payload as its feed had it last."""


class StoredState(NamedTuple):
    """The state of a stored item and the hash of its content as its feed had it last."""

    state: str
    content_hash: str
    reason: str | None = None
    """Why it has no draft."""
    retry_at: datetime | None = None
    """When a failed fetch of its page is repeated, or a reservation at its site is looked up again."""


class ItemKey(NamedTuple):
    """What names an item: its feed's key and its guid."""

    feed_key: str
    guid: str


def by_canonical(connection: sa.Connection, urls: Sequence[str]) -> dict[str, ItemKey]:
    """Return the keys of the items that are drafted for canonical URLs, by URL."""
    result: dict[str, ItemKey] = {}
    for chunk in chunks(urls):
        query = (
            sa.select(items.c.canonical, items.c.owned_canonical, feeds.c.key, items.c.guid)
            .select_from(items.join(feeds))
            .where(owns(items.c.canonical.in_(chunk), items.c.owned_canonical.in_(chunk)))
        )
        for row in connection.execute(query):
            key = ItemKey(row.key, row.guid)
            result.setdefault(row.canonical, key)
            result[row.owned_canonical] = key
    return result


def owns(canonical: sa.ColumnElement[bool], owned: sa.ColumnElement[bool]) -> sa.ColumnElement[bool]:
    """Return the condition that an item is drafted for a URL: its feed's, or its page's own."""
    return sa.or_(owned, sa.and_(canonical, items.c.owned_canonical.is_not(None)))


def insert(connection: sa.Connection, rows: Sequence[NewRow]) -> list[int]:
    """Insert items; returns their ids."""
    # Not RETURNING: in the order of the rows, it takes a statement for each row.
    identities = add_rows(connection, rows)
    ids: dict[str, int] = {}
    for chunk in chunks(identities):
        ids.update({row.external_id: row.id for row in connection.execute(_IDS, {"identities": chunk})})
    return [ids[identity] for identity in identities]


_IDS = sa.select(items.c.external_id, items.c.id).where(
    items.c.external_id.in_(sa.bindparam("identities", expanding=True))
)


def add_rows(connection: sa.Connection, rows: Sequence[NewRow]) -> list[str]:
    """Insert items; returns their external ids."""
    every = [
        _BLANK
        | {"feed_id": feed.id, "guid": item.guid, "external_id": external_id(feed.first_key, item.guid)}
        | values(item)
        | more
        for feed, item, more in rows
    ]
    if every:
        connection.execute(items.insert(), every)
    return [str(row["external_id"]) for row in every]


NOT_TRIED: Columns = {"page_tries": 0, "retry_at": None}
"""Columns of an item whose page has not failed."""
_BLANK: Columns = {
    **NOT_TRIED,
    **dict.fromkeys(("reason", "merged_into", "owned_canonical", "story_id")),
    **dict.fromkeys(("attempts", "lease_token", "updates"), 0),
}


def values(item: Item) -> Columns:
    """Return the columns that hold a feed's content of an item."""
    return {
        "canonical": item.canonical,
        "payload": item.model_dump_json(),
        "content_hash": item.content_hash,
        "title": item.title,
        "published_at": item.published_at,
    }


def in_window(window: Window | None) -> list[sa.ColumnElement[bool]]:
    """Return the conditions of a half-open range of publication times."""
    since, until = window or (None, None)
    conditions = [items.c.published_at >= since] if since else []
    return conditions + ([items.c.published_at < until] if until else [])


FEED_SOURCE = (items.c.guid, items.c.payload, items.c.updated_payload, items.c.content_hash)
"""Columns for `feed_source`."""


def feed_source(row: Row) -> Item:
    """Return an item as its feed had it last; in place of its page's text the feed's, where that is kept."""
    if row.updated_payload is not None:
        return Item.model_validate_json(row.updated_payload)
    item = Item.model_validate_json(row.payload)
    return item if item.content_hash == row.content_hash else item.model_copy(update={"text": item.summary})


def updated_source(row: Row) -> Item | None:
    """Return an item's current source, with no less text than before; None where it did not change.

    A feed's excerpt replaces neither a page's text nor a full text of the feed: the earlier text stays, and
    the excerpt becomes the summary.
    """
    if row.updated_payload is None:
        return None
    before, now = (Item.model_validate_json(payload) for payload in (row.payload, row.updated_payload))
    summed = bool(before.summary) and before.text == before.summary
    text = now.summary or now.text if summed else now.text
    of_feed = summed or before.content_hash == row.content_hash
    whole = len(text) >= len(before.text) // (2 if of_feed else 1)
    changes = {
        "text": text if whole else before.text,
        "summary": now.summary if whole else text,
        "title": now.title or before.title,
        "author": now.author or before.author,
        "image": now.image or before.image,
        "image_alt": now.image_alt if now.image else before.image_alt,
        "image_licence": now.image_licence if now.image else before.image_licence,
        "published_at": now.published_at if now.dated else before.published_at,
        "utc_offset_min": now.utc_offset_min if now.dated else before.utc_offset_min,
    }
    return now.model_copy(update=changes)


SOURCE_APPLIED: Columns = {
    "updated_payload": None,
    "updated_hash": None,
    "updates": sa.case((items.c.updates > 0, items.c.updates), else_=1),
}
"""Columns of an item whose changed source became its source; `updates` keeps that it changed."""


def apply_source_update(connection: sa.Connection, item_id: int, reviewed: Item | None) -> None:
    """Make a changed source the item's source, as a draft was approved beside it; its notice is reviewed.

    A source that changed again after it was `reviewed` stays a change.
    """
    this = items.c.id == item_id
    row = connection.execute(sa.select(items).where(this)).one()
    if row.notice is not None and not row.notice.startswith(REVIEWED):
        connection.execute(items.update().where(this).values(notice=f"{REVIEWED}{row.notice}"))
    if (now := updated_source(row)) is not None and now == reviewed:
        applied = {"payload": now.model_dump_json(), "content_hash": row.updated_hash}
        connection.execute(items.update().where(this).values(**applied, **SOURCE_APPLIED))


def require_editable(connection: sa.Connection, draft_row: DraftRow, *, leased: bool = False) -> None:
    """Raise ReviewError where a draft was reviewed meanwhile, or a run works on it (unless `leased`)."""
    columns = sa.select(items.c.state, items.c.lease_owner).where(items.c.id == draft_row.item_id)
    now = connection.execute(columns.with_for_update()).one()
    if now.state != "drafted":
        raise ReviewError(f"{draft_row.path} is {now.state}; nothing was changed", draft=draft_row.path)
    if now.lease_owner and not leased:
        message = f"{draft_row.path} is being written anew just now; say it again when the run is over"
        raise ReviewError(message, draft=draft_row.path)


EDIT = "edit"
"""Cause of a text that an editor wrote."""
BY_HAND = (EDIT, REVISE)
"""Causes of texts whose front matter editors may have changed on disk."""
PAGE = "page"
"""Cause of a text that an open page may have started from: kept aside for a while, in no list."""
SENT = "sent"
"""Cause of a text as a page sent it, before it was merged: kept aside for a while, in no list."""
UNLISTED = (PAGE, SENT)
"""Causes of texts that are kept for merging alone."""
EDITORS_CAUSES = (*BY_HAND, "restore")
"""Causes of texts that editors cause: no run writes them to disk."""


class NewVersion(NamedTuple):
    """How a text is stored as a version."""

    number: int
    """`ai.version`."""
    cause: str
    confirmed: bool
    """No file has to be written."""
    by: str | None = None
    """The editor who wrote it."""
    aside: bool = False
    """Superseded: it is never written to disk."""
    base: str | None = None
    """SHA-256 of the text that it replaces."""
    form: str | None = None
    """The desk's form that it was sent from."""


unwritten = sa.select(versions.c.item_id).where(
    ~versions.c.confirmed, ~versions.c.aside, versions.c.cause.not_in(EDITORS_CAUSES)
)
"""Query for the ids of the items with a text whose write is recorded and not confirmed."""


def add(connection: sa.Connection, item_id: int, draft: Draft, version: NewVersion) -> int:
    """Store a text with its findings and return the version's id."""
    text = {"path": draft.path, "sha256": draft.sha256, "text": draft.text}
    row = versions.insert().values(item_id=item_id, at=datetime.now(UTC), **text, **version._asdict())
    [version_id] = connection.execute(row).inserted_primary_key or [0]
    rows = [{"version_id": version_id, **finding_row(finding)} for finding in draft.findings]
    if rows:
        connection.execute(findings.insert(), rows)
    if not version.aside:
        reindex(connection, item_id)
    return int(version_id)


def texts(connection: sa.Connection, ids: Sequence[int]) -> dict[int, list[Row]]:
    """Return the versions of items, the last one last, by item id."""
    texts: dict[int, list[Row]] = defaultdict(list)
    for chunk in chunks(ids):
        query = sa.select(versions).where(versions.c.item_id.in_(chunk)).order_by(versions.c.id)
        for row in connection.execute(query):
            texts[row.item_id].append(row)
    return texts


def unconfirmed(connection: sa.Connection, written: Sequence[Row], external_id: str) -> Draft | None:
    """Return the text whose write is recorded and not confirmed."""
    row = _last([version for version in written if version.cause not in EDITORS_CAUSES], confirmed=False)
    if row is None:
        return None
    findings = tuple(findings_of(connection, row.id))
    return Draft(external_id=external_id, path=row.path, text=row.text, findings=findings)


def previous(written: Sequence[Row]) -> PreviousVersion | None:
    """Return the last text that was written, as recorded."""
    row = _last(written, confirmed=True)
    if row is None:
        return None
    edited = row.at if row.cause == EDIT else None
    origin = _last([version for version in written if version.cause not in BY_HAND], confirmed=True)
    return PreviousVersion(
        path=row.path,
        sha256=row.sha256,
        text=row.text,
        version=row.number,
        edited_at=edited,
        origin=origin.text if origin else "",
    )


def _last(written: Sequence[Row], *, confirmed: bool) -> Row | None:
    return next((row for row in reversed(written) if row.confirmed is confirmed and not row.aside), None)


def confirm(connection: sa.Connection, item_id: int) -> None:
    """Record that the texts of a run are written."""
    mine = sa.and_(versions.c.item_id == item_id, versions.c.cause.not_in(EDITORS_CAUSES))
    connection.execute(versions.update().where(mine).values(confirmed=True))


def findings_of(connection: sa.Connection, version_id: int) -> list[Finding]:
    """Return a version's findings, in order."""
    query = sa.select(findings.c.payload).where(findings.c.version_id == version_id).order_by(findings.c.id)
    return [Finding.model_validate_json(payload) for payload in connection.scalars(query)]


def finding_row(finding: Finding) -> dict[str, str]:
    """Return a finding's columns; a key is derived where no check gave one."""
    key = finding.key or claim_key(finding.kind, finding.message)
    whole = finding.model_copy(update={"key": key})
    return {"severity": finding.severity.value, "key": key, "payload": whole.model_dump_json()}
