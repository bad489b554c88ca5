"""Finds boilerplate by its markup: share bars, sign-ups, adverts, related links, captions before the text.

Rules of the reader from version 2 on. Pure, linear time.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from pipeline.feeds.html_pieces import HtmlPieces, attribute_value, decode_references

FALLBACKS = ("video", "audio")
"""Elements whose text is shown only where they cannot be played."""
_CLASSES = re.compile(
    r"(?<![\w-])(?:[a-z]{1,3}[-_]{1,2})?(?:"
    r"(?:social|sns|addtoany|a2a|post|entry|article)?[-_]{0,2}shar(?:e|ing)(?:[-_]?(?:bar|buttons?|links?|icons?|tools"
    r"|box|widget|container|block|wrapper|save|post|this|counts?))?|social[-_]?(?:bar|buttons?|links?|icons?|media)"
    r"|addtoany\w*|a2a_kit|feedflare|ssba\w*|heateor\w*|sharethis\w*"
    r"|(?:email[-_]|newsletter[-_]|subscribe[-_])?(?:sign[-_]?up|newsletter|opt[-_]?in)(?:[-_](?:form|box|block"
    r"|widget|cta|promo|container|wrapper|signup|module|embed))?|mc_embed_signup|mailchimp\w*"
    r"|subscri(?:be|ption)[-_](?:form|box|block|widget|cta|wrapper|container)(?:[-_]\w{1,20})?"
    r"|wp-block-jetpack-subscriptions\w*"
    r"|(?:inline[-_]|article[-_]|post[-_])?related(?:[-_]?(?:posts?|articles?|stor(?:y|ies)|content|links?|news|reading"
    r"|items?|box|block))?|read[-_](?:also|next)|more[-_]stories|yarpp\w*|crp_related|rp4wp\w*|outbrain\w*|taboola\w*"
    r"|advert(?:s|isement|ising|orial)?(?:[-_]\w{1,20})?|ads?(?:[-_](?:unit|slot|container|wrapper|break|box|block"
    r"|banner|inline|label|text))?|adsbygoogle|dfp[-_]ad|google[-_]ads?|sponsored[-_](?:links?|box|block)"
    r"|cookie[-_](?:banner|notice)|essb\w*|blogger-post-footer|wp-embedded-content|sponsor[-_]message"
    r"|div-gpt-ad(?:[-_]\w{1,30})*|ad(?:box|wrapper|slot|unit|banner|container)|mailmunch[\w-]*"
    r"|advertisement__\w{1,20}"
    r")(?![\w-])",
    re.IGNORECASE,
)
_CONTAINERS = frozenset(
    (
        "div",
        "section",
        "aside",
        "p",
        "ul",
        "ol",
        "span",
        "table",
        "a",
        "h3",
        "h4",
        "footer",
        "ins",
        "blockquote",
    )
)
_CAPTION_CONTAINERS = _CONTAINERS | {"dd", "em", "figure"}
_NEVER_TEXT = frozenset(("nav", "form"))
_NAMES = frozenset((*_NEVER_TEXT, *FALLBACKS, "figcaption"))
_CAPTION_CLASSES = re.compile(
    r"(?<![\w-])(?:wp-caption-text|wp-element-caption|image-caption(?:-wrapper)?|caption|photo-caption"
    r"|article-figure-caption|media-caption|image-credit|photo-credit|tr-caption(?:-container)?"
    r"|[a-z]{1,20}__caption|caption__[a-z]{1,20}|figure-caption|img-caption)(?![\w-])",
    re.IGNORECASE,
)
_MAX_SHARE = 0.5
"""Share of a text from which on an element is the text, whatever its class says. Chosen, not measured."""


class _Element(NamedTuple):
    start: int
    """Index of the opening tag."""
    end: int
    """Index of the closing tag."""
    is_caption: bool


def drop_boilerplate(split: HtmlPieces) -> HtmlPieces:
    """Return the pieces without elements that are boilerplate by name or class, and without leading captions.

    An element that holds most of the text stays, and so does one that is never closed.
    """
    joined = "".join(split.attributes)
    if _NAMES.isdisjoint(split.names) and not ("class" in joined or "id=" in joined):
        return split
    elements = list(_elements(split))
    if not elements:
        return split
    texts, names = list(split.texts), list(split.names)
    total, checked, has_begun = _length(texts), 0, False
    for element in elements:
        has_begun = has_begun or _length(texts[checked : element.start + 1]) > 0
        checked = element.end + 1
        size = _length(texts[element.start + 1 : checked])
        if size > total * _MAX_SHARE or (element.is_caption and has_begun):
            has_begun = has_begun or size > 0
            continue
        count = element.end - element.start
        texts[element.start + 1 : checked] = [""] * count
        names[element.start + 1 : element.end] = [""] * (count - 1)
        total -= size
    return split._replace(texts=texts, names=names)


def _length(texts: list[str]) -> int:
    return sum(len(decode_references(text).strip()) for text in texts)


def _elements(split: HtmlPieces) -> Iterator[_Element]:
    """Yield the outermost elements that are boilerplate or captions, in their order."""
    ends: dict[int, int] | None = None
    after = -1
    for at, (name, attributes) in enumerate(zip(split.names, split.attributes, strict=True)):
        if at <= after or not name or name[0] == "/" or attributes.endswith("/"):
            continue
        is_caption = _is_caption(name, attributes)
        if is_caption or _is_boilerplate(name, attributes):
            ends = _ends(split.names) if ends is None else ends
            if at in ends:
                yield _Element(at, ends[at], is_caption)
                after = ends[at]


def _ends(names: list[str]) -> dict[int, int]:
    """Return the index of the closing tag of each element that is closed, by that of its opening tag."""
    opened: dict[str, list[int]] = {}
    ends = {}
    for at, name in enumerate(names):
        if name[:1] != "/":
            opened.setdefault(name, []).append(at)
        elif starts := opened.get(name[1:]):
            ends[starts.pop()] = at
    return ends


def _is_boilerplate(name: str, attributes: str) -> bool:
    if name in _NEVER_TEXT or name in FALLBACKS:
        return True
    if name not in _CONTAINERS or not ("class" in attributes or "id=" in attributes):
        return False
    values = (attribute_value(attributes, "class"), attribute_value(attributes, "id"))
    return any(value and _CLASSES.search(value) for value in values)


def _is_caption(name: str, attributes: str) -> bool:
    if name == "figcaption":
        return True
    if name not in _CAPTION_CONTAINERS or not ("caption" in attributes or "credit" in attributes):
        return False
    return bool(_CAPTION_CLASSES.search(attribute_value(attributes, "class") or ""))
