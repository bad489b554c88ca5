"""What to say of a web page that stands where a feed should be, and which feed it names."""

from urllib.parse import urljoin

from pipeline.errors import FeedError
from pipeline.ingest.interstitial import interstitial
from pipeline.ingest.links import absolute
from pipeline.ingest.markup import attribute, opening
from pipeline.models import feed_address
from pipeline.urls import shown_url

_READ = 400_000
"""Characters of a page that are looked at."""
_TYPES = {
    "application/rss+xml": 0,
    "application/atom+xml": 0,
    "application/feed+json": 0,
    "application/rdf+xml": 0,
    "application/x-rss+xml": 0,
    "application/json": 1,  # mostly an interface for programs
    "application/xml": 1,
    "text/xml": 1,
}
_SAID = {
    "challenge": "shows a check of the browser instead of a feed; ask its publisher to let feed readers pass",
    "login": "shows a login instead of a feed; put an address into feeds.yaml without one, or with its key",
    "consent": "asks for consent to cookies instead of showing a feed; put the feed's own address there",
    "html": "is a web page, not a feed; put the feed's own address into feeds.yaml",
}


def page_error(html: str, url: str) -> FeedError:
    """Return the error that tells what a page is that came from `url`.

    Its kind is challenge, login, consent or html; its context has `proposal`, the URL of a feed that the
    page names, where it names one.
    """
    kind = interstitial(html) or "html"
    proposal = None if kind == "challenge" else named_feed(html, url)
    if proposal is None:
        return FeedError(f"{shown_url(url)} {_SAID[kind]}", kind=kind)
    said = f"{shown_url(url)} is a web page; its feed seems to be {proposal}: put that into feeds.yaml"
    return FeedError(said, kind="html", proposal=proposal)


def named_feed(html: str, url: str) -> str | None:
    """Return the feed that a page names by `<link rel="alternate">`: the first, those of comments last.

    Source: https://www.rssboard.org/rss-autodiscovery.
    """
    head = html[:_READ]
    base = next((attribute(written, "href") or "" for written in opening(head, "base")), "")
    found: list[tuple[int, str]] = []
    for written in opening(head, "link"):
        rank = _rank(written)
        address = absolute(attribute(written, "href"), urljoin(url, base)) if rank is not None else None
        if rank is not None and address and feed_address(address) != feed_address(url):
            found.append((rank, address))
    return min(found, key=lambda each: each[0])[1] if found else None


def _rank(written: str) -> int | None:
    """Return how late a link comes among those to feeds; None where it leads to none."""
    relation = set((attribute(written, "rel") or "").lower().split())
    if not relation & {"alternate", "feed"}:
        return None
    typed = (attribute(written, "type") or "").lower().partition(";")[0].strip()
    said = f"{attribute(written, 'href')} {attribute(written, 'title')}".lower()
    rank = _TYPES.get(typed)
    if rank is None or (rank and not any(word in said for word in ("feed", "rss", "atom"))):
        return None
    return rank + (2 if any(word in said for word in ("comment", "kommentar", "commentaire")) else 0)
