"""Turns the entries of a feed into items: a unique guid within the feed, a canonical URL across feeds."""

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from functools import cached_property
from typing import Literal
from urllib.parse import unquote, urlsplit

from pydantic import AwareDatetime

from pipeline.domain.models import Credit, FrozenModel, Item
from pipeline.feeds.reader import READER
from pipeline.feeds.text_cleanup import one_line, shorten, strip_invisible
from pipeline.feeds.urls import canonical_url, fix_url, same_site, url_fragment

Media = Literal["audio", "video"]


class Entry(FrozenModel):
    """One entry of a feed, cleaned; links are absolute http(s) URLs, texts are plain text."""

    guid: str = ""
    link: str | None = None
    title: str = ""
    text: str = ""
    author: str | None = None
    published_at: AwareDatetime | None = None
    updated_at: AwareDatetime | None = None
    utc_offset_min: int | None = None
    """Of `published_at`, else of `updated_at`."""
    image: str | None = None
    image_alt: str | None = None
    """What the publisher says it shows."""
    image_licence: str | None = None
    """The publisher's words about its licence, or the licence's URL."""
    media: Media | None = None
    language: str | None = None
    summary: str = ""
    categories: tuple[str, ...] = ()
    reserved: str | None = None
    """What reserves its text."""
    unread_date: str | None = None
    """Its date as written, if nobody can read it."""
    link_list: bool = False
    """Its text is a list of links."""
    origin: Credit | None = None
    """Whose text it is, if the feed names another publisher."""
    credit: str | None = None
    rights: str | None = None
    """Whose text it is, and under whose rights."""

    @property
    def empty(self) -> bool:
        """Return whether the entry has neither title, text nor link."""
        return not (self.title or self.text or self.link)


def unique_values(values: list[str]) -> tuple[str, ...]:
    """Return the non-empty values in order without repetitions, at most 50 of them."""
    return tuple(value for value in dict.fromkeys(values) if value)[:50]


_MEDIA_EXTENSIONS: dict[str, Media] = {
    "mp3": "audio", "m4a": "audio", "aac": "audio", "ogg": "audio", "oga": "audio", "opus": "audio",
    "wav": "audio", "flac": "audio", "mp4": "video", "m4v": "video", "mov": "video", "webm": "video",
    "mkv": "video", "avi": "video",
}  # fmt: skip
_EXTENSION = re.compile(r"\.([a-z0-9]{2,4})(?:[?#]|\Z)", re.IGNORECASE)
_LANGUAGE_TAG = re.compile(r"[a-z]{2,3}(?:-[a-z0-9]{2,8})*")
_MAX_TITLE_CHARS = 80  # of a title made from text; chosen, not measured
_HASHED = {
    "guid", "link", "title", "text", "author", "published_at", "updated_at", "image", "media", "language",
    "summary", "categories",
}  # fmt: skip
"""Fields of which guids are made: those that the first version had."""
_MAX_GUID_CHARS = 500  # a longer guid becomes a hash; chosen, not measured


def media_of(files: Iterable[tuple[str, str]]) -> Media | None:
    """Return the medium of the first audio or video file of an item, None if it has none.

    `files` are pairs of MIME type (or medium) and URL. The file extension counts if the type is empty or
    `application/...`. The item's text does not count: an episode's notes are no article.
    """
    for declared, url in files:
        kind = declared.lower().partition("/")[0]
        extension = (
            _EXTENSION.search(url) if kind not in ("audio", "video") and kind in ("", "application") else None
        )
        if kind == "audio" or (extension and _MEDIA_EXTENSIONS.get(extension[1].lower()) == "audio"):
            return "audio"
        if kind == "video" or (extension and _MEDIA_EXTENSIONS.get(extension[1].lower()) == "video"):
            return "video"
    return None


def language_of(*declared: str) -> str | None:
    """Return the first well-formed language tag in lower case, such as `en-gb` (RFC 5646), else None."""
    for value in declared:
        tag = value.strip().lower().replace("_", "-")
        if _LANGUAGE_TAG.fullmatch(tag):
            return tag
    return None


def origin_of(name: str, url: str | None, own: str) -> Credit | None:
    """Return the credit of another publisher, None if `url` is of the site of `own`, or unknown."""
    if not (name and url) or same_site(url, own):
        return None
    return Credit(name=name, url=url)


def build_items(
    entries: Sequence[Entry],
    home: str | None,
    now: datetime,
    *,
    reader: int = READER,
    first_reading: Callable[[int], Entry] | None = None,
) -> tuple[tuple[Item, ...], tuple[str, ...]]:
    """Return a feed's items and notes for the run's report. `home` is the feed's website, if known.

    `reader` is the version that made the entries. `first_reading` returns the entry at a place as the
    first version reads it, which guids made of texts are made of; None: `entries` are that.

    The guid is the publisher's, else the canonical link, else a hash of title and text. If several entries
    share a guid, their link is added to it, else a hash of their content. An item without a title gets the
    first words of its text, at most 80 characters, else the last part of its link's path. Repeated and empty
    entries are returned too: `select_items` leaves them out.
    """
    distinct = list(dict.fromkeys(entries))
    guids, shared = _disambiguate(distinct, _IdentityTexts(entries, first_reading))
    canonicals = _canonicals(distinct, home)
    items = {
        entry: _item(entry, guid, canonical, now).model_copy(update={"reader": reader})
        for entry, guid, canonical in zip(distinct, guids, canonicals, strict=True)
    }
    notes = (
        _note(sum(entry.empty for entry in entries), "without title, text and link"),
        _note(len(entries) - len(distinct), "repeated in full"),
        _note(shared, "with a shared guid: their link or content was added to it"),
    )
    return tuple(items[entry] for entry in entries), tuple(note for note in notes if note)


def _note(count: int, description: str) -> str:
    return f"{count} item{'s' if count > 1 else ''} {description}" if count else ""


class _IdentityTexts:
    """Hashes of entries for guids: of their texts as the first version of the reader makes them."""

    def __init__(self, entries: Sequence[Entry], first_reading: Callable[[int], Entry] | None) -> None:
        self._entries = entries
        self._first_reading = first_reading
        self._firsts: dict[Entry, Entry] = {}  # read when a hash is needed: few entries need one

    def content(self, entry: Entry) -> str:
        """Return the hash of title and text."""
        first = self._first(entry)
        return _hash(f"{first.title}\0{first.text}")

    def whole(self, entry: Entry) -> str:
        """Return the hash of all fields that the first version had."""
        return _hash(self._first(entry).model_dump_json(include=_HASHED))

    def _first(self, entry: Entry) -> Entry:
        if self._first_reading is None:
            return entry
        if entry not in self._firsts:
            self._firsts[entry] = self._first_reading(self._places[entry])
        return self._firsts[entry]

    @cached_property
    def _places(self) -> dict[Entry, int]:
        places: dict[Entry, int] = {}
        for at, entry in enumerate(self._entries):
            places.setdefault(entry, at)
        return places


def _disambiguate(entries: Sequence[Entry], texts: _IdentityTexts) -> tuple[list[str], int]:
    """Return a unique guid for each entry, and the number of entries whose guid was shared."""
    guids = [_guid(entry, texts) for entry in entries]
    counts = Counter(guids)
    shared = sum(count for count in counts.values() if count > 1)
    suffixes = (lambda entry: entry.link or texts.content(entry), texts.content, texts.whole)
    for suffix in suffixes:
        counts = Counter(guids)
        guids = [
            f"{guid} {suffix(entry)}" if counts[guid] > 1 else guid
            for guid, entry in zip(guids, entries, strict=True)
        ]
    return guids, shared


def _guid(entry: Entry, texts: _IdentityTexts) -> str:
    if guid := publisher_guid(entry.guid):
        return guid
    return (entry.link and canonical_url(entry.link)) or f"sha256:{texts.content(entry)}"


def publisher_guid(written: str) -> str:
    """Return the publisher's guid as items have it, "" without one."""
    guid = " ".join(strip_invisible(fix_url(written)).split())
    return f"sha256:{_hash(guid)}" if len(guid) > _MAX_GUID_CHARS else guid


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()


def _canonicals(entries: Sequence[Entry], home: str | None) -> list[str | None]:
    """Return each entry's canonical link, None if the link is not of this entry alone.

    Links to the feed's website, or to several fragments of one page, would merge different stories.
    """
    canonicals = [canonical_url(entry.link) if entry.link else None for entry in entries]
    fragments: dict[str, set[str]] = {}
    for entry, canonical in zip(entries, canonicals, strict=True):
        if canonical:
            fragments.setdefault(canonical, set()).add(url_fragment(entry.link))
    home_page = canonical_url(home) if home else None
    return [
        None if each is None or each == home_page or len(fragments[each]) > 1 else each for each in canonicals
    ]


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
        utc_offset_min=entry.utc_offset_min,
        updated_at=entry.updated_at,
        image=entry.image,
        image_alt=entry.image_alt,
        image_licence=entry.image_licence,
        media=entry.media,
        language=entry.language,
        summary=entry.summary,
        categories=entry.categories,
        reserved=entry.reserved,
        origin=entry.origin,
        unread_date=entry.unread_date,
        link_list=entry.link_list,
        credit=entry.credit,
        rights=entry.rights,
    )


def _title(entry: Entry) -> str:
    if entry.text:
        return shorten(" ".join(entry.text.removeprefix("- ").split()), _MAX_TITLE_CHARS)
    parts = urlsplit(entry.link or "")
    last = unquote(parts.path.rstrip("/").rpartition("/")[2], errors="replace")
    words = last.rpartition(".")[0] or last
    return one_line(words.replace("-", " ").replace("_", " "), _MAX_TITLE_CHARS) or (parts.hostname or "")
