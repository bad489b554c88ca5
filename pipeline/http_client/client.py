"""HTTP client for hostile URLs: public internet only (SSRF guard), one deadline, limited body size.

The body is counted while it is decoded, so a decompression bomb is stopped early. Where the environment names
a proxy, the proxy resolves host names, and it has to keep requests out of private networks. Addresses that
are written in URLs are checked here in either case.
"""

import asyncio
import contextlib
import ssl
import time
from collections import deque
from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, datetime
from http.cookiejar import CookieJar, DefaultCookiePolicy
from types import MappingProxyType, TracebackType

import aiohttp
import httpx

from pipeline.domain.errors import ConfigError, FeedError
from pipeline.domain.feed_access import Credentials, unusable_proxy
from pipeline.domain.models import FrozenModel
from pipeline.domain.text import url_host
from pipeline.http_client.decompress import BodyDecoder, CorruptBody, UnexpectedEncoding
from pipeline.http_client.errors import (
    forbidden_address,
    timeout_error,
    to_feed_error,
    too_large,
    too_many_redirects,
    unsupported_scheme,
)
from pipeline.http_client.headers import clock_offset
from pipeline.http_client.limits import DEFAULT_LIMITS, HostLimiter, RequestLimits
from pipeline.http_client.ssrf import (
    GuardedResolver,
    Resolve,
    SystemResolver,
    is_private_host,
    origin_of,
    url_origin,
)
from pipeline.http_client.transport import (
    GuardedTransport,
    proxy_mounts,
    proxy_of,
    tls_context,
    without_credentials,
)

_CLOCK_OFFSETS = 50
"""Responses whose time is kept. Chosen, not measured."""
_CONNECT_S = 10.0
"""Seconds to connect. Chosen, not measured."""
_ERRORS = (httpx.HTTPError, httpx.InvalidURL, aiohttp.ClientError, OSError, ValueError)
"""Every error that the libraries raise; a ValueError is a URL or a header that cannot be sent."""


class Response(FrozenModel):
    """A response of any status."""

    status: int
    url: str
    """URL of the response, after redirects; without user and password."""
    redirects: tuple[tuple[int, str], ...] = ()
    """Status and target of each redirect."""
    headers: dict[str, str]
    """Names in lower case; repeated ones are joined by commas, X-Robots-Tag by line breaks: a robot's name in
    it is for one header only."""
    body: bytes
    """Decoded from gzip or deflate; empty where the body of a status of 400 or more cannot be decoded."""


class HttpClient:
    """An HTTP client; open it with `async with`.

    `allowed` are the `host:port` outside the public internet that requests may go to. `resolve` replaces the
    system's name resolution. Proxies and certificates come from the environment. `credentials` are those of
    feeds, by key: they go to their origin only, also where a request is redirected.
    """

    def __init__(
        self,
        user_agent: str,
        limits: RequestLimits = DEFAULT_LIMITS,
        *,
        allowed: Collection[str] = (),
        resolve: Resolve | None = None,
        credentials: Mapping[str, Credentials] = MappingProxyType({}),
    ) -> None:
        self._user_agent = user_agent
        self._limits = limits
        self._allowed = frozenset(allowed)
        self._system_resolver = SystemResolver(limits.total)
        self._resolve = resolve or self._system_resolver
        self._limiter = HostLimiter(limits.total, limits.per_host)
        self._proxy_error = ""
        self._credentials = credentials
        self._proxied: dict[str, httpx.AsyncClient] = {}
        """Clients of the proxies of feeds, by their URL; one that cannot be used has none."""
        self.clock_offsets: deque[float] = deque(maxlen=_CLOCK_OFFSETS)
        """Seconds by which this machine's clock was ahead of those of servers, at the last responses."""

    async def __aenter__(self) -> "HttpClient":
        """Open the client. An unusable proxy is an error of each request that needs it, not of this."""
        tls = tls_context()
        proxied: dict[str, httpx.AsyncBaseTransport | None] = {}
        try:
            proxied = proxy_mounts(lambda proxy: self._proxy_transport(proxy, tls))
        except ConfigError as error:
            # Not raised here: work without network, such as a folder target, needs no proxy.
            self._proxy_error = error.message
        transport = GuardedTransport(GuardedResolver(self._allowed, self._resolve), tls)
        self._client = self._new_client(transport, proxied)
        for proxy in {each.proxy for each in self._credentials.values() if each.proxy}:
            with contextlib.suppress(ValueError, httpx.InvalidURL):
                self._proxied[proxy] = self._new_client(self._proxy_transport(proxy, tls), {})
        for client in (self._client, *self._proxied.values()):
            await client.__aenter__()
        return self

    def _new_client(
        self, transport: httpx.AsyncBaseTransport, mounts: Mapping[str, httpx.AsyncBaseTransport | None]
    ) -> httpx.AsyncClient:
        timeout_s = self._limits.timeout_s
        return httpx.AsyncClient(
            # Only gzip: for other encodings the size cannot be limited while decoding.
            headers={"User-Agent": self._user_agent, "Accept-Encoding": "gzip"},
            timeout=httpx.Timeout(timeout_s, connect=min(_CONNECT_S, timeout_s), pool=None),
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
            transport=transport,
            mounts=mounts,
        )

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for client in (self._client, *self._proxied.values()):
            await client.__aexit__(kind, error, trace)
        self._system_resolver.close()

    def _proxy_transport(self, proxy: str, tls: ssl.SSLContext) -> httpx.AsyncBaseTransport:
        """Return a transport that connects only to `proxy`, which may be in a private network."""
        guard = GuardedResolver({url_origin(proxy)}, self._system_resolver)
        return GuardedTransport(guard, tls, proxy_of(proxy))

    def has_credentials(self, url: str, feed: str) -> bool:
        """Tell whether a request to a URL for a feed, a key, has that feed's credentials or proxy."""
        credentials = self._credentials.get(feed)
        return credentials is not None and credentials.apply_to(url)

    async def get(
        self,
        url: str,
        headers: Iterable[tuple[str, str]] = (),
        *,
        max_bytes: int | None = None,
        feed: str = "",
    ) -> Response:
        """Return the response to a GET, of any status; `max_bytes` overrides the client's limit.

        At the origin of the credentials of `feed`, a key, the request has them. Raises FeedError of kind url,
        proxy, unset (a variable), unreachable, tls, timeout, too-large, redirects, forbidden-address or http.
        Its message names the host but not the feed.
        """
        limit, credentials = max_bytes or self._limits.max_bytes, self._credentials.get(feed)
        return await self._request("GET", url, headers, limit, credentials=credentials)

    async def post(self, url: str, json: bytes = b"", *, max_bytes: int = 100_000) -> Response:
        """Return the response to a POST, of any status; redirects are not followed.

        Raises FeedError as `get` does.
        """
        headers = (("Content-Type", "application/json"),) if json else ()
        return await self._request("POST", url, headers, max_bytes, body=json)

    async def _request(
        self,
        method: str,
        url: str,
        headers: Iterable[tuple[str, str]],
        max_bytes: int,
        *,
        body: bytes = b"",
        credentials: Credentials | None = None,
    ) -> Response:
        current_url, left_s = url, self._limits.timeout_s
        hops: list[tuple[int, str]] = []
        try:
            request = self._client.build_request(method, url, headers=list(headers), content=body or None)
            while True:
                current_url = str(request.url)
                client = self._authorize(request, credentials)
                async with self._limiter.at(self._require_allowed(request.url)):
                    started = time.monotonic()
                    async with asyncio.timeout(left_s):
                        answer = await self._send(client, request, hops, max_bytes)
                    left_s -= time.monotonic() - started
                if isinstance(answer, Response):
                    return answer
                request = answer
        except (TimeoutError, httpx.ReadTimeout) as error:
            raise timeout_error(error, url_host(current_url), self._limits.timeout_s) from error
        except _ERRORS as error:
            applies = credentials is not None and credentials.apply_to(current_url)
            variable = credentials.proxy_variable if credentials and applies else None
            raise to_feed_error(error, current_url, variable) from error

    def _authorize(self, request: httpx.Request, credentials: Credentials | None) -> httpx.AsyncClient:
        """Put credentials into a request to their origin, else take them out; return the client to use.

        A request that follows a redirect has the headers of the one before. Raises FeedError where the
        credentials or the proxy cannot be used.
        """
        if credentials and credentials.apply_to(str(request.url)):
            if credentials.error:
                raise FeedError(credentials.error, kind="unset")
            request.headers.update(credentials.headers)
            if credentials.proxy:
                return self._client_of_proxy(credentials)
        elif credentials:
            for name, _ in credentials.headers:
                request.headers.pop(name, None)
            request.headers["User-Agent"] = self._user_agent
        if self._proxy_error:
            raise FeedError(self._proxy_error, kind="proxy")
        return self._client

    def _client_of_proxy(self, credentials: Credentials) -> httpx.AsyncClient:
        if client := self._proxied.get(credentials.proxy or ""):
            return client
        raise FeedError(unusable_proxy(credentials.proxy_variable or "access"), kind="unset")

    async def _send(
        self, client: httpx.AsyncClient, request: httpx.Request, hops: list[tuple[int, str]], max_bytes: int
    ) -> Response | httpx.Request:
        """Return the response, or the next request of a redirect of a GET, which is added to `hops`."""
        response = await client.send(request, stream=True)
        try:
            if response.next_request is None or request.method != "GET":
                offset = clock_offset(response.headers, datetime.now(UTC))
                self.clock_offsets.extend([] if offset is None else [offset])
                return await _read(response, tuple(hops), max_bytes)
        finally:
            await response.aclose()
        hops.append((response.status_code, str(without_credentials(response.next_request.url))))
        if len(hops) > self._limits.max_redirects:
            raise too_many_redirects(str(request.url))
        return response.next_request

    def _require_allowed(self, url: httpx.URL) -> str:
        """Return a URL's `host:port`. Raises FeedError for a forbidden scheme or address.

        Host names are checked when they are resolved.
        """
        host = url.raw_host.decode("ascii")
        if url.scheme not in ("http", "https") or not host:
            raise unsupported_scheme(str(url))
        origin = origin_of(host, url.port or (443 if url.scheme == "https" else 80))
        if origin not in self._allowed and is_private_host(host):
            raise forbidden_address(origin)
        return origin


async def _read(response: httpx.Response, hops: tuple[tuple[int, str], ...], max_bytes: int) -> Response:
    try:
        body = await _body(response, max_bytes)
    except FeedError:
        if response.status_code < 400:
            raise
        body = b""  # an error status is returned even where its body cannot be decoded
    return Response(
        status=response.status_code,
        url=str(response.url),
        redirects=hops,
        headers=_joined(response.headers),
        body=body,
    )


def _joined(headers: httpx.Headers) -> dict[str, str]:
    joined = dict(headers.items())
    if robots := headers.get_list("x-robots-tag"):
        joined["x-robots-tag"] = "\n".join(robots)
    return joined


async def _body(response: httpx.Response, max_bytes: int) -> bytes:
    """Return the decoded body. Raises FeedError over `max_bytes`, compressed or decoded."""
    encoding, host = response.headers.get("content-encoding", ""), response.url.host
    decoder, body, received = BodyDecoder(encoding), bytearray(), 0
    try:
        async for piece in response.aiter_raw():
            received += len(piece)
            for chunk in decoder.feed(piece) if received <= max_bytes else ():
                body += chunk
                if len(body) > max_bytes:
                    break
            if max(received, len(body)) > max_bytes:
                raise too_large(host, max_bytes)
        decoder.end()
    except CorruptBody as error:
        raise FeedError(f"{host} sends a damaged {encoding[:20]} body", kind="http") from error
    except UnexpectedEncoding as error:
        message = f"{host} answers in the encoding {encoding[:20]!r}, which was not requested"
        raise FeedError(message, kind="http") from error
    return bytes(body)
