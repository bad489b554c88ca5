"""Redraft one section of a draft; all other bytes of its body stay."""

import asyncio
from functools import partial
from typing import Any

from pipeline.articles import files
from pipeline.articles.approved_metadata import front_of
from pipeline.articles.front_matter import dumps, loads
from pipeline.articles.markdown import find_section, replace_section
from pipeline.articles.render import safe_markdown
from pipeline.domain.errors import LLMError, OutputError, ReviewError
from pipeline.domain.model_calls import LLMResponse
from pipeline.domain.models import Beat, FeedConfig, Source
from pipeline.domain.reviews import Draft, Finding, Severity
from pipeline.domain.text import utc_iso
from pipeline.llm.structured_output import StructuredRequest
from pipeline.rewrite.article_schema import WireSectionText, parse_section
from pipeline.rewrite.redraft import add_redraft_instructions
from pipeline.services.budget import ItemBudget
from pipeline.services.compose import ComposedDraft, lease_source, recorded_answer
from pipeline.services.context import RunContext
from pipeline.services.draft_file import recorded_text
from pipeline.services.redraft_input import redraft_findings
from pipeline.services.second_reader import DraftText, verify_text
from pipeline.services.writers import ask_writers
from pipeline.storage import Lease, PreviousVersion


async def compose_section(
    ctx: RunContext, feed: FeedConfig, lease: Lease, budget: ItemBudget
) -> tuple[Lease, ComposedDraft]:
    """Return a draft with one section redrafted, and the lease with the text on disk as previous version.

    All other bytes of the body stay. Changes on disk are recorded as a version first. Raises LLMError,
    LeaseLost, BudgetExceeded.
    """
    last = lease.previous
    lease, text = await asyncio.to_thread(_record_text_on_disk, ctx, lease)
    source = lease_source(feed, lease, await asyncio.to_thread(ctx.db.items.siblings, lease.item_id))
    try:
        metadata, body = loads(text, "its draft")
        section = find_section(body, lease.request.section or "" if lease.request else "")
    except (OutputError, ReviewError) as error:
        raise LLMError(error.message, retry=False) from error
    beat = ctx.beats[feed.beat]
    answer, new = await _section_text(ctx, feed, source, lease, budget, metadata, body)
    after = replace_section(body, section, safe_markdown(new))
    front = front_of(_attested(metadata, body, beat, last), after, beat, before=body)
    code = await ctx.check(source, after, beat, front)
    verified = await verify_text(ctx, lease, budget, DraftText(source, beat, after, front), code)
    findings = verified.findings
    metadata = {**front.metadata}
    metadata["updatedAt"] = utc_iso(ctx.clock())
    metadata["ai"] = _ai(metadata, answer, findings, utc_iso(ctx.clock()), lease.previous)
    metadata["ai"] |= {"verified": verified.record} if verified.record else {}
    draft = Draft(
        external_id=source.external_id,
        path=lease.previous.path if lease.previous else "",
        text=dumps(metadata, after),
        findings=findings,
    )
    number = lease.previous.version + 1 if lease.previous else 1
    return lease, ComposedDraft(draft, number, "redraft", answer.provenance.model)


def _attested(
    metadata: dict[str, Any], body: str, beat: Beat, last: PreviousVersion | None
) -> dict[str, Any]:
    """Return the front matter on disk with the attested fields restored from the database."""
    if last is None:
        return metadata
    origin, before = recorded_text(last.origin or last.text)[0], recorded_text(last.text)[1]
    return front_of(metadata, body, beat, before=before, origin=origin).metadata


def _record_text_on_disk(ctx: RunContext, lease: Lease) -> tuple[Lease, str]:
    """Return the text on disk; if it was changed, record it and make it the lease's previous version."""
    previous = lease.previous
    data = files.read_bytes(ctx.settings.output, previous.path) if previous else None
    if previous is None or data is None:
        raise LLMError("its draft is gone from its place", retry=False)
    try:
        text, sha256 = data.decode(), files.sha256_of(data)
    except UnicodeDecodeError as error:
        raise LLMError("its draft is not UTF-8; save it as such", retry=False) from error
    if sha256 == previous.sha256:
        return lease, text
    edit = Draft(external_id="", path=previous.path, text=text)
    ctx.db.versions.add(lease, edit, number=previous.version, cause="edit")
    current = PreviousVersion(path=previous.path, sha256=sha256, text=text, version=previous.version)
    return lease.model_copy(update={"previous": current}), text


async def _section_text(
    ctx: RunContext,
    feed: FeedConfig,
    source: Source,
    lease: Lease,
    budget: ItemBudget,
    metadata: dict[str, Any],
    body: str,
) -> tuple[LLMResponse, str]:
    beat, writers, request = ctx.beats[feed.beat], ctx.writers(feed), lease.request
    heading = request.section or "" if request else ""
    bullets = heading.strip().casefold() == beat.headings.impact.casefold()
    read = partial(parse_section, bullets=bullets)
    if recorded := await recorded_answer(lease, budget, read):
        return recorded
    if not writers or request is None:
        raise LLMError("only a model can redraft a section: set COPYDESK_MODEL", retry=False)
    prompt = ctx.prompts[beat.key]
    findings = await redraft_findings(ctx, source, beat, metadata, body)
    task = StructuredRequest(
        messages=add_redraft_instructions(prompt.messages(source, beat), request, body, findings),
        prompt_id=prompt.id,
        response_model=WireSectionText,
        parse=read,
        purpose="redraft",
    )
    return await ask_writers(writers, task, budget, ctx.clock)


def _ai(
    metadata: dict[str, Any],
    answer: LLMResponse,
    findings: tuple[Finding, ...],
    now: str,
    previous: PreviousVersion | None,
) -> dict[str, Any]:
    before = metadata.get("ai")
    open_count = sum(finding.severity is not Severity.NOTE for finding in findings)
    return {
        **{
            key: value
            for key, value in (before if isinstance(before, dict) else {}).items()
            if key != "verified"
        },
        "rewritten": True,
        "expandedAt": now,
        "version": previous.version + 1 if previous else 1,
        "model": answer.provenance.model,
        **({"prompt": answer.provenance.prompt} if answer.provenance.prompt else {}),
        "checks": {"open": open_count, "acknowledged": 0},
    }
