"""Reviews: editors' decisions, recorded before a file moves, and which texts editors were shown.

An undo is a review of its own, which names the one that it takes back.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from pipeline.domain.errors import ReviewError
from pipeline.domain.models import FrozenModel
from pipeline.domain.review_records import ReviewRecord
from pipeline.domain.reviews import PUBLISHING, Finding, Review, ReviewDecision
from pipeline.storage import finding_ends, publications, redraft_requests
from pipeline.storage.draft_index import reindex
from pipeline.storage.engine import Row, Transactions
from pipeline.storage.finding_ends import NO_TIME
from pipeline.storage.item_rows import apply_source_update
from pipeline.storage.publications import NewPublication
from pipeline.storage.records import DraftRow
from pipeline.storage.schema import items, verdicts, views

_STATES = {
    ReviewDecision.APPROVE: "approved",
    ReviewDecision.REJECT: "rejected",
    ReviewDecision.UNDO: "drafted",
    ReviewDecision.RETRACT: "approved",
    ReviewDecision.UNPUBLISH: "drafted",
}
OF_ARTICLES = (ReviewDecision.RETRACT, ReviewDecision.UNPUBLISH)
"""Decisions about published articles; their undo publishes the same bytes again."""
_DECISIONS = tuple(each for each in ReviewDecision if each is not ReviewDecision.UNDO)


class Move(NamedTuple):
    """What a review does to a draft's file."""

    old_path: str
    new_path: str
    text: str
    """The file's content at its new path."""
    sha256_after: str
    """Its hash."""
    replaces: str | None = None
    """SHA-256 of a file that may be replaced at the new path."""
    leaves: str | None = None
    """Text to write at the old path; None: the file there is removed."""
    undoes: int | None = None
    """Id of the review that is taken back."""


class RecordedReview(NamedTuple):
    """The record of a review, and what it means for the draft's findings."""

    record: ReviewRecord
    passed: tuple[Finding, ...] = ()
    """Open findings that an approval passes."""
    edited: tuple[Finding, ...] = ()
    """Open findings of the last recorded text that the file no longer has."""
    at: datetime | None = None
    """When they ended; None: times of reviews are not stored."""


class CompletedReview(NamedTuple):
    """A review whose file has moved."""

    id: int
    item_id: int
    decision: ReviewDecision
    by: str
    at: datetime
    note: str | None
    old_path: str
    new_path: str
    sha256_before: str
    sha256_after: str
    text: str
    """The file's content at its new path."""
    undoes: int | None
    """Id of the review that it takes back."""
    record: str | None = None
    """Its ReviewRecord as JSON; None for an undo and in older rows."""


class PendingReview(FrozenModel):
    """A review whose file is still to be moved."""

    review_id: int
    item_id: int
    state: str
    """The item's state afterwards."""
    old_path: str
    new_path: str
    sha256_before: str
    text: str
    """The file's content at its new path."""
    replaces: str | None
    """SHA-256 of a file that may be replaced at the new path."""
    leaves: str | None
    """Text to write at the old path; None: the file there is removed."""
    path: str
    """The path of the item's file afterwards."""


_Completed = list[CompletedReview]  # within the class, `list` is its method
_Pending = list[PendingReview]


class ReviewRepository(Transactions):
    """Stores editors' reviews and which texts they were shown."""

    def begin(
        self,
        draft_row: DraftRow,
        review: Review,
        move: Move,
        targets: Sequence[str] = (),
        *,
        recorded: RecordedReview | None = None,
    ) -> PendingReview:
        """Record a review before its file moves, with the publications that follow at `targets`.

        A redraft under way loses its lease. Raises ReviewError where another review came first.
        """
        with self._writing() as connection:
            completed = _require_first(connection, draft_row, move)
            values = {
                "decision": review.decision.value, "by": review.by, "at": review.at, "note": review.note,
                "sha256_before": review.sha256, **move._asdict(),
                "record": recorded.record.canonical().decode() if recorded else None,
            }  # fmt: skip
            inserted = verdicts.insert().values(item_id=draft_row.item_id, confirmed=False, **values)
            [number] = connection.execute(inserted).inserted_primary_key or [0]
            revoked = {"lease_token": items.c.lease_token + 1, "lease_owner": None, "lease_expires": None}
            connection.execute(items.update().where(items.c.id == draft_row.item_id).values(**revoked))
            outcome = f"not needed: {review.decision.value} came first"
            redraft_requests.close(connection, draft_row.item_id, outcome)
            if any(each.id == move.undoes and each.decision is ReviewDecision.APPROVE for each in completed):
                finding_ends.drop_passed(connection, draft_row.item_id)
            _end_findings(connection, draft_row.item_id, review, recorded)
            publication = _publication(review, move, completed)
            if publication is not None:
                publications.add(connection, draft_row.item_id, targets, publication)
            if review.decision in PUBLISHING:
                apply_source_update(connection, draft_row.item_id, draft_row.updated)
            row = connection.execute(sa.select(verdicts).where(verdicts.c.id == number)).one()
            return _pending(connection, row)

    def confirm(self, pending: PendingReview) -> None:
        """Record that a review's file has moved."""
        with self._writing() as connection:
            this = verdicts.c.id == pending.review_id
            connection.execute(verdicts.update().where(this).values(confirmed=True))
            moved = {"state": pending.state, "path": pending.path}
            connection.execute(items.update().where(items.c.id == pending.item_id).values(**moved))
            if pending.state == "drafted":  # it is a revision only while an article of it is published
                reindex(connection, pending.item_id)

    def unfinished(self) -> _Pending:
        """Return the reviews whose files have not moved, as their process was killed."""
        query = sa.select(verdicts).where(~verdicts.c.confirmed).order_by(verdicts.c.id)
        with self._reading() as connection:
            return [_pending(connection, row) for row in connection.execute(query).all()]

    def latest(self, limit: int = 20) -> _Completed:
        """Return the last completed reviews, the last one first, without their texts."""
        columns = [column for column in verdicts.c if column.name not in ("text", "leaves", "record")]
        query = sa.select(*columns).where(verdicts.c.confirmed).order_by(verdicts.c.id.desc()).limit(limit)
        with self._reading() as connection:
            return _records(connection.execute(query).all())

    def record_view(self, item_id: int, editor: str, sha256: str, now: datetime | None) -> None:
        """Record that an editor was shown the text of a draft with this hash; the first time is kept.

        `now` is None where times of reviews are not stored: the row has NO_TIME then.
        """
        if not self.was_viewed(item_id, editor, sha256):  # a read does not wait for writers
            with self._writing() as connection:
                add_view(connection, item_id, editor, sha256, now or NO_TIME)

    def opened_at(self, item_id: int, editor: str) -> datetime | None:
        """Return when a draft was first shown to an editor; None: never, or the time is not stored."""
        mine = (views.c.item_id == item_id, views.c.by == editor, views.c.at > NO_TIME)
        with self._reading() as connection:
            first: datetime | None = connection.scalar(sa.select(sa.func.min(views.c.at)).where(*mine))
            return first

    def was_viewed(self, item_id: int, editor: str, sha256: str) -> bool:
        """Return whether an editor was shown the text of a draft with this hash."""
        this = (views.c.item_id == item_id, views.c.by == editor, views.c.sha256 == sha256)
        with self._reading() as connection:
            return connection.execute(sa.select(views.c.item_id).where(*this)).first() is not None

    def list(self, item_id: int) -> _Completed:
        """Return the completed reviews of an item, the first one first."""
        with self._reading() as connection:
            return _of_item(connection, item_id)


def _require_first(connection: sa.Connection, draft_row: DraftRow, move: Move) -> list[CompletedReview]:
    """Return an item's completed reviews. Raises ReviewError where one came in between."""
    query = sa.select(items.c.state).where(items.c.id == draft_row.item_id).with_for_update()
    state = connection.scalar(query)
    unfinished = sa.select(verdicts.c.id).where(
        verdicts.c.item_id == draft_row.item_id, ~verdicts.c.confirmed
    )
    completed = _of_item(connection, draft_row.item_id)
    last = last_decision(completed)
    late = move.undoes is not None and (last is None or last.id != move.undoes)
    if state != draft_row.state or late or connection.execute(unfinished).first():
        raise ReviewError(
            f"{draft_row.path} was decided on meanwhile; nothing was changed", draft=draft_row.path
        )
    return completed


def _end_findings(
    connection: sa.Connection, item_id: int, review: Review, recorded: RecordedReview | None
) -> None:
    """Record which findings a review ends."""
    if recorded is None:
        return
    for finding in recorded.edited:
        finding_ends.record_end(connection, item_id, finding, "edited", "", recorded.at)
    for finding in recorded.passed:
        finding_ends.record_end(connection, item_id, finding, "passed", review.by, recorded.at)


def _publication(review: Review, move: Move, completed: Sequence[CompletedReview]) -> NewPublication | None:
    """Return what targets are to do; undoing an approval publishes the one before it again."""
    if review.decision in PUBLISHING:
        return NewPublication("publish", move.sha256_after, move.new_path, review.by, review.at)
    before, after = current_approval(completed), None
    if review.decision is not ReviewDecision.UNPUBLISH:
        after = current_approval([earlier for earlier in completed if earlier.id != move.undoes])
    if before == after or not (published := after or before):
        return None
    action: publications.Action = "publish" if after else "withdraw"
    return NewPublication(action, published.sha256_after, published.new_path, review.by, review.at)


def current_approval(completed: Sequence[CompletedReview]) -> CompletedReview | None:
    """Return the approval or retraction that is published, whatever became of later revisions."""
    last = last_decision(completed, (*PUBLISHING, ReviewDecision.UNPUBLISH))
    return last if last and last.decision in PUBLISHING else None


def last_decision(
    completed: Sequence[CompletedReview], decisions: Sequence[ReviewDecision] = _DECISIONS
) -> CompletedReview | None:
    """Return the last review with one of these decisions (default: all but an undo) that was not undone."""
    undone = {review.undoes for review in completed}
    chosen = (review for review in reversed(completed) if review.decision in decisions)
    return next((review for review in chosen if review.id not in undone), None)


def add_view(connection: sa.Connection, item_id: int, editor: str, sha256: str, now: datetime) -> None:
    """Record that an editor was shown a text; an earlier record stays."""
    row = {"item_id": item_id, "by": editor, "sha256": sha256, "at": now}
    connection.execute(_ADD_VIEW[connection.dialect.name], row)


_ADD_VIEW = {
    "sqlite": sqlite.insert(views).on_conflict_do_nothing(),
    "postgresql": postgresql.insert(views).on_conflict_do_nothing(),
}


def _of_item(connection: sa.Connection, item_id: int) -> list[CompletedReview]:
    mine = sa.and_(verdicts.c.item_id == item_id, verdicts.c.confirmed)
    return _records(connection.execute(sa.select(verdicts).where(mine).order_by(verdicts.c.id)).all())


def _records(rows: Iterable[Row]) -> list[CompletedReview]:
    return [
        CompletedReview(
            id=row.id, item_id=row.item_id, decision=ReviewDecision(row.decision), by=row.by, at=row.at,
            note=row.note, old_path=row.old_path, new_path=row.new_path, sha256_before=row.sha256_before,
            sha256_after=row.sha256_after, text=getattr(row, "text", ""), undoes=row.undoes,
            record=getattr(row, "record", None),
        )
        for row in rows
    ]  # fmt: skip


def _pending(connection: sa.Connection, row: Row) -> PendingReview:
    decision, path, state = ReviewDecision(row.decision), row.new_path, _STATES[ReviewDecision(row.decision)]
    if decision is ReviewDecision.REJECT and (
        approval := current_approval(_of_item(connection, row.item_id))
    ):
        path, state = approval.new_path, "approved"  # a rejected revision leaves the article published
    if decision is ReviewDecision.UNDO:
        undone = connection.scalar(sa.select(verdicts.c.decision).where(verdicts.c.id == row.undoes))
        state = "approved" if undone in OF_ARTICLES else state
    return PendingReview(
        review_id=row.id,
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
