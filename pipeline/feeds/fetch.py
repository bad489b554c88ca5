"""One conditional GET for one feed; what came of it is a value, or a FeedError that names the feed."""

import hashlib
from datetime import datetime
from urllib.parse import urlsplit

from pipeline.domain.errors import FeedError
from pipeline.domain.models import FeedConfig, FrozenModel, PollState
from pipeline.feeds.pages.blocked import blocking_page_kind
from pipeline.http_client import HttpClient, Response, redact_url
from pipeline.http_client.headers import CacheHints, parse_cache_headers, parse_retry_after

_ACCEPT = (
    "application/rss+xml, application/atom+xml, application/feed+json, application/rdf+xml;q=0.9, "
    "application/xml;q=0.8, text/xml;q=0.8, application/json;q=0.7, */*;q=0.1"
)
_PERMANENT = frozenset((301, 308))
_STUCK = 48
"""Answers 304 in a row after which a server is asked for the whole feed: some say it for ever."""

_REFUSALS: dict[int, tuple[str, str]] = {
    401: ("refused", "wants a login (401); put the key or password that it asks for into its url"),
    403: ("refused", "refuses access (403); ask the publisher, or set `enabled: false`"),
    404: ("not-found", "is not there (404); correct its url in feeds.yaml, or set `enabled: false`"),
    410: ("gone", "is gone for good (410); remove it from feeds.yaml, or set `enabled: false`"),
    429: ("rate-limited", "is asked for too often (429); it is left alone for a while"),
}


_CHALLENGE = (
    "challenge",
    "shows a check of the browser instead of a feed; ask its publisher to let feed readers pass",
)
_CHECKED = 50_000
"""Bytes of a refusal's page that are looked at."""


class FetchedFeed(FrozenModel):
    """A feed's bytes, other than those that were read last."""

    body: bytes
    body_hash: str
    content_type: str | None
    url: str
    """Where it was found in the end, after redirects."""
    moved_to: str | None = None
    """The same, where only permanent redirects led there."""
    hints: CacheHints
    etag: str | None = None
    last_modified: str | None = None


class NotModified(FrozenModel):
    """Nothing changed since the last poll, by the server's word or by the bytes."""

    asked: bool = True
    """The server said so (304); False: it sent the same bytes once more."""
    moved_to: str | None = None
    hints: CacheHints


async def fetch_feed(
    net: HttpClient, feed: FeedConfig, state: PollState, now: datetime, *, whole: bool = False
) -> FetchedFeed | NotModified:
    """Fetch a feed unless it is unchanged since `state`. `now` is aware UTC; `whole` asks unconditionally.

    Conditional requests as in RFC 9110 §13: both validators, as they were received. Raises FeedError of
    Net.get's kinds or refused, not-found, gone, rate-limited, server, http; context: feed, status,
    retry_after_s (None where the server did not ask to wait).
    """
    url = state.url or feed.url
    known = state.etag or state.last_modified
    unconditional = whole or not known or state.unchanged >= _STUCK
    try:
        response = await net.get(url, _headers(None if unconditional else state))
    except FeedError as error:
        context = {"feed": feed.key} | error.context
        raise FeedError(f"{feed.key}: {error.message}", kind=error.kind, **context) from error
    hints = parse_cache_headers(response.headers, now)
    moved_to = _moved_to(response, url)
    if response.status == 304 and not unconditional:
        return NotModified(moved_to=moved_to, hints=hints)
    if not 200 <= response.status < 300:
        raise _refusal(feed, response, now)
    fetched = _fetched(response, moved_to, hints)
    # An equal ETag proves nothing here: some servers send the same one for ever.
    if not whole and fetched.body_hash == state.body_hash:
        return NotModified(asked=False, moved_to=moved_to, hints=hints)
    return fetched


def _headers(state: PollState | None) -> list[tuple[str, str]]:
    headers = [("Accept", _ACCEPT)]
    if state and (etag := _sendable(state.etag)):
        headers.append(("If-None-Match", etag))
    if state and (last_modified := _sendable(state.last_modified)):
        headers.append(("If-Modified-Since", last_modified))
    return headers


def _fetched(response: Response, moved_to: str | None, hints: CacheHints) -> FetchedFeed:
    headers = response.headers
    return FetchedFeed(
        body=response.body,
        body_hash=hashlib.sha256(response.body).hexdigest(),
        content_type=headers.get("content-type"),
        url=response.url,
        moved_to=moved_to,
        hints=hints,
        etag=None if hints.expired else _sendable(headers.get("etag")),
        last_modified=None if hints.expired else _sendable(headers.get("last-modified")),
    )


def _moved_to(response: Response, asked: str) -> str | None:
    permanent = response.redirects and all(status in _PERMANENT for status, _ in response.redirects)
    # Who needs a password has it in feeds.yaml: it does not move on by itself.
    return response.url if permanent and "@" not in urlsplit(asked).netloc else None


def _sendable(value: str | None) -> str | None:
    """Return a validator that can be sent back; one that cannot is worth less than a request."""
    if value and len(value) <= 500 and value.isascii() and value.isprintable():
        return value
    return None


def _challenged(response: Response) -> bool:
    """Tell whether a refusal is a check of the browser: most of those come with a status of refusal."""
    if response.headers.get("cf-mitigated") == "challenge":
        return True
    typed = response.headers.get("content-type", "").lower()
    # 429 slows its host down whatever its page says.
    if response.status == 429 or "html" not in typed:
        return False
    return blocking_page_kind(response.body[:_CHECKED].decode("utf-8", "replace")) == "challenge"


def _refusal(feed: FeedConfig, response: Response, now: datetime) -> FeedError:
    status = response.status
    unknown = ("http", f"answers {status}, which is no feed; open it in a browser and correct its url")
    broken = ("server", f"has trouble at its server ({status}); the next run tries again")
    kind, said = _REFUSALS.get(status, broken if status >= 500 else unknown)
    if _challenged(response):
        kind, said = _CHALLENGE
    return FeedError(
        f"{feed.key}: {redact_url(response.url)} {said}",
        kind=kind,
        feed=feed.key,
        status=status,
        retry_after_s=parse_retry_after(response.headers.get("retry-after"), now),
    )
