"""Drafts that were approved, for the tests of publishing."""

from pathlib import Path

from pipeline.articles.files import sha256_of
from pipeline.domain.reviews import Review, ReviewDecision
from pipeline.storage import Database, DraftRow, Move
from tests.pipeline.storage.records import LEASE_S, NOW, admit, answer, draft, item

TARGETS = ("site", "repo")


def drafted(db: Database, number: int) -> DraftRow:
    admit(db, item(number))
    [lease] = db.leases.acquire("one", 1, LEASE_S)
    db.budget.record(lease, answer())
    db.leases.begin_write(lease, draft(lease, f"draft {number}"))
    db.leases.confirm_write(lease)
    return next(row for row in db.drafts.list() if row.item.guid == f"guid-{number}")


def decided(
    db: Database, row: DraftRow, text: str, *, targets: tuple[str, ...] = TARGETS, undo: bool = False
) -> str:
    """Approve a text of a draft, or take its last approval back; returns the hash of what was approved."""
    row = db.drafts.get(row.external_id)
    decision = ReviewDecision.UNDO if undo else ReviewDecision.APPROVE
    verdict = Review(decision=decision, by="Ada", at=NOW, sha256="before")
    other = "drafts" if undo else "published"
    path = f"{other}/2026/02/{Path(row.path).name}"
    undoes = db.reviews.list(row.item_id)[-1].id if undo else None
    move = Move(row.path, path, text, sha256_of(text.encode()), undoes=undoes)
    db.reviews.confirm(db.reviews.begin(row, verdict, move, targets))
    return move.sha256_after
