"""What a web page says of itself: its meta elements and its JSON-LD. Pure.

Sources: Open Graph (ogp.me), schema.org, Google's "Structured data for subscription and paywalled content".

A web page to the text of its article. Pure; what it costs is bounded by what it reads.
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
from pipeline.feeds.pages.robots import AGENT, refused
from pipeline.feeds.parsing.encoding import decode
from pipeline.feeds.text_cleanup import fix_mojibake, normalize_space, one_line
from pipeline.feeds.urls import absolute_url

Tree: TypeAlias = Any
"""An element of lxml, which has no types."""
Node: TypeAlias = dict[str, Any]
"""An object of JSON-LD."""

_SCRIPTS = 10
_NODES = 200
"""Objects of JSON-LD that are looked at."""
_LONGEST = 2_000
"""Characters of one value."""
_WORKS = ("article", "posting", "report", "review", "webpage", "creativework", "webpageelement")


class RobotsDirectives(NamedTuple):
    """The raw words of a page about itself."""

    meta: dict[str, str]
    """Meta elements by name, in lower case; the first of a name counts."""
    works: tuple[Node, ...]
    """Those objects of its JSON-LD that are the page or its article."""


class PageMetadata(FrozenModel):
    """What a page says of itself."""

    title: str = ""
    author: str | None = None
    image: str | None = None


def parse_robots_directives(tree: Tree, linked: Sequence[str]) -> RobotsDirectives:
    """Return what a page says of itself, `linked` being its JSON-LD scripts. Never raises."""
    return RobotsDirectives(_meta(tree), tuple(filter(_is_work, _nodes(linked))))


def parse_metadata(said: RobotsDirectives, tree: Tree, url: str) -> PageMetadata:
    """Return the page's own account, cleaned. Never raises."""
    meta, works = said
    image = meta.get("og:image") or meta.get("twitter:image")
    return PageMetadata(
        title=one_line(meta.get("og:title") or _first(works, "headline") or _title(tree), 300),
        author=_author(meta, works),
        image=absolute_url(image, url) if image else None,
    )


def is_paywalled(said: RobotsDirectives) -> bool:
    """Tell whether a page declares that its text is not, or not always, to be had for nothing."""
    if said.meta.get("article:content_tier", "").lower() in ("locked", "metered"):
        return True
    return any(_is_false(work.get("isAccessibleForFree")) for work in said.works)


def tdm_reservation(said: RobotsDirectives) -> str | None:
    """Return the element by which a publisher keeps a page to itself, None where there is none."""
    if said.meta.get("tdm-reservation") == "1":
        return "tdm-reservation"
    refusal = refused(",".join(said.meta.get(name, "") for name in ("robots", AGENT.lower())))
    return f"robots: {refusal}" if refusal else None


def _meta(tree: Tree) -> dict[str, str]:
    found: dict[str, str] = {}
    for each in tree.iter("meta"):
        name = each.get("property") or each.get("name") or each.get("itemprop") or ""
        content = (each.get("content") or "")[:_LONGEST].strip()
        if content:
            found.setdefault(name.strip().lower(), content)
    return found


def _nodes(linked: Sequence[str]) -> Iterator[Node]:
    """Yield the objects of JSON-LD that tell of the page, not of what it links to."""
    waiting: list[Any] = []
    for script in linked[:_SCRIPTS]:
        try:
            waiting.append(json.loads(script, strict=False))
        except (ValueError, RecursionError):
            continue
    for _ in range(_NODES):
        if not waiting:
            return
        each = waiting.pop(0)
        if isinstance(each, list):
            waiting += each[:_NODES]
        elif isinstance(each, dict):
            waiting += [each[key] for key in ("@graph", "mainEntity", "hasPart") if key in each]
            yield each


def _is_work(node: Node) -> bool:
    types = node.get("@type")
    types = types if isinstance(types, list) else [types]
    return any(isinstance(each, str) and each.lower().endswith(_WORKS) for each in types)


def _first(works: Sequence[Node], key: str) -> str:
    values = (work.get(key) for work in works)
    return next((value[:_LONGEST] for value in values if isinstance(value, str) and value.strip()), "")


def _title(tree: Tree) -> str:
    found = next(tree.iter("title"), None)
    return (found.text or "")[:_LONGEST] if found is not None else ""


def _author(meta: dict[str, str], works: Sequence[Node]) -> str | None:
    """Return the authors' names; an address is nobody's name."""
    names = [meta.get("author", ""), meta.get("parsely-author", "")]
    for work in works:
        authors = work.get("author")
        people = [each for each in (authors if isinstance(authors, list) else [authors])[:10] if each]
        found = [each.get("name") if isinstance(each, dict) else each for each in people]
        names.append(", ".join(name[:200] for name in found if isinstance(name, str)))
    lines = (one_line(name, 200) for name in names)
    return next((name for name in lines if name and "@" not in name and "://" not in name), None)


def _is_false(value: object) -> bool:
    """Tell whether JSON-LD means false: it is also written "False" and "http://schema.org/False"."""
    return value is False or (isinstance(value, str) and value.lower().rpartition("/")[2] == "false")


_READ = 2_000_000
"""Bytes of a page that are read."""
_TAGS = 20_000
"""Tags of a page that are read, scripts not counted: time grows with their square."""
_ATTRIBUTES = 5_000
"""Characters of attributes, beyond which a tag loses them: in one tag, time grows with their square."""
_HTML = ("text/html", "application/xhtml+xml", "text/plain", "")
_OTHERS = (b"%PDF-", b"\x89PNG", b"GIF8", b"\xff\xd8\xff", b"PK\x03\x04", b"\x1f\x8b", b"RIFF", b"ID3")
_CHARSET = re.compile(rb"charset\s{0,9}=\s{0,9}[\"']?([\w.:-]{1,40})", re.IGNORECASE)
# What hides markup from view. Each begins what always ends, if need be with the page: linear time.
_HIDDEN = re.compile(
    r"<!--.*?(?:-->|\Z)|<(script|style)\b([^>]*)(?:>(.*?)(?:</\1\b[^>]*(?:>|\Z)|\Z)|\Z)", re.I | re.S
)
_TAG = re.compile(r"<[a-zA-Z/]")
_WHOLE_TAG = re.compile(
    r"""<([a-zA-Z][a-zA-Z0-9:_-]{0,40}+)
    [^>=]*+ (?:=\s{0,9}+(?:"[^"]*+(?:"|\Z)|'[^']*+(?:'|\Z))?+ [^>=]*+)*+ (?:>|\Z)""",
    re.VERBOSE,
)
_UNREAD = ("noscript", "svg", "template", "iframe", "object", "canvas", "select", "button", "textarea")
_AROUND = ("nav", "header", "footer")
_WALL = re.compile(
    r"subscribe (?:now )?to (?:continue|keep|read)|to (?:continue|keep) reading|subscribers? only"
    r"|(?:already|not) a subscriber|become a (?:member|subscriber)|for (?:paying )?(?:subscribers|members)\b"
    r"|(?:article|story) is (?:reserved )?for (?:subscribers|members)|free articles? (?:left|remaining)"
    r"|réservé (?:à nos|aux) abonnés|nur für abonnenten|mit einem abo|jetzt abonnieren"
    r"|(?:contenido|artículo) exclusivo para (?:suscriptores|socios)|riservato agli abbonati"
    r"|alleen voor abonnees|有料会員|会員限定|только для подписчиков",
    re.IGNORECASE,
)
_WALLED = 600
"""Characters of an article in front of a paywall, at most: more is the article."""


class Page(PageMetadata):
    """What an item's web page says."""

    text: str
    """Plain; paragraphs and headings divided by a blank line, items of a list lines with `- `."""


def extract(body: bytes, content_type: str | None, url: str, selector: str | None = None) -> Page:
    """Return the article of a page, found by itself or, with a CSS `selector`, what that selects.

    Raises FeedError, naming the page, of kind not-html, challenge, consent, login, reserved, paywall,
    selector or empty.
    """
    kind = (content_type or "").partition(";")[0].strip().lower()
    if kind not in _HTML or body.startswith(_OTHERS):
        raise _trouble(url, f"is no web page but {kind or 'something else'}", "not-html")
    html = _decoded(body[:_READ], content_type)
    if stands := blocking_page_kind(html):
        raise _trouble(url, f"shows a {stands} page instead of the article", stands)
    lean, linked = _lean(html)
    tree = _tree(lean, url)
    said = parse_robots_directives(tree, linked)
    if reserved := tdm_reservation(said):
        raise _trouble(url, f"reserves its text ({reserved})", "reserved")
    if is_paywalled(said):
        raise _trouble(url, "is behind a paywall", "paywall")
    head = parse_metadata(said, tree, url)
    return Page(text=_text(tree, selector, url), **head.model_dump())


def _trouble(url: str, said: str, kind: str) -> FeedError:
    return FeedError(f"{redact_url(url)} {said}", kind=kind)


def _decoded(body: bytes, content_type: str | None) -> str:
    """Return a page's characters: HTML names its charset where a feed's declaration would stand."""
    found = _CHARSET.search((content_type or "").encode("ascii", "replace")) or _CHARSET.search(body[:4096])
    if found:
        label = found[1].decode("ascii").lower()
        content_type = f"text/html; charset={label}"
    return decode(body, content_type)


def _lean(html: str) -> tuple[str, list[str]]:
    """Return a page without what nobody sees, as far as it is read, and its JSON-LD scripts."""
    linked: list[str] = []

    def hide(match: re.Match[str]) -> str:
        if match[1] and match[3] and "ld+json" in match[2].lower():
            linked.append(match[3])
        return " "

    lean = _HIDDEN.sub(hide, html)
    end = next(islice(_TAG.finditer(lean), _TAGS, None), None)
    return _WHOLE_TAG.sub(_bounded, lean[: end.start()] if end else lean), linked


def _bounded(tag: re.Match[str]) -> str:
    return tag[0] if len(tag[0]) < _ATTRIBUTES else f"<{tag[1]}>"


def _tree(html: str, url: str) -> Tree:
    import lxml.html
    from lxml.etree import LxmlError, strip_elements

    parser = lxml.html.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True, huge_tree=False)
    try:
        tree = lxml.html.document_fromstring(html.encode("utf-8", "replace"), parser=parser)
    except (LxmlError, ValueError) as error:
        raise _trouble(url, "is empty", "empty") from error
    strip_elements(tree, *_UNREAD, with_tail=False)
    return tree


def _text(tree: Tree, selector: str | None, url: str) -> str:
    """Return the article's text. Raises FeedError of kind paywall, selector or empty."""
    shown = _shown(tree)
    text = _selected(tree, selector, url) if selector else _found(tree)
    if len(text) < _WALLED and _WALL.search(shown):
        raise _trouble(url, "is behind a paywall", "paywall")
    if not text:
        raise _trouble(url, "has no article that could be found; a `selector` may help", "empty")
    return text


def _shown(tree: Tree) -> str:
    """Return what a page shows besides its navigation, where every page of a paper invites to subscribe."""
    from lxml.etree import iterwalk

    pieces: list[str] = []
    around = 0
    for event, each in iterwalk(tree, events=("start", "end")):
        outside = each.tag in _AROUND
        if event == "start":
            around += outside
            pieces.append("" if around else each.text or "")
        else:
            around -= outside
            pieces.append("" if around else each.tail or "")
    return " ".join("".join(pieces).split())


def _selected(tree: Tree, selector: str, url: str) -> str:
    from cssselect import SelectorError
    from lxml.etree import LxmlError
    from lxml.html import tostring

    try:
        found = tree.cssselect(selector)
    except (SelectorError, LxmlError) as error:
        said = f"cannot be searched for {selector!r}: it is no CSS selector"
        raise _trouble(url, said, "selector") from error
    if not found:
        raise _trouble(url, f"has nothing that the selector {selector!r} means", "selector")
    within = {each for outer in found for each in outer.iterdescendants()}
    outermost = [each for each in found if each not in within]
    pieces = (html_to_text(tostring(each, encoding="unicode", with_tail=False)) for each in outermost)
    return "\n\n".join(filter(None, pieces))


def _found(tree: Tree) -> str:
    from trafilatura import bare_extraction  # a fifth of a second to import, and few items need it

    document = bare_extraction(
        tree, fast=True, favor_precision=True, include_comments=False, include_tables=False
    )
    return normalize_space(_paragraphs(fix_mojibake(getattr(document, "text", None) or "")))


def _paragraphs(text: str) -> str:
    """Divide lines by blank lines, but keep the items of a list together."""
    pieces: list[str] = []
    for line in text.split("\n"):
        together = pieces and pieces[-1].startswith("- ") and line.startswith("- ")
        pieces += ["\n" if together else "\n\n", line]
    return "".join(pieces)
