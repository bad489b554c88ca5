"""Drafts and verdicts, as the editor's commands need them."""

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from pipeline.errors import ReviewError
from pipeline.ledger import requests, stories
from pipeline.ledger.notes import findings_of
from pipeline.ledger.records import DraftRow, PendingVerdict
from pipeline.ledger.schema import feeds, items, verdicts, versions
from pipeline.models import Decision, Item, Verdict

STATES = {Decision.APPROVE: "approved", Decision.REJECT: "rejected"}
_every = versions.alias()
_LATEST = (
    sa.select(sa.func.max(_every.c.id))
    .where(_every.c.item_id == items.c.id)
    .correlate(items)
    .scalar_subquery()
)


def _query() -> sa.Select[tuple[object, ...]]:
    columns = (
        feeds.c.key, versions.c.id.label("version_id"), versions.c.text, versions.c.at, versions.c.number,
    )  # fmt: skip
    joined = items.join(feeds).join(
        versions, sa.and_(versions.c.item_id == items.c.id, versions.c.id == _LATEST)
    )
    return sa.select(items, *columns).select_from(joined).order_by(items.c.published_at.desc(), items.c.id)


def listed(connection: sa.Connection, states: Sequence[str]) -> list[DraftRow]:
    """Return the drafts in these states, newest first."""
    rows = connection.execute(_query().where(items.c.state.in_(states))).all()
    return [_row(connection, row) for row in rows]


def one(connection: sa.Connection, ref: str) -> DraftRow:
    """Return the draft that an external id (or its beginning), a path or a file name means.

    Raises ReviewError where none or several answer.
    """
    name = ref.strip().replace("\\", "/")
    decided = ("drafted", "approved", "rejected")
    where = [items.c.external_id.startswith(name, autoescape=True)]
    for ending in {name, name.rpartition("output/")[2]}:
        where += [items.c.path == ending, items.c.path.endswith(f"/{ending}", autoescape=True)]
    rows = (
        connection.execute(_query().where(items.c.state.in_(decided), sa.or_(*where))).all() if name else []
    )
    if len(rows) != 1:
        raise _unclear(ref, [str(row.path) for row in rows])
    row = _row(connection, rows[0])
    return row.model_copy(update={"siblings": tuple(stories.siblings(connection, row.item_id))})


def _unclear(ref: str, paths: list[str]) -> ReviewError:
    if not paths:
        return ReviewError(f"no draft is called {ref!r}; `copydesk drafts list` shows them", draft=ref)
    some = ", ".join(paths[:3]) + (" …" if len(paths) > 3 else "")
    return ReviewError(f"{ref!r} means {len(paths)} drafts ({some}); give more of its name", draft=ref)


def _row(connection: sa.Connection, row: sa.Row[tuple[object, ...]]) -> DraftRow:
    return DraftRow(
        item_id=row.id,
        external_id=row.external_id,
        feed_key=row.key,
        title=row.title,
        path=row.path,
        state=row.state,
        published_at=row.published_at,
        drafted_at=row.at,
        findings=tuple(findings_of(connection, row.version_id)),
        item=Item.model_validate_json(row.payload),
        version=row.number,
        version_text=row.text,
        request=requests.pending(connection, row.id),
    )


def count_since(connection: sa.Connection, feed_id: int, since: datetime) -> int:
    """Return how many items of a feed got a draft since a moment."""
    written = sa.select(versions.c.id).where(versions.c.item_id == items.c.id, versions.c.at >= since)
    query = sa.select(sa.func.count()).where(items.c.feed_id == feed_id, written.exists())
    return connection.scalar(query) or 0


def intend_verdict(
    connection: sa.Connection, row: DraftRow, verdict: Verdict, new_path: str, text: str, sha256_after: str
) -> PendingVerdict:
    """Record a verdict before the file moves. Raises ReviewError where another one came first."""
    query = sa.select(items.c.state).where(items.c.id == row.item_id).with_for_update()
    waiting = sa.select(verdicts.c.id).where(verdicts.c.item_id == row.item_id, ~verdicts.c.confirmed)
    if connection.scalar(query) != "drafted" or connection.execute(waiting).first():
        raise ReviewError(f"{row.path} was decided on meanwhile; nothing was changed", draft=row.path)
    moved = {"old_path": row.path, "new_path": new_path, "text": text}
    hashes = {"sha256_before": verdict.sha256, "sha256_after": sha256_after}
    said = {"decision": verdict.decision.value, "by": verdict.by, "at": verdict.at, "note": verdict.note}
    inserted = verdicts.insert().values(item_id=row.item_id, confirmed=False, **moved, **hashes, **said)
    [number] = connection.execute(inserted).inserted_primary_key or [0]
    # A redraft that is under way comes too late: the editor has spoken.
    fenced = {"lease_token": items.c.lease_token + 1, "lease_owner": None, "lease_expires": None}
    connection.execute(items.update().where(items.c.id == row.item_id).values(**fenced))
    requests.close(connection, row.item_id, f"not needed: {verdict.decision.value} came first")
    return _pending(connection.execute(sa.select(verdicts).where(verdicts.c.id == number)).one())


def require_free(connection: sa.Connection, row: DraftRow) -> None:
    """Raise ReviewError where a run works on a draft, or it was decided on meanwhile."""
    columns = sa.select(items.c.state, items.c.lease_owner).where(items.c.id == row.item_id)
    now = connection.execute(columns.with_for_update()).one()
    if now.state != "drafted":
        raise ReviewError(f"{row.path} is {now.state}; nothing was changed", draft=row.path)
    if now.lease_owner:
        said = f"{row.path} is being written anew just now; say it again when the run is over"
        raise ReviewError(said, draft=row.path)


def unfinished(connection: sa.Connection) -> list[PendingVerdict]:
    """Return the verdicts that are recorded and not carried out."""
    rows = connection.execute(sa.select(verdicts).where(~verdicts.c.confirmed).order_by(verdicts.c.id)).all()
    return [_pending(row) for row in rows]


def _pending(row: sa.Row[tuple[object, ...]]) -> PendingVerdict:
    return PendingVerdict(
        verdict_id=row.id,
        item_id=row.item_id,
        state=STATES[Decision(row.decision)],
        old_path=row.old_path,
        new_path=row.new_path,
        sha256_before=row.sha256_before,
        text=row.text,
    )


def confirm_verdict(connection: sa.Connection, pending: PendingVerdict) -> None:
    """Record that the file has moved."""
    connection.execute(verdicts.update().where(verdicts.c.id == pending.verdict_id).values(confirmed=True))
    moved = {"state": pending.state, "path": pending.new_path}
    connection.execute(items.update().where(items.c.id == pending.item_id).values(**moved))
