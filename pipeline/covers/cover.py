"""Covers as front matter: six URLs, who is to be credited, what is to be seen. Pure; nothing is trusted.

The six keys are those of Unsplash's API (https://unsplash.com/documentation#search-photos).

What a cover is searched by: the topic, never chance. Pure.
"""

import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

from pipeline.domain.models import FrozenModel, Source
from pipeline.domain.plain_text import without_elements

SIZES = ("raw", "full", "regular", "small", "thumb", "small_s3")
IMAGES = "https://images.unsplash.com"
"""Where photos come from: they are shown from there, as the guidelines want."""
_REFERRED = "utm_source=copydesk&utm_medium=referral"
"""What Unsplash's guidelines want on links to photographers and to itself."""
HOME = f"https://unsplash.com/?{_REFERRED}"
ID = re.compile(r"[A-Za-z0-9_-]{1,40}")
_LONGEST = 2_000


class Photo(FrozenModel):
    """One result of a search."""

    id: str
    urls: dict[str, str]
    by: str
    profile: str
    """The photographer's page."""
    alt: str
    download: str
    """Asked once when the photo is used, as the guidelines want."""

    @property
    def credit(self) -> str:
        """The link that the photographer is credited with."""
        return f"{self.profile}{'&' if '?' in self.profile else '?'}{_REFERRED}"


def read_photo(value: object) -> Photo | None:
    """Return a photo of the API's answer; None where anything of it is missing or leads elsewhere."""
    photo = _mapping(value)
    urls = {size: _url(_mapping(photo.get("urls")).get(size)) for size in SIZES}
    user = _mapping(photo.get("user"))
    profile = _url(_mapping(user.get("links")).get("html"))
    name, number = _line(user.get("name")), photo.get("id")
    if not (isinstance(number, str) and ID.fullmatch(number) and name and profile):
        return None
    # Older answers lack the sixth: the smaller one stands for it.
    urls["small_s3"] = urls["small_s3"] or urls["small"]
    theirs = all(urls[size].startswith(f"{IMAGES}/") for size in SIZES[:-1])
    if not (theirs and urls["small_s3"]):
        return None
    alt = _line(photo.get("alt_description")) or _line(photo.get("description"))
    download = _url(_mapping(photo.get("links")).get("download_location"))
    return Photo(id=number, urls=urls, by=name, profile=profile, alt=alt, download=download)


def photo_cover(photo: Photo) -> dict[str, Any]:
    """Return a photo as `coverImage`, credit included."""
    credit = {"name": photo.by, "url": photo.credit}
    return {**photo.urls, "credit": credit, **({"alt": photo.alt} if photo.alt else {})}


def feed_cover(source: Source) -> dict[str, Any] | None:
    """Return the image that the item came with as `coverImage`, its one URL in all keys; None without one."""
    url = _url(source.item.image)
    if not url:
        return None
    page = _url(source.item.link) or url
    alt = _line(source.item.title)
    credit = {"name": _line(source.feed_name), "url": page}
    return {**dict.fromkeys(SIZES, url), "credit": credit, **({"alt": alt} if alt else {})}


def _mapping(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _line(value: object) -> str:
    """Return a text in one line, without markup and what cannot be seen."""
    if not isinstance(value, str):
        return ""
    shown = "".join(char if char.isprintable() else " " for char in value[:_LONGEST])
    return without_elements(" ".join(shown.split()))[:300]


def _url(value: object) -> str:
    """Return an http(s) URL, nothing where it is another thing."""
    if not isinstance(value, str) or len(value) > _LONGEST or not value.isascii() or not value.isprintable():
        return ""
    try:
        parts = urlsplit(value)
    except ValueError:
        return ""
    plain = parts.scheme in ("http", "https") and parts.hostname and not set(value) & set(" <>\"'`\\{}")
    return value if plain else ""


_WORD = re.compile(r"[^\W\d_]{4,}")
_MOST = 4
"""Words of a query: more find nothing."""


def query_of(title: str, category: str, tags: Iterable[str]) -> str:
    """Return a query: the category, tags, then the longest words of the title, each once."""
    topics = [word.lower() for word in dict.fromkeys((category, *tags)) if word]
    words = sorted(dict.fromkeys(_WORD.findall(title.lower())), key=len, reverse=True)
    return " ".join(list(dict.fromkeys([*topics[:2], *words]))[:_MOST])
