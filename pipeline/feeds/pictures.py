"""The pictures in a feed's HTML, with what the publisher says they show: the alt text, else the caption."""

from collections.abc import Iterable, Iterator
from itertools import chain, islice
from typing import NamedTuple

from pipeline.feeds.html_pieces import attribute_value, decode_references, opening_tags, split_html
from pipeline.feeds.html_text import html_to_text
from pipeline.feeds.reader import FIRST_READER
from pipeline.feeds.text_cleanup import one_line
from pipeline.feeds.urls import absolute_url

_MAX_PICTURES = 3
"""Pictures of an entry's HTML that are looked at; a declared one is mostly the first there, too. Chosen."""
_MAX_CHARS = 500
"""Characters of a description. Chosen, not measured."""
_MAX_TAGS = 50
"""Tags within a caption; what has more is none. Chosen, not measured."""


class Picture(NamedTuple):
    """A picture's URL and its publisher's description; both may be empty."""

    url: str
    alt: str = ""


def chosen_picture(
    declared: Iterable[Picture], markup: Iterable[str], base: str
) -> tuple[str | None, str | None]:
    """Return URL and description of the first picture with a URL: a declared one, else one in the HTML.

    A declared picture without a description has that of the same picture in the HTML.
    """
    chosen: str | None = None
    inside = islice((picture for html in markup for picture in pictures(html)), _MAX_PICTURES)
    for picture in chain(declared, inside):
        url = absolute_url(picture.url, base) if picture.url else None
        chosen = chosen or url
        if chosen and url == chosen and picture.alt:
            return chosen, picture.alt
    return chosen, None


def pictures(html: str) -> Iterator[Picture]:
    """Yield the pictures of HTML as written, without tracking pixels and data URLs."""
    captions: list[str] | None = None
    for number, attributes in enumerate(opening_tags(html, "img")):
        source = (attribute_value(attributes, "src") or "").strip()
        sizes = {(attribute_value(attributes, side) or "").strip() for side in ("width", "height")}
        if not source or not sizes.isdisjoint(("0", "1")) or source.lower().startswith("data:"):
            continue
        alt = description(attribute_value(attributes, "alt") or "")
        if not alt and "<figcaption" in html:
            captions = _captions(html) if captions is None else captions
            alt = captions[number] if number < len(captions) else ""
        yield Picture(source, alt)


def description(written: str) -> str:
    """Return a publisher's description on one line, without markup; empty where it is longer than one."""
    text = one_line(html_to_text(written[: 4 * _MAX_CHARS], FIRST_READER), 4 * _MAX_CHARS)
    return text if len(text) <= _MAX_CHARS else ""


def _captions(html: str) -> list[str]:
    """Return the caption of each picture, in order: the one that follows it in its figure."""
    split, captions, waiting = split_html(html), [], False
    for at, name in enumerate(split.names):
        if name == "img":
            captions.append("")
            waiting = True
        elif name in ("figure", "/figure"):
            waiting = False
        elif name == "figcaption" and waiting:
            captions[-1] = description(_text_until(split.names, split.texts, at, "/figcaption"))
            waiting = False
    return captions


def _text_until(names: list[str], texts: list[str], at: int, end: str) -> str:
    pieces, length = [texts[at + 1]], 0
    for inner in range(at + 1, min(len(names), at + 1 + _MAX_TAGS)):
        length += len(pieces[-1])
        if names[inner] == end or length > _MAX_CHARS:
            break
        pieces.append(texts[inner + 1])
    return decode_references(" ".join(pieces))
