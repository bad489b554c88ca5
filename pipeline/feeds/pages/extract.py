"""Extracts a web page's article and metadata; refuses paywalls. Pure, with bounded input.

Source of the paywall's declaration: Google's "Structured data for subscription and paywalled content".
"""

import re
from collections.abc import Sequence
from itertools import islice

from pipeline.domain.errors import FeedError
from pipeline.domain.text import redact_url
from pipeline.feeds.boilerplate.lines import read_lines
from pipeline.feeds.meaning import write_inline_meaning
from pipeline.feeds.pages.article_text import Tree, main_text, text_of, visible_text
from pipeline.feeds.pages.blocked import blocking_page_kind
from pipeline.feeds.pages.metadata import (
    MAX_SCRIPTS,
    DeclaredMetadata,
    PageMetadata,
    article_in_scripts,
    meta_elements,
    parse_metadata,
    read_declared_metadata,
)
from pipeline.feeds.parsing.encoding import decode
from pipeline.feeds.rights.declaration import Declaration
from pipeline.feeds.rights.directives import declared_in_meta, is_license_link
from pipeline.feeds.rights.rsl import read_license, refusals
from pipeline.feeds.urls import absolute_url


def is_paywalled(declared: DeclaredMetadata) -> bool:
    """Return whether a page declares a paywall, or a metered one."""
    if declared.meta.get("article:content_tier", "").lower() in ("locked", "metered"):
        return True
    return any(_is_false(work.get("isAccessibleForFree")) for work in declared.works)


def declared_rights(tree: Tree, licenses: Sequence[str], url: str) -> Declaration:
    """Return what a page declares about the use of its text; `licenses` are its scripts of RSL."""
    links = (
        absolute_url(each.get("href"), url)
        for each in tree.iter("link")
        if is_license_link(each.get("rel") or "", each.get("type") or "")
    )
    terms = [term for each in licenses[:MAX_SCRIPTS] for term in read_license(each.encode(), url)]
    return declared_in_meta(meta_elements(tree), filter(None, islice(links, MAX_SCRIPTS)), refusals(terms))


def _is_false(value: object) -> bool:
    """Return whether a JSON-LD value is false, also as "False" or "http://schema.org/False"."""
    return value is False or (isinstance(value, str) and value.lower().rpartition("/")[2] == "false")


_MAX_PAGE_BYTES = 2_000_000
"""Bytes of a page that are read. Chosen, not measured."""
_MAX_TAGS = 20_000
"""Tags that are read, scripts not counted: time is quadratic in them. Chosen, not measured."""
_MAX_TAG_CHARS = 5_000
"""Characters from which a tag loses its attributes: time is quadratic in them. Chosen, not measured."""
_HTML_TYPES = ("text/html", "application/xhtml+xml", "text/plain", "")
_OTHER_SIGNATURES = (
    b"%PDF-",
    b"\x89PNG",
    b"GIF8",
    b"\xff\xd8\xff",
    b"PK\x03\x04",
    b"\x1f\x8b",
    b"RIFF",
    b"ID3",
)
_CHARSET = re.compile(rb"charset\s{0,9}=\s{0,9}[\"']?([\w.:-]{1,40})", re.IGNORECASE)
# Comments, scripts and styles. Each alternative ends, at the latest at the end of the page: linear time.
_HIDDEN = re.compile(
    r"<!--.*?(?:-->|\Z)|<(script|style)\b([^>]*)(?:>(.*?)(?:</\1\b[^>]*(?:>|\Z)|\Z)|\Z)", re.I | re.S
)
_TAG = re.compile(r"<[a-zA-Z/]")
_WHOLE_TAG = re.compile(
    r"""<([a-zA-Z][a-zA-Z0-9:_-]{0,40}+)
    [^>=]*+ (?:=\s{0,9}+(?:"[^"]*+(?:"|\Z)|'[^']*+(?:'|\Z))?+ [^>=]*+)*+ (?:>|\Z)""",
    re.VERBOSE,
)
_DROPPED_ELEMENTS = (
    "noscript",
    "svg",
    "template",
    "iframe",
    "object",
    "canvas",
    "select",
    "button",
    "textarea",
)
_PAYWALL_TEXT = re.compile(
    r"subscribe (?:now )?to (?:continue|keep|read)|to (?:continue|keep) reading|subscribers? only"
    r"|(?:already|not) a subscriber|become a (?:member|subscriber)|for (?:paying )?(?:subscribers|members)\b"
    r"|(?:article|story) is (?:reserved )?for (?:subscribers|members)|free articles? (?:left|remaining)"
    r"|réservé (?:à nos|aux) abonnés|nur für abonnenten|mit einem abo|jetzt abonnieren"
    r"|(?:contenido|artículo) exclusivo para (?:suscriptores|socios)|riservato agli abbonati"
    r"|alleen voor abonnees|有料会員|会員限定|только для подписчиков",
    re.IGNORECASE,
)
_MAX_TEASER_CHARS = 600
"""Characters below which a text with a paywall notice is a teaser. Chosen, not measured."""


class Page(PageMetadata):
    """The article of an item's web page."""

    text: str
    """Plain text: a blank line between paragraphs and headings, `- ` before list items."""
    credit: str | None = None
    rights: str | None = None
    """Whose text it is, and its line of rights, as its last lines say."""
    declared: Declaration = Declaration()
    """What the page declares about the use of its text."""


def extract(body: bytes, content_type: str | None, url: str, selector: str | None = None) -> Page:
    """Return the article of a page: the main text, or the elements of a CSS `selector`.

    Raises FeedError of kind not-html, challenge, consent, login, paywall, selector or empty.
    """
    kind = (content_type or "").partition(";")[0].strip().lower()
    if kind not in _HTML_TYPES or body.startswith(_OTHER_SIGNATURES):
        raise _error(url, f"is no web page but {kind or 'something else'}", "not-html")
    html = _decode_page(body[:_MAX_PAGE_BYTES], content_type)
    if blocking := blocking_page_kind(html):
        raise _error(url, f"shows a {blocking} page instead of the article", blocking)
    markup, scripts, licenses = _strip_invisible_markup(html)
    tree = _tree(write_inline_meaning(markup), url)
    declared = read_declared_metadata(tree, scripts)
    if is_paywalled(declared):
        raise _error(url, "is behind a paywall", "paywall")
    metadata = parse_metadata(declared, tree, url)
    rights = declared_rights(tree, licenses, url)
    article = read_lines(_article_text(tree, declared, selector, url))
    return Page(
        text=article.text,
        credit=article.credit,
        rights=article.rights,
        declared=rights,
        **metadata.model_dump(),
    )


def _error(url: str, description: str, kind: str) -> FeedError:
    return FeedError(f"{redact_url(url)} {description}", kind=kind)


def _decode_page(body: bytes, content_type: str | None) -> str:
    """Return a page's text, with the charset of the HTTP header or the meta element."""
    match = _CHARSET.search((content_type or "").encode("ascii", "replace")) or _CHARSET.search(body[:4096])
    if match:
        label = match[1].decode("ascii").lower()
        content_type = f"text/html; charset={label}"
    return decode(body, content_type)


def _strip_invisible_markup(html: str) -> tuple[str, list[str], list[str]]:
    """Return a page without comments, scripts, styles, up to _MAX_TAGS; its scripts of JSON-LD and RSL."""
    scripts: list[str] = []
    licenses: list[str] = []

    def hide(match: re.Match[str]) -> str:
        if match[1] and match[3] and "ld+json" in match[2].lower():
            scripts.append(match[3])
        elif match[1] and match[3] and "rsl+xml" in match[2].lower():
            licenses.append(match[3].strip())
        return " "

    markup = _HIDDEN.sub(hide, html)
    end = next(islice(_TAG.finditer(markup), _MAX_TAGS, None), None)
    return _WHOLE_TAG.sub(_limit_attributes, markup[: end.start()] if end else markup), scripts, licenses


def _limit_attributes(tag: re.Match[str]) -> str:
    return tag[0] if len(tag[0]) < _MAX_TAG_CHARS else f"<{tag[1]}>"


def _tree(html: str, url: str) -> Tree:
    import lxml.html
    from lxml.etree import LxmlError, strip_elements

    parser = lxml.html.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True, huge_tree=False)
    try:
        tree = lxml.html.document_fromstring(html.encode("utf-8", "replace"), parser=parser)
    except (LxmlError, ValueError) as error:
        raise _error(url, "is empty", "empty") from error
    strip_elements(tree, *_DROPPED_ELEMENTS, with_tail=False)
    return tree


def _article_text(tree: Tree, declared: DeclaredMetadata, selector: str | None, url: str) -> str:
    """Return the article's text. Raises FeedError of kind paywall, selector or empty."""
    visible = visible_text(tree)
    text = text_of(_selected(tree, selector, url)) if selector else main_text(tree)
    if len(text) < _MAX_TEASER_CHARS and _PAYWALL_TEXT.search(visible):
        raise _error(url, "is behind a paywall", "paywall")
    if not selector and len(text) < _MAX_TEASER_CHARS:
        text = max(text, article_in_scripts(declared.works), key=len)
    if not text:
        raise _error(url, "has no article that could be found; a `selector` may help", "empty")
    return text


def _selected(tree: Tree, selector: str, url: str) -> Sequence[Tree]:
    from cssselect import SelectorError
    from lxml.etree import LxmlError

    try:
        elements: Sequence[Tree] = tree.cssselect(selector)
    except (SelectorError, LxmlError) as error:
        description = f"cannot be searched: {selector!r} is no CSS selector; correct it in feeds.yaml"
        raise _error(url, description, "selector") from error
    if not elements:
        raise _error(url, f"has no element that matches the selector {selector!r}", "selector")
    return elements
