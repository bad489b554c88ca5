"""Reads directives for robots and preferences about AI, in headers, meta elements and robots.txt. Pure.

X-Robots-Tag and `<meta name="robots">`: Google's "Robots meta tag" specification
(developers.google.com/search/docs/crawling-indexing/robots-meta-tag). `noai`: DeviantArt's directive, which
img2dataset and others obey (github.com/rom1504/img2dataset/pull/218). `Content-Usage`: IETF AIPREF
(draft-ietf-aipref-vocab, draft-ietf-aipref-attach). `Content-Signal`: contentsignals.org.
"""

import re
from collections.abc import Iterable, Iterator, Mapping

from pipeline.feeds.rights.declaration import AGENT, Declaration, tdm_value

REFUSING_DIRECTIVES = frozenset(("none", "noai", "nosnippet", "max-snippet:0"))
"""Directives that forbid the use of a page's text: by robots, by AI, as a quotation. The others (`noindex`,
`nofollow`, `noarchive`, `noimageai`) are about search results, links, copies, images."""
_NAMED_DIRECTIVE = re.compile(r"([\w-]{1,60})\s{0,9}:\s{0,9}(.*)", re.DOTALL)
_VALUED_DIRECTIVES = frozenset(("max-snippet", "max-image-preview", "max-video-preview", "unavailable_after"))
OUR_USES = ("ai-input", "ai-use", "ai-output", "bots", "tdm", "all")
"""Categories that our use is in, in Content Signals and all drafts of AIPREF; not training, not search."""
_NO = frozenset(("n", "no", "?0"))
_RSL_TYPE = "application/rsl+xml"
_LINK = re.compile(r"<([^>]{1,2000})>([^<]{0,500})")


def refusing_directive(directives: str) -> str | None:
    """Return the first of comma-separated robots directives that forbids the use of the text, else None.

    A robot's name before a directive makes the following ones apply to that robot only, until the next name.
    """
    applies = True
    for part in directives.lower().split(","):
        directive = part.strip()
        named = _NAMED_DIRECTIVE.fullmatch(directive)
        if named and named[1] not in _VALUED_DIRECTIVES:
            applies, directive = named[1] == AGENT.lower(), named[2]
        directive = "".join(directive.split())
        if applies and directive in REFUSING_DIRECTIVES:
            return directive
    return None


def refused_use(preferences: str) -> str | None:
    """Return the first preference that forbids our use, such as `ai-use=n`, else None.

    `preferences` is the value of Content-Usage or Content-Signal: `train-ai=n, ai-use=y`.
    """
    for part in preferences.lower().split(","):
        name, _, value = part.partition(";")[0].partition("=")
        if name.strip() in OUR_USES and value.strip() in _NO:
            return f"{name.strip()}={value.strip()}"
    return None


def declared_in_headers(headers: Mapping[str, str]) -> Declaration:
    """Return what response headers declare; names in lower case, repeated headers joined by commas."""
    return Declaration(
        place="its HTTP headers",
        tdm=tdm_value(headers.get("tdm-reservation", "")),
        refusals=tuple(_refusals(headers)),
        licenses=tuple(_license_links(headers.get("link", ""))),
    )


def declared_in_meta(
    meta: Mapping[str, str], licenses: Iterable[str] = (), refusals: Iterable[str] = ()
) -> Declaration:
    """Return what a page's meta elements declare, names in lower case; with the page's RSL."""
    directive = refusing_directive(",".join(meta.get(name, "") for name in ("robots", AGENT.lower())))
    return Declaration(
        place="the page",
        tdm=tdm_value(meta.get("tdm-reservation", "")),
        refusals=(*((f"robots: {directive}",) if directive else ()), *refusals),
        licenses=tuple(licenses),
    )


def is_license_link(relation: str, content_type: str) -> bool:
    """Return whether a link leads to an RSL licence."""
    return "license" in relation.lower().split() and content_type.strip().lower() == _RSL_TYPE


def _refusals(headers: Mapping[str, str]) -> Iterator[str]:
    if directive := refusing_directive(headers.get("x-robots-tag", "")):
        yield f"X-Robots-Tag: {directive}"
    for name in ("Content-Usage", "Content-Signal"):
        if use := refused_use(headers.get(name.lower(), "")):
            yield f"{name}: {use}"


def _license_links(links: str) -> Iterator[str]:
    """Yield the URLs of the licences in a Link header (RFC 8288)."""
    for url, parameters in _LINK.findall(links[:20_000]):
        pairs = [part.partition("=") for part in parameters.split(";")]
        values = {name.strip().lower(): value.strip(" \t,\"'") for name, _, value in pairs}
        if is_license_link(values.get("rel", ""), values.get("type", "")):
            yield url.strip()
