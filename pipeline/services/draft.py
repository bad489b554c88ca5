"""Draft leased items: complete the source, ask the model, check, write the file.

Each step's result is stored before the next step begins, so that a run killed at any point is finished by
the next: an answer that was paid for is not requested again, and a recorded text is written.
"""

import asyncio
import contextlib
import logging
from collections.abc import Sequence
from datetime import timedelta
from functools import partial

from pipeline.articles import files
from pipeline.articles.files import exclusive_lock
from pipeline.domain.errors import (
    BudgetExceeded,
    DatabaseError,
    LeaseLost,
    LLMError,
    LLMRejected,
    OutputError,
    RateLimited,
    ShutdownRequested,
)
from pipeline.domain.models import FeedConfig, Window, external_id
from pipeline.domain.reviews import Draft, Severity
from pipeline.domain.run_events import EventName, item_event
from pipeline.domain.skip_causes import SAME_PAGE
from pipeline.domain.text import redact_url
from pipeline.feeds.rights.declaration import is_reserved
from pipeline.services.budget import ItemBudget
from pipeline.services.compose import ComposedDraft, compose
from pipeline.services.compose_section import compose_section
from pipeline.services.context import ItemOutcome, RunContext
from pipeline.services.lanes import Lane, lane_of
from pipeline.services.source import SamePage, SourceTooThin, complete_source, store_source
from pipeline.services.suspects import acquit, adjourn, suspect
from pipeline.services.work_queue import LeaseQueue
from pipeline.storage import SYSTEM_EDITOR, Lease, LeaseFilter, PreviousVersion

_RESERVED_AGE = timedelta(days=1)
"""How long a reservation at a site is not looked up again. Chosen, not measured."""
_FIRST_PAUSE = timedelta(minutes=30)
"""Pause after the first failed fetch of a page; doubled after each further one. Chosen, not measured."""
_LONGEST_PAUSE = timedelta(days=1)
_MAX_PAGE_TRIES = 12
"""Fetches of a page until its item fails: six days and a half. Chosen, not measured."""

log = logging.getLogger("copydesk.items")
log.addHandler(logging.NullHandler())  # silent unless a level is configured
_EDITED = "its draft was edited: kept, and flagged"


async def draft_feed(
    ctx: RunContext,
    feed: FeedConfig,
    limit: int,
    window: Window | None = None,
    *,
    requested: bool = False,
    only: Sequence[int] = (),
) -> list[ItemOutcome]:
    """Draft up to `limit` queued items of a feed, newest first, within its daily limit.

    `requested`: only redraft requests and recorded texts that have to be written; the daily limit does not
    apply to them. `only`: the ids of the items that may be drafted; empty: any. A run that is stopped or
    cancelled releases the leases of unfinished items.
    """
    if not ctx.settings.writes_drafts:
        lease_filter: LeaseFilter = "new"  # existing drafts belong to the machine with the output folder
    else:
        lease_filter = "asked" if requested else "all"
    ctx.writers(feed)  # raises ConfigError, before an item is leased
    ctx.verifier(ctx.beats[feed.beat])  # the same, before a draft is paid for
    draft = partial(_outcome, ctx, feed)
    outcomes = await LeaseQueue(ctx, feed, limit, window, lease_filter, draft, only).run()
    await adjourn(ctx, feed.key)
    return outcomes


async def _outcome(ctx: RunContext, feed: FeedConfig, lease: Lease) -> ItemOutcome | None:
    """Draft one item; an error is its outcome, or ends the run if every item would have it."""
    budget = ItemBudget(ctx, lease)
    async with lane_of(ctx, feed) as lane:
        if ctx.fatal_errors:
            return None
        try:
            outcome = await _draft(ctx, feed, lease, budget, lane)
        except LeaseLost as error:
            outcome = ItemOutcome(title=lease.item.title, reason=error.message, superseded=True)
        except SamePage as other:
            reason = f"{SAME_PAGE} {str(other)!r}"
            outcome = ItemOutcome(title=lease.item.title, reason=reason, skipped=True, merged=True)
        except SourceTooThin as lack:
            outcome = await _source_too_thin(ctx, lease, lack)
        except (ShutdownRequested, RateLimited):
            return None  # the run ends before its call
        except (LLMRejected, OutputError, DatabaseError, BudgetExceeded) as error:
            ctx.fatal_errors.append(error)
            await acquit(ctx)
            return None
        except LLMError as error:
            outcome = await _failed(ctx, lease, error)
    _log(ctx, feed, lease, outcome, budget.notes)
    _emit(ctx, feed, outcome)
    ctx.notify(feed.key, "drafted" if outcome.path else "failed")
    added = {"notes": tuple(budget.notes), "item_id": lease.item_id}
    return outcome.model_copy(update=dict(budget.spending) | added)


def _log(ctx: RunContext, feed: FeedConfig, lease: Lease, outcome: ItemOutcome, notes: Sequence[str]) -> None:
    about = {"run": ctx.run, "feed": feed.key, "item": external_id(lease.first_key, lease.item.guid)}
    for note in notes:
        log.warning("%s", note, extra=about)
    if outcome.path:
        log.info("drafted %s", outcome.path, extra=about)
    else:
        level = logging.WARNING if outcome.failed else logging.INFO
        log.log(level, "no draft of %r: %s", outcome.title, outcome.reason, extra=about)


def _emit(ctx: RunContext, feed: FeedConfig, outcome: ItemOutcome) -> None:
    """Tell others of a draft that waits for review."""
    if outcome.path and outcome.ref:
        name: EventName = "draft.held" if outcome.held else "draft.ready"
        url = redact_url(f"{ctx.settings.desk_url.rstrip('/')}/drafts/{outcome.ref}")
        ctx.emit(item_event(name, outcome.ref, outcome.title, feed.key, path=outcome.path, url=url))


async def _source_too_thin(ctx: RunContext, lease: Lease, error: SourceTooThin) -> ItemOutcome:
    """Skip an item whose source is too thin; try it again after a pause if the error is temporary."""
    reason, now = error.reason, ctx.clock()
    tries = lease.page_tries + (not error.unasked)
    waits = error.temporary and not lease.previous and tries < _MAX_PAGE_TRIES
    with contextlib.suppress(LeaseLost):
        if lease.previous:
            await asyncio.to_thread(ctx.db.leases.keep_current, lease, reason)
        elif waits:
            pause = _FIRST_PAUSE if error.unasked else _pause(lease.page_tries)
            await asyncio.to_thread(ctx.db.leases.postpone, lease, reason, now + pause, not error.unasked)
        elif error.temporary:
            await asyncio.to_thread(ctx.db.leases.fail, lease, reason, retry=False)
        else:
            again = now + _RESERVED_AGE if is_reserved(reason) else None
            await asyncio.to_thread(ctx.db.leases.skip, lease, reason, again)
    return ItemOutcome(
        title=lease.item.title,
        reason=reason,
        skipped=not error.temporary,
        waits=waits,
        unasked=error.unasked and not error.temporary,
    )


def _pause(tries: int) -> timedelta:
    """Return the pause after a failed fetch of a page that `tries` others came before."""
    return min(_FIRST_PAUSE * (1 << min(tries, 10)), _LONGEST_PAUSE)


async def _failed(ctx: RunContext, lease: Lease, error: LLMError) -> ItemOutcome:
    with contextlib.suppress(LeaseLost):  # then another run has the item
        if lease.previous:
            await asyncio.to_thread(ctx.db.leases.keep_current, lease, error.message)
        else:
            await asyncio.to_thread(ctx.db.leases.fail, lease, error.message, retry=error.retry)
        await suspect(ctx, lease, error)
    return ItemOutcome(title=lease.item.title, reason=error.message)


async def _draft(
    ctx: RunContext, feed: FeedConfig, lease: Lease, budget: ItemBudget, lane: Lane
) -> ItemOutcome:
    """Draft an item: its page is fetched first, and only then a slot of the writer is taken."""
    is_section = lease.request is not None and lease.request.section is not None
    is_whole = lease.unconfirmed is None and not is_section
    if is_whole and (outcome := await _keep_edited(ctx, lease)):
        return outcome
    source = None
    if is_whole and lease.answer is None:
        source = await complete_source(ctx, feed, lease, lane.place)
    await lane.take_slot()
    if ctx.fatal_errors:
        raise ShutdownRequested("the run ends before this item is drafted")
    if is_whole and (outcome := await _keep_edited(ctx, lease)):  # edited while it waited
        return outcome
    if source is not None:
        lease = await store_source(ctx, lease, source)
    return await _draft_in_slot(ctx, feed, lease, budget)


async def _draft_in_slot(ctx: RunContext, feed: FeedConfig, lease: Lease, budget: ItemBudget) -> ItemOutcome:
    if lease.unconfirmed is not None:  # a run was killed after recording the text
        await asyncio.to_thread(write_draft, ctx, lease, lease.unconfirmed)
        writer = lease.answer.provenance.model if lease.answer else None
        return _drafted(lease, lease.unconfirmed, writer)
    if lease.request and lease.request.section:
        lease, composed = await compose_section(ctx, feed, lease, budget)
    else:
        composed = await compose(ctx, feed, lease, budget)
    superseded = await asyncio.to_thread(_write_composed, ctx, lease, composed)
    if superseded:
        return ItemOutcome(title=lease.item.title, reason=superseded, superseded=True, model=composed.model)
    return _drafted(lease, composed.draft, composed.model)


async def _keep_edited(ctx: RunContext, lease: Lease) -> ItemOutcome | None:
    """Keep a draft that was edited, and return this outcome; None if the item is to be drafted."""
    if lease.previous is None or not await asyncio.to_thread(_edited, ctx, lease):
        return None
    await asyncio.to_thread(ctx.db.leases.keep_current, lease, _EDITED)
    return ItemOutcome(title=lease.item.title, reason=_EDITED, skipped=True)


def _drafted(lease: Lease, draft: Draft, model: str | None = None) -> ItemOutcome:
    return ItemOutcome(
        title=lease.item.title,
        path=draft.path,
        model=model,
        ref=external_id(lease.first_key, lease.item.guid),
        held=any(finding.severity is Severity.BLOCK for finding in draft.findings),
    )


def _edited(ctx: RunContext, lease: Lease) -> bool:
    """Return whether the draft to be redrafted was changed, moved or removed."""
    if lease.previous is None:
        return False
    if _changed_on_disk(ctx, lease.previous):
        return True
    edited, request = lease.previous.edited_at, lease.request
    # An editor's request after the edit covers it; a request for a changed source does not.
    return edited is not None and (request is None or request.by == SYSTEM_EDITOR or request.at < edited)


def _changed_on_disk(ctx: RunContext, previous: PreviousVersion) -> bool:
    data = files.read_bytes(ctx.settings.output, previous.path)
    return data is None or files.sha256_of(data) != previous.sha256


def _write_composed(ctx: RunContext, lease: Lease, composed: ComposedDraft) -> str | None:
    """Write a draft; return why not if the previous text was changed meanwhile, else None."""
    if lease.previous is None:
        _record_and_write(ctx, lease, composed)
        return None
    with exclusive_lock(ctx.settings.output):
        if _changed_on_disk(ctx, lease.previous) or ctx.db.versions.was_edited(lease):
            reason = f"it was edited meanwhile; the new text is kept as version {composed.number}"
            ctx.db.versions.add_superseded(lease, composed.draft, composed.number, reason)
            return reason
        _record_and_write(ctx, lease, composed)
        return None


def _record_and_write(ctx: RunContext, lease: Lease, composed: ComposedDraft) -> None:
    number = composed.number
    if composed.before is not None:
        cause = "redraft" if lease.previous else "draft"
        ctx.db.versions.add(lease, composed.before, number=number, cause=cause)
    ctx.db.leases.begin_write(
        lease, composed.draft, number=number, cause=composed.cause, title=composed.title
    )
    write_draft(ctx, lease, composed.draft)


def write_draft(ctx: RunContext, lease: Lease, draft: Draft) -> None:
    """Write a recorded draft and confirm it; without `writes_drafts` leave that to another machine.

    A file at its path is only replaced if it is the previous version.
    """
    root = ctx.settings.output
    if not ctx.settings.writes_drafts:
        ctx.db.leases.release([lease])
        return
    data = files.read_bytes(root, draft.path)
    replaceable = lease.previous.sha256 if lease.previous else None
    if data is None or files.sha256_of(data) == replaceable:
        files.write_atomically(root, draft.path, draft.text.encode())
    ctx.db.leases.confirm_write(lease)
