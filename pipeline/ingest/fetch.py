"""One conditional GET for one feed; what came of it is a value, or a FeedError that names the feed."""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from pipeline.errors import FeedError
from pipeline.models import FeedConfig, Record
from pipeline.net import Net, Response, shown_url

_ACCEPT = (
    "application/rss+xml, application/atom+xml, application/feed+json, application/rdf+xml;q=0.9, "
    "application/xml;q=0.8, text/xml;q=0.8, application/json;q=0.7, */*;q=0.1"
)

_REFUSALS: dict[int, tuple[str, str]] = {
    401: ("refused", "wants a login (401); put the key or password that it asks for into its url"),
    403: ("refused", "refuses access (403); ask the publisher, or set `enabled: false`"),
    404: ("not-found", "is not there (404); correct its url in feeds.yaml, or set `enabled: false`"),
    410: ("gone", "is gone for good (410); remove it from feeds.yaml, or set `enabled: false`"),
    429: ("rate-limited", "is asked for too often (429); the next run tries again"),
}


class Validators(Record):
    """What a server gave us to ask whether its feed has changed."""

    etag: str | None = None
    last_modified: str | None = None


class Fetched(Record):
    """A feed's bytes, new since the validators that were sent."""

    body: bytes
    content_type: str | None
    headers: dict[str, str]
    """Names in lower case."""
    url: str
    """Where it was found in the end, after redirects."""
    validators: Validators


class Unchanged(Record):
    """The server says that nothing changed since the validators that were sent."""


async def fetch(net: Net, feed: FeedConfig, validators: Validators, now: datetime) -> Fetched | Unchanged:
    """Fetch a feed unless it is unchanged. `now` is aware UTC and turns a Retry-After date into seconds.

    Raises FeedError of Net.get's kinds or refused, not-found, gone, rate-limited, server, http;
    context: feed, status, retry_after_s (None where the server did not ask to wait).
    """
    try:
        response = await net.get(feed.url, _headers(validators))
    except FeedError as error:
        raise FeedError(f"{feed.key}: {error.message}", kind=error.kind, feed=feed.key) from error
    if response.status == 304:
        return Unchanged()
    if not 200 <= response.status < 300:
        raise _refusal(feed, response, now)
    return Fetched(
        body=response.body,
        content_type=response.headers.get("content-type"),
        headers=response.headers,
        url=response.url,
        validators=Validators(
            etag=_sendable(response.headers.get("etag")),
            last_modified=_sendable(response.headers.get("last-modified")),
        ),
    )


def _headers(validators: Validators) -> list[tuple[str, str]]:
    headers = [("Accept", _ACCEPT)]
    if etag := _sendable(validators.etag):
        headers.append(("If-None-Match", etag))
    if last_modified := _sendable(validators.last_modified):
        headers.append(("If-Modified-Since", last_modified))
    return headers


def _sendable(value: str | None) -> str | None:
    """Return a validator that can be sent back; one that cannot is worth less than a request."""
    if value and len(value) <= 500 and value.isascii() and value.isprintable():
        return value
    return None


def _refusal(feed: FeedConfig, response: Response, now: datetime) -> FeedError:
    status = response.status
    unknown = ("http", f"answers {status}, which is no feed; open it in a browser and correct its url")
    broken = ("server", f"has trouble at its server ({status}); the next run tries again")
    kind, said = _REFUSALS.get(status, broken if status >= 500 else unknown)
    return FeedError(
        f"{feed.key}: {shown_url(response.url)} {said}",
        kind=kind,
        feed=feed.key,
        status=status,
        retry_after_s=_retry_after(response.headers.get("retry-after", ""), now),
    )


def _retry_after(value: str, now: datetime) -> float | None:
    if value.isascii() and value.isdigit() and len(value) < 8:
        return float(value)
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    return max(0.0, (moment.replace(tzinfo=moment.tzinfo or UTC) - now).total_seconds())
