"""Builds `coverImage` of the front matter and the query of a cover search; API responses are untrusted. Pure.

Source of the six URL keys: https://unsplash.com/documentation#search-photos
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from pipeline.domain.alt_text import alt_of, describes
from pipeline.domain.models import FrozenModel, Item, Source
from pipeline.domain.text import without_elements

SIZES = ("raw", "full", "regular", "small", "thumb", "small_s3")
IMAGE_ORIGIN = "https://images.unsplash.com"
"""Origin of the photos. Pages link to it (hotlinking), as Unsplash's guidelines require.

Source: https://help.unsplash.com/en/articles/2511245-unsplash-api-guidelines
"""
_REFERRAL = "utm_source=copydesk&utm_medium=referral"
"""Required by the same guidelines on links to photographers and to Unsplash."""
UNSPLASH_URL = f"https://unsplash.com/?{_REFERRAL}"
PHOTO_ID = re.compile(r"[A-Za-z0-9_-]{1,40}")
_MAX_CHARS = 2_000


class Photo(FrozenModel):
    """A photo of the API's response."""

    id: str
    urls: dict[str, str]
    photographer: str
    profile: str
    """The photographer's page."""
    alt: str
    download_location: str
    """Requested once when the photo is used, as the guidelines require."""

    @property
    def credit(self) -> str:
        """The URL of the photographer's credit."""
        return f"{self.profile}{'&' if '?' in self.profile else '?'}{_REFERRAL}"


def read_photo(value: object) -> Photo | None:
    """Return a photo from the API's JSON; None when a field is missing or a URL has another origin."""
    photo = _mapping(value)
    urls = {size: _web_url(_mapping(photo.get("urls")).get(size)) for size in SIZES}
    user = _mapping(photo.get("user"))
    profile = _web_url(_mapping(user.get("links")).get("html"))
    name, number = _plain_line(user.get("name")), photo.get("id")
    if not (isinstance(number, str) and PHOTO_ID.fullmatch(number) and name and profile):
        return None
    # Older responses have no small_s3.
    urls["small_s3"] = urls["small_s3"] or urls["small"]
    on_unsplash = all(urls[size].startswith(f"{IMAGE_ORIGIN}/") for size in SIZES[:-1])
    if not (on_unsplash and urls["small_s3"]):
        return None
    alt = _plain_line(photo.get("alt_description")) or _plain_line(photo.get("description"))
    download = _web_url(_mapping(photo.get("links")).get("download_location"))
    return Photo(
        id=number, urls=urls, photographer=name, profile=profile, alt=alt, download_location=download
    )


def photo_cover(photo: Photo) -> dict[str, Any]:
    """Return a photo as the value of `coverImage`, with its credit."""
    credit = {"name": photo.photographer, "url": photo.credit}
    return {**photo.urls, "credit": credit, **({"alt": photo.alt} if photo.alt else {})}


def feed_cover(source: Source) -> dict[str, Any] | None:
    """Return the item's own image as the value of `coverImage`, its URL in all keys; None without one.

    Its description is the publisher's, where there is one; the headline is none.
    """
    url = _web_url(source.item.image)
    if not url:
        return None
    page = _web_url(source.item.link) or url
    alt = _plain_line(source.item.image_alt)
    alt = alt if describes(alt, source.item.title) else ""
    credit = {"name": _plain_line(source.feed_name), "url": page}
    return {**dict.fromkeys(SIZES, url), "credit": credit, **({"alt": alt} if alt else {})}


class Licence(NamedTuple):
    """Under which terms an image may be shown."""

    text: str
    url: str = ""


UNKNOWN_LICENCE = Licence("Licence unknown: ask the publisher")


class CoverFacts(NamedTuple):
    """What an editor sees of a cover beside the image; every text may be empty."""

    url: str
    """Where the publisher has it; never requested by a browser."""
    alt: str
    by: str
    credit_url: str
    licence: Licence


def cover_facts(metadata: Mapping[str, Any], item: Item) -> CoverFacts | None:
    """Return what front matter and the item say about the cover; None without an http(s) URL."""
    url = cover_url(metadata)
    if not url:
        return None
    credit = _mapping(_mapping(metadata.get("coverImage")).get("credit"))
    return CoverFacts(
        url,
        alt_of(metadata),
        _plain_line(credit.get("name")),
        _web_url(credit.get("url")),
        _licence(url, item),
    )


def cover_url(metadata: Mapping[str, Any]) -> str:
    """Return the URL of the cover that is shown at the desk: the small one, else the regular one."""
    cover = _mapping(metadata.get("coverImage"))
    return _web_url(cover.get("small")) or _web_url(cover.get("regular"))


def _licence(url: str, item: Item) -> Licence:
    if url.startswith(f"{IMAGE_ORIGIN}/"):
        return Licence("Unsplash licence", "https://unsplash.com/license")
    declared = _plain_line((item.image_licence or item.rights) if url == item.image else "")
    return Licence(f"Licence: {declared}", _web_url(declared)) if declared else UNKNOWN_LICENCE


def _mapping(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _plain_line(value: object) -> str:
    """Return a text on one line, without markup and unprintable characters; empty for other types."""
    if not isinstance(value, str):
        return ""
    shown = "".join(char if char.isprintable() else " " for char in value[:_MAX_CHARS])
    return without_elements(" ".join(shown.split()))[:300]


def _web_url(value: object) -> str:
    """Return the value if it is an http(s) URL, else an empty string."""
    if not isinstance(value, str) or len(value) > _MAX_CHARS:
        return ""
    if not value.isascii() or not value.isprintable():
        return ""
    try:
        parts = urlsplit(value)
    except ValueError:
        return ""
    valid = parts.scheme in ("http", "https") and parts.hostname and not set(value) & set(" <>\"'`\\{}")
    return value if valid else ""


_LONG_WORD = re.compile(r"[^\W\d_]{4,}")
_MAX_QUERY_WORDS = 4
"""Longer queries find no photos."""


def build_query(title: str, category: str, tags: Iterable[str]) -> str:
    """Return an article's query: its category and tags (two at most), then the title's longest words."""
    topics = [word.lower() for word in dict.fromkeys((category, *tags)) if word]
    words = sorted(dict.fromkeys(_LONG_WORD.findall(title.lower())), key=len, reverse=True)
    return " ".join(list(dict.fromkeys([*topics[:2], *words]))[:_MAX_QUERY_WORDS])
