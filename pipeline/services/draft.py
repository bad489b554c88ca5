"""Gives an item the text that a draft needs: its feed's, or its page's where that is thin or cut.

Turns claimed items into drafts: source, answer, findings, file.

What is known of an item stands in the ledger before the next step begins, so a run that dies at any
instruction is finished by the next one: an answer that was paid for is never asked again, and a file
that was meant to be written is written.
"""

import asyncio
import contextlib
import logging
from datetime import timedelta
from functools import partial
from typing import Any

from pipeline.articles import files
from pipeline.articles.files import exclusive_lock
from pipeline.domain.errors import (
    BudgetExceeded,
    FeedError,
    LeaseLost,
    LedgerError,
    LLMError,
    LLMRejected,
    OutputError,
    RateLimited,
    ShutdownRequested,
)
from pipeline.domain.models import Draft, FeedConfig, Item, Severity, Window, external_id
from pipeline.feeds.pages.completeness import incompleteness
from pipeline.feeds.pages.extract import Page
from pipeline.feeds.pages.fetch import merge_page_text, needs_page
from pipeline.services.budget import ItemBudget
from pipeline.services.compose import ComposedDraft, compose, compose_section
from pipeline.services.context import ItemOutcome, RunContext
from pipeline.services.work_queue import LeaseQueue
from pipeline.storage import OURSELVES, Claim, Previous, Which

KEPT = timedelta(days=30)
"""How long a page is kept."""
_REFUSED = timedelta(days=1)
"""How long a page that has no text for us is not asked for again."""
_PASSING = frozenset(("timeout", "unreachable", "server", "rate-limited", "http", "tls"))
"""Trouble that a later run may not have."""


class SourceTooThin(Exception):
    """An item has not text enough to be drafted; `passing` where a later run may find more."""

    def __init__(self, reason: str, *, passing: bool) -> None:
        super().__init__(reason)
        self.reason = reason
        self.passing = passing


async def complete_source(ctx: RunContext, feed: FeedConfig, claim: Claim) -> Item:
    """Return a claimed item with text enough to be drafted. Raises Lacking, LeaseLost.

    What its page adds is kept in the ledger before anything is made of it, so that a later run, and the
    editor, see the same source.
    """
    item, page, trouble = claim.updated or claim.item, None, None
    if needs_page(item, feed):
        page, trouble = await _page(ctx, feed, item)
    item = merge_page_text(item, page, feed)
    if lack := incompleteness(item.text, feed.min_chars):
        said = f"{lack}; its page: {trouble.message}" if trouble else lack
        raise SourceTooThin(said, passing=trouble is not None and trouble.kind in _PASSING)
    if claim.updated or item != claim.item:
        await asyncio.to_thread(ctx.ledger.complete, claim, item)
    return item


async def _page(ctx: RunContext, feed: FeedConfig, item: Item) -> tuple[Page | None, FeedError | None]:
    url, now = item.link or "", ctx.clock()
    name = f"{url}\n{feed.selector}" if feed.selector else url
    row = await asyncio.to_thread(ctx.ledger.page, name)
    if row and row.payload is not None and row.at > now - KEPT:
        return Page.model_validate_json(row.payload), None
    if row and row.error is not None and row.at > now - _REFUSED:
        return None, FeedError(row.error, kind="kept")
    try:
        page = await ctx.pages.page(url, feed.selector)
    except FeedError as error:
        if error.kind not in _PASSING:
            await asyncio.to_thread(ctx.ledger.keep_page, name, None, error.message, now)
        return None, error
    await asyncio.to_thread(ctx.ledger.keep_page, name, page.model_dump_json(), None, now)
    return page, None


log = logging.getLogger("copydesk.items")
log.addHandler(logging.NullHandler())  # who wants it asks for it
_EDITED = "its draft was edited: kept, and flagged"


async def draft_feed(
    ctx: RunContext,
    feed: FeedConfig,
    limit: int,
    window: Window | None = None,
    *,
    requested: bool = False,
) -> list[ItemOutcome]:
    """Draft up to `limit` queued items of a feed, newest first, and no more than its day allows.

    Those that an editor asked for are drafted whatever the day allows; alone where `requested`, with texts
    that only have to be written.

    A run that is stopped or cancelled gives back what it had not finished.
    """
    if not ctx.settings.writes_drafts:
        which: Which = "new"  # what stands in a folder is the business of the machine that has it
    else:
        which = "asked" if requested else "all"
    return await LeaseQueue(ctx, feed, limit, window, which, partial(_outcome, ctx, feed)).run()


async def _outcome(ctx: RunContext, feed: FeedConfig, claim: Claim) -> ItemOutcome | None:
    """Draft one item; its trouble is its outcome, unless it is everybody's."""
    books = ItemBudget(ctx, claim)
    async with ctx.in_flight:
        if ctx.stop:
            return None
        try:
            outcome = await _draft(ctx, feed, claim, books)
        except LeaseLost as error:
            outcome = ItemOutcome(title=claim.item.title, reason=error.message)
        except SourceTooThin as lack:
            outcome = await _source_too_thin(ctx, claim, lack)
        except (ShutdownRequested, RateLimited):
            return None  # the run ends before its turn came
        except (LLMRejected, OutputError, LedgerError, BudgetExceeded) as error:
            ctx.stop.append(error)
            return None
        except LLMError as error:
            outcome = await _failed(ctx, claim, error)
    _log(ctx, feed, claim, outcome)
    ctx.notify(feed.key, "drafted" if outcome.path else "failed")
    tokens = {name: getattr(books.usage, name) for name in ("prompt_tokens", "completion_tokens")}
    return outcome.model_copy(update=tokens | {"micros": books.micros})


def _log(ctx: RunContext, feed: FeedConfig, claim: Claim, outcome: ItemOutcome) -> None:
    about = {"run": ctx.run, "feed": feed.key, "item": external_id(claim.first_key, claim.item.guid)}
    if outcome.path:
        log.info("drafted %s", outcome.path, extra=about)
    else:
        level = logging.INFO if outcome.skipped else logging.WARNING
        log.log(level, "no draft of %r: %s", outcome.title, outcome.reason, extra=about)


async def _source_too_thin(ctx: RunContext, claim: Claim, lack: SourceTooThin) -> ItemOutcome:
    """Skip an item whose source is too thin; where its page may still come, try again before that."""
    outcome = ItemOutcome(title=claim.item.title, reason=lack.reason, skipped=not lack.passing)
    with contextlib.suppress(LeaseLost):
        if claim.previous:
            await asyncio.to_thread(ctx.ledger.keep_standing, claim, lack.reason)
        elif lack.passing:
            await asyncio.to_thread(ctx.ledger.fail, claim, lack.reason, retry=True)
        else:
            await asyncio.to_thread(ctx.ledger.skip, claim, lack.reason)
    return outcome


async def _failed(ctx: RunContext, claim: Claim, error: LLMError) -> ItemOutcome:
    with contextlib.suppress(LeaseLost):  # then it is another run's to fail
        if claim.previous:
            await asyncio.to_thread(ctx.ledger.keep_standing, claim, error.message)
        else:
            await asyncio.to_thread(ctx.ledger.fail, claim, error.message, retry=error.retry)
    return ItemOutcome(title=claim.item.title, reason=error.message)


async def _draft(ctx: RunContext, feed: FeedConfig, claim: Claim, books: ItemBudget) -> ItemOutcome:
    title = claim.item.title
    if claim.intent is not None:  # a run died between the ledger and the file
        await asyncio.to_thread(write_draft, ctx, claim, claim.intent)
        return ItemOutcome(title=title, path=claim.intent.path, **_about(claim, claim.intent))
    if claim.request and claim.request.section:
        claim, composed = await compose_section(ctx, feed, claim, books)
    elif await asyncio.to_thread(_edited, ctx, claim):
        await asyncio.to_thread(ctx.ledger.keep_standing, claim, _EDITED)
        return ItemOutcome(title=title, reason=_EDITED, skipped=True)
    else:
        if claim.answer is None:
            claim = claim.model_copy(update={"item": await complete_source(ctx, feed, claim)})
        composed = await compose(ctx, feed, claim, books)
    overtaken = await asyncio.to_thread(_begin, ctx, claim, composed)
    if overtaken:
        return ItemOutcome(title=title, reason=overtaken, rewritten=composed.rewritten)
    about = _about(claim, composed.draft)
    return ItemOutcome(title=title, path=composed.draft.path, rewritten=composed.rewritten, **about)


def _about(claim: Claim, draft: Draft) -> dict[str, Any]:
    held = any(finding.severity is Severity.BLOCK for finding in draft.findings)
    return {"ref": external_id(claim.first_key, claim.item.guid), "held": held}


def _edited(ctx: RunContext, claim: Claim) -> bool:
    """Tell whether somebody changed, moved or removed the draft that is to be written anew."""
    if claim.previous is None:
        return False
    if _moved_on(ctx, claim.previous):
        return True
    edited, asked = claim.previous.edited_at, claim.request
    # Who asks for it after an edit knows of that edit; a changed source does not.
    return edited is not None and (asked is None or asked.by == OURSELVES or asked.at < edited)


def _moved_on(ctx: RunContext, previous: Previous) -> bool:
    data = files.read_bytes(ctx.settings.output, previous.path)
    return data is None or files.sha256_of(data) != previous.sha256


def _begin(ctx: RunContext, claim: Claim, composed: ComposedDraft) -> str | None:
    """Write a draft; returns why not, where somebody came first."""
    if claim.previous is None:
        _put(ctx, claim, composed)
        return None
    with exclusive_lock(ctx.settings.output):
        if _moved_on(ctx, claim.previous) or ctx.ledger.moved_on(claim):
            reason = f"it was edited meanwhile; the new text is kept as version {composed.number}"
            ctx.ledger.keep_aside(claim, composed.draft, composed.number, reason)
            return reason
        _put(ctx, claim, composed)
        return None


def _put(ctx: RunContext, claim: Claim, composed: ComposedDraft) -> None:
    number = composed.number
    if composed.before is not None:
        cause = "redraft" if claim.previous else "draft"
        ctx.ledger.keep_version(claim, composed.before, number=number, cause=cause)
    ctx.ledger.intend(claim, composed.draft, number=number, cause=composed.cause)
    write_draft(ctx, claim, composed.draft)


def write_draft(ctx: RunContext, claim: Claim, draft: Draft) -> None:
    """Write an intended draft and confirm it, or leave that to the machine that writes.

    A file at its path is only overwritten if it is ours.
    """
    root = ctx.settings.output
    if not ctx.settings.writes_drafts:
        ctx.ledger.release([claim])
        return
    standing = files.read_bytes(root, draft.path)
    ours = claim.previous.sha256 if claim.previous else None
    if standing is None or files.sha256_of(standing) == ours:
        files.write_atomically(root, draft.path, draft.text.encode())
    ctx.ledger.confirm(claim)
