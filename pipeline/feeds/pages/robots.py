"""Reads a publisher's rules for robots: robots.txt (cached), X-Robots-Tag, TDM reservation.

robots.txt: RFC 9309. X-Robots-Tag and `<meta name="robots">`: Google's "Robots meta tag" specification
(developers.google.com/search/docs/crawling-indexing/robots-meta-tag). `noai`: DeviantArt's directive, which
img2dataset and others obey (github.com/rom1504/img2dataset/pull/218). `tdm-reservation`: the W3C community
group's "TDM Reservation Protocol" (www.w3.org/community/reports/tdmrep/), a right under Directive (EU)
2019/790.
"""

import asyncio
import re
from collections import defaultdict
from collections.abc import Callable, Mapping

from protego import Protego

from pipeline.domain.errors import FeedError
from pipeline.http_client import HttpClient

AGENT = "Copydesk"
"""The product token of this crawler in robots.txt."""
MAX_DELAY_S = 30.0
"""Longest Crawl-delay that is obeyed, in seconds; a longer one is shortened to it. Chosen, not measured."""
CACHE_S = 24 * 3600.0
"""Seconds that a robots.txt is cached (RFC 9309 section 2.4)."""
_RETRY_S = 600.0
"""Seconds until a robots.txt that could not be fetched is requested again. Chosen, not measured."""
_MAX_PARSED_BYTES = 500_000
"""Bytes of a robots.txt that are parsed (RFC 9309 section 2.5)."""
_MAX_FETCHED_BYTES = 5_000_000
"""Bytes of a robots.txt that are fetched; a longer one counts as not fetched. Chosen, not measured."""

REFUSING_DIRECTIVES = frozenset(("none", "noai", "nosnippet", "max-snippet:0"))
"""Directives that forbid the use of a page's text: by robots, by AI, as a quotation. The others (`noindex`,
`nofollow`, `noarchive`, `noimageai`) are about search results, links, copies, images."""
_NAMED_DIRECTIVE = re.compile(r"([\w-]{1,60})\s{0,9}:\s{0,9}(.*)", re.DOTALL)
_VALUED_DIRECTIVES = frozenset(("max-snippet", "max-image-preview", "max-video-preview", "unavailable_after"))


class RobotsRules:
    """The rules of a host's robots.txt."""

    def __init__(self, status: int | None, body: bytes = b"") -> None:
        """Parse a robots.txt; `status` is its HTTP status, None if the host did not answer.

        Without a robots.txt (4xx) everything is allowed; after a server error nothing is, for now
        (RFC 9309 section 2.3.1).
        """
        self.unknown = status is None or status >= 500
        exists = status is not None and 200 <= status < 300
        self._rules = Protego.parse(body[:_MAX_PARSED_BYTES].decode("utf-8-sig", "replace") if exists else "")

    def allows(self, url: str) -> bool:
        """Return whether a page may be fetched."""
        return not self.unknown and bool(self._rules.can_fetch(url, AGENT))

    def delay_s(self) -> float:
        """Return the Crawl-delay between two pages in seconds, 0 if there is none."""
        return min(MAX_DELAY_S, float(self._rules.crawl_delay(AGENT) or 0))


class RobotsCache:
    """Fetches and caches the rules of hosts; `clock` returns monotonic seconds."""

    def __init__(self, net: HttpClient, clock: Callable[[], float]) -> None:
        self._net = net
        self._clock = clock
        self._cache: dict[str, tuple[float, RobotsRules]] = {}
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def rules(self, origin: str) -> RobotsRules:
        """Return the rules of `scheme://host:port`.

        Raises FeedError of kind forbidden-address (SSRF guard) or url.
        """
        async with self._locks[origin]:
            until, rules = self._cache.get(origin, (0.0, None))
            if rules is None or self._clock() >= until:
                rules = await self._fetch(origin)
                self._cache[origin] = (self._clock() + (_RETRY_S if rules.unknown else CACHE_S), rules)
            return rules

    async def _fetch(self, origin: str) -> RobotsRules:
        try:
            response = await self._net.get(f"{origin}/robots.txt", max_bytes=_MAX_FETCHED_BYTES)
        except FeedError as error:
            if error.kind in ("forbidden-address", "url"):
                raise
            # Too many redirects count as no robots.txt (RFC 9309 section 2.3.1.2).
            return RobotsRules(404 if error.kind == "redirects" else None)
        return await asyncio.to_thread(RobotsRules, response.status, response.body)


def reserving_header(headers: Mapping[str, str]) -> str | None:
    """Return the header by which the publisher reserves the text, None if there is none.

    `headers` has names in lower case, and repeated headers joined by commas.
    """
    if "1" in (part.strip() for part in headers.get("tdm-reservation", "").split(",")):
        return "tdm-reservation: 1"
    refusal = refusing_directive(headers.get("x-robots-tag", ""))
    return f"x-robots-tag: {refusal}" if refusal else None


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
