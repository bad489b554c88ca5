"""Makes the record of a review: what was shown to the editor, and the end of every finding."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from pydantic import ValidationError

from pipeline.articles.review_sections import LEAD, ReviewSection, unshown
from pipeline.domain.errors import NotShown, ReviewError
from pipeline.domain.models import Beat
from pipeline.domain.review_records import (
    FindingOutcome,
    FindingRecord,
    ReviewLevel,
    ReviewRecord,
    ReviewWay,
    SectionRecord,
)
from pipeline.domain.reviews import Finding, Review, ReviewDecision, Severity
from pipeline.domain.text import replace_surrogates
from pipeline.services.draft_file import EditorContext
from pipeline.services.finding_ends import ended_findings
from pipeline.storage import DraftRow, FindingEnd, RecordedReview, current_approval, unacknowledged


class ReviewedText(NamedTuple):
    """The text that is decided on."""

    text: str
    sections: tuple[ReviewSection, ...]
    """Empty where its front matter cannot be read."""
    findings: tuple[Finding, ...]


class Submission(NamedTuple):
    """How an editor decides."""

    way: ReviewWay
    light: bool = False
    """They approve although sections may not have been shown to them."""


def review_level(
    row: DraftRow, beat: Beat, sections: Sequence[ReviewSection], shown: frozenset[str], how: Submission
) -> ReviewLevel:
    """Return the level of an approval: full if every section was shown. Pure.

    A command that does not insist is light: it cannot know what was on screen. Raises NotShown for sections
    that were not shown, ReviewError where the beat refuses light reviews.
    """
    missing = [section.heading for section in sections if unshown(section, shown)]
    if not missing and not (how.light and how.way == "command"):
        return "full"
    if not how.light:
        raise NotShown(_not_shown_message(row, len(sections), missing), draft=row.path, headings=missing)
    if beat.light_reviews == "refuse":
        raise ReviewError(
            f"{row.path} would be approved without every section having been shown to you, which the beat "
            f"{beat.key} refuses (`light_reviews: refuse`): open it at the desk and go through its sections",
            draft=row.path,
        )
    return "light"


def _not_shown_message(row: DraftRow, count: int, missing: Sequence[str]) -> str:
    names = ", ".join(f'"{heading}"' if heading != LEAD else "title and description" for heading in missing)
    return (
        f"{len(missing)} of {count} sections of {row.path} were not shown to you: {names}. Go through them "
        "at the desk, or approve it as a light review"
    )


def record_review(
    ctx: EditorContext,
    row: DraftRow,
    review: Review,
    reviewed: ReviewedText,
    level: ReviewLevel | None,
    way: ReviewWay,
) -> RecordedReview:
    """Return the record of a review, and the findings that it passes. `level` is None for a rejection."""
    times = ctx.db.shown.times(row.item_id, review.by)
    record = ReviewRecord(
        draft=row.external_id,
        decision=review.decision,
        by=review.by,
        level=level,
        way=way,
        text_sha256=review.sha256,
        source_sha256=row.source.content_hash,
        sections=tuple(_section_record(section, times) for section in reviewed.sections),
        findings=tuple(_finding_records(ctx, row, review, reviewed)),
        opened_at=ctx.db.reviews.opened_at(row.item_id, review.by),
        decided_at=review.at,
    )
    record = record if ctx.review_times else _without_times(record)
    at = review.at if ctx.review_times else None
    edited = ended_findings(row, reviewed.text, reviewed.findings)
    return RecordedReview(record, _passed(row, review, reviewed.findings), edited, at)


def _section_record(section: ReviewSection, times: Mapping[str, datetime | None]) -> SectionRecord:
    if unshown(section, times):
        return SectionRecord(heading=section.heading, shown=False)
    moments = [moment for sentence in section.sentences if (moment := times[sentence]) is not None]
    return SectionRecord(heading=section.heading, shown=True, at=max(moments, default=None))


def _passed(row: DraftRow, review: Review, findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """Return the open findings that an approval passes, each key once."""
    if review.decision is not ReviewDecision.APPROVE:
        return ()
    return tuple({finding.key: finding for finding in unacknowledged(findings, row.acknowledged)}.values())


def _finding_records(
    ctx: EditorContext, row: DraftRow, review: Review, reviewed: ReviewedText
) -> Iterator[FindingRecord]:
    """Yield the ends of the text's findings, then of those that it has no more since the last approval."""
    yield from _dismissed(row, reviewed.findings)
    for finding in _passed(row, review, reviewed.findings):
        yield _record(finding, "passed", by=review.by, at=review.at)
    current_keys = {finding.key for finding in reviewed.findings}
    earlier = _earlier_findings(ctx, row)
    ends = [end for end in ctx.db.findings.ends(row.item_id) if end.outcome != "passed"]
    for ended in (_ended(end) for end in ends if end.key not in current_keys):
        if ended not in earlier:
            yield ended
    recorded = {end.key for end in ends}
    for finding in ended_findings(row, reviewed.text, reviewed.findings):
        if finding.key not in recorded:
            yield _record(finding, "edited")


def _dismissed(row: DraftRow, findings: Sequence[Finding]) -> Iterator[FindingRecord]:
    dismissals = {acknowledgement.key: acknowledgement for acknowledgement in row.acknowledged}
    counted = {
        finding.key: finding
        for finding in findings
        if finding.key in dismissals and not finding.firm and finding.severity is not Severity.NOTE
    }
    for key, finding in counted.items():
        reason, preset = dismissals[key].reason, dismissals[key].preset
        record = _record(finding, "dismissed", by=dismissals[key].by, at=dismissals[key].at)
        yield record.model_copy(update={"reason": replace_surrogates(reason), "preset": preset})


def _record(
    finding: Finding, end: FindingOutcome, *, by: str | None = None, at: datetime | None = None
) -> FindingRecord:
    severity = finding.severity.value
    return FindingRecord(kind=finding.kind, severity=severity, message=finding.message, end=end, by=by, at=at)


def _ended(end: FindingEnd) -> FindingRecord:
    outcome: FindingOutcome = "taken" if end.outcome == "taken" else "edited"
    return FindingRecord(kind=end.kind, message=end.message, end=outcome, by=end.by or None, at=end.at)


def _earlier_findings(ctx: EditorContext, row: DraftRow) -> tuple[FindingRecord, ...]:
    """Return the findings in the record of the article that a revision is made of."""
    approval = current_approval(ctx.db.reviews.list(row.item_id))
    record = read_record(approval.record) if approval and approval.record else None
    return record.findings if record else ()


def read_record(stored: str) -> ReviewRecord | None:
    """Return a stored record; None where it is none: somebody changed it."""
    try:
        return ReviewRecord.model_validate_json(stored)
    except ValidationError:
        return None


def _without_times(record: ReviewRecord) -> ReviewRecord:
    sections = tuple(section.model_copy(update={"at": None}) for section in record.sections)
    findings = tuple(finding.model_copy(update={"at": None}) for finding in record.findings)
    return record.model_copy(update={"sections": sections, "findings": findings, "opened_at": None})
