"""Reads what a web page declares about itself: its metadata, and the article that its scripts draw. Pure.

Sources: Open Graph (ogp.me), schema.org JSON-LD, HTML's link relation `canonical` (RFC 6596).
"""

import json
import re
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any, NamedTuple, TypeAlias
from urllib.parse import urlsplit

from pydantic import AwareDatetime

from pipeline.domain.models import Credit, FrozenModel
from pipeline.feeds.entries import origin_of
from pipeline.feeds.html_text import html_to_text
from pipeline.feeds.pages.article_text import Tree
from pipeline.feeds.parsing.dates import ParsedDate, parse_date
from pipeline.feeds.text_cleanup import fix_mojibake, normalize_space, one_line
from pipeline.feeds.urls import absolute_url, canonical_url, same_site, site_name

Node: TypeAlias = dict[str, Any]
"""An object of JSON-LD."""

MAX_SCRIPTS = 10
"""JSON-LD scripts that are read. Chosen, not measured."""
_MAX_NODES = 200
"""JSON-LD objects that are read. Chosen, not measured."""
_MAX_VALUE_CHARS = 2_000
"""Characters of one metadata value. Chosen, not measured."""
_WORK_TYPES = ("article", "posting", "report", "review", "webpage", "creativework", "webpageelement")


_DATE_NAMES = (
    "article:published_time", "datepublished", "og:published_time", "og:article:published_time",
    "article.published", "parsely-pub-date", "sailthru.date", "dc.date.issued", "dcterms.issued", "dc.date",
    "dcterms.created", "citation_publication_date", "publish-date", "publish_date", "publication_date",
    "pubdate", "date",
)  # fmt: skip
"""Names of meta elements with a page's date, the surest first. Chosen, not measured."""


_PUBLISHED = re.compile(r"datePublished|publish|entry-date|posted", re.IGNORECASE)
"""Marks of a `time` element with a page's date."""


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
    image_alt: str | None = None
    canonical: str | None = None
    """Canonical URL of `rel=canonical`; None if it is that of a front page."""
    published_at: AwareDatetime | None = None
    utc_offset_min: int | None = None
    origin: Credit | None = None
    """Whose text it is, if the canonical URL is of another publisher."""


def read_declared_metadata(tree: Tree, scripts: Sequence[str]) -> DeclaredMetadata:
    """Return a page's meta elements and the objects of its JSON-LD `scripts`. Never raises."""
    first = dict(reversed(tuple(meta_elements(tree))))
    return DeclaredMetadata(first, tuple(filter(_is_work, _nodes(scripts))))


def parse_metadata(declared: DeclaredMetadata, tree: Tree, url: str) -> PageMetadata:
    """Return a page's title, author, image, date and origin; `url` resolves relative links. Never raises."""
    meta, works = declared
    image = meta.get("og:image") or meta.get("twitter:image")
    author, canonical, date = _author(meta, works), _canonical(tree, url), _date(tree, meta, works)
    source = absolute_url(meta.get("syndication-source") or meta.get("original-source"), url) or canonical
    return PageMetadata(
        title=one_line(meta.get("og:title") or _first(works, "headline") or _title(tree), 300),
        author=author,
        image=absolute_url(image, url) if image else None,
        image_alt=one_line(meta.get("og:image:alt") or meta.get("twitter:image:alt") or "", 500) or None,
        canonical=canonical_url(canonical) if canonical else None,
        published_at=date.moment if date else None,
        utc_offset_min=date.utc_offset_min if date else None,
        origin=origin_of(_publisher(source, author, works), source, url) if source else None,
    )


def article_in_scripts(works: Sequence[Node]) -> str:
    """Return the article that a page's JSON-LD has, for pages that scripts draw."""
    for work in works:
        updates = work.get("liveBlogUpdate")
        parts = [work, *(updates[:_MAX_NODES] if isinstance(updates, list) else ())]
        bodies = [each.get("articleBody") or each.get("text") for each in parts if isinstance(each, dict)]
        texts = [_script_text(body) for body in bodies if isinstance(body, str)]
        if any(texts):
            return "\n\n".join(filter(None, texts))
    return ""


def _script_text(body: str) -> str:
    if "<" in body or "&" in body:
        return html_to_text(body)
    return normalize_space(re.sub(r"\n\s*", "\n\n", fix_mojibake(body)))


def meta_elements(tree: Tree) -> Iterator[tuple[str, str]]:
    """Yield the names, in lower case, and contents of a page's meta elements."""
    for each in tree.iter("meta"):
        name = each.get("property") or each.get("name") or each.get("itemprop") or ""
        content = (each.get("content") or "")[:_MAX_VALUE_CHARS].strip()
        if content:
            yield name.strip().lower(), content


def _nodes(scripts: Sequence[str]) -> Iterator[Node]:
    """Yield the JSON-LD objects about the page itself, not about linked pages."""
    queue: list[Any] = []
    for script in scripts[:MAX_SCRIPTS]:
        try:
            queue.append(json.loads(_json_of(script), strict=False))
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


def _json_of(script: str) -> str:
    """Return a script without what stands around its JSON, such as a CDATA section or a comment."""
    if script.lstrip()[:1] in ("{", "[") and script.rstrip()[-1:] in ("}", "]"):
        return script
    starts = [at for at in map(script.find, ("{", "[{")) if at >= 0]
    return script[min(starts, default=0) : max(script.rfind("}"), script.rfind("}]") + 1) + 1]


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


def _canonical(tree: Tree, url: str) -> str | None:
    """Return the page's own address, None if it is a front page's, as careless sites have on every page."""
    links = (
        each.get("href")
        for each in tree.iter("link")
        if "canonical" in (each.get("rel") or "").lower().split()
    )
    address = absolute_url(next(filter(None, islice(links, MAX_SCRIPTS)), None), url)
    if address is None or (urlsplit(address).path in ("", "/") and not urlsplit(address).query):
        return None
    return address


def _date(tree: Tree, meta: dict[str, str], works: Sequence[Node]) -> ParsedDate | None:
    written = [meta.get(_DATE_NAMES[0], ""), _first(works, "datePublished")]
    written += [meta.get(name, "") for name in _DATE_NAMES[1:]]
    return next(filter(None, map(parse_date, (*written, *_times(tree)))), None)


def _times(tree: Tree) -> Iterator[str]:
    """Yield the date of the `time` element that says when a page was published, or of the only one."""
    elements = [each for each in islice(tree.iter("time"), MAX_SCRIPTS) if each.get("datetime")]
    for each in elements:
        marks = f"{each.get('itemprop', '')} {each.get('class', '')}"
        if len(elements) == 1 or each.get("pubdate") is not None or _PUBLISHED.search(marks):
            yield (each.get("datetime") or "")[:_MAX_VALUE_CHARS].strip()


def _publisher(canonical: str, author: str | None, works: Sequence[Node]) -> str:
    """Return the name of the publisher of a URL: the declared one or the author, if it is of that site."""
    host = site_name(canonical)
    publishers = [work.get("publisher") for work in works]
    named = [each for each in publishers if isinstance(each, dict) and isinstance(each.get("name"), str)]
    sites = [each["name"] for each in named if same_site(str(each.get("url", "")), canonical)]
    like = [
        name
        for name in (author, *(each["name"] for each in named))
        if name and _letters(name) in _letters(host)
    ]
    return one_line(next(iter((*sites, *like)), host), 200)


def _letters(text: str) -> str:
    return re.sub(r"[^a-z0-9]", "", text.lower()) or "-"
