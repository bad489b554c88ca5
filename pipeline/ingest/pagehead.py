"""What a web page says of itself: its meta elements and its JSON-LD. Pure.

Sources: Open Graph (ogp.me), schema.org, Google's "Structured data for subscription and paywalled content".
"""

import json
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, TypeAlias

from pipeline.ingest.links import absolute
from pipeline.ingest.robots import AGENT, refused
from pipeline.ingest.text import one_line
from pipeline.models import Record

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


class Said(NamedTuple):
    """The raw words of a page about itself."""

    meta: dict[str, str]
    """Meta elements by name, in lower case; the first of a name counts."""
    works: tuple[Node, ...]
    """Those objects of its JSON-LD that are the page or its article."""


class Head(Record):
    """What a page says of itself."""

    title: str = ""
    author: str | None = None
    image: str | None = None


def said_by(tree: Tree, linked: Sequence[str]) -> Said:
    """Return what a page says of itself, `linked` being its JSON-LD scripts. Never raises."""
    return Said(_meta(tree), tuple(filter(_is_work, _nodes(linked))))


def read_head(said: Said, tree: Tree, url: str) -> Head:
    """Return the page's own account, cleaned. Never raises."""
    meta, works = said
    image = meta.get("og:image") or meta.get("twitter:image")
    return Head(
        title=one_line(meta.get("og:title") or _first(works, "headline") or _title(tree), 300),
        author=_author(meta, works),
        image=absolute(image, url) if image else None,
    )


def locked(said: Said) -> bool:
    """Tell whether a page declares that its text is not, or not always, to be had for nothing."""
    if said.meta.get("article:content_tier", "").lower() in ("locked", "metered"):
        return True
    return any(_is_false(work.get("isAccessibleForFree")) for work in said.works)


def reserved_by(said: Said) -> str | None:
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
