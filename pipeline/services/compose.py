"""Compose a draft: article from model or offline brief, cover, checks, sentence repair."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any, NamedTuple, TypeVar

from pipeline.articles.approved_metadata import front_of
from pipeline.articles.article import Article
from pipeline.articles.files import draft_path
from pipeline.articles.front_matter import dumps, loads
from pipeline.articles.markdown import find_section, safe_line, section_text
from pipeline.articles.render import FrontMatterDefaults, build_front_matter, render_body
from pipeline.covers import build_query, feed_cover, photo_cover
from pipeline.domain.errors import BudgetExceeded, LLMError
from pipeline.domain.model_calls import LLMResponse, Provenance
from pipeline.domain.models import Beat, Credit, FeedConfig, Source, build_source
from pipeline.domain.reviews import Draft, Finding, Severity
from pipeline.domain.text import headline, without_elements
from pipeline.llm.structured_output import Parse, StructuredRequest
from pipeline.rewrite.article_schema import WireArticle, parse_response
from pipeline.rewrite.offline_brief import BRIEF, write_brief
from pipeline.rewrite.redraft import add_redraft_instructions
from pipeline.rewrite.sentence_repair import (
    WireRepairs,
    add_flags,
    apply_repairs,
    flag_sentences,
    flags_digest,
    parse_repairs,
)
from pipeline.services.budget import ItemBudget
from pipeline.services.context import RunContext, Writer
from pipeline.services.redraft_input import editor_fields, last_readable, redraft_findings
from pipeline.services.second_reader import DraftText, VerifiedFindings, verify_text
from pipeline.services.writers import ask_writers
from pipeline.storage import Lease, PreviousVersion, Sibling, duplicate_finding

T = TypeVar("T")
_REPAIR = "sentence_repair"
"""Purpose of the calls that repair sentences."""
Verify = Callable[[DraftText, Sequence[Finding]], Awaitable[VerifiedFindings]]
"""Joins code's findings about a text with those of the second reader."""


async def choose_cover(
    ctx: RunContext, feed: FeedConfig, source: Source, article: Article
) -> dict[str, Any] | None:
    """Return `coverImage`: the item's own image, or the first result of a search; None for no cover."""
    if feed.covers == "feed":
        return feed_cover(source)
    if feed.covers != "unsplash" or feed.cover_choice != "first" or ctx.covers is None:
        return None
    query = build_query(article.title, article.category, article.tags)
    photos = await ctx.covers.search(query, 1)
    if not photos:
        return None
    await ctx.covers.track_download(photos[0])
    return photo_cover(photos[0])


async def repair_sentences(
    ctx: RunContext,
    writers: Sequence[Writer],
    source: Source,
    beat: Beat,
    lease: Lease,
    budget: ItemBudget,
    draft: Draft,
) -> str | None:
    """Return the draft's body with flagged sentences repaired by the model; None if it does not change.

    A failed call leaves the draft as it is, with its findings. Raises LeaseLost.
    """
    _, body = await asyncio.to_thread(loads, draft.text, draft.path)
    flags = flag_sentences(body, draft.findings)
    if not flags or not writers or ctx.repair_prompt is None:
        return None
    read = partial(parse_repairs, count=len(flags))
    try:
        prompt_id = f"{ctx.repair_prompt.id}#{flags_digest(body, flags)}"
        if recorded := lease.later_answers.get(prompt_id):
            sentences = read(recorded.text)
        else:
            task = StructuredRequest(
                messages=add_flags(ctx.repair_prompt.messages(source, beat), body, flags),
                prompt_id=prompt_id,
                response_model=WireRepairs,
                parse=read,
                purpose=_REPAIR,
                once=True,
            )
            _, sentences = await ask_writers(writers, task, budget, ctx.clock)
    except (LLMError, BudgetExceeded):
        return None
    safe = {number: safe_line(text) for number, text in sentences.items()}
    after = apply_repairs(body, flags, safe)
    return after if after != body else None


class ComposedDraft(NamedTuple):
    """A draft that is ready to be written."""

    draft: Draft
    number: int
    """Its `ai.version`."""
    cause: str
    model: str | None
    """Name of the model that wrote it; None for an offline brief."""
    title: str | None = None
    """Its title in the queue; None: as it was."""
    before: Draft | None = None
    """The draft before the sentence repair; None if nothing was repaired."""


async def compose(ctx: RunContext, feed: FeedConfig, lease: Lease, budget: ItemBudget) -> ComposedDraft:
    """Return an item's draft, written by the model or the offline brief.

    Raises LLMError, LeaseLost, BudgetExceeded.
    """
    siblings = await asyncio.to_thread(ctx.db.items.siblings, lease.item_id)
    source, beat = lease_source(feed, lease, siblings), ctx.beats[feed.beat]
    article, provenance = await _article(ctx, feed, source, lease, budget)
    cover = None if lease.previous else await choose_cover(ctx, feed, source, article)
    previous_fields = await asyncio.to_thread(_previous_fields, ctx, lease, beat)
    parts = _DraftParts(source, beat, lease.previous, siblings, provenance, cover, previous_fields)
    is_read = provenance.rewritten and ctx.verifier(beat) is not None
    verify = partial(verify_text, ctx, lease, budget) if is_read else None
    draft, note = await _build_draft(ctx, parts, article, verify)
    number = lease.previous.version + 1 if lease.previous else 1
    cause = "redraft" if lease.previous else "draft"
    own = article.title if article.title != headline(source) else ""
    title = previous_fields.get("title") or without_elements(own) or None
    model = provenance.model if provenance.rewritten else None
    composed = ComposedDraft(draft, number, cause, model, title)
    if not (beat.repair_sentences and provenance.rewritten):
        return composed
    repaired = await repair_sentences(ctx, ctx.writers(feed), source, beat, lease, budget, draft)
    if repaired is None:
        return composed
    # A second reader that failed is not asked again: code alone judges the repair.
    after, failed = await _build_draft(ctx, parts, article, None if note else verify, repaired)
    if failed or _open_count(after) >= _open_count(draft):
        budget.note("repaired sentences were not taken: " + (failed or "they have no fewer findings"))
        return composed
    return composed._replace(draft=after, cause="repair", before=draft)


def _open_count(draft: Draft) -> int:
    return sum(finding.severity is not Severity.NOTE for finding in draft.findings)


def lease_source(feed: FeedConfig, lease: Lease, siblings: list[Sibling]) -> Source:
    """Return the source to rewrite: the item, its feed's name, category and language, merged items."""
    merged = {sibling.url: sibling for sibling in siblings if sibling.state == "merged" and sibling.url}
    merged.pop(lease.item.link or "", None)
    also = tuple(Credit(name=sibling.feed_name, url=url) for url, sibling in merged.items())
    return build_source(feed, lease.item, first_key=lease.first_key, also=also)


async def _article(
    ctx: RunContext, feed: FeedConfig, source: Source, lease: Lease, budget: ItemBudget
) -> tuple[Article, Provenance]:
    beat, writers = ctx.beats[feed.beat], ctx.writers(feed)
    read = partial(parse_response, source=source, beat=beat)
    if recorded := await recorded_answer(lease, budget, read):
        answer, article = recorded
        return article, answer.provenance
    if not writers:
        return await asyncio.to_thread(write_brief, source, beat), BRIEF
    prompt = ctx.prompts[beat.key]
    messages = prompt.messages(source, beat)
    if lease.request and lease.previous:
        metadata, body = last_readable(lease.previous)
        findings = await redraft_findings(ctx, source, beat, metadata, body)
        messages = add_redraft_instructions(messages, lease.request, body, findings)
    task = StructuredRequest(
        messages=messages,
        prompt_id=prompt.id,
        response_model=WireArticle,
        parse=read,
        purpose="redraft" if lease.previous else "draft",
        max_tokens=prompt.hints.max_tokens,
        temperature=prompt.hints.temperature,
    )
    answer, article = await ask_writers(writers, task, budget, ctx.clock)
    return article, answer.provenance


async def recorded_answer(lease: Lease, budget: ItemBudget, read: Parse[T]) -> tuple[LLMResponse, T] | None:
    """Return the answer that an earlier run recorded, with the value parsed from it.

    None where there is none; one that cannot be read is discarded. Raises LeaseLost.
    """
    if lease.answer is None:
        return None
    notes: list[str] = []
    try:
        value = await asyncio.to_thread(read, lease.answer.text, notes=notes)
    except LLMError as error:
        await budget.discard(error.message)
        return None
    await budget.annotate(notes)
    return lease.answer, value


class _DraftParts(NamedTuple):
    """What an article becomes a draft with."""

    source: Source
    beat: Beat
    previous: PreviousVersion | None
    siblings: list[Sibling]
    provenance: Provenance
    cover: dict[str, Any] | None
    previous_fields: dict[str, Any]
    """Front matter of the previous draft that stays."""


async def _build_draft(
    ctx: RunContext, parts: _DraftParts, article: Article, verify: Verify | None, body: str | None = None
) -> tuple[Draft, str]:
    """Return the draft of an article, and why the second reader did not read it; empty where it did.

    `body` replaces the rendered one if sentences were repaired. `verify` asks the second reader about it;
    None: it is not asked.
    """
    source, beat, previous = parts.source, parts.beat, parts.previous
    if body is None:
        body = render_body(article, beat)
    else:
        article = article.model_copy(
            update={"overview": section_text(body, find_section(body, beat.overview))}
        )
    front_matter = partial(
        build_front_matter, source, article, parts.provenance, now=ctx.clock(), defaults=_defaults(parts)
    )
    front = await asyncio.to_thread(lambda: front_of(front_matter(()), body, beat))
    code = await ctx.check(source, body, beat, front)
    verified = VerifiedFindings(code)
    if verify:
        verified = await verify(DraftText(source, beat, body, front), code)
    findings = (*verified.findings, *_duplicate_findings(parts.siblings))
    draft = Draft(
        external_id=source.external_id,
        path=previous.path if previous else _path(source, article),
        text=await asyncio.to_thread(lambda: dumps(front_matter(findings, verified=verified.record), body)),
        findings=findings,
    )
    return draft, verified.note


def _defaults(parts: _DraftParts) -> FrontMatterDefaults:
    version = parts.previous.version + 1 if parts.previous else 1
    return FrontMatterDefaults(version=version, previous=parts.previous_fields, cover=parts.cover)


def _previous_fields(ctx: RunContext, lease: Lease, beat: Beat) -> dict[str, Any]:
    if lease.previous is None:
        return {}
    return editor_fields(lease.previous, ctx.db.versions.list(lease.item_id), beat)


def _path(source: Source, article: Article) -> str:
    title = without_elements(article.title)
    return draft_path(title, source.item.published_at, source.external_id)


def _duplicate_findings(siblings: list[Sibling]) -> list[Finding]:
    return [duplicate_finding(sibling.feed_name, sibling.title, sibling.path) for sibling in siblings]
