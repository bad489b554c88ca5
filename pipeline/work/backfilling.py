"""Backfills a feed: what a walk finds of a span of dates is taken in page by page, or shown first.

Only the feed's own document has validators and a schedule; what the pages behind it teach is not kept.
"""

import asyncio

from pipeline.errors import FeedError
from pipeline.ingest.fetch import Unchanged
from pipeline.ingest.schedule import after_refusal, holdup, host_of
from pipeline.ingest.select import Selection
from pipeline.models import FeedConfig, PollState, Window
from pipeline.work.polling import admit, admitted, decided, look, policy, poll_whole
from pipeline.work.room import Newsroom, PollReport
from pipeline.work.walking import PAUSE_S, Found, Refused, Walk, light


async def walk(
    room: Newsroom, feed: FeedConfig, window: Window, limit: int, *, pause_s: float = PAUSE_S
) -> PollReport:
    """Bring what a publisher still offers of a window into the ledger, each page as it is read.

    No more pages are read, and no more items taken in, than `limit` items need, those counted that wait
    already: what is taken in is drafted, by a later run if not by this one. Raises FeedError where the feed
    itself cannot be had; trouble with a later page is a note of the report.
    """
    wanted = await _wanted(room, feed, window, limit)
    way = Walk(room, feed, window, wanted, pause_s)
    report, first = await poll_whole(room, feed, window, most=wanted)
    if first is None:
        return report
    async for page in way.after(first):
        report = _sum(report, await _admitted(room, feed, page.chosen))
    return await _ended(room, feed, report, way.found(()))


async def look_back(
    room: Newsroom, feed: FeedConfig, window: Window, limit: int, *, pause_s: float = PAUSE_S
) -> Found:
    """Find what `walk` would take in, and write nothing.

    Raises FeedError where the feed itself cannot be had, or its host asked to be left alone.
    """
    if reason := holdup(feed, room.book.state(feed), room.hosts, room.clock(), named=True):
        raise FeedError(f"{feed.key}: {reason}", kind="rate-limited", feed=feed.key)
    wanted = await _wanted(room, feed, window, limit)
    way = Walk(room, feed, window, wanted, pause_s)
    first = await look(room, feed, window, wanted)
    if isinstance(first, Unchanged):
        return Found(())
    looks = [light(first)]
    async for page in way.after(first):
        looks.append(page)
    found = way.found(looks)
    merged = await asyncio.to_thread(room.ledger.merged_of, feed.key, found.new, policy(room, feed))
    return found._replace(merged=merged)


async def take(room: Newsroom, feed: FeedConfig, window: Window, limit: int, found: Found) -> PollReport:
    """Take in what `look_back` found, as `walk` does, but for what came into the ledger since."""
    wanted = await _wanted(room, feed, window, limit)
    now, report = room.clock(), None
    for page in found.looks:
        chosen = await decided(room, feed, page.parsed.items, now, window, wanted)
        wanted -= len(chosen.new)
        if report is None:
            report = await admitted(room, feed, page._replace(chosen=chosen), now)
        else:
            report = _sum(report, await _admitted(room, feed, chosen))
    return await _ended(room, feed, report or PollReport(feed=feed.key), found)


async def _wanted(room: Newsroom, feed: FeedConfig, window: Window, limit: int) -> int:
    """Return how many new items are enough."""
    return limit - await asyncio.to_thread(room.ledger.queued, feed.key, window)


async def _admitted(room: Newsroom, feed: FeedConfig, chosen: Selection) -> PollReport:
    """Take in what was chosen of a later page; what polls taught of the feed stays as it stands."""

    def admitting() -> dict[str, int]:
        # As the ledger has it now, not this run: another one may have polled the feed since.
        return admit(room, feed, chosen, _state(room, feed))

    return PollReport(feed=feed.key, left=chosen.beyond, **await asyncio.to_thread(admitting))


def _state(room: Newsroom, feed: FeedConfig) -> PollState:
    return room.ledger.poll_states().get(feed.key, PollState())


async def _ended(room: Newsroom, feed: FeedConfig, report: PollReport, found: Found) -> PollReport:
    if found.refused:
        await asyncio.to_thread(_leave_alone, room, feed, found.refused)
    return report.model_copy(update={"notes": report.notes + found.notes})


def _leave_alone(room: Newsroom, feed: FeedConfig, refused: Refused) -> None:
    """Keep to what a host asked for at a later page, as after a poll; nothing else is learned from it."""
    state = _state(room, feed)
    host = host_of(state.url or feed.url)
    after = after_refusal(state, refused.error, room.clock())
    if after.wait_until and host == host_of(refused.url):
        room.hosts[host] = after.wait_until
        room.ledger.record_polls({feed.key: after})
        room.book.note(feed, after)


def _sum(one: PollReport, other: PollReport) -> PollReport:
    counts = ("new", "updated", "skipped", "merged", "left")
    return one.model_copy(update={name: getattr(one, name) + getattr(other, name) for name in counts})
