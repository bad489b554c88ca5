"""What a publisher lets us read: robots.txt, X-Robots-Tag, TDM reservation; rules are pure, answers are kept.

robots.txt: RFC 9309. X-Robots-Tag and `<meta name="robots">`: Google's "Robots meta tag" specification
(developers.google.com/search/docs/crawling-indexing/robots-meta-tag). `noai`: DeviantArt's directive, which
img2dataset and others keep to (github.com/rom1504/img2dataset/pull/218). `tdm-reservation`: the W3C community
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
"""The product token that robots.txt files may name."""
LONGEST_S = 30.0
"""Seconds of Crawl-delay that are kept to; who asks for more gets this."""
KEPT_S = 24 * 3600.0
"""Seconds that a robots.txt counts for (RFC 9309 section 2.4)."""
_UNKNOWN_S = 600.0
"""Seconds until a host that did not answer is asked again."""
_PARSED = 500_000
"""Bytes of a robots.txt that are parsed (RFC 9309 section 2.5)."""
_FETCHED = 5_000_000
"""Bytes of one that are fetched at most: the rest of a longer one is rubbish, beyond this it is no answer."""

REFUSALS = frozenset(("none", "noai", "nosnippet", "max-snippet:0"))
"""Directives by which a page's text is not ours: none of a robot's uses, none by AI, none quoted. The
others (`noindex`, `nofollow`, `noarchive`, `noimageai`) are about search results, links, copies, pictures."""
_NAMED = re.compile(r"([\w-]{1,60})\s{0,9}:\s{0,9}(.*)", re.DOTALL)
_VALUED = frozenset(("max-snippet", "max-image-preview", "max-video-preview", "unavailable_after"))


class Rules:
    """A host's robots.txt."""

    def __init__(self, status: int | None, body: bytes = b"") -> None:
        """Take a robots.txt by its HTTP status; None stands for a host that did not answer.

        Where there is none (4xx) everything is allowed; where its server is in trouble, nothing for now
        (RFC 9309 section 2.3.1).
        """
        self.unknown = status is None or status >= 500
        found = status is not None and 200 <= status < 300
        self._rules = Protego.parse(body[:_PARSED].decode("utf-8-sig", "replace") if found else "")

    def allows(self, url: str) -> bool:
        """Tell whether a page may be fetched."""
        return not self.unknown and bool(self._rules.can_fetch(url, AGENT))

    def delay_s(self) -> float:
        """Return the seconds that are to pass between two pages."""
        return min(LONGEST_S, float(self._rules.crawl_delay(AGENT) or 0))


class Robots:
    """The rules of hosts, each fetched once in a while; `clock` returns seconds that only grow."""

    def __init__(self, net: HttpClient, clock: Callable[[], float]) -> None:
        self._net = net
        self._clock = clock
        self._known: dict[str, tuple[float, Rules]] = {}
        self._turns: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def rules(self, origin: str) -> Rules:
        """Return the rules of `scheme://host:port`. Raises FeedError of kind forbidden-address or url."""
        async with self._turns[origin]:
            until, rules = self._known.get(origin, (0.0, None))
            if rules is None or self._clock() >= until:
                rules = await self._fetched(origin)
                self._known[origin] = (self._clock() + (_UNKNOWN_S if rules.unknown else KEPT_S), rules)
            return rules

    async def _fetched(self, origin: str) -> Rules:
        try:
            response = await self._net.get(f"{origin}/robots.txt", max_bytes=_FETCHED)
        except FeedError as error:
            if error.kind in ("forbidden-address", "url"):
                raise
            # After too many redirects it counts as not there (RFC 9309 section 2.3.1.2).
            return Rules(404 if error.kind == "redirects" else None)
        return await asyncio.to_thread(Rules, response.status, response.body)


def reserved(headers: Mapping[str, str]) -> str | None:
    """Return the header by which a publisher keeps a page to itself, None where there is none.

    `headers` have names in lower case, repeated ones joined by commas.
    """
    if "1" in (part.strip() for part in headers.get("tdm-reservation", "").split(",")):
        return "tdm-reservation: 1"
    refusal = refused(headers.get("x-robots-tag", ""))
    return f"x-robots-tag: {refusal}" if refusal else None


def refused(directives: str) -> str | None:
    """Return the first of a list of robots' directives that refuses us, None where none does.

    A robot's name in front makes what follows count for that robot alone, until another name.
    """
    ours = True
    for part in directives.lower().split(","):
        directive = part.strip()
        named = _NAMED.fullmatch(directive)
        if named and named[1] not in _VALUED:
            ours, directive = named[1] == AGENT.lower(), named[2]
        directive = "".join(directive.split())
        if ours and directive in REFUSALS:
            return directive
    return None
