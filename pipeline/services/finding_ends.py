"""Which findings an editor's change ends: the hooks of a save and of a fix that is taken."""

from collections.abc import Sequence

from pipeline.articles.front_matter import loads
from pipeline.checks.pool import UNCHECKED
from pipeline.domain.errors import OutputError
from pipeline.domain.reviews import LINES, Draft, Finding, Front, Place
from pipeline.services.draft_file import EditorContext
from pipeline.storage import DraftRow, PendingSave, unacknowledged


def record_edited(ctx: EditorContext, row: DraftRow, pending: PendingSave, draft: Draft) -> None:
    """Record the open findings of a draft that the text which was just saved no longer has.

    `row` is the draft before the save. What came and went while one editor was typing is not recorded:
    within an edit session only findings of the text before it count.
    """
    current_keys = {finding.key for finding in draft.findings}
    again = [end.key for end in ctx.db.findings.ends(row.item_id) if end.key in current_keys]
    if again:
        ctx.db.findings.reopen(row, again)
    ended = ended_findings(row, draft.text, draft.findings)
    if ended and pending.earlier is not None:
        before = ctx.db.findings.keys_before(row.item_id, pending.version_id)
        ended = tuple(finding for finding in ended if finding.key in before)
    for finding in ended:
        ctx.db.findings.record_end(row, finding, "edited", ctx.editor_name, ctx.event_time)


def record_taken(ctx: EditorContext, row: DraftRow, finding: Finding) -> None:
    """Record that an editor took the fix of a finding, after the text with it was saved."""
    ctx.db.findings.record_end(row, finding, "taken", ctx.editor_name, ctx.event_time)


def ended_findings(row: DraftRow, text: str, findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """Return the open findings of a draft's last recorded text that another text of it does not have. Pure.

    `findings` are about that text. A finding whose paragraphs are all unchanged was not ended by the edit,
    but by another check or another source. Of a text that could not be checked nothing is known.
    """
    if text == row.version_text or any(finding.kind == UNCHECKED for finding in findings):
        return ()
    current_keys = {finding.key for finding in findings}
    before, after = _texts(row.version_text), _texts(text)
    gone = {
        finding.key: finding
        for finding in unacknowledged(row.findings, row.acknowledged)
        if finding.key not in current_keys and _is_touched(finding, before, after)
    }
    return tuple(gone.values())


def _texts(text: str) -> dict[Place, str]:
    try:
        metadata, body = loads(text)
    except OutputError:
        return {"body": text}
    return {"body": body, **{field: Front(metadata=metadata).text(field) for field in LINES}}


def _is_touched(finding: Finding, before: dict[Place, str], after: dict[Place, str]) -> bool:
    """Tell whether a paragraph changed in which a finding was; one without a place is about all of them."""
    if not finding.places:
        return True
    return any(
        _paragraph(before.get(field, ""), start, end) not in _lines(after.get(field, ""))
        for field, (start, end) in finding.places
    )


def _paragraph(text: str, start: int, end: int) -> tuple[str, ...]:
    return _words(text[text.rfind("\n", 0, start) + 1 : end] + text[end:].partition("\n")[0])


def _lines(text: str) -> set[tuple[str, ...]]:
    return {_words(line) for line in text.split("\n")}


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())
