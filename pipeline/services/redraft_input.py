"""What a redraft takes over from the current draft: an editor's own fields, findings about its text."""

import asyncio
from collections.abc import Iterator, Sequence
from typing import Any

from pipeline.articles.approved_metadata import front_of, is_overview_start
from pipeline.articles.front_matter import loads
from pipeline.articles.markdown import find_section
from pipeline.domain.errors import OutputError
from pipeline.domain.models import Beat, Source
from pipeline.domain.reviews import Finding, Front, Severity
from pipeline.rewrite.redraft import RedraftFinding
from pipeline.services.context import RunContext
from pipeline.services.draft_file import join_stored, recorded_text
from pipeline.storage import BY_HAND, DraftRow, PreviousVersion, Version


def last_readable(previous: PreviousVersion) -> tuple[dict[str, Any], str]:
    """Return front matter and body of a draft; if they are unreadable, of the last text no editor wrote."""
    try:
        return loads(previous.text)
    except OutputError:
        return recorded_text(previous.origin or previous.text)


def editor_fields(previous: PreviousVersion, versions: Sequence[Version], beat: Beat) -> dict[str, Any]:
    """Return the front matter that a redraft keeps fields of, without a title and description of ours.

    They are an editor's where the first version that has them was written by hand; a description that
    follows the Overview is ours all the same.
    """
    metadata, body = last_readable(previous)
    texts = [(version, recorded_text(version.text)[0]) for version in versions if not version.aside]
    for key in ("title", "description"):
        origin = next((version for version, front in texts if front.get(key) == metadata.get(key)), None)
        is_editors = origin is not None and origin.cause in BY_HAND
        if not is_editors or (key == "description" and is_overview_start(metadata.get(key), body, beat)):
            metadata.pop(key, None)
    return metadata


async def redraft_findings(
    ctx: RunContext, source: Source, beat: Beat, metadata: dict[str, Any], body: str
) -> list[RedraftFinding]:
    """Check the current draft against the source that it is redrafted from, and return the findings."""
    row = await asyncio.to_thread(ctx.db.drafts.get, source.external_id)
    front = front_of(metadata, body, beat)
    code = await ctx.check(source, body, beat, front)
    findings = await asyncio.to_thread(join_stored, row, source, beat, body, code, front)
    return findings_for_redraft(row, source, front, body, findings)


def findings_for_redraft(
    row: DraftRow, source: Source, front: Front, body: str, findings: Sequence[Finding]
) -> list[RedraftFinding]:
    """Return what a redraft is told of the findings about the current draft: blocking ones first.

    Findings that the editor dismissed come last, with the reason. For a redraft of one section only findings
    of that section count. A brief has none: it is replaced as a whole. Pure. Raises ReviewError where the
    body has no such section.
    """
    ai = front.metadata.get("ai")
    if isinstance(ai, dict) and ai.get("rewritten") is False:
        return []
    reasons = {each.key: each.reason for each in row.acknowledged}
    relevant = list(_relevant(row, body, findings))
    order = {Severity.BLOCK: 0, Severity.WARN: 1}
    relevant.sort(key=lambda finding: (_reason(finding, reasons) != "", order[finding.severity]))
    text = source.item.text
    return [
        RedraftFinding(
            kind=finding.kind,
            words=(front.text(finding.field) or body)[slice(*finding.span)] if finding.span else "",
            wrong=finding.message,
            source=finding.suggestion or " … ".join(text[start:end] for start, end in finding.evidence),
            accepted=_reason(finding, reasons),
        )
        for finding in relevant
    ]


def _relevant(row: DraftRow, body: str, findings: Sequence[Finding]) -> Iterator[Finding]:
    """Yield the findings that block or warn and that the redraft can put right."""
    heading = row.request.section if row.request else None
    section = find_section(body, heading) if heading else None
    for finding in findings:
        if finding.severity is Severity.NOTE or finding.field in ("front matter", "alt"):
            continue
        span = finding.body_span
        if section is None or (span and section.start <= span[0] < section.end):
            yield finding


def _reason(finding: Finding, reasons: dict[str, str]) -> str:
    return "" if finding.firm else reasons.get(finding.key, "")
