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
from pipeline.domain.skip_causes import SAME_PAGE
from pipeline.domain.withdrawals import GONE, NOT_FOUND
from pipeline.feeds.pages.extract import Page
from pipeline.feeds.pages.fetch import merge_page_text, needs_page, source_gap
from pipeline.feeds.rights.declaration import HEADERS, Declaration, is_reserved, reserved_reason
from pipeline.feeds.select import age_reason, non_article_reason
from pipeline.services.budget import ItemBudget
from pipeline.services.compose import ComposedDraft, compose
from pipeline.services.compose_section import compose_section
from pipeline.services.context import ItemOutcome, RunContext
from pipeline.services.suspects import acquit, adjourn, suspect
from pipeline.services.work_queue import LeaseQueue
from pipeline.storage import SYSTEM_EDITOR, Lease, LeaseFilter, PreviousVersion

PAGE_CACHE_AGE = timedelta(days=30)
"""How long a page is cached. Chosen, not measured."""
_FAILED_PAGE_AGE = timedelta(days=1)
"""How long a page that could not be used is not requested again. Chosen, not measured."""
_RESERVED_AGE = timedelta(days=1)
"""How long a reservation at a site is not looked up again. Chosen, not measured."""
_FIRST_PAUSE = timedelta(minutes=30)
"""Pause after the first failed fetch of a page; doubled after each further one. Chosen, not measured."""
_LONGEST_PAUSE = timedelta(days=1)
_MAX_PAGE_TRIES = 12
"""Fetches of a page until its item fails: six days and a half. Chosen, not measured."""
_TEMPORARY_KINDS = frozenset(("timeout", "unreachable", "server", "rate-limited", "resting", "http", "tls"))
"""Kinds of FeedError that may be gone at a later run."""

_NOTICES = {"gone": GONE, "not-found": NOT_FOUND}
"""Notices on a drafted item whose page is no longer there, by the kind of FeedError."""


class SourceTooThin(Exception):
    """An item has too little text to be drafted, or a reserved one.

    `temporary`: its page could not be had, and is tried again. `unasked`: its page was not requested.
    """

    def __init__(self, reason: str, *, temporary: bool, unasked: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.temporary = temporary
        self.unasked = unasked


class SamePage(Exception):
    """An item's page declares the URL that another item is drafted for; the item was merged into that."""


async def complete_source(ctx: RunContext, feed: FeedConfig, lease: Lease) -> Item:
    """Return a leased item with enough text to be drafted: the feed's, or its page's if that has more.

    The completed source is stored first, so that a later run and the editor see the same source.
    Raises SourceTooThin, SamePage, LeaseLost.
    """
    item, page, error = lease.updated or lease.item, None, None
    if feed.use != "link":
        await _require_unreserved(ctx, feed)
    if needs_page(item, feed):
        page, error = await _page(ctx, feed, item)
    if lease.previous and (page or error):
        await asyncio.to_thread(_note_page, ctx, lease, error)
    if error is not None and is_reserved(error.message):
        raise SourceTooThin(error.message, temporary=False)
    item = merge_page_text(item, page, feed)
    if reason := source_gap(item, feed):
        message = f"{reason}; its page: {error.message}" if error else reason
        kind = error.kind if error else ""
        unasked = kind in ("robots", "kept", "resting")
        raise SourceTooThin(message, temporary=kind in _TEMPORARY_KINDS, unasked=unasked)
    _require_recent(ctx, feed, lease.item, item)
    if what := non_article_reason(feed, item):
        raise SourceTooThin(what, temporary=False)
    if page is not None and page.canonical not in (None, item.canonical) and lease.previous is None:
        title = await asyncio.to_thread(ctx.db.leases.merge_page, lease, item, page.canonical or "")
        if title is not None:
            raise SamePage(title)
    if lease.updated or item != lease.item:
        await asyncio.to_thread(ctx.db.leases.set_source, lease, item)
    return item


def _note_page(ctx: RunContext, lease: Lease, error: FeedError | None) -> None:
    """Store that the page of a draft is no longer there, or is there again."""
    if error is None:
        ctx.db.leases.remove_notices(lease, tuple(_NOTICES.values()))
    elif error.kind in _NOTICES:
        ctx.db.leases.note_source(lease, _NOTICES[error.kind])


async def _require_unreserved(ctx: RunContext, feed: FeedConfig) -> None:
    """Raise SourceTooThin if the files of the feed's site reserve its texts, unless its headers free them."""
    state = ctx.poll_states.state(feed)
    headers = Declaration(place=HEADERS, tdm=state.tdm)
    if what := await ctx.pages.rights.reservation(state.url or feed.url, headers):
        raise SourceTooThin(reserved_reason(what), temporary=False, unasked=True)


def _require_recent(ctx: RunContext, feed: FeedConfig, before: Item, item: Item) -> None:
    """Raise SourceTooThin if the page of an undated item says that it is too old."""
    if item.dated and not before.dated and (reason := age_reason(feed, item, ctx.clock())):
        raise SourceTooThin(reason, temporary=False)


async def _page(ctx: RunContext, feed: FeedConfig, item: Item) -> tuple[Page | None, FeedError | None]:
    url, now = item.link or "", ctx.clock()
    key = f"{url}\n{feed.selector}" if feed.selector else url
    row = await asyncio.to_thread(ctx.db.caches.page, key)
    if row and row.payload is not None and row.at > now - PAGE_CACHE_AGE:
        return Page.model_validate_json(row.payload), None
    if row and row.error is not None and row.at > now - _FAILED_PAGE_AGE:
        return None, FeedError(row.error, kind="kept")
    try:
        page = await ctx.pages.page(url, feed.selector)
    except FeedError as error:
        if error.kind not in _TEMPORARY_KINDS:
            await asyncio.to_thread(ctx.db.caches.save_page, key, None, error.message, now)
        return None, error
    await asyncio.to_thread(ctx.db.caches.save_page, key, page.model_dump_json(), None, now)
    return page, None


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
) -> list[ItemOutcome]:
    """Draft up to `limit` queued items of a feed, newest first, within its daily limit.

    `requested`: only redraft requests and recorded texts that have to be written; the daily limit does not
    apply to them. A run that is stopped or cancelled releases the leases of unfinished items.
    """
    if not ctx.settings.writes_drafts:
        lease_filter: LeaseFilter = "new"  # existing drafts belong to the machine with the output folder
    else:
        lease_filter = "asked" if requested else "all"
    ctx.writers(feed)  # raises ConfigError, before an item is leased
    ctx.verifier(ctx.beats[feed.beat])  # the same, before a draft is paid for
    outcomes = await LeaseQueue(ctx, feed, limit, window, lease_filter, partial(_outcome, ctx, feed)).run()
    await adjourn(ctx, feed.key)
    return outcomes


async def _outcome(ctx: RunContext, feed: FeedConfig, lease: Lease) -> ItemOutcome | None:
    """Draft one item; an error is its outcome, or ends the run if every item would have it."""
    budget = ItemBudget(ctx, lease)
    async with _slots(ctx, feed):
        if ctx.fatal_errors:
            return None
        try:
            outcome = await _draft(ctx, feed, lease, budget)
        except LeaseLost as error:
            outcome = ItemOutcome(title=lease.item.title, reason=error.message)
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
    ctx.notify(feed.key, "drafted" if outcome.path else "failed")
    return outcome.model_copy(update=dict(budget.spending) | {"notes": tuple(budget.notes)})


def _slots(ctx: RunContext, feed: FeedConfig) -> asyncio.Semaphore:
    """Return the slots for a feed's items: a writer that waits must not hold up the items of another."""
    writer = next(iter(ctx.writers(feed)), None)
    return writer.item_slots if writer else ctx.item_slots


def _log(ctx: RunContext, feed: FeedConfig, lease: Lease, outcome: ItemOutcome, notes: Sequence[str]) -> None:
    about = {"run": ctx.run, "feed": feed.key, "item": external_id(lease.first_key, lease.item.guid)}
    for note in notes:
        log.warning("%s", note, extra=about)
    if outcome.path:
        log.info("drafted %s", outcome.path, extra=about)
    else:
        level = logging.INFO if outcome.skipped else logging.WARNING
        log.log(level, "no draft of %r: %s", outcome.title, outcome.reason, extra=about)


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


async def _draft(ctx: RunContext, feed: FeedConfig, lease: Lease, budget: ItemBudget) -> ItemOutcome:
    title = lease.item.title
    if lease.unconfirmed is not None:  # a run was killed after recording the text
        await asyncio.to_thread(write_draft, ctx, lease, lease.unconfirmed)
        return _drafted(lease, lease.unconfirmed)
    if lease.request and lease.request.section:
        lease, composed = await compose_section(ctx, feed, lease, budget)
    elif await asyncio.to_thread(_edited, ctx, lease):
        await asyncio.to_thread(ctx.db.leases.keep_current, lease, _EDITED)
        return ItemOutcome(title=title, reason=_EDITED, skipped=True)
    else:
        if lease.answer is None:
            lease = lease.model_copy(update={"item": await complete_source(ctx, feed, lease)})
        composed = await compose(ctx, feed, lease, budget)
    superseded = await asyncio.to_thread(_write_composed, ctx, lease, composed)
    if superseded:
        return ItemOutcome(title=title, reason=superseded, model=composed.model)
    return _drafted(lease, composed.draft, composed.model)


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
