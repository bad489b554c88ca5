"""Turns claimed items into drafts: source, answer, findings, file.

What is known of an item stands in the ledger before the next step begins, so a run that dies at any
instruction is finished by the next one: an answer that was paid for is never asked again, and a file
that was meant to be written is written.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence

from pipeline.errors import BudgetSpent, LeaseLost, LedgerError, ModelError, ModelRefused, OutputError
from pipeline.ledger import OURSELVES, Claim, Ledger, Previous
from pipeline.models import Draft, FeedConfig, Window
from pipeline.output import files
from pipeline.output.lock import alone
from pipeline.settings import day_start
from pipeline.work.books import ItemBooks
from pipeline.work.composing import Composed, compose
from pipeline.work.room import ItemOutcome, Newsroom
from pipeline.work.sectioning import compose_section
from pipeline.work.sourcing import Lacking, completed

_EDITED = "its draft was edited: kept, and flagged"
LEASE_S = 900.0
"""Seconds a claim holds without a heartbeat: longer than the longest call."""


async def draft_feed(
    room: Newsroom,
    feed: FeedConfig,
    limit: int,
    window: Window | None = None,
    *,
    requested: bool = False,
) -> list[ItemOutcome]:
    """Draft up to `limit` queued items of a feed, newest first, and no more than its day allows.

    Those that an editor asked for are drafted whatever the day allows; alone where `requested`.

    A run that is stopped or cancelled gives back what it had not finished.
    """
    if room.stop:
        return []
    if feed.max_items_per_day is not None and not requested:
        limit = min(limit, await asyncio.to_thread(_left_today, room, feed, feed.max_items_per_day))
    claims = await asyncio.to_thread(
        room.ledger.claim, feed.key, limit, LEASE_S, window=window, requested=requested
    )
    for _ in claims:
        room.notify(feed.key, "claimed")
    async with _kept(room.ledger, claims):
        every = (_outcome(room, feed, claim) for claim in claims)
        # Whatever nobody foresaw is raised when the others are done, not in the midst of their work.
        results = await asyncio.gather(*every, return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            raise result
    return [result for result in results if isinstance(result, ItemOutcome)]


def _left_today(room: Newsroom, feed: FeedConfig, most: int) -> int:
    """Return how many items of a feed may still be drafted in this calendar day."""
    since = day_start(room.clock(), room.settings.timezone)
    return max(0, most - room.ledger.drafted_since(feed.key, since))


@contextlib.asynccontextmanager
async def _kept(ledger: Ledger, claims: Sequence[Claim]) -> AsyncIterator[None]:
    """Keep claims alive while their items are worked on; give back what is left at the end."""

    async def beat() -> None:
        while True:
            await asyncio.sleep(LEASE_S / 3)
            await asyncio.to_thread(ledger.heartbeat, claims, LEASE_S)

    heart = asyncio.create_task(beat())
    try:
        yield
    finally:
        heart.cancel()
        ledger.release(claims)


async def _outcome(room: Newsroom, feed: FeedConfig, claim: Claim) -> ItemOutcome | None:
    """Draft one item; its trouble is its outcome, unless it is everybody's."""
    books = ItemBooks(room, claim)
    async with room.in_flight:
        if room.stop:
            return None
        try:
            outcome = await _draft(room, feed, claim, books)
        except LeaseLost as error:
            outcome = ItemOutcome(title=claim.item.title, reason=error.message)
        except Lacking as lack:
            outcome = await _lacking(room, claim, lack)
        except (ModelRefused, OutputError, LedgerError, BudgetSpent) as error:
            room.stop.append(error)
            return None
        except ModelError as error:
            outcome = await _failed(room, claim, error)
    room.notify(feed.key, "drafted" if outcome.path else "failed")
    tokens = {name: getattr(books.usage, name) for name in ("prompt_tokens", "completion_tokens")}
    return outcome.model_copy(update=tokens | {"micros": books.micros})


async def _lacking(room: Newsroom, claim: Claim, lack: Lacking) -> ItemOutcome:
    """Skip an item whose source is too thin; where its page may still come, try again before that."""
    outcome = ItemOutcome(title=claim.item.title, reason=lack.reason, skipped=not lack.passing)
    with contextlib.suppress(LeaseLost):
        if claim.previous:
            await asyncio.to_thread(room.ledger.keep_standing, claim, lack.reason)
        elif lack.passing:
            await asyncio.to_thread(room.ledger.fail, claim, lack.reason, retry=True)
        else:
            await asyncio.to_thread(room.ledger.skip, claim, lack.reason)
    return outcome


async def _failed(room: Newsroom, claim: Claim, error: ModelError) -> ItemOutcome:
    with contextlib.suppress(LeaseLost):  # then it is another run's to fail
        if claim.previous:
            await asyncio.to_thread(room.ledger.keep_standing, claim, error.message)
        else:
            await asyncio.to_thread(room.ledger.fail, claim, error.message, retry=error.retry)
    return ItemOutcome(title=claim.item.title, reason=error.message)


async def _draft(room: Newsroom, feed: FeedConfig, claim: Claim, books: ItemBooks) -> ItemOutcome:
    title = claim.item.title
    if claim.intent is not None:  # a run died between the ledger and the file
        await asyncio.to_thread(store, room, claim, claim.intent)
        return ItemOutcome(title=title, path=claim.intent.path)
    if claim.request and claim.request.section:
        claim, composed = await compose_section(room, feed, claim, books)
    elif await asyncio.to_thread(_edited, room, claim):
        await asyncio.to_thread(room.ledger.keep_standing, claim, _EDITED)
        return ItemOutcome(title=title, reason=_EDITED, skipped=True)
    else:
        if claim.answer is None:
            claim = claim.model_copy(update={"item": await completed(room, feed, claim)})
        composed = await compose(room, feed, claim, books)
    overtaken = await asyncio.to_thread(_begin, room, claim, composed)
    if overtaken:
        return ItemOutcome(title=title, reason=overtaken, rewritten=composed.rewritten)
    return ItemOutcome(title=title, path=composed.draft.path, rewritten=composed.rewritten)


def _edited(room: Newsroom, claim: Claim) -> bool:
    """Tell whether somebody changed, moved or removed the draft that is to be written anew."""
    if claim.previous is None:
        return False
    if _moved_on(room, claim.previous):
        return True
    edited, asked = claim.previous.edited_at, claim.request
    # Who asks for it after an edit knows of that edit; a changed source does not.
    return edited is not None and (asked is None or asked.by == OURSELVES or asked.at < edited)


def _moved_on(room: Newsroom, previous: Previous) -> bool:
    data = files.read_bytes(room.settings.output, previous.path)
    return data is None or files.sha256_of(data) != previous.sha256


def _begin(room: Newsroom, claim: Claim, composed: Composed) -> str | None:
    """Write a draft; returns why not, where somebody came first."""
    if claim.previous is None:
        _put(room, claim, composed)
        return None
    with alone(room.settings.output):
        if _moved_on(room, claim.previous) or room.ledger.moved_on(claim):
            reason = f"it was edited meanwhile; the new text is kept as version {composed.number}"
            room.ledger.keep_aside(claim, composed.draft, composed.number, reason)
            return reason
        _put(room, claim, composed)
        return None


def _put(room: Newsroom, claim: Claim, composed: Composed) -> None:
    number = composed.number
    if composed.before is not None:
        cause = "redraft" if claim.previous else "draft"
        room.ledger.keep_version(claim, composed.before, number=number, cause=cause)
    room.ledger.intend(claim, composed.draft, number=number, cause=composed.cause)
    store(room, claim, composed.draft)


def store(room: Newsroom, claim: Claim, draft: Draft) -> None:
    """Write an intended draft and confirm it. A file at its path is only overwritten if it is ours."""
    root = room.settings.output
    standing = files.read_bytes(root, draft.path)
    ours = claim.previous.sha256 if claim.previous else None
    if standing is None or files.sha256_of(standing) == ours:
        files.write_atomically(root, draft.path, draft.text.encode())
    room.ledger.confirm(claim)
