"""What a publisher lets us read: robots.txt (RFC 9309), X-Robots-Tag, TDM reservation. Pure.

TDM: "TDM Reservation Protocol", W3C community group, https://www.w3.org/community/reports/tdmrep/.
"""

import re
from collections.abc import Mapping

from protego import Protego

AGENT = "Copydesk"
"""The product token that robots.txt files may name."""
LONGEST_S = 30.0
"""Seconds of Crawl-delay that are kept to; who asks for more gets this."""
_READ = 500_000
"""Bytes of a robots.txt that are read (RFC 9309 section 2.5)."""
_REFUSALS = frozenset(("none", "noindex", "nosnippet", "noai"))
_NAMED = re.compile(r"^\s*([\w-]+)\s*:\s*(.*)$")


class Rules:
    """A host's robots.txt."""

    def __init__(self, status: int | None, body: bytes = b"") -> None:
        """Take a robots.txt by its HTTP status; None stands for a host that did not answer.

        Where there is none (4xx) everything is allowed; where its server is in trouble, nothing for now.
        """
        self.unknown = status is None or status >= 500
        text = body[:_READ].decode("utf-8", "replace") if status is not None and 200 <= status < 300 else ""
        self._rules = Protego.parse(text)

    def allows(self, url: str) -> bool:
        """Tell whether a page may be fetched."""
        return not self.unknown and bool(self._rules.can_fetch(url, AGENT))

    def delay_s(self) -> float:
        """Return the seconds that are to pass between two pages."""
        return min(LONGEST_S, float(self._rules.crawl_delay(AGENT) or 0))


def reserved(headers: Mapping[str, str]) -> str | None:
    """Return the header by which a publisher keeps a page to itself, None where there is none.

    `headers` have names in lower case. A directive for another robot by name is none for us.
    """
    if headers.get("tdm-reservation", "").strip() == "1":
        return "tdm-reservation: 1"
    ours = True
    for part in headers.get("x-robots-tag", "").lower().split(","):
        named = _NAMED.match(part)
        if named and named[1] not in (
            "max-snippet",
            "max-image-preview",
            "max-video-preview",
            "unavailable_after",
        ):
            ours, part = named[1] == AGENT.lower(), named[2]
        if ours and part.strip() in _REFUSALS:
            return f"x-robots-tag: {part.strip()}"
    return None
