"""Extracts a web page's article and metadata; refuses paywalls. Pure, with bounded input.

Sources of metadata: Open Graph (ogp.me), schema.org JSON-LD, Google's "Structured data for subscription and
paywalled content".
"""

import json
import re
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any, NamedTuple, TypeAlias

from pipeline.domain.errors import FeedError
from pipeline.domain.models import FrozenModel
from pipeline.domain.text import redact_url
from pipeline.feeds.html_text import html_to_text
from pipeline.feeds.pages.blocked import blocking_page_kind
from pipeline.feeds.parsing.encoding import decode
from pipeline.feeds.rights.declaration import Declaration
from pipeline.feeds.rights.directives import declared_in_meta, is_license_link
from pipeline.feeds.rights.rsl import read_license, refusals
from pipeline.feeds.text_cleanup import fix_mojibake, normalize_space, one_line
from pipeline.feeds.urls import absolute_url

Tree: TypeAlias = Any
"""An element of lxml, which has no type annotations."""
Node: TypeAlias = dict[str, Any]
"""An object of JSON-LD."""

_MAX_SCRIPTS = 10
"""JSON-LD scripts that are read. Chosen, not measured."""
_MAX_NODES = 200
"""JSON-LD objects that are read. Chosen, not measured."""
_MAX_VALUE_CHARS = 2_000
"""Characters of one metadata value. Chosen, not measured."""
_WORK_TYPES = ("article", "posting", "report", "review", "webpage", "creativework", "webpageelement")


class DeclaredMetadata(NamedTuple):
    """The metadata that a page declares, as written."""

    meta: dict[str, str]
    """Content of the meta elements by name in lower case; the first of a name counts."""
    works: tuple[Node, ...]
    """The JSON-LD objects that describe the page or its article."""


class PageMetadata(FrozenModel):
    """A page's own title, author and image, cleaned."""

    title: str = ""
    author: str | None = None
    image: str | None = None


def read_declared_metadata(tree: Tree, scripts: Sequence[str]) -> DeclaredMetadata:
    """Return a page's meta elements and the objects of its JSON-LD `scripts`. Never raises."""
    first = dict(reversed(tuple(_meta(tree))))
    return DeclaredMetadata(first, tuple(filter(_is_work, _nodes(scripts))))


def parse_metadata(declared: DeclaredMetadata, tree: Tree, url: str) -> PageMetadata:
    """Return a page's title, author and image; `url` resolves relative links. Never raises."""
    meta, works = declared
    image = meta.get("og:image") or meta.get("twitter:image")
    return PageMetadata(
        title=one_line(meta.get("og:title") or _first(works, "headline") or _title(tree), 300),
        author=_author(meta, works),
        image=absolute_url(image, url) if image else None,
    )


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
    terms = [term for each in licenses[:_MAX_SCRIPTS] for term in read_license(each.encode(), url)]
    return declared_in_meta(_meta(tree), filter(None, islice(links, _MAX_SCRIPTS)), refusals(terms))


def _meta(tree: Tree) -> Iterator[tuple[str, str]]:
    """Yield the names, in lower case, and contents of a page's meta elements."""
    for each in tree.iter("meta"):
        name = each.get("property") or each.get("name") or each.get("itemprop") or ""
        content = (each.get("content") or "")[:_MAX_VALUE_CHARS].strip()
        if content:
            yield name.strip().lower(), content


def _nodes(scripts: Sequence[str]) -> Iterator[Node]:
    """Yield the JSON-LD objects about the page itself, not about linked pages."""
    queue: list[Any] = []
    for script in scripts[:_MAX_SCRIPTS]:
        try:
            queue.append(json.loads(script, strict=False))
        except (ValueError, RecursionError):
            continue
    for _ in range(_MAX_NODES):
        if not queue:
            return
        each = queue.pop(0)
        if isinstance(each, list):
            queue += each[:_MAX_NODES]
        elif isinstance(each, dict):
            queue += [each[key] for key in ("@graph", "mainEntity", "hasPart") if key in each]
            yield each


def _is_work(node: Node) -> bool:
    types = node.get("@type")
    types = types if isinstance(types, list) else [types]
    return any(isinstance(each, str) and each.lower().endswith(_WORK_TYPES) for each in types)


def _first(works: Sequence[Node], key: str) -> str:
    values = (work.get(key) for work in works)
    return next(
        (value[:_MAX_VALUE_CHARS] for value in values if isinstance(value, str) and value.strip()), ""
    )


def _title(tree: Tree) -> str:
    element = next(tree.iter("title"), None)
    return (element.text or "")[:_MAX_VALUE_CHARS] if element is not None else ""


def _author(meta: dict[str, str], works: Sequence[Node]) -> str | None:
    """Return the authors' names; email addresses and URLs are no names."""
    names = [meta.get("author", ""), meta.get("parsely-author", "")]
    for work in works:
        authors = work.get("author")
        people = [each for each in (authors if isinstance(authors, list) else [authors])[:10] if each]
        person_names = [each.get("name") if isinstance(each, dict) else each for each in people]
        names.append(", ".join(name[:200] for name in person_names if isinstance(name, str)))
    lines = (one_line(name, 200) for name in names)
    return next((name for name in lines if name and "@" not in name and "://" not in name), None)


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
_NAVIGATION = ("nav", "header", "footer")
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
    tree = _tree(markup, url)
    declared = read_declared_metadata(tree, scripts)
    if is_paywalled(declared):
        raise _error(url, "is behind a paywall", "paywall")
    metadata = parse_metadata(declared, tree, url)
    rights = declared_rights(tree, licenses, url)
    return Page(text=_article_text(tree, selector, url), declared=rights, **metadata.model_dump())


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


def _article_text(tree: Tree, selector: str | None, url: str) -> str:
    """Return the article's text. Raises FeedError of kind paywall, selector or empty."""
    visible = _visible_text(tree)
    text = _text_by_selector(tree, selector, url) if selector else _main_text(tree)
    if len(text) < _MAX_TEASER_CHARS and _PAYWALL_TEXT.search(visible):
        raise _error(url, "is behind a paywall", "paywall")
    if not text:
        raise _error(url, "has no article that could be found; a `selector` may help", "empty")
    return text


def _visible_text(tree: Tree) -> str:
    """Return a page's text without navigation, header and footer, where all pages advertise subscriptions."""
    from lxml.etree import iterwalk

    pieces: list[str] = []
    depth = 0
    for event, each in iterwalk(tree, events=("start", "end")):
        outside = each.tag in _NAVIGATION
        if event == "start":
            depth += outside
            pieces.append("" if depth else each.text or "")
        else:
            depth -= outside
            pieces.append("" if depth else each.tail or "")
    return " ".join("".join(pieces).split())


def _text_by_selector(tree: Tree, selector: str, url: str) -> str:
    from cssselect import SelectorError
    from lxml.etree import LxmlError
    from lxml.html import tostring

    try:
        elements = tree.cssselect(selector)
    except (SelectorError, LxmlError) as error:
        description = f"cannot be searched: {selector!r} is no CSS selector; correct it in feeds.yaml"
        raise _error(url, description, "selector") from error
    if not elements:
        raise _error(url, f"has no element that matches the selector {selector!r}", "selector")
    descendants = {each for outer in elements for each in outer.iterdescendants()}
    outermost = [each for each in elements if each not in descendants]
    pieces = (html_to_text(tostring(each, encoding="unicode", with_tail=False)) for each in outermost)
    return "\n\n".join(filter(None, pieces))


def _main_text(tree: Tree) -> str:
    from trafilatura import bare_extraction  # late: takes 0.2 s to import, and few items need it

    document = bare_extraction(
        tree, fast=True, favor_precision=True, include_comments=False, include_tables=False
    )
    return normalize_space(_paragraphs(fix_mojibake(getattr(document, "text", None) or "")))


def _paragraphs(text: str) -> str:
    """Return lines with blank lines between them, but not between the items of a list."""
    pieces: list[str] = []
    for line in text.split("\n"):
        together = pieces and pieces[-1].startswith("- ") and line.startswith("- ")
        pieces += ["\n" if together else "\n\n", line]
    return "".join(pieces)
