"""Separates items whose publisher gave them one guid: a guid is a hint, and no proof of identity."""

import hashlib
from collections.abc import Mapping, Sequence

from pipeline.domain.models import FeedConfig, Item, same_text
from pipeline.domain.near_duplicates import has_other_text, is_different_item
from pipeline.feeds.select import ExistingItem
from pipeline.storage import Database


def changed_guids(items: Sequence[Item], stored: Mapping[str, ExistingItem]) -> list[str]:
    """Return the guids of the stored items whose text is not that of this document, in order. Pure."""
    changed = {
        item.guid
        for item in items
        if (before := stored.get(item.guid)) is not None
        and not same_text(before.content_hash, item.content_hash)
        and before.state != "forgotten"
    }
    return sorted(changed)


def separate_namesakes(
    db: Database, feed: FeedConfig, items: Sequence[Item], sources: Mapping[str, Item]
) -> tuple[Item, ...]:
    """Return a document's items, those with a guid of their own whose guid is that of another stored story.

    `sources` are the stored items whose text is another one, by guid.
    """
    different = {
        item.guid
        for item in items
        if (source := sources.get(item.guid)) is not None and is_different_item(source, item)
    }
    if not different:
        return tuple(items)
    namesakes = db.items.namesakes(feed.key, sorted(different))
    return tuple(
        _rename(item, sources[item.guid], namesakes[item.guid]) if item.guid in different else item
        for item in items
    )


def separate_links(
    items: Sequence[Item], stored: Mapping[str, ExistingItem], owners: Mapping[str, Item]
) -> tuple[Item, ...]:
    """Return a document's items, other stories at the link of one without a canonical URL. Pure.

    Some feeds link all their items to one page. `stored` are the stored items by guid, which stay as they
    are; `owners` the feed's stored items by canonical URL.
    """
    first: dict[str, Item] = {}
    separated = []
    for item in items:
        if item.canonical and item.guid not in stored:
            owner, here = owners.get(item.canonical), first.get(item.canonical)
            if (owner and is_different_item(owner, item)) or (here and _is_beside(here, item)):
                separated.append(item.model_copy(update={"canonical": None}))
                continue
        if item.canonical:
            first.setdefault(item.canonical, item)
        separated.append(item)
    return tuple(separated)


def _is_beside(item: Item, other: Item) -> bool:
    """Tell whether two items of one document and link are two stories."""
    return item.guid != other.guid and item.title != other.title and has_other_text(item, other)


def _rename(item: Item, owner: Item, namesakes: Sequence[Item]) -> Item:
    """Return an item under the guid of its own story among `namesakes`; `owner` has the guid itself. Pure.

    A story that is not stored yet gets the guid with its link, else its date or title. Where its link is that
    of the owner, it has no canonical URL: the page is not of this item alone.
    """
    renamed = item if item.canonical != owner.canonical else item.model_copy(update={"canonical": None})
    guids = {other.guid: other for other in namesakes}
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
