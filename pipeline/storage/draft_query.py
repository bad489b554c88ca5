"""Queries for drafts in the queue: filtered, sorted, counted and paged by the database."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal, NamedTuple

import sqlalchemy as sa

from pipeline.domain.models import FrozenModel
from pipeline.domain.review_time import review_seconds
from pipeline.domain.reviews import Severity
from pipeline.domain.withdrawals import REVIEWED, notice_kind
from pipeline.storage.draft_index import has_terms, search_terms
from pipeline.storage.item_counts import counts_by_feed
from pipeline.storage.open_findings import count_open_of, has_open_finding
from pipeline.storage.redraft_requests import waiting
from pipeline.storage.schema import acknowledgements, draft_index, draft_terms, feeds, items, versions
from pipeline.storage.schema import findings as findings_table

Order = Literal["waiting", "newest", "oldest", "findings", "shortest"]
"""Revisions and longest waiting first; by the source's time; by open findings; by the work that is left."""


class DraftQuery(FrozenModel):
    """Which drafts are listed, in which order."""

    state: str = "drafted"
    feeds: tuple[str, ...] | None = None
    """Keys; None: all feeds."""
    words: tuple[str, ...] = ()
    """All of them must be in title or text; case does not count."""
    findings: Literal["held", "warned", "clean"] | None = None
    """Drafts with an open finding that blocks; with open warnings only; with none of either; None: all."""
    kind: str = ""
    """Drafts with an open finding of this kind, which blocks or warns; empty: all."""
    asked: bool = False
    """Only those with a pending redraft request."""
    changed: bool = False
    """Only those whose source changed or has a notice."""
    order: Order = "newest"


class QueueRow(FrozenModel):
    """A draft in the queue."""

    item_id: int
    external_id: str
    feed_key: str
    title: str
    state: str
    published_at: datetime
    drafted_at: datetime
    """When its last version was stored."""
    since: datetime
    """When it was drafted first; of a revision, when that was begun."""
    revision: bool
    """It is a new draft of an article that was published."""
    words: int
    """Number of words in the body."""
    cause: str
    version: int
    by: str | None
    """The editor who wrote the last version."""
    sha256: str
    """Of the last version."""
    blocks: int
    warns: int
    """Findings of each severity that are not acknowledged."""
    asked: bool
    changed: bool
    """Its source has another text, or a notice."""
    notice: str | None
    """What became of its source, where there is no new text of it."""

    @property
    def change(self) -> str:
        """Return what kind of change its source has: changed, withdrawn or missing."""
        return notice_kind(self.notice or "changed")


class QueueCounts(NamedTuple):
    """Numbers of drafts."""

    states: dict[str, int]
    feeds: dict[str, int]
    """Drafts that wait for a review, by feed key."""


class QueuePage(NamedTuple):
    """A page of the queue."""

    rows: tuple[QueueRow, ...]
    total: int
    """Number of drafts that match, on all pages."""
    counts: QueueCounts
    seconds: float = 0
    """What an editor needs for the drafts that match and wait."""
    since: datetime | None = None
    """When the first of them began to wait; None: none waits."""


def _count(severity: Severity) -> sa.ColumnElement[int]:
    """Return the number of a draft's findings of a severity that nobody dismissed, of joined rows."""
    is_open = sa.and_(acknowledgements.c.id.is_(None), findings_table.c.severity == severity.value)
    return sa.func.coalesce(sa.func.sum(sa.case((is_open, 1), else_=0)), 0)


_BLOCKS, _WARNS = _count(Severity.BLOCK), _count(Severity.WARN)


def _with_findings(joined: sa.FromClause) -> sa.FromClause:
    """Return drafts with a row for each finding of their last version, beside it its acknowledgement."""
    acknowledgement = sa.and_(
        acknowledgements.c.item_id == draft_index.c.item_id,
        acknowledgements.c.key == findings_table.c.key,
        acknowledgements.c.withdrawn_at.is_(None),
    )
    last = findings_table.c.version_id == draft_index.c.version_id
    return joined.outerjoin(findings_table, last).outerjoin(acknowledgements, acknowledgement)


_STATES = ("drafted", "approved", "rejected")
"""Of items that have a draft."""
NOTICE = sa.case((~items.c.notice.startswith(REVIEWED), items.c.notice))
"""A notice that no editor has reviewed, else NULL."""
CHANGED = sa.or_(items.c.updated_payload.is_not(None), NOTICE.is_not(None))
"""The condition that an item's source has another text, or such a notice."""


def is_joint(query: DraftQuery) -> bool:
    """Return whether drafts are chosen or sorted by what their findings or words say."""
    return bool(query.words) or _needs_counts(query)


def _needs_counts(query: DraftQuery) -> bool:
    """Return whether drafts are chosen or sorted by the number of their open findings."""
    return query.findings is not None or query.order in ("findings", "shortest")


def listed_drafts(connection: sa.Connection, query: DraftQuery, *, counted: bool) -> sa.Subquery:
    """Return the drafts that match, with what they are sorted by; `counted` counts their open findings."""
    columns = [
        items.c.id, items.c.external_id, items.c.published_at,
        draft_index.c.since, draft_index.c.revision, draft_index.c.word_count,
    ]  # fmt: skip
    joined: sa.FromClause = items.join(draft_index)
    if query.words:
        joined = joined.join(draft_terms, draft_terms.c.item_id == items.c.id)
    if not counted:
        none = sa.literal(0)
        listed = sa.select(*columns, none.label("blocks"), none.label("warns")).select_from(joined)
        return listed.where(*_conditions(connection, query)).subquery("listed")
    counts = (_BLOCKS.label("blocks"), _WARNS.label("warns"))
    listed = sa.select(*columns, *counts).select_from(_with_findings(joined))
    listed = listed.where(*_conditions(connection, query)).group_by(items.c.id, draft_index.c.item_id)
    return listed.having(*_kinds(query)).subquery("listed")


def _conditions(connection: sa.Connection, query: DraftQuery) -> list[sa.ColumnElement[bool]]:
    conditions = [items.c.state == query.state]
    if query.feeds is not None:
        conditions.append(items.c.feed_id.in_(sa.select(feeds.c.id).where(feeds.c.key.in_(query.feeds))))
    conditions += has_terms(connection, search_terms(" ".join(query.words)))
    if query.kind:
        conditions.append(has_open_finding(connection, query.kind))
    if query.asked:
        conditions.append(items.c.id.in_(waiting))
    if query.changed:
        conditions.append(CHANGED)
    return conditions


def _kinds(query: DraftQuery) -> list[sa.ColumnElement[bool]]:
    kinds = {
        "held": [_BLOCKS > 0],
        "warned": [_BLOCKS == 0, _WARNS > 0],
        "clean": [_BLOCKS == 0, _WARNS == 0],
    }
    return kinds[query.findings] if query.findings else []


class SortKey(NamedTuple):
    """What drafts are sorted by."""

    column: sa.ColumnElement[Any]
    descending: bool = False

    @property
    def ordered(self) -> sa.ColumnElement[Any]:
        """The key as SQL takes it."""
        return self.column.desc() if self.descending else self.column.asc()

    @property
    def reversed(self) -> sa.ColumnElement[Any]:
        """The key of the opposite order."""
        return self.column.asc() if self.descending else self.column.desc()


def sort_keys(query: DraftQuery, listed: sa.Subquery) -> tuple[SortKey, ...]:
    """Return what drafts are sorted by; no two drafts are alike in all of it."""
    columns = listed.c
    newest = (SortKey(columns.published_at, descending=True), SortKey(columns.id, descending=True))
    longest = (SortKey(columns.revision, descending=True), SortKey(columns.since), SortKey(columns.id))
    findings = (SortKey(columns.blocks, descending=True), SortKey(columns.warns, descending=True))
    orders: dict[str, tuple[SortKey, ...]] = {
        "waiting": longest if query.state == "drafted" else newest,
        "newest": newest,
        "oldest": (SortKey(columns.published_at), SortKey(columns.id)),
        "findings": (*findings, *newest),
        "shortest": (SortKey(_seconds(listed)), *newest),
    }
    return orders[query.order]


def _order(query: DraftQuery, listed: sa.Subquery) -> tuple[sa.ColumnElement[Any], ...]:
    return tuple(key.ordered for key in sort_keys(query, listed))


def _seconds(listed: sa.Subquery) -> sa.ColumnElement[Any]:
    columns: Any = listed.c
    seconds: Any = review_seconds(columns.word_count, columns.blocks, columns.warns)
    statement: sa.ColumnElement[Any] = seconds
    return statement


def matching_ids(connection: sa.Connection, query: DraftQuery) -> list[str]:
    """Return the external ids of the drafts that match, in order."""
    listed = listed_drafts(connection, query, counted=_needs_counts(query))
    return list(connection.scalars(sa.select(listed.c.external_id).order_by(*_order(query, listed))))


class _Totals(NamedTuple):
    """What is said of all drafts that match."""

    total: int = 0
    seconds: float = 0
    since: datetime | None = None


def matching_page(connection: sa.Connection, query: DraftQuery, limit: int, offset: int) -> QueuePage:
    """Return a page of the drafts that match, and the numbers of all drafts."""
    find = _page_with_totals if is_joint(query) else _page_and_totals
    ids, totals = find(connection, query, limit, offset)
    rows = {row.item_id: row for row in _rows(connection, ids)}
    return QueuePage(
        tuple(rows[item_id] for item_id in ids),
        totals.total,
        counts(connection),
        totals.seconds,
        totals.since,
    )


def _page_and_totals(
    connection: sa.Connection, query: DraftQuery, limit: int, offset: int
) -> tuple[list[int], _Totals]:
    """Return the ids of a page and the totals, where neither depends on single drafts' findings or words."""
    listed = listed_drafts(connection, query, counted=False)
    ids = sa.select(listed.c.id).order_by(*_order(query, listed)).limit(limit).offset(offset)
    columns = (sa.func.count(), sa.func.sum(listed.c.word_count), sa.func.min(listed.c.since))
    total, words, since = connection.execute(sa.select(*columns)).one()
    page = list(connection.scalars(ids))
    if query.state != "drafted":
        return page, _Totals(total)
    conditions = _conditions(connection, query)
    blocks, warns = count_open_of(connection, items.join(draft_index), draft_index, *conditions)
    return page, _Totals(total, review_seconds(int(words or 0), blocks, warns), since)


def _page_with_totals(
    connection: sa.Connection, query: DraftQuery, limit: int, offset: int
) -> tuple[list[int], _Totals]:
    """Return the ids of a page and the totals by one statement, as a search reads the words of all drafts."""
    waits = query.state == "drafted"
    listed = listed_drafts(connection, query, counted=waits or _needs_counts(query))
    work = (sa.func.sum(_seconds(listed)).over(), sa.func.min(listed.c.since).over())
    seconds, since = work if waits else (sa.literal(0), sa.null())
    totals = (sa.func.count().over().label("total"), seconds.label("seconds"), since.label("since"))
    statement = sa.select(listed.c.id, *totals).order_by(*_order(query, listed))
    rows = connection.execute(statement.limit(limit).offset(offset)).all()
    if not rows:  # after the last page only the totals are to be had
        return [], _page_with_totals(connection, query, 1, 0)[1] if offset else _Totals()
    return [row.id for row in rows], _Totals(rows[0].total, float(rows[0].seconds), rows[0].since)


def _rows(connection: sa.Connection, ids: Sequence[int]) -> list[QueueRow]:
    columns = (
        items.c.id.label("item_id"), items.c.external_id, feeds.c.key.label("feed_key"), items.c.title,
        items.c.state, items.c.published_at, versions.c.at.label("drafted_at"), versions.c.cause,
        versions.c.number.label("version"), versions.c.by, versions.c.sha256,
        draft_index.c.since, draft_index.c.revision, draft_index.c.word_count.label("words"),
        _BLOCKS.label("blocks"), _WARNS.label("warns"),
        items.c.id.in_(waiting).label("asked"), CHANGED.label("changed"), NOTICE.label("notice"),
    )  # fmt: skip
    last = items.join(feeds).join(draft_index).join(versions, versions.c.id == draft_index.c.version_id)
    joined = _with_findings(last)
    query = sa.select(*columns).select_from(joined).where(items.c.id.in_(ids))
    query = query.group_by(items.c.id, feeds.c.id, draft_index.c.item_id, versions.c.id)
    return [QueueRow(**row._asdict()) for row in connection.execute(query)]


def counts(connection: sa.Connection) -> QueueCounts:
    """Return the numbers of drafts by state, and of those that wait for a review by feed."""
    numbers = counts_by_feed(connection)
    states = {state: sum(each.get(state, 0) for each in numbers.values()) for state in _STATES}
    feeds = {key: each["drafted"] for key, each in numbers.items() if each.get("drafted")}
    return QueueCounts(states={state: count for state, count in states.items() if count}, feeds=feeds)
