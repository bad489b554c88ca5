"""Drafts that were approved, for the tests of publishing."""

from pathlib import Path

from pipeline.articles.files import sha256_of
from pipeline.domain.models import Review, ReviewDecision
from pipeline.storage import DraftRow, Ledger
from pipeline.storage.records import Move
from tests.pipeline.storage.records import LEASE_S, NOW, admit, answer, draft, item

TARGETS = ("site", "repo")


def drafted(ledger: Ledger, number: int) -> DraftRow:
    admit(ledger, item(number))
    [claim] = ledger.claim("one", 1, LEASE_S)
    ledger.record_answer(claim, answer())
    ledger.intend(claim, draft(claim, f"draft {number}"))
    ledger.confirm(claim)
    return next(row for row in ledger.drafts() if row.item.guid == f"guid-{number}")


def decided(
    ledger: Ledger, row: DraftRow, text: str, *, targets: tuple[str, ...] = TARGETS, undo: bool = False
) -> str:
    """Approve a text of a draft, or take its last approval back; returns the hash of what was approved."""
    row = ledger.draft(row.external_id)
    decision = ReviewDecision.UNDO if undo else ReviewDecision.APPROVE
    verdict = Review(decision=decision, by="Ada", at=NOW, sha256="before")
    other = "drafts" if undo else "published"
    path = f"{other}/2026/02/{Path(row.path).name}"
    undoes = ledger.verdicts(row.item_id)[-1].id if undo else None
    move = Move(row.path, path, text, sha256_of(text.encode()), undoes=undoes)
    ledger.confirm_verdict(ledger.intend_verdict(row, verdict, move, targets))
    return move.sha256_after
