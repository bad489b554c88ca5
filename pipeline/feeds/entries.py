"""What a feed says of one item, cleaned but not yet told apart from the others.

Turns entries into items: who is who within one feed, and what is equal across feeds.
"""

import hashlib
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Literal
from urllib.parse import unquote, urlsplit

from pydantic import AwareDatetime

from pipeline.domain.models import FrozenModel, Item
from pipeline.feeds.text_cleanup import one_line, shorten, strip_invisible
from pipeline.feeds.urls import canonical_url, fix_url, fragment


class Entry(FrozenModel):
    """One element of a feed; links are absolute http(s), texts are plain."""

    guid: str = ""
    link: str | None = None
    title: str = ""
    text: str = ""
    author: str | None = None
    published_at: AwareDatetime | None = None
    updated_at: AwareDatetime | None = None
    image: str | None = None
    media: Literal["audio", "video"] | None = None
    language: str | None = None
    summary: str = ""
    categories: tuple[str, ...] = ()

    @property
    def empty(self) -> bool:
        """Tell whether there is nothing to read and nowhere to go."""
        return not (self.title or self.text or self.link)


def unique_ids(values: list[str]) -> tuple[str, ...]:
    """Return the non-empty values in order, each once, at most 50 of them."""
    return tuple(value for value in dict.fromkeys(values) if value)[:50]


__all__ = ["build_items", "canonical_url"]

_TITLE_LENGTH = 80
_GUID_LENGTH = 500


def build_items(
    entries: Sequence[Entry], home: str | None, now: datetime
) -> tuple[tuple[Item, ...], tuple[str, ...]]:
    """Return a feed's items and what was odd about them. `home` is the feed's own page, if known.

    The guid is the publisher's, else the canonical link, else a hash of title and text. Where several
    entries share one, each is told apart by its link, else by its content. An item without a title gets
    the first words of its text, at most 80 characters, else its link's last words. An entry that a feed
    repeats in full is the same item each time, and one that holds nothing is one still: both are for others
    to leave out.
    """
    single = list(dict.fromkeys(entries))
    guids, shared = _disambiguate(single)
    canonicals = _canonicals(single, home)
    items = {
        entry: _item(entry, guid, canonical, now)
        for entry, guid, canonical in zip(single, guids, canonicals, strict=True)
    }
    notes = (
        _note(sum(entry.empty for entry in entries), "without title, text and link"),
        _note(len(entries) - len(single), "repeated in full"),
        _note(shared, "under a guid that others have too, told apart by link or text"),
    )
    return tuple(items[entry] for entry in entries), tuple(note for note in notes if note)


def _note(count: int, said: str) -> str:
    return f"{count} item{'s' if count > 1 else ''} {said}" if count else ""


def _disambiguate(entries: Sequence[Entry]) -> tuple[list[str], int]:
    """Return a guid for each entry, all different, and how many shared theirs."""
    guids = [_guid(entry) for entry in entries]
    counts = Counter(guids)
    shared = sum(count for count in counts.values() if count > 1)
    tails = (lambda entry: entry.link or _content_hash(entry), _content_hash, _whole_hash)
    for tail in tails:
        counts = Counter(guids)
        guids = [
            f"{guid} {tail(entry)}" if counts[guid] > 1 else guid
            for guid, entry in zip(guids, entries, strict=True)
        ]
    return guids, shared


def _guid(entry: Entry) -> str:
    guid = " ".join(strip_invisible(fix_url(entry.guid)).split())
    if len(guid) > _GUID_LENGTH:
        return f"sha256:{_hash(guid)}"
    if guid:
        return guid
    return (entry.link and canonical_url(entry.link)) or f"sha256:{_content_hash(entry)}"


def _content_hash(entry: Entry) -> str:
    return _hash(f"{entry.title}\0{entry.text}")


def _whole_hash(entry: Entry) -> str:
    return _hash(entry.model_dump_json())


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()


def _canonicals(entries: Sequence[Entry], home: str | None) -> list[str | None]:
    """Return each entry's canonical link, None where it names no single story.

    Links to the feed's own page, and several places of one page, would make one of different stories.
    """
    canonicals = [canonical_url(entry.link) if entry.link else None for entry in entries]
    places: dict[str, set[str]] = {}
    for entry, canonical in zip(entries, canonicals, strict=True):
        if canonical:
            places.setdefault(canonical, set()).add(fragment(entry.link))
    page = canonical_url(home) if home else None
    return [None if each is None or each == page or len(places[each]) > 1 else each for each in canonicals]


def _item(entry: Entry, guid: str, canonical: str | None, now: datetime) -> Item:
    published = entry.published_at or entry.updated_at
    return Item(
        guid=guid,
        link=entry.link,
        canonical=canonical,
        title=entry.title or _title(entry),
        text=entry.text,
        author=entry.author,
        published_at=published or now,
        dated=published is not None,
        updated_at=entry.updated_at,
        image=entry.image,
        media=entry.media,
        language=entry.language,
        summary=entry.summary,
        categories=entry.categories,
    )


def _title(entry: Entry) -> str:
    if entry.text:
        return shorten(" ".join(entry.text.removeprefix("- ").split()), _TITLE_LENGTH)
    parts = urlsplit(entry.link or "")
    last = unquote(parts.path.rstrip("/").rpartition("/")[2], errors="replace")
    words = last.rpartition(".")[0] or last
    return one_line(words.replace("-", " ").replace("_", " "), _TITLE_LENGTH) or (parts.hostname or "")
