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
    DatabaseError,
    FeedError,
    LeaseLost,
    LLMError,
    LLMRejected,
    OutputError,
    RateLimited,
    ShutdownRequested,
)
from pipeline.domain.models import FeedConfig, Item, Window, external_id
from pipeline.domain.reviews import Draft, Severity
from pipeline.feeds.pages.completeness import incompleteness
from pipeline.feeds.pages.extract import Page
from pipeline.feeds.pages.fetch import merge_page_text, needs_page
from pipeline.services.budget import ItemBudget
from pipeline.services.compose import ComposedDraft, compose, compose_section
from pipeline.services.context import ItemOutcome, RunContext
from pipeline.services.work_queue import LeaseQueue
from pipeline.storage import SYSTEM_EDITOR, Lease, LeaseFilter, PreviousVersion

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


async def complete_source(ctx: RunContext, feed: FeedConfig, lease: Lease) -> Item:
    """Return a claimed item with text enough to be drafted. Raises Lacking, LeaseLost.

    What its page adds is kept in the ledger before anything is made of it, so that a later run, and the
    editor, see the same source.
    """
    item, page, trouble = lease.updated or lease.item, None, None
    if needs_page(item, feed):
        page, trouble = await _page(ctx, feed, item)
    item = merge_page_text(item, page, feed)
    if lack := incompleteness(item.text, feed.min_chars):
        said = f"{lack}; its page: {trouble.message}" if trouble else lack
        raise SourceTooThin(said, passing=trouble is not None and trouble.kind in _PASSING)
    if lease.updated or item != lease.item:
        await asyncio.to_thread(ctx.db.leases.set_source, lease, item)
    return item


async def _page(ctx: RunContext, feed: FeedConfig, item: Item) -> tuple[Page | None, FeedError | None]:
    url, now = item.link or "", ctx.clock()
    name = f"{url}\n{feed.selector}" if feed.selector else url
    row = await asyncio.to_thread(ctx.db.caches.page, name)
    if row and row.payload is not None and row.at > now - KEPT:
        return Page.model_validate_json(row.payload), None
    if row and row.error is not None and row.at > now - _REFUSED:
        return None, FeedError(row.error, kind="kept")
    try:
        page = await ctx.pages.page(url, feed.selector)
    except FeedError as error:
        if error.kind not in _PASSING:
            await asyncio.to_thread(ctx.db.caches.save_page, name, None, error.message, now)
        return None, error
    await asyncio.to_thread(ctx.db.caches.save_page, name, page.model_dump_json(), None, now)
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
        which: LeaseFilter = "new"  # what stands in a folder is the business of the machine that has it
    else:
        which = "asked" if requested else "all"
    return await LeaseQueue(ctx, feed, limit, window, which, partial(_outcome, ctx, feed)).run()


async def _outcome(ctx: RunContext, feed: FeedConfig, lease: Lease) -> ItemOutcome | None:
    """Draft one item; its trouble is its outcome, unless it is everybody's."""
    books = ItemBudget(ctx, lease)
    async with ctx.in_flight:
        if ctx.stop:
            return None
        try:
            outcome = await _draft(ctx, feed, lease, books)
        except LeaseLost as error:
            outcome = ItemOutcome(title=lease.item.title, reason=error.message)
        except SourceTooThin as lack:
            outcome = await _source_too_thin(ctx, lease, lack)
        except (ShutdownRequested, RateLimited):
            return None  # the run ends before its turn came
        except (LLMRejected, OutputError, DatabaseError, BudgetExceeded) as error:
            ctx.stop.append(error)
            return None
        except LLMError as error:
            outcome = await _failed(ctx, lease, error)
    _log(ctx, feed, lease, outcome)
    ctx.notify(feed.key, "drafted" if outcome.path else "failed")
    tokens = {name: getattr(books.usage, name) for name in ("prompt_tokens", "completion_tokens")}
    return outcome.model_copy(update=tokens | {"micros": books.micros})


def _log(ctx: RunContext, feed: FeedConfig, lease: Lease, outcome: ItemOutcome) -> None:
    about = {"run": ctx.run, "feed": feed.key, "item": external_id(lease.first_key, lease.item.guid)}
    if outcome.path:
        log.info("drafted %s", outcome.path, extra=about)
    else:
        level = logging.INFO if outcome.skipped else logging.WARNING
        log.log(level, "no draft of %r: %s", outcome.title, outcome.reason, extra=about)


async def _source_too_thin(ctx: RunContext, lease: Lease, lack: SourceTooThin) -> ItemOutcome:
    """Skip an item whose source is too thin; where its page may still come, try again before that."""
    outcome = ItemOutcome(title=lease.item.title, reason=lack.reason, skipped=not lack.passing)
    with contextlib.suppress(LeaseLost):
        if lease.previous:
            await asyncio.to_thread(ctx.db.leases.keep_current, lease, lack.reason)
        elif lack.passing:
            await asyncio.to_thread(ctx.db.leases.fail, lease, lack.reason, retry=True)
        else:
            await asyncio.to_thread(ctx.db.leases.skip, lease, lack.reason)
    return outcome


async def _failed(ctx: RunContext, lease: Lease, error: LLMError) -> ItemOutcome:
    with contextlib.suppress(LeaseLost):  # then it is another run's to fail
        if lease.previous:
            await asyncio.to_thread(ctx.db.leases.keep_current, lease, error.message)
        else:
            await asyncio.to_thread(ctx.db.leases.fail, lease, error.message, retry=error.retry)
    return ItemOutcome(title=lease.item.title, reason=error.message)


async def _draft(ctx: RunContext, feed: FeedConfig, lease: Lease, books: ItemBudget) -> ItemOutcome:
    title = lease.item.title
    if lease.intent is not None:  # a run died between the ledger and the file
        await asyncio.to_thread(write_draft, ctx, lease, lease.intent)
        return ItemOutcome(title=title, path=lease.intent.path, **_about(lease, lease.intent))
    if lease.request and lease.request.section:
        lease, composed = await compose_section(ctx, feed, lease, books)
    elif await asyncio.to_thread(_edited, ctx, lease):
        await asyncio.to_thread(ctx.db.leases.keep_current, lease, _EDITED)
        return ItemOutcome(title=title, reason=_EDITED, skipped=True)
    else:
        if lease.answer is None:
            lease = lease.model_copy(update={"item": await complete_source(ctx, feed, lease)})
        composed = await compose(ctx, feed, lease, books)
    overtaken = await asyncio.to_thread(_begin, ctx, lease, composed)
    if overtaken:
        return ItemOutcome(title=title, reason=overtaken, rewritten=composed.rewritten)
    about = _about(lease, composed.draft)
    return ItemOutcome(title=title, path=composed.draft.path, rewritten=composed.rewritten, **about)


def _about(lease: Lease, draft: Draft) -> dict[str, Any]:
    held = any(finding.severity is Severity.BLOCK for finding in draft.findings)
    return {"ref": external_id(lease.first_key, lease.item.guid), "held": held}


def _edited(ctx: RunContext, lease: Lease) -> bool:
    """Tell whether somebody changed, moved or removed the draft that is to be written anew."""
    if lease.previous is None:
        return False
    if _moved_on(ctx, lease.previous):
        return True
    edited, asked = lease.previous.edited_at, lease.request
    # Who asks for it after an edit knows of that edit; a changed source does not.
    return edited is not None and (asked is None or asked.by == SYSTEM_EDITOR or asked.at < edited)


def _moved_on(ctx: RunContext, previous: PreviousVersion) -> bool:
    data = files.read_bytes(ctx.settings.output, previous.path)
    return data is None or files.sha256_of(data) != previous.sha256


def _begin(ctx: RunContext, lease: Lease, composed: ComposedDraft) -> str | None:
    """Write a draft; returns why not, where somebody came first."""
    if lease.previous is None:
        _put(ctx, lease, composed)
        return None
    with exclusive_lock(ctx.settings.output):
        if _moved_on(ctx, lease.previous) or ctx.db.versions.was_edited(lease):
            reason = f"it was edited meanwhile; the new text is kept as version {composed.number}"
            ctx.db.versions.add_superseded(lease, composed.draft, composed.number, reason)
            return reason
        _put(ctx, lease, composed)
        return None


def _put(ctx: RunContext, lease: Lease, composed: ComposedDraft) -> None:
    number = composed.number
    if composed.before is not None:
        cause = "redraft" if lease.previous else "draft"
        ctx.db.versions.add(lease, composed.before, number=number, cause=cause)
    ctx.db.leases.begin_write(lease, composed.draft, number=number, cause=composed.cause)
    write_draft(ctx, lease, composed.draft)


def write_draft(ctx: RunContext, lease: Lease, draft: Draft) -> None:
    """Write an intended draft and confirm it, or leave that to the machine that writes.

    A file at its path is only overwritten if it is ours.
    """
    root = ctx.settings.output
    if not ctx.settings.writes_drafts:
        ctx.db.leases.release([lease])
        return
    standing = files.read_bytes(root, draft.path)
    ours = lease.previous.sha256 if lease.previous else None
    if standing is None or files.sha256_of(standing) == ours:
        files.write_atomically(root, draft.path, draft.text.encode())
    ctx.db.leases.confirm_write(lease)
