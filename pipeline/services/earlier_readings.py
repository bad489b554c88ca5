"""Tells a changed reader from a changed source: reads a feed again by the rules of its stored items.

See docs/decisions/0015-reader-version.md.
"""

from collections.abc import Mapping

from pipeline.domain.errors import FeedError
from pipeline.domain.models import Item, reader_of
from pipeline.feeds.fetch import FetchedFeed
from pipeline.feeds.parsing.parse import ParsedFeed
from pipeline.feeds.reader import can_read
from pipeline.feeds.select import ExistingItem, ExistingItems
from pipeline.services.context import RunContext


async def with_earlier_readings(
    ctx: RunContext, fetched: FetchedFeed, parsed: ParsedFeed, stored: Mapping[str, ExistingItem]
) -> ParsedFeed:
    """Return a document with the hashes that earlier versions of the reader give its items.

    Only versions by which an item was read whose text differs now; nothing is read for the others, without
    the document's bytes, or by a version whose rules are not here.
    """
    versions = {
        reader_of(stored[item.guid].content_hash)
        for item in parsed.items
        if item.guid in stored and not _same_text(stored[item.guid].content_hash, item.content_hash)
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
        earlier[version] = {item.guid: item.content_hash for item in read.items}
    return parsed.model_copy(update={"earlier": earlier})


def accept_rereadings(parsed: ParsedFeed, existing: ExistingItems) -> tuple[ExistingItems, tuple[Item, ...]]:
    """Return the stored items, and those of the document of which only the reader's version differs.

    These have the hash of this version. What can be read by the earlier version and has another hash there
    was changed by its publisher.
    """
    guids = dict(existing.guids)
    reread: dict[str, Item] = {}
    twins = _merged_texts(parsed, existing)
    for item in parsed.items:
        stored = guids.get(item.guid)
        if stored is None or not (_is_rereading(stored, item, parsed) or _is_twins_text(stored, item, twins)):
            continue
        reread[item.guid] = item
        guids[item.guid] = stored.model_copy(update={"content_hash": item.content_hash})
    return existing.model_copy(update={"guids": guids}), tuple(reread.values())


def _is_rereading(stored: ExistingItem, item: Item, parsed: ParsedFeed) -> bool:
    version = reader_of(stored.content_hash)
    before = parsed.earlier.get(version, {}).get(item.guid)
    if version == item.reader:  # read before it was known which lines the feed repeats
        return before is not None and before == stored.content_hash
    return before in (None, stored.content_hash) or _same_text(stored.content_hash, item.content_hash)


def _is_twins_text(stored: ExistingItem, item: Item, twins: frozenset[str]) -> bool:
    """Tell whether an item has the text of a duplicate of this document that was merged into it.

    Earlier versions updated an item from its duplicates though it stood beside them.
    """
    return (
        stored.state != "merged" and stored.content_hash != item.content_hash and stored.content_hash in twins
    )


def _merged_texts(parsed: ParsedFeed, existing: ExistingItems) -> frozenset[str]:
    """Return the hashes of the document's items that are merged into others."""
    merged = (existing.guids[item.guid] for item in parsed.items if item.guid in existing.guids)
    return frozenset(stored.content_hash for stored in merged if stored.state == "merged")


def _same_text(content_hash: str, other: str) -> bool:
    """Tell whether two hashes are of one text, whatever versions made it."""
    return content_hash.rpartition(":")[2] == other.rpartition(":")[2]
