"""Reads licences of RSL, "Really Simple Licensing" 1.0 (rslstandard.org/rsl). Pure, with bounded input."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from pipeline.feeds.rights.site_files import path_matches

NAMESPACE = "https://rslstandard.org/rsl"
_OUR_USES = ("ai-input", "ai-all", "all")
"""Uses that ours is in, the narrowest first: it takes precedence (section 3.1.1)."""
_GRATIS = frozenset(("", "free", "attribution", "contribution", "training"))
"""Payment types that ask for no money before our use. A draft names its source and links to it; `training` is
paid for each training of a model."""
_MAX_BYTES = 500_000
"""Bytes of a licence that are read. Chosen, not measured."""
_MAX_TERMS = 1_000
"""Terms of a licence document that are read. Chosen, not measured."""


class Term(NamedTuple):
    """An element of a licence: `license` begins one; `permits`, `prohibits` and `payment` belong to it."""

    element: str
    kind: str = ""
    """The attribute `type`."""
    value: str = ""
    scope: str = ""
    """The `url` of the `content` that it is in; empty: all that the licence is attached to."""


class License(NamedTuple):
    """What a licence says about kinds of use."""

    permits: frozenset[str] = frozenset()
    prohibits: frozenset[str] = frozenset()
    payment: str = ""


def refusals(terms: Sequence[Term]) -> tuple[str, ...]:
    """Return why licences do not allow our use without payment, in words; none if one of them does.

    What one licence prohibits, no other permits (section 3.1.1).
    """
    answers = [_refusal(each) for each in _licenses(terms)]
    prohibited = [answer for answer in answers if answer and answer.startswith("prohibits")]
    if prohibited or (answers and all(answers)):
        return (f"the RSL licence {(prohibited or answers)[0]}",)
    return ()


def _licenses(terms: Iterable[Term]) -> Iterator[License]:
    current: License | None = None
    for element, kind, value, _ in terms:
        if element == "license":
            if current is not None:
                yield current
            current = License()
        elif element == "payment":
            current = (current or License())._replace(payment=kind.strip().lower())
        elif kind.strip().lower() == "usage":
            uses = frozenset(value.lower().replace(",", " ").split())
            current = current or License()
            current = (
                current._replace(permits=current.permits | uses)
                if element == "permits"
                else current._replace(prohibits=current.prohibits | uses)
            )
    if current is not None:
        yield current


def _refusal(terms: License) -> str | None:
    use = next((use for use in _OUR_USES if use in terms.prohibits | terms.permits), None)
    if use and use in terms.prohibits:
        return f"prohibits {use}"
    if terms.permits and use is None:
        return f"permits only {', '.join(sorted(terms.permits))}"
    return None if terms.payment in _GRATIS else f"asks for payment ({terms.payment})"


def read_license(body: bytes, url: str) -> tuple[Term, ...]:
    """Return the terms of a licence document that apply to a URL; none if it cannot be read."""
    from lxml import etree  # late: only few sites have a licence

    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        root = etree.fromstring(body[:_MAX_BYTES], parser)
    except (etree.XMLSyntaxError, ValueError):
        return ()
    contents = root.iter(f"{{{NAMESPACE}}}content")
    terms = (term for each in contents for term in _terms(each))
    return applicable([term for term, _ in zip(terms, range(_MAX_TERMS), strict=False)], url)


def applicable(terms: Sequence[Term], url: str) -> tuple[Term, ...]:
    """Return the terms that apply to a URL: of several parts of the site that contain it, the narrowest."""
    scopes = {scope for scope in {term.scope for term in terms} if _covers(scope, url)}
    longest = max(map(len, scopes), default=0)
    return tuple(term for term in terms if term.scope in scopes and len(term.scope) == longest)


def _covers(pattern: str, url: str) -> bool:
    """Return whether the `url` of a `content` contains a URL; an empty one contains all."""
    try:
        parts, host = urlsplit(pattern.strip()), urlsplit(url).netloc.rpartition("@")[2]
    except ValueError:
        return False
    if parts.netloc and parts.netloc.lower() != host.lower():
        return False
    path = pattern.partition("://")[2].partition("/")[2] if parts.netloc else pattern.removeprefix("/")
    return path_matches(f"/{path.strip()}", url)


def _terms(content: Any) -> Iterator[Term]:  # noqa: ANN401 - lxml has no types
    scope = content.get("url", "")
    for each in content.iter():
        name = each.tag.removeprefix(f"{{{NAMESPACE}}}") if isinstance(each.tag, str) else ""
        if name in ("license", "permits", "prohibits", "payment"):
            yield Term(name, each.get("type", ""), (each.text or "").strip(), scope)
