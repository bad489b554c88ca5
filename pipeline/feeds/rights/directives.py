"""Reads directives for robots and preferences about AI, in headers, meta elements and robots.txt. Pure.

X-Robots-Tag and `<meta name="robots">`: Google's "Robots meta tag" specification
(developers.google.com/search/docs/crawling-indexing/robots-meta-tag). `noai`: DeviantArt's directive, which
img2dataset and others obey (github.com/rom1504/img2dataset/pull/218). `Content-Usage`: IETF AIPREF
(draft-ietf-aipref-vocab, draft-ietf-aipref-attach). `Content-Signal`: contentsignals.org.
"""

import re
from collections.abc import Iterable, Iterator, Mapping

from pipeline.feeds.rights.declaration import AGENT, HEADERS, Declaration, tdm_value

REFUSING_DIRECTIVES = frozenset(("none", "noai", "nosnippet", "max-snippet:0"))
"""Directives that forbid the use of a page's text: by robots, by AI, as a quotation. The others (`noindex`,
`nofollow`, `noarchive`, `noimageai`) are about search results, links, copies, images."""
_NAMED_DIRECTIVE = re.compile(r"([\w-]{1,60})\s{0,9}:\s{0,9}(.*)", re.DOTALL)
_VALUED_DIRECTIVES = frozenset(("max-snippet", "max-image-preview", "max-video-preview", "unavailable_after"))
_FEED_DIRECTIVES = frozenset(("noai",))
"""Of these, the one that counts on a feed: the others are about how a page is shown in search results."""
_OUR_USES = ("ai-input", "ai-use", "ai-output")
"""Categories that are our use, in Content Signals and all drafts of AIPREF; not training, not search."""
_WIDER_USES = ("bots", "tdm", "all")
"""Categories that our use is part of: they count only where none of it is named."""
_NO = frozenset(("n", "no", "?0"))
_RSL_TYPE = "application/rsl+xml"
_LINK = re.compile(r"<([^>]{1,2000})>([^<]{0,500})")


def refusing_directive(directives: str, refusing: frozenset[str] = REFUSING_DIRECTIVES) -> str | None:
    """Return the first of robots directives that forbids the use of the text, else None.

    They are separated by commas. A robot's name before a directive makes the following ones apply to that
    robot only, until the next name or the end of the line: each line is a header or element of its own.
    """
    for line in directives.lower().splitlines():
        applies = True
        for part in line.split(","):
            directive = part.strip()
            named = _NAMED_DIRECTIVE.fullmatch(directive)
            if named and named[1] not in _VALUED_DIRECTIVES:
                applies, directive = named[1] == AGENT.lower(), named[2]
            directive = "".join(directive.split())
            if applies and directive in refusing:
                return directive
    return None


def refused_use(preferences: str) -> str | None:
    """Return the preference that forbids our use, such as `ai-use=n`, else None.

    `preferences` is the value of Content-Usage or Content-Signal: `train-ai=n, ai-use=y`. Of equal names the
    last one counts (RFC 9651, dictionaries); the narrowest category that is named decides (AIPREF).
    """
    stated: dict[str, str] = {}
    for part in preferences.lower().split(","):
        name, _, value = part.partition(";")[0].partition("=")
        if value.strip():
            stated[name.strip()] = value.strip()
    narrow = [name for name in _OUR_USES if name in stated]
    wide = [name for name in _WIDER_USES if name in stated]
    refused = (f"{name}={stated[name]}" for name in narrow or wide if stated[name] in _NO)
    return next(refused, None)


def declared_in_headers(headers: Mapping[str, str], *, of_feed: bool = False) -> Declaration:
    """Return what the response headers of a page declare, or `of_feed`.

    Names are in lower case. Repeated headers are joined by commas, X-Robots-Tag by line breaks.
    """
    return Declaration(
        place=HEADERS,
        tdm=tdm_value(headers.get("tdm-reservation", "")),
        refusals=tuple(_refusals(headers, _FEED_DIRECTIVES if of_feed else REFUSING_DIRECTIVES)),
        licenses=tuple(_license_links(headers.get("link", ""))),
    )


def declared_in_meta(
    meta: Iterable[tuple[str, str]], licenses: Iterable[str] = (), refusals: Iterable[str] = ()
) -> Declaration:
    """Return what a page's meta elements declare, pairs of name in lower case and content; with its RSL."""
    pairs = tuple(meta)
    ours = ("robots", AGENT.lower())
    directive = refusing_directive("\n".join(content for name, content in pairs if name in ours))
    return Declaration(
        place="the page",
        tdm=tdm_value(",".join(content for name, content in pairs if name == "tdm-reservation")),
        refusals=(*((f"robots: {directive}",) if directive else ()), *refusals),
        licenses=tuple(licenses),
    )


def is_license_link(relation: str, content_type: str) -> bool:
    """Return whether a link leads to an RSL licence."""
    return "license" in relation.lower().split() and content_type.strip().lower() == _RSL_TYPE


def _refusals(headers: Mapping[str, str], refusing: frozenset[str]) -> Iterator[str]:
    if directive := refusing_directive(headers.get("x-robots-tag", ""), refusing):
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
