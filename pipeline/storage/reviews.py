"""Verdicts: recorded before a file moves, carried out, taken back by verdicts of their own."""

from collections.abc import Iterable, Sequence

import sqlalchemy as sa

from pipeline.domain.errors import ReviewError
from pipeline.domain.models import Review, ReviewDecision
from pipeline.storage import publications, redraft_requests
from pipeline.storage.items import take_update
from pipeline.storage.records import DraftRow, Given, Move, PendingVerdict
from pipeline.storage.schema import items, verdicts

STATES = {
    ReviewDecision.APPROVE: "approved",
    ReviewDecision.REJECT: "rejected",
    ReviewDecision.UNDO: "drafted",
}


def intend(
    connection: sa.Connection, row: DraftRow, verdict: Review, move: Move, targets: Iterable[str]
) -> PendingVerdict:
    """Record a verdict before the file moves. Raises ReviewError where another one came first."""
    now = connection.scalar(sa.select(items.c.state).where(items.c.id == row.item_id).with_for_update())
    unfinished = sa.select(verdicts.c.id).where(verdicts.c.item_id == row.item_id, ~verdicts.c.confirmed)
    given = of_item(connection, row.item_id)
    late = move.undoes is not None and (not given or given[-1].id != move.undoes)
    if now != row.state or late or connection.execute(unfinished).first():
        raise ReviewError(f"{row.path} was decided on meanwhile; nothing was changed", draft=row.path)
    said = {"decision": verdict.decision.value, "by": verdict.by, "at": verdict.at, "note": verdict.note}
    inserted = verdicts.insert().values(
        item_id=row.item_id, confirmed=False, sha256_before=verdict.sha256, **move._asdict(), **said
    )
    [number] = connection.execute(inserted).inserted_primary_key or [0]
    # A redraft that is under way comes too late: the editor has spoken.
    fenced = {"lease_token": items.c.lease_token + 1, "lease_owner": None, "lease_expires": None}
    connection.execute(items.update().where(items.c.id == row.item_id).values(**fenced))
    redraft_requests.close(connection, row.item_id, f"not needed: {verdict.decision.value} came first")
    _publish(connection, row, verdict, move, given, targets)
    if verdict.decision is ReviewDecision.APPROVE:
        take_update(connection, row.item_id, row.updated)
    return _pending(connection, connection.execute(sa.select(verdicts).where(verdicts.c.id == number)).one())


def _publish(
    connection: sa.Connection,
    row: DraftRow,
    verdict: Review,
    move: Move,
    given: Sequence[Given],
    targets: Iterable[str],
) -> None:
    """Have targets do what a verdict means; an approval that is undone brings the one before it back."""
    action: publications.Action = "publish"
    if verdict.decision is ReviewDecision.APPROVE:
        sha256, path = move.sha256_after, move.new_path
    else:
        undone = next((one for one in given if one.id == move.undoes), None)
        if undone is None or undone.decision is not ReviewDecision.APPROVE:
            return
        before = live([one for one in given if one.id != undone.id])
        stood = before or undone
        action = "publish" if before else "withdraw"
        sha256, path = stood.sha256_after, stood.new_path
    publications.add(
        connection, row.item_id, targets, action=action, sha256=sha256, path=path,
        by=verdict.by, now=verdict.at,
    )  # fmt: skip


def of_item(connection: sa.Connection, item_id: int) -> list[Given]:
    """Return the verdicts on an item that were carried out, the first one first."""
    mine = sa.and_(verdicts.c.item_id == item_id, verdicts.c.confirmed)
    return _given(connection.execute(sa.select(verdicts).where(mine).order_by(verdicts.c.id)).all())


def latest(connection: sa.Connection, limit: int) -> list[Given]:
    """Return the last verdicts that were carried out, the last one first, without their texts."""
    columns = [column for column in verdicts.c if column.name not in ("text", "leaves")]
    query = sa.select(*columns).where(verdicts.c.confirmed).order_by(verdicts.c.id.desc()).limit(limit)
    return _given(connection.execute(query).all())


def _given(rows: Iterable[sa.Row[tuple[object, ...]]]) -> list[Given]:
    return [
        Given(
            id=row.id, item_id=row.item_id, decision=ReviewDecision(row.decision), by=row.by, at=row.at,
            note=row.note, old_path=row.old_path, new_path=row.new_path, sha256_before=row.sha256_before,
            sha256_after=row.sha256_after, text=getattr(row, "text", ""), undoes=row.undoes,
        )
        for row in rows
    ]  # fmt: skip


def live(given: Sequence[Given]) -> Given | None:
    """Return the approval by which an article is published, whatever came of its revisions since."""
    undone = {one.undoes for one in given}
    approved = (one for one in reversed(given) if one.decision is ReviewDecision.APPROVE)
    return next((one for one in approved if one.id not in undone), None)


def unfinished(connection: sa.Connection) -> list[PendingVerdict]:
    """Return the verdicts that are recorded and not carried out."""
    rows = connection.execute(sa.select(verdicts).where(~verdicts.c.confirmed).order_by(verdicts.c.id)).all()
    return [_pending(connection, row) for row in rows]


def _pending(connection: sa.Connection, row: sa.Row[tuple[object, ...]]) -> PendingVerdict:
    decision, path, state = ReviewDecision(row.decision), row.new_path, STATES[ReviewDecision(row.decision)]
    if decision is ReviewDecision.REJECT and (standing := live(of_item(connection, row.item_id))):
        path, state = standing.new_path, "approved"  # what was revised is still published
    return PendingVerdict(
        verdict_id=row.id,
        item_id=row.item_id,
        state=state,
        old_path=row.old_path,
        new_path=row.new_path,
        sha256_before=row.sha256_before,
        text=row.text,
        replaces=row.replaces,
        leaves=row.leaves,
        path=path,
    )


def confirm(connection: sa.Connection, pending: PendingVerdict) -> None:
    """Record that the file has moved."""
    connection.execute(verdicts.update().where(verdicts.c.id == pending.verdict_id).values(confirmed=True))
    moved = {"state": pending.state, "path": pending.path}
    connection.execute(items.update().where(items.c.id == pending.item_id).values(**moved))
