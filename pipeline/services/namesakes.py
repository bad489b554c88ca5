"""Separates items whose publisher gave them one guid: a guid is a hint, and no proof of identity."""

import asyncio
import hashlib
from collections.abc import Mapping, Sequence

from pipeline.domain.models import FeedConfig, Item
from pipeline.domain.near_duplicates import is_different_item
from pipeline.feeds.select import ExistingItem
from pipeline.storage import Database


async def separate_namesakes(
    db: Database, feed: FeedConfig, items: Sequence[Item], stored: Mapping[str, ExistingItem]
) -> tuple[Item, ...]:
    """Return a document's items, those with a guid of their own whose guid is that of another stored story.

    Only items whose stored text is another one are looked at.
    """
    changed = {
        item.guid
        for item in items
        if (before := stored.get(item.guid)) is not None
        and before.content_hash != item.content_hash
        and before.state != "forgotten"
    }
    if not changed:
        return tuple(items)
    namesakes = await asyncio.to_thread(db.items.namesakes, feed.key, sorted(changed))
    return tuple(
        rename_namesake(item, namesakes[item.guid]) if item.guid in changed else item for item in items
    )


def rename_namesake(item: Item, namesakes: Sequence[Item]) -> Item:
    """Return an item under the guid of its own story among `namesakes`; the first of them has the guid. Pure.

    A story that is not stored yet gets the guid with its link, else its date or title. Where its link is that
    of the owner, it has no canonical URL: the page is not of this item alone.
    """
    if not namesakes or not is_different_item(namesakes[0], item):
        return item
    owner = namesakes[0]
    renamed = item if item.canonical != owner.canonical else item.model_copy(update={"canonical": None})
    guids = {other.guid: other for other in namesakes[1:]}
    own = _own_guid(item, owner)
    if own not in guids:
        own = next((guid for guid, other in guids.items() if not is_different_item(other, item)), own)
    elif is_different_item(guids[own], item):
        own = f"{own} {_hash(item.title)}"
    return renamed.model_copy(update={"guid": own})


def _own_guid(item: Item, owner: Item) -> str:
    """Return a guid of an item's own, of the form that shared guids get within one document."""
    if item.link and item.canonical != owner.canonical:
        return f"{item.guid} {item.link}"
    return f"{item.guid} {item.published_at.isoformat() if item.dated else _hash(item.title)}"


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()
