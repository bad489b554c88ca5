"""Poll a feed: fetch, parse, select new items, admit them to the database."""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import NamedTuple

from pipeline.domain.errors import FeedError
from pipeline.domain.models import FeedConfig, Item, PollState, Window
from pipeline.domain.run_events import item_event
from pipeline.domain.skip_causes import skip_cause
from pipeline.domain.withdrawals import complete_since
from pipeline.feeds.fetch import FetchedFeed, NotModified, fetch_feed
from pipeline.feeds.parsing.parse import ParsedFeed, reserve
from pipeline.feeds.poll_schedule import (
    ReadResult,
    host_of,
    skip_reason,
    state_after_failure,
    state_after_read,
    state_after_unchanged,
)
from pipeline.feeds.select import (
    ExistingItem,
    ExistingItems,
    Selection,
    select_items,
)
from pipeline.services.context import PollReport, RunContext
from pipeline.services.earlier_readings import accept_rereadings, skipped_again, with_earlier_readings
from pipeline.services.namesakes import changed_guids, separate_links, separate_namesakes
from pipeline.services.skip_notes import notice_notes
from pipeline.storage import AdmissionResult, Database, Policy, PollResult


class FeedSnapshot(NamedTuple):
    """A feed's document as fetched and parsed, and the selection of its items."""

    fetched: FetchedFeed
    parsed: ParsedFeed
    selection: Selection


async def poll(
    ctx: RunContext, feed: FeedConfig, window: Window | None = None, *, named: bool = False
) -> PollReport:
    """Admit a feed's new items. Raises FeedError, after recording it in the feed's poll state.

    A feed that is not due is skipped, unless it was `named` by the user or a window is given.
    """
    return (await poll_with_snapshot(ctx, feed, window, named=named))[0]


async def poll_with_snapshot(
    ctx: RunContext,
    feed: FeedConfig,
    window: Window | None = None,
    *,
    named: bool = False,
    max_new: int | None = None,
) -> tuple[PollReport, FeedSnapshot | None]:
    """Poll as `poll` does; return the document too, None if there is none. Raises FeedError.

    At most `max_new` new items of a window are admitted.
    """
    now, state = ctx.clock(), ctx.poll_states.state(feed)
    requested = named or window is not None
    async with ctx.poll_slots:
        if reason := skip_reason(feed, state, ctx.host_cooldowns, now, named=requested):
            return PollReport(feed=feed.key, held=reason), None
        try:
            snapshot = await fetch_and_select(ctx, feed, window, max_new)
        except FeedError as error:
            await _record_failure(ctx, feed, state, error, now)
            raise
    if isinstance(snapshot, NotModified):
        await ctx.poll_states.update(feed, state_after_unchanged(feed, state, snapshot, now, ctx.chance()))
        return PollReport(feed=feed.key, unchanged=True), None
    return await admit_snapshot(ctx, feed, snapshot, now), snapshot


async def fetch_and_select(
    ctx: RunContext, feed: FeedConfig, window: Window | None = None, max_new: int | None = None
) -> FeedSnapshot | NotModified:
    """Fetch a feed and select its new items, at most `max_new` of a window.

    With a window the feed is fetched without validators. Raises FeedError that names the feed.
    """
    now = ctx.clock()
    fetched = await fetch_feed(ctx.net, feed, ctx.poll_states.state(feed), now, whole=window is not None)
    if isinstance(fetched, NotModified):
        return fetched
    parsed = await fetch_and_parse(ctx, feed, fetched, now)
    return await select_new(ctx, feed, fetched, parsed, window, max_new)


async def fetch_and_parse(
    ctx: RunContext, feed: FeedConfig, fetched: FetchedFeed, now: datetime
) -> ParsedFeed:
    """Return a feed's parsed document. Raises FeedError that names the feed."""
    try:
        source = (fetched.body, fetched.content_type, fetched.url)
        parsed = await ctx.parse(*source, now, boilerplate=ctx.poll_states.state(feed).boilerplate)
        places = (fetched.declared, parsed.declared)
        what = await ctx.pages.rights.reservation(fetched.url, *places, site=False, feed=feed.key)
        return reserve(parsed, what) if what else parsed
    except FeedError as error:
        context = {"feed": feed.key} | error.context
        raise FeedError(f"{feed.key}: {error.message}", kind=error.kind, **context) from error


async def select_new(
    ctx: RunContext,
    feed: FeedConfig,
    fetched: FetchedFeed,
    parsed: ParsedFeed,
    window: Window | None,
    max_new: int | None = None,
    taken: Mapping[str, tuple[str, str]] = MappingProxyType({}),
) -> FeedSnapshot:
    """Return a document with the selection of its items.

    `taken` maps canonical URLs selected before to feed key and GUID. The document also has what earlier
    versions of the reader make of it, where stored items were read by them.
    """
    parsed, names, existing, sources = await _compare(ctx.db, feed, parsed)
    parsed = await with_earlier_readings(ctx, fetched, parsed, existing.guids, names)
    existing, reread = accept_rereadings(parsed, existing, sources)
    existing = existing.model_copy(update={"canonicals": {**existing.canonicals, **taken}})
    selection = select_items(feed, parsed.items, existing, ctx.clock(), window=window, limit=max_new)
    reread += skipped_again(parsed.items, existing.guids, selection.new)
    renamed = set(names.values())
    namesakes = tuple(item for item in parsed.items if item.guid in renamed)
    return FeedSnapshot(
        fetched, parsed, selection.model_copy(update={"reread": reread, "namesakes": namesakes})
    )


class _Comparison(NamedTuple):
    """A document beside what is stored of its items."""

    parsed: ParsedFeed
    """With namesakes under guids of their own."""
    names: dict[str, str]
    """Guids of namesakes here, by those that the document gives them."""
    existing: ExistingItems
    sources: dict[str, Item]
    """The stored items whose text is another one, as their feed had them; by guid."""


async def _compare(db: Database, feed: FeedConfig, parsed: ParsedFeed) -> _Comparison:
    existing = await _existing_items(db, feed, parsed.items)
    names: dict[str, str] = {}
    sources: dict[str, Item] = {}
    if changed := changed_guids(parsed.items, existing.guids):
        sources, items = await asyncio.to_thread(_separate, db, feed, parsed.items, changed)
        pairs = zip(parsed.items, items, strict=True)
        names = {read.guid: item.guid for read, item in pairs if read.guid != item.guid}
        if names:
            parsed = parsed.model_copy(update={"items": items})
            existing = await _existing_items(db, feed, items)
            changed = changed_guids(items, existing.guids)
            sources = await asyncio.to_thread(db.items.sources, feed.key, changed)
    owners = await _owners(db, feed, parsed.items, existing)
    parsed = parsed.model_copy(update={"items": separate_links(parsed.items, existing.guids, owners)})
    return _Comparison(parsed, names, existing, sources)


def _separate(
    db: Database, feed: FeedConfig, items: Sequence[Item], changed: Sequence[str]
) -> tuple[dict[str, Item], tuple[Item, ...]]:
    sources = db.items.sources(feed.key, changed)
    return sources, separate_namesakes(db, feed, items, sources)


async def _owners(
    db: Database, feed: FeedConfig, items: Sequence[Item], existing: ExistingItems
) -> dict[str, Item]:
    """Return the feed's stored items that have the canonical URLs of items that are not stored."""
    urls = {item.canonical for item in items if item.canonical and item.guid not in existing.guids}
    keys = {url: key for url, key in existing.canonicals.items() if url in urls and key[0] == feed.key}
    if not keys:
        return {}
    sources = await asyncio.to_thread(db.items.sources, feed.key, sorted({guid for _, guid in keys.values()}))
    return {url: sources[guid] for url, (_, guid) in keys.items() if guid in sources}


async def _record_failure(
    ctx: RunContext, feed: FeedConfig, state: PollState, error: FeedError, now: datetime
) -> None:
    after = state_after_failure(state, error, now, ctx.chance())
    if after.wait_until:
        host = host_of(state.url or feed.url)
        ctx.host_cooldowns[host] = max(after.wait_until, ctx.host_cooldowns.get(host, after.wait_until))
    await ctx.poll_states.update(feed, after)


async def _existing_items(db: Database, feed: FeedConfig, items: Sequence[Item]) -> ExistingItems:
    guids = [item.guid for item in items]
    canonicals = [item.canonical for item in items if item.canonical]
    rows = await asyncio.wrap_future(db.items.submit_lookup(feed.key, guids, canonicals))
    return ExistingItems(
        guids={guid: ExistingItem(**stored._asdict()) for guid, stored in rows.guids.items()},
        canonicals=rows.canonicals,
        forgotten=rows.forgotten,
        polled=rows.polled,
    )


async def admit_snapshot(
    ctx: RunContext, feed: FeedConfig, snapshot: FeedSnapshot, now: datetime
) -> PollReport:
    """Admit the selection of a feed's own document together with its new poll state."""
    state = ctx.poll_states.state(feed)
    # Validators mean "all of this is admitted": not kept after a cut-off response or a partial backfill.
    whole = not (snapshot.parsed.cut or snapshot.selection.outside or snapshot.selection.beyond)
    read = ReadResult(complete=whole, ttl_s=snapshot.parsed.ttl_s)
    after = state_after_read(feed, state, snapshot.fetched, read, now, ctx.chance())
    learned = {"boilerplate": snapshot.parsed.boilerplate, "excerpts": snapshot.parsed.excerpts}
    after = after.model_copy(update=learned)
    result = poll_result(snapshot.selection, after, snapshot.parsed)
    admitted = await asyncio.wrap_future(ctx.db.items.submit_admission(feed.key, result, policy(ctx, feed)))
    ctx.poll_states.set(feed, after)
    emit_changes(ctx, feed, admitted)
    notes = (*snapshot.parsed.notes, *_notes(snapshot.selection))
    return poll_report(feed, admitted, notes, snapshot.selection.beyond)


def emit_changes(ctx: RunContext, feed: FeedConfig, admitted: AdmissionResult) -> None:
    """Tell others which drafts and articles have a source that changed, or is gone."""
    for notice in admitted.notices:
        if notice.has_draft:
            change = notice.notice
            ctx.emit(item_event("source.changed", notice.external_id, notice.title, feed.key, change=change))


def poll_report(feed: FeedConfig, admitted: AdmissionResult, notes: tuple[str, ...], left: int) -> PollReport:
    """Return the report of a poll with its notes, and those on the sources of stored items."""
    counts = admitted.model_dump(exclude={"notices"})
    return PollReport(feed=feed.key, notes=(*notes, *notice_notes(admitted.notices)), left=left, **counts)


def _notes(selection: Selection) -> list[str]:
    """Return notes on the new items that came with the guid of another story, and on skipped ones."""
    count = len({item.guid for item in selection.namesakes} & {item.guid for item in selection.new})
    renamed = [f"{count} new under a guid that another story had before"] if count else []
    skipped = Counter(skip_cause(skip.reason) for skip in selection.skipped)
    return renamed + [f"{number} skipped: {cause}" for cause, number in skipped.items()]


def poll_result(selection: Selection, state: PollState, parsed: ParsedFeed | None = None) -> PollResult:
    """Return a selection and the feed's poll state as they are admitted, in one transaction.

    `parsed` is the feed's own document, if its items can show what was withdrawn.
    """
    now = parsed.items if parsed and not parsed.cut else ()
    deleted = set(parsed.deleted) - selection.present if parsed else ()
    return PollResult(
        new=selection.new,
        updated=selection.updated,
        skipped=[(skip.item, skip.reason) for skip in selection.skipped],
        merged=[(merge.item, merge.into) for merge in selection.merged],
        reread=selection.reread,
        present=selection.present,
        namesakes=selection.namesakes,
        deleted=sorted(deleted),
        complete_since=complete_since(now),
        urls=frozenset(item.canonical for item in now if item.canonical),
        state=state,
    )


def policy(ctx: RunContext, feed: FeedConfig) -> Policy:
    """Return the admission policy of a feed."""
    beat = ctx.beats[feed.beat]
    return Policy(
        merge_among=ctx.keys_by_beat[feed.beat] if beat.duplicates == "one" else frozenset(),
        max_updates=feed.max_updates,
        redraft=beat.updates == "redraft",
    )
