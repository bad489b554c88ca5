"""The proof of a review: its stored record, compared with the article on disk."""

import hashlib
from pathlib import Path
from typing import NamedTuple

from pipeline.articles import files
from pipeline.articles.front_matter import loads
from pipeline.domain.errors import CopydeskError, OutputError
from pipeline.domain.review_records import ReviewRecord
from pipeline.domain.reviews import ReviewDecision
from pipeline.services.draft_file import decode_leniently
from pipeline.services.review_record import read_record
from pipeline.storage import CompletedReview, Database, current_approval


class Proof(NamedTuple):
    """The record of a review beside the file that it is about."""

    path: str
    """Of the file, below the output folder."""
    title: str
    stored: str
    """The record as it is stored."""
    record: ReviewRecord | None
    """None: what is stored is no record any more."""
    published: str
    """The proof in the file's front matter; empty where there is none."""
    is_decided_text: bool
    """The file has the bytes that the review left."""

    @property
    def value(self) -> str:
        """Return the hash of the record as it is stored now."""
        return hashlib.sha256(self.stored.encode()).hexdigest()

    @property
    def is_published(self) -> bool:
        """Return whether a proof has to stand in the file: a rejected draft has none."""
        return self.record is None or self.record.decision is ReviewDecision.APPROVE

    @property
    def agrees(self) -> bool:
        """Return whether neither the record nor the file was changed after the review."""
        is_recorded = self.record is not None and self.value == self.published
        return self.is_decided_text and (is_recorded or not self.is_published)

    @property
    def message(self) -> str:
        """Return one sentence about the comparison."""
        if self.agrees and self.is_published:
            return "The record agrees with the article on disk."
        if self.agrees:
            return "The rejected draft is unchanged; no proof of it is published."
        if self.is_decided_text:
            return "The record was changed after the review: its hash is not the proof in the article."
        if self.published == self.value or not self.is_published:
            return "The article on disk was changed after the review, or is missing."
        return "The article on disk and the record do not agree: one or both were changed after the review."


def proof_of(db: Database, root: Path, ref: str) -> Proof:
    """Return the proof of the published article of a draft, or of its rejection.

    Raises ReviewError if there is no such draft, CopydeskError if it has no review with a record.
    """
    row = db.drafts.get(ref)
    reviews = db.reviews.list(row.item_id)
    review = current_approval(reviews) or _rejection(reviews)
    if review is None:
        raise CopydeskError(f"{row.path} has no decision yet, so there is no record", draft=ref)
    if review.decision is ReviewDecision.RETRACT:
        message = f"{review.new_path} is retracted, and the notice has no record; undo the retraction first"
        raise CopydeskError(message, draft=ref)
    if review.record is None:
        raise CopydeskError(f"{review.new_path} was decided on before reviews had records", draft=ref)
    data = files.read_bytes(root, review.new_path)
    return Proof(
        path=review.new_path,
        title=row.title,
        stored=review.record,
        record=read_record(review.record),
        published=_published_proof(data),
        is_decided_text=data is not None and files.sha256_of(data) == review.sha256_after,
    )


def _rejection(reviews: list[CompletedReview]) -> CompletedReview | None:
    last = reviews[-1] if reviews else None
    return last if last and last.decision is ReviewDecision.REJECT else None


def _published_proof(data: bytes | None) -> str:
    try:
        metadata, _ = loads(decode_leniently(data or b""))
    except OutputError:
        return ""
    review = metadata.get("review")
    return str(review.get("proof") or "") if isinstance(review, dict) else ""
