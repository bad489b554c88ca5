"""Fetches one feed with a conditional GET (RFC 9110): new bytes, not modified, or a FeedError."""

import hashlib
from datetime import datetime
from urllib.parse import urlsplit

from pipeline.domain.errors import FeedError
from pipeline.domain.models import FeedConfig, FrozenModel, PollState
from pipeline.feeds.pages.blocked import blocking_page_kind, has_challenge_header, is_page_of_202
from pipeline.feeds.rights.declaration import Declaration
from pipeline.feeds.rights.directives import declared_in_headers
from pipeline.http_client import HttpClient, Response, redact_url
from pipeline.http_client.headers import CacheHints, parse_cache_headers, parse_retry_after

_ACCEPT = (
    "application/rss+xml, application/atom+xml, application/feed+json, application/rdf+xml;q=0.9, "
    "application/xml;q=0.8, text/xml;q=0.8, application/json;q=0.7, */*;q=0.1"
)
_PERMANENT_REDIRECTS = frozenset((301, 308))
_MAX_NOT_MODIFIED = 48
"""Responses 304 in a row before an unconditional request: some servers never stop. Chosen, not measured."""

_REFUSALS: dict[int, tuple[str, str]] = {
    401: (
        "refused",
        "needs a login (401); write `access` in feeds.yaml, or correct its variables",
    ),
    402: ("refused", "wants payment (402); ask its publisher for terms, or set `enabled: false`"),
    403: ("refused", "refuses access (403); ask the publisher, or set `enabled: false`"),
    404: ("not-found", "is not there (404); correct its url in feeds.yaml, or set `enabled: false`"),
    410: ("gone", "is gone for good (410); remove it from feeds.yaml, or set `enabled: false`"),
    429: ("rate-limited", "is asked for too often (429); it is polled again later"),
    451: ("refused", "is withheld for legal reasons (451); set `enabled: false`"),
}


_LIMITED = ("rate-limited", "refuses access for now (403 with Retry-After); it is polled again later")
_CHALLENGE = (
    "challenge",
    "shows a browser check instead of a feed; ask its publisher to let feed readers pass",
)
_MAX_CHALLENGE_BYTES = 50_000
"""Bytes of an error page that are searched for a challenge. Chosen, not measured."""


class FetchedFeed(FrozenModel):
    """The bytes of a feed that changed since the last poll."""

    body: bytes
    body_hash: str
    content_type: str | None
    url: str
    """The final URL, after redirects."""
    moved_to: str | None = None
    """The final URL if all redirects to it were permanent (301, 308)."""
    hints: CacheHints
    declared: Declaration = Declaration()
    """What its headers declare about the use of its texts."""
    etag: str | None = None
    last_modified: str | None = None


class NotModified(FrozenModel):
    """The feed did not change since the last poll: by status 304, or by the hash of its bytes."""

    is_304: bool = True
    """True: the server sent 304. False: it sent the same bytes again."""
    moved_to: str | None = None
    hints: CacheHints


async def fetch_feed(
    net: HttpClient, feed: FeedConfig, state: PollState, now: datetime, *, whole: bool = False
) -> FetchedFeed | NotModified:
    """Return a feed's bytes, or NotModified if they are those of `state`.

    `now` is aware UTC. `whole` makes the request unconditional. Both validators (ETag, Last-Modified) are
    sent as they were received (RFC 9110 section 13).

    Raises FeedError of the kinds of HttpClient.get, or refused, not-found, gone, rate-limited, server or
    http. Its context has `feed`, `status` and `retry_after_s` (seconds, None without a Retry-After header).
    """
    url = state.url or feed.url
    has_validator = state.etag or state.last_modified
    unconditional = whole or not has_validator or state.unchanged >= _MAX_NOT_MODIFIED
    try:
        response = await net.get(url, _headers(None if unconditional else state), feed=feed.key)
    except FeedError as error:
        context = {"feed": feed.key} | error.context
        raise FeedError(f"{feed.key}: {error.message}", kind=error.kind, **context) from error
    hints = parse_cache_headers(response.headers, now)
    moved_to = _moved_to(response, url)
    if response.status == 304 and not unconditional:
        return NotModified(moved_to=moved_to, hints=hints)
    if not 200 <= response.status < 300 or (response.status == 202 and _is_challenge(response)):
        raise _refusal(feed, response, now)
    fetched = _fetched_feed(response, moved_to, hints)
    # An equal ETag does not prove equal bytes: some servers never change it.
    if not whole and fetched.body_hash == state.body_hash:
        return NotModified(is_304=False, moved_to=moved_to, hints=hints)
    return fetched


def _headers(state: PollState | None) -> list[tuple[str, str]]:
    headers = [("Accept", _ACCEPT)]
    if state and (etag := _usable_validator(state.etag)):
        headers.append(("If-None-Match", etag))
    if state and (last_modified := _usable_validator(state.last_modified)):
        headers.append(("If-Modified-Since", last_modified))
    return headers


def _fetched_feed(response: Response, moved_to: str | None, hints: CacheHints) -> FetchedFeed:
    headers = response.headers
    return FetchedFeed(
        body=response.body,
        body_hash=hashlib.sha256(response.body).hexdigest(),
        content_type=headers.get("content-type"),
        url=response.url,
        moved_to=moved_to,
        hints=hints,
        declared=declared_in_headers(headers, of_feed=True),
        etag=None if hints.expired else _usable_validator(headers.get("etag")),
        last_modified=None if hints.expired else _usable_validator(headers.get("last-modified")),
    )


def _moved_to(response: Response, requested_url: str) -> str | None:
    permanent = response.redirects and all(status in _PERMANENT_REDIRECTS for status, _ in response.redirects)
    # The new URL would lack the password that feeds.yaml has in the old one.
    return response.url if permanent and "@" not in urlsplit(requested_url).netloc else None


def _usable_validator(value: str | None) -> str | None:
    """Return a validator if it can be sent in a header, else None."""
    if value and len(value) <= 500 and value.isascii() and value.isprintable():
        return value
    return None


def _is_challenge(response: Response) -> bool:
    """Return whether an error response is a browser challenge: most of them have status 403 or 503."""
    if has_challenge_header(response.headers) or is_page_of_202(response.status, response.body):
        return True
    content_type = response.headers.get("content-type", "").lower()
    # 429 sets a cooldown for the host, whatever its page contains.
    if response.status == 429 or "html" not in content_type:
        return False
    return blocking_page_kind(response.body[:_MAX_CHALLENGE_BYTES].decode("utf-8", "replace")) == "challenge"


def _refusal(feed: FeedConfig, response: Response, now: datetime) -> FeedError:
    status = response.status
    unknown = ("http", f"answers {status}, which is no feed; open it in a browser and correct its url")
    server_error = ("server", f"has a server error ({status}); the next run tries again")
    retry_after_s = parse_retry_after(response.headers.get("retry-after"), now)
    kind, description = _REFUSALS.get(status, server_error if status >= 500 else unknown)
    if status == 403 and retry_after_s:  # CloudFront and others limit the rate of requests in this way
        kind, description = _LIMITED
    if status >= 500 and retry_after_s:
        kind, description = "server", f"has a server error ({status}, Retry-After); it is polled again later"
    if _is_challenge(response):
        kind, description = _CHALLENGE
    return FeedError(
        f"{feed.key}: {redact_url(response.url)} {description}",
        kind=kind,
        feed=feed.key,
        status=status,
        retry_after_s=retry_after_s,
    )
