"""Tells a changed reader from a changed source: reads a feed again by the rules of its stored items.

See docs/decisions/0015-reader-version.md.
"""

from collections.abc import Collection, Mapping, Sequence

from pipeline.domain.errors import FeedError
from pipeline.domain.models import Item, reader_of, same_text
from pipeline.feeds.fetch import FetchedFeed
from pipeline.feeds.parsing.parse import ParsedFeed
from pipeline.feeds.reader import FIRST_READER, can_read
from pipeline.feeds.select import ExistingItem, ExistingItems
from pipeline.services.context import RunContext


async def with_earlier_readings(
    ctx: RunContext,
    fetched: FetchedFeed,
    parsed: ParsedFeed,
    stored: Mapping[str, ExistingItem],
    names: Mapping[str, str],
) -> ParsedFeed:
    """Return a document with the hashes that earlier versions of the reader give its items.

    Only versions by which an item was read whose text differs now; nothing is read for the others, without
    the document's bytes, or by a version whose rules are not here. `names` maps guids of the document to
    those of namesakes here.
    """
    versions = {
        reader_of(stored[item.guid].content_hash)
        for item in parsed.items
        if item.guid in stored and not same_text(stored[item.guid].content_hash, item.content_hash)
    }
    earlier = dict(parsed.earlier)
    for version in sorted(versions - {item.reader for item in parsed.items} - earlier.keys()):
        if not fetched.body or not can_read(version):
            continue
        try:
            source = (fetched.body, fetched.content_type, fetched.url)
            read = await ctx.parse(*source, ctx.clock(), version, boilerplate=parsed.boilerplate)
        except FeedError:  # it costs too much to read twice
            continue
        earlier[version] = {names.get(item.guid, item.guid): item.content_hash for item in read.items}
    return parsed.model_copy(update={"earlier": earlier})


def accept_rereadings(
    parsed: ParsedFeed, existing: ExistingItems, sources: Mapping[str, Item]
) -> tuple[ExistingItems, tuple[Item, ...]]:
    """Return the stored items, and those of the document of which only the reader's version differs.

    These have the hash of this version. What can be read by the earlier version and has another hash there
    was changed by its publisher. `sources` are the stored items whose text is another one, by guid.
    """
    guids = dict(existing.guids)
    reread: dict[str, Item] = {}
    for item in parsed.items:
        stored = guids.get(item.guid)
        if stored is not None and _is_rereading(stored, item, parsed):
            reread[item.guid] = item
    twins = _unchanged_twins(parsed, existing, reread.keys())
    for item in parsed.items:
        stored, source = guids.get(item.guid), sources.get(item.guid)
        if stored is not None and source is not None and _is_twins_text(stored, item, source, twins):
            reread[item.guid] = item
    for guid, item in reread.items():
        guids[guid] = guids[guid].model_copy(update={"content_hash": item.content_hash})
    return existing.model_copy(update={"guids": guids}), tuple(reread.values())


def skipped_again(
    items: Sequence[Item], stored: Mapping[str, ExistingItem], new: Sequence[Item]
) -> tuple[Item, ...]:
    """Return items that stay skipped and were stored by an earlier version: it need not read them again."""
    queued = {item.guid for item in new}
    every = {item.guid: item for item in items if item.guid in stored and item.guid not in queued}
    return tuple(
        item
        for guid, item in every.items()
        if stored[guid].state == "skipped" and reader_of(stored[guid].content_hash) != item.reader
    )


def _is_rereading(stored: ExistingItem, item: Item, parsed: ParsedFeed) -> bool:
    version = reader_of(stored.content_hash)
    before = parsed.earlier.get(version, {}).get(item.guid)
    if version == item.reader:  # read before it was known which lines the feed repeats
        return before is not None and before == stored.content_hash
    return before in (None, stored.content_hash) or same_text(stored.content_hash, item.content_hash)


def _is_twins_text(stored: ExistingItem, item: Item, source: Item, twins: Mapping[str, Item]) -> bool:
    """Tell whether an item has the text of a duplicate of this document that was merged into it.

    Version 1 updated an item from its duplicates though it stood beside them. The link or the date that it
    took over with the text proves it; of two that differ in nothing else, one change is flagged.
    """
    if stored.state == "merged" or reader_of(stored.content_hash) != FIRST_READER:
        return False
    twin = twins.get(stored.content_hash)
    return twin is not None and any(
        getattr(source, name) == getattr(twin, name) != getattr(item, name)
        for name in ("link", "published_at")
    )


def _unchanged_twins(parsed: ParsedFeed, existing: ExistingItems, reread: Collection[str]) -> dict[str, Item]:
    """Return the document's items that are merged into others and did not change, by their stored hash."""
    pairs = ((existing.guids.get(item.guid), item) for item in parsed.items)
    return {
        stored.content_hash: item
        for stored, item in pairs
        if stored is not None
        and stored.state == "merged"
        and (item.guid in reread or stored.content_hash == item.content_hash)
    }
