"""Retract a published article, or take it from every target; the undo of both is `undo_review`."""

from pipeline.articles import files
from pipeline.articles.corrections import line_for_readers
from pipeline.articles.files import exclusive_lock
from pipeline.domain.errors import ReviewError
from pipeline.domain.reviews import Draft, Review, ReviewDecision
from pipeline.services.article_moves import live_approval, retraction_move, withdrawal_move
from pipeline.services.draft_file import EditorContext, read_text
from pipeline.services.edit import MAX_NOTE_CHARS
from pipeline.services.review import apply_review, target_names
from pipeline.storage import DraftRow, Move


def retract(ctx: EditorContext, ref: str, note: str) -> str:
    """Replace a published article by a notice with the reason `note`, at the same path; return that path.

    A text that was changed on disk since its approval is kept as a version aside. Raises ReviewError if the
    article is not published, a revision of it waits, it is retracted already, or there is no reason.
    """
    reason = _reason(note, ref)
    if not reason:
        raise ReviewError("say why the article is retracted: readers see the reason", draft=ref)
    with exclusive_lock(ctx.output):
        row = ctx.db.drafts.get(ref)
        live = live_approval(row, ctx.db.reviews.list(row.item_id))
        text, sha256 = read_text(ctx.output, row.path, ref)
        at = ctx.clock()
        move = retraction_move(row, live, sha256, note=reason, by=ctx.editor_name, at=at)
        if sha256 != live.sha256_after:
            changed = Draft(external_id=row.external_id, path=row.path, text=text)
            ctx.db.versions.add_refused(row, changed, ctx.editor_name, base=live.sha256_after, form="")
        review = Review(
            decision=ReviewDecision.RETRACT, by=ctx.editor_name, at=at, note=reason, sha256=sha256
        )
        return _carry_out(ctx, row, review, move)


def unpublish(ctx: EditorContext, ref: str, note: str | None = None) -> str:
    """Make a published article a draft again and remove it from every target; return the draft's path.

    Raises ReviewError if the article is not published, a revision of it waits, or another file is at the
    draft's path.
    """
    reason = _reason(note or "", ref) or None
    with exclusive_lock(ctx.output):
        row = ctx.db.drafts.get(ref)
        reviews = ctx.db.reviews.list(row.item_id)
        live = live_approval(row, reviews)
        text, sha256 = read_text(ctx.output, row.path, ref)
        move = withdrawal_move(row, reviews, live, None if sha256 == live.sha256_after else text)
        if files.read_bytes(ctx.output, move.new_path) not in (None, move.text.encode()):
            raise ReviewError(f"another file is at {move.new_path}; move it away first", draft=ref)
        decision = ReviewDecision.UNPUBLISH
        review = Review(decision=decision, by=ctx.editor_name, at=ctx.clock(), note=reason, sha256=sha256)
        return _carry_out(ctx, row, review, move)


def _carry_out(ctx: EditorContext, row: DraftRow, review: Review, move: Move) -> str:
    pending = ctx.db.reviews.begin(row, review, move, target_names(ctx.subscriptions))
    apply_review(ctx.db, ctx.output, pending)
    return move.new_path


def _reason(note: str, ref: str) -> str:
    line = line_for_readers(note)
    if len(line) > MAX_NOTE_CHARS:
        raise ReviewError(f"the reason is longer than {MAX_NOTE_CHARS:,} characters; shorten it", draft=ref)
    return line
