"""What a retraction, the end of a publication, and the undo of either do to an article's file. Pure."""

from collections.abc import Sequence
from datetime import datetime

from pipeline.articles import files
from pipeline.articles.corrections import retracted_article
from pipeline.articles.front_matter import dumps, loads
from pipeline.domain.errors import ReviewError
from pipeline.domain.reviews import ReviewDecision
from pipeline.services.draft_file import as_draft
from pipeline.storage import CompletedReview, DraftRow, Move, current_approval, last_decision


def live_approval(row: DraftRow, reviews: Sequence[CompletedReview]) -> CompletedReview:
    """Return by what an article is published. Raises ReviewError if it is not, or has a waiting revision."""
    live = current_approval(reviews)
    if live is None:
        raise ReviewError(f"{row.path} is {row.state}, not published; nothing has changed", draft=row.path)
    if row.state != "approved":
        message = f"{row.path} is a revision of a published article; reject it, then try again"
        raise ReviewError(message, draft=row.path)
    return live


def retraction_move(
    row: DraftRow, live: CompletedReview, sha256: str, *, note: str, by: str, at: datetime
) -> Move:
    """Return the move that puts a notice in the place of an article; `sha256` is that of its file."""
    if live.decision is ReviewDecision.RETRACT:
        raise ReviewError(f"{row.path} is retracted already; nothing was changed", draft=row.path)
    metadata, body = retracted_article(loads(live.text, row.path)[0], note, by, at)
    text = dumps(metadata, body)
    return Move(row.path, row.path, text, files.sha256_of(text.encode()), replaces=sha256)


def withdrawal_move(
    row: DraftRow, reviews: Sequence[CompletedReview], live: CompletedReview, changed: str | None
) -> Move:
    """Return the move that makes an article a draft again: the text that was `changed` on disk, if it was.

    A retracted article is again what was approved before.
    """
    article = last_decision(reviews, (ReviewDecision.APPROVE,)) or live
    text = as_draft(changed or article.text, row.path)
    path = f"drafts/{row.path.partition('/')[2]}"
    return Move(row.path, path, text, files.sha256_of(text.encode()))


def restoring_move(
    row: DraftRow, reviews: Sequence[CompletedReview], last: CompletedReview, sha256: str
) -> Move:
    """Return the move that undoes a retraction or the end of a publication: the bytes from before are back.

    `sha256` is that of the file now. Raises ReviewError if the file was changed since.
    """
    article = current_approval([review for review in reviews if review.id != last.id])
    if sha256 != last.sha256_after or article is None:
        message = f"{last.new_path} was changed since: approve it, or put the text back, then undo"
        raise ReviewError(message, draft=row.path)
    in_place = last.new_path == article.new_path
    return Move(
        old_path=last.new_path,
        new_path=article.new_path,
        text=article.text,
        sha256_after=article.sha256_after,
        replaces=sha256 if in_place else None,
        undoes=last.id,
    )
