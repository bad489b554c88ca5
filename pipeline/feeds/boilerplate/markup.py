"""Finds boilerplate by its markup: share bars, sign-ups, adverts, related links, captions before the text.

Rules of the reader from version 2 on. Pure, linear time.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache, lru_cache, partial
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
    r"|advertisement__\w{1,20}|promo(?:tion)?s?(?:[-_](?:box|block|banner|container|wrapper|link|text))?"
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
_DIAGRAM = re.compile(
    r"\s*(?:graph|flowchart|sequenceDiagram|classDiagram|stateDiagram|erDiagram|gantt|gitGraph|mindmap)\b"
)
"""The first word of a diagram's source, which a script of the page would draw (mermaid.js.org)."""
_CAPTION_CONTAINERS = _CONTAINERS | {"dd", "em", "figure"}
_INLINE = frozenset(("a", "span"))
_MAX_CONTENTS_TAGS = 100
"""Tags that show whether links lead within the page: elements may be nested a thousand times."""
_NAMES = frozenset(("nav", "form", *FALLBACKS, "figcaption"))
_CAPTION_CLASSES = re.compile(
    r"(?<![\w-])(?:wp-caption-text|wp-element-caption|image-caption(?:-wrapper)?|caption|photo-caption"
    r"|article-figure-caption|media-caption|image-credit|photo-credit|tr-caption(?:-container)?"
    r"|[a-z]{1,20}__caption|caption__[a-z]{1,20}|figure-caption|img-caption)(?![\w-])",
    re.IGNORECASE,
)
_PICTURE_CLASSES = re.compile(
    r"(?<![\w-])(?:photos?|images?|imgs?|pictures?|pics?|figures?|thumb(?:nail)?s?)"
    r"(?:[-_](?:left|right|center|box|block|container|wrapper|frame|holder|credit|inset|float))?(?![\w-])",
    re.IGNORECASE,
)
_PICTURE_HINTS = ("photo", "image", "img", "pic", "figure", "thumb")
_MAX_CAPTION_CHARS, _MAX_CAPTION_TAGS = 300, 20
"""Characters and tags of a picture with its caption in an element named after it. Chosen, not measured."""
_MAX_SLANTED_CHARS = 150
"""Characters of a caption that only its slanted letters show. Chosen, not measured."""
_SLANTED = frozenset(("em", "i", "small"))
_GUTTER = re.compile(
    r"(?<![\w-])(?:(?:blob|gl|rouge|code)[-_])?(?:line[-_]?(?:num(?:ber)?s?|nos?)|gutter|lnt?)(?![\w-])",
    re.IGNORECASE,
)
"""Classes of the numbers beside lines of code."""
_GUTTER_HINTS = ("line", "gutter", '"ln', "'ln")
_MAX_GUTTER_TAGS = 600
"""Tags of such an element, of which there may be one a line. Chosen, not measured."""
_GUTTERS = frozenset(("td", "th", "div", "pre", "span"))
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

    An element that holds most of the text stays, with those like it; so does one that is never closed.
    """
    if "img" in split.names:
        split = _without_slanted_caption(split)
    joined = "".join(split.attributes)
    if _NAMES.isdisjoint(split.names) and not ("class" in joined or "id=" in joined):
        return split
    elements = list(_elements(split))
    if not elements:
        return split
    texts, names = list(split.texts), list(split.names)
    total, checked, has_begun = _length(texts), 0, False
    alike = Counter[str]()
    for element in elements:
        alike[split.attributes[element.start]] += _length(texts[element.start + 1 : element.end + 1])
    main_kinds = {attributes for attributes, size in alike.items() if size > total * _MAX_SHARE}
    for element in elements:
        has_begun = has_begun or _length(texts[checked : element.start + 1]) > 0
        checked = element.end + 1
        size = _length(texts[element.start + 1 : checked])
        is_most = size > total * _MAX_SHARE or (
            not element.is_caption and split.attributes[element.start] in main_kinds
        )
        if is_most or (element.is_caption and has_begun):
            has_begun = has_begun or size > 0
            continue
        count = element.end - element.start
        texts[element.start + 1 : checked] = [""] * count
        names[element.start + 1 : element.end] = [""] * (count - 1)
        if names[element.start] in ("td", "th"):  # else an empty column is left
            names[element.start] = names[element.end] = ""
        total -= size
    return split._replace(texts=texts, names=names)


def _without_slanted_caption(split: HtmlPieces) -> HtmlPieces:
    """Return the pieces without a first paragraph of a picture and slanted words that are no sentence."""
    first = next((at for at, text in enumerate(split.texts) if decode_references(text).strip()), 0)
    slant = split.names[first - 1] if first else ""
    before, after = split.names[max(0, first - 5) : first - 1], split.names[first : first + 2]
    if slant not in _SLANTED or after != [f"/{slant}", "/p"] or "img" not in before or "/p" in before:
        return split
    caption = split.texts[first].strip()
    if len(caption) > _MAX_SLANTED_CHARS or caption.endswith((".", "!", "?", ":", "…")):
        return split
    texts = list(split.texts)
    if texts[first + 1].strip():
        return split
    texts[first] = ""
    return split._replace(texts=texts)


def _length(texts: list[str]) -> int:
    return sum(len(decode_references(text).strip()) for text in texts)


def _elements(split: HtmlPieces) -> Iterator[_Element]:
    """Yield the outermost elements that are boilerplate or captions, in their order."""
    ends = cache(partial(_ends, split.names))
    after, has_begun = -1, False
    for at, (name, attributes) in enumerate(zip(split.names, split.attributes, strict=True)):
        has_begun = has_begun or (at > after + 1 and bool(split.texts[at].strip()))
        if at <= after or not name or name[0] == "/" or attributes.endswith("/"):
            continue
        is_caption = _is_caption(name, attributes) or (not has_begun and _is_picture(split, at, ends))
        if (is_caption or _is_boilerplate(split, at, ends)) and at in ends():
            yield _Element(at, ends()[at], is_caption)
            after = ends()[at]


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


def _is_boilerplate(split: HtmlPieces, at: int, ends: Callable[[], dict[int, int]]) -> bool:
    name, attributes = split.names[at], split.attributes[at]
    if name in FALLBACKS or name == "form":
        return True
    if name == "nav":
        return not _is_contents(split, at, ends().get(at, at))
    if name in ("div", "pre") and "mermaid" in attributes and _DIAGRAM.match(split.texts[at + 1]):
        return True
    if name in _GUTTERS and any(hint in attributes for hint in _GUTTER_HINTS) and _is_gutter(split, at, ends):
        return True
    if name not in _CONTAINERS or not ("class" in attributes or "id=" in attributes):
        return False
    if not _is_named(attribute_value(attributes, "class") or ""):
        written = attribute_value(attributes, "id") or ""
        if not _is_named(written) or _is_made_of(written, split.texts[at + 1 : at + 9]):
            return False
    return not (name in _INLINE and _is_within_words(split.texts, at, ends().get(at, at)))


def _is_gutter(split: HtmlPieces, at: int, ends: Callable[[], dict[int, int]]) -> bool:
    """Return whether an element holds nothing but the numbers of lines of code."""
    end = ends().get(at, at)
    if end - at > _MAX_GUTTER_TAGS or not _GUTTER.search(
        attribute_value(split.attributes[at], "class") or ""
    ):
        return False
    numbers = "".join(split.texts[at + 1 : end + 1])
    return "".join(decode_references(numbers).split()).isdigit()


@lru_cache(4096)
def _is_named(written: str) -> bool:
    return bool(written) and _CLASSES.search(written) is not None


def _is_made_of(written: str, texts: list[str]) -> bool:
    """Return whether an id is made of the first words in its element, as those of headings are."""
    first = next(filter(str.strip, texts), "")
    return re.sub(r"[\W_]+", "-", first.strip().lower()).strip("-") == written.strip().lower().replace(
        "_", "-"
    )


def _is_contents(split: HtmlPieces, start: int, end: int) -> bool:
    """Return whether an element is a table of contents: its first links all lead within the page."""
    places = range(start, min(end, start + _MAX_CONTENTS_TAGS))
    links = [split.attributes[at] for at in places if split.names[at] == "a" and split.attributes[at]]
    return bool(links) and all("#" in (attribute_value(link, "href") or "#") for link in links)


def _is_within_words(texts: list[str], start: int, end: int) -> bool:
    """Return whether an element stands between words of a sentence."""
    return any(map(str.isalnum, texts[start] + texts[end + 1]))


def _is_caption(name: str, attributes: str) -> bool:
    if name == "figcaption":
        return True
    if name not in _CAPTION_CONTAINERS or not ("caption" in attributes or "credit" in attributes):
        return False
    return bool(_CAPTION_CLASSES.search(attribute_value(attributes, "class") or ""))


def _is_picture(split: HtmlPieces, at: int, ends: Callable[[], dict[int, int]]) -> bool:
    """Return whether an element is named after the picture in it, and has little text beside it."""
    name, attributes = split.names[at], split.attributes[at]
    if name not in _CAPTION_CONTAINERS or not any(hint in attributes for hint in _PICTURE_HINTS):
        return False
    end = ends().get(at, at)
    if end - at > _MAX_CAPTION_TAGS or "img" not in split.names[at:end]:
        return False
    if not 0 < _length(split.texts[at + 1 : end + 1]) <= _MAX_CAPTION_CHARS:
        return False
    return bool(_PICTURE_CLASSES.search(attribute_value(attributes, "class") or ""))
