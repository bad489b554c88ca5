"""The client: http and https only, the public internet only, one deadline from look-up to last byte.

The body is streamed and counted as it is decoded, so neither a slow server nor a small archive of a huge
file does harm. Where the environment names a proxy, names are resolved by that proxy, which then is the
one to keep private networks apart; addresses written in URLs are checked here all the same.
"""

import asyncio
import ssl
import time
from collections.abc import Collection, Iterable
from http.cookiejar import CookieJar, DefaultCookiePolicy
from types import TracebackType

import aiohttp
import httpx

from pipeline.domain.errors import ConfigError, FeedError
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
from pipeline.http_client.limits import HostLimiter
from pipeline.http_client.ssrf import (
    GuardedResolver,
    Resolve,
    SystemResolver,
    is_private_host,
    origin_of,
    url_origin,
)
from pipeline.http_client.transport import GuardedTransport, mounts, proxy_of, without_credentials

_CONNECT_S = 10.0
_ERRORS = (httpx.HTTPError, httpx.InvalidURL, aiohttp.ClientError, OSError, ValueError)
"""All that the libraries raise; a ValueError is a URL or a header that cannot be sent."""


class Response(FrozenModel):
    """What a server answered, whatever its status."""

    status: int
    url: str
    """Where the answer came from in the end, after redirects; without user and password."""
    redirects: tuple[tuple[int, str], ...] = ()
    """Status of each redirect, and where it led."""
    headers: dict[str, str]
    """Names in lower case; repeated ones are joined by commas."""
    body: bytes
    """Decoded from gzip, no further; empty where an answer of status 400 or more cannot be decoded."""


class HttpClient:
    """An HTTP client to be opened with `async with`.

    `timeout_s` counts for a request as a whole, redirects included, without the time that it waits for its
    turn: at most `total` requests at one time, `per_host` of them to one host. `allowed` are `host:port`
    outside the public internet that may be asked all the same; `resolve` takes the place of the system's
    look-up. Proxies and certificates come from the environment.
    """

    def __init__(
        self,
        user_agent: str,
        timeout_s: float = 20,
        max_bytes: int = 15_000_000,
        max_redirects: int = 5,
        *,
        allowed: Collection[str] = (),
        per_host: int = 4,
        total: int = 100,
        resolve: Resolve | None = None,
    ) -> None:
        self._user_agent = user_agent
        self._timeout_s = timeout_s
        self._max_bytes = max_bytes
        self._max_redirects = max_redirects
        self._allowed = frozenset(allowed)
        self._system = SystemResolver(total)
        self._resolve = resolve or self._system
        self._turns = HostLimiter(total, per_host)
        self._no_way = ""

    async def __aenter__(self) -> "HttpClient":
        """Open it; where the environment names a proxy that cannot be used, each request says so."""
        tls = httpx.create_ssl_context()
        proxied: dict[str, httpx.AsyncBaseTransport | None] = {}
        try:
            proxied = mounts(lambda proxy: self._by_proxy(proxy, tls))
        except ConfigError as error:
            # Not raised here: what needs no network, such as a folder to publish to, works all the same.
            self._no_way = error.message
        self._client = httpx.AsyncClient(
            # gzip alone: of the other encodings we could not limit the size while decoding.
            headers={"User-Agent": self._user_agent, "Accept-Encoding": "gzip"},
            timeout=httpx.Timeout(self._timeout_s, connect=min(_CONNECT_S, self._timeout_s), pool=None),
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
            transport=GuardedTransport(GuardedResolver(self._allowed, self._resolve), tls),
            mounts=proxied,
        )
        await self._client.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._client.__aexit__(kind, error, trace)
        self._system.close()

    def _by_proxy(self, proxy: str, tls: ssl.SSLContext) -> httpx.AsyncBaseTransport:
        """Return a transport that connects to nothing but a proxy, wherever the operator has it."""
        guard = GuardedResolver({url_origin(proxy)}, self._system)
        return GuardedTransport(guard, tls, proxy_of(proxy))

    async def get(
        self, url: str, headers: Iterable[tuple[str, str]] = (), *, max_bytes: int | None = None
    ) -> Response:
        """Return the answer to one GET, of any status; `max_bytes` takes the place of the client's own.

        Raises FeedError of kind url, proxy, unreachable, tls, timeout, too-large, redirects,
        forbidden-address or http; its message names the host but not the feed.
        """
        return await self._answer("GET", url, headers, max_bytes or self._max_bytes, follow=True)

    async def post(self, url: str, json: bytes = b"", *, max_bytes: int = 100_000) -> Response:
        """Return the answer to one POST, of any status; redirects are not followed.

        Raises FeedError as `get` does.
        """
        headers = (("Content-Type", "application/json"),) if json else ()
        return await self._answer("POST", url, headers, max_bytes, follow=False, body=json)

    async def _answer(
        self,
        method: str,
        url: str,
        headers: Iterable[tuple[str, str]],
        most: int,
        *,
        follow: bool,
        body: bytes = b"",
    ) -> Response:
        at, left_s = url, self._timeout_s
        hops: list[tuple[int, str]] = []
        if self._no_way:
            raise FeedError(self._no_way, kind="proxy")
        try:
            request = self._client.build_request(method, url, headers=list(headers), content=body or None)
            while True:
                at = str(request.url)
                async with self._turns.at(self._checked(request.url)):
                    started = time.monotonic()
                    async with asyncio.timeout(left_s):
                        answer = await self._ask(request, hops, most, follow=follow)
                    left_s -= time.monotonic() - started
                if isinstance(answer, Response):
                    return answer
                request = answer
        except (TimeoutError, httpx.ReadTimeout) as error:
            raise timeout_error(error, url_host(at), self._timeout_s) from error
        except _ERRORS as error:
            raise to_feed_error(error, at) from error

    async def _ask(
        self, request: httpx.Request, hops: list[tuple[int, str]], most: int, *, follow: bool
    ) -> Response | httpx.Request:
        """Return the answer to a request, or the request that it redirects to, noted in `hops`."""
        response = await self._client.send(request, stream=True)
        try:
            if response.next_request is None or not follow:
                return await _read(response, tuple(hops), most)
        finally:
            await response.aclose()
        hops.append((response.status_code, str(without_credentials(response.next_request.url))))
        if len(hops) > self._max_redirects:
            raise too_many_redirects(str(request.url))
        return response.next_request

    def _checked(self, url: httpx.URL) -> str:
        """Return a URL's `host:port`; refuse what is forbidden as it is written.

        Names are checked when they are resolved.
        """
        host = url.raw_host.decode("ascii")
        if url.scheme not in ("http", "https") or not host:
            raise unsupported_scheme(str(url))
        where = origin_of(host, url.port or (443 if url.scheme == "https" else 80))
        if where not in self._allowed and is_private_host(host):
            raise forbidden_address(where)
        return where


async def _read(response: httpx.Response, hops: tuple[tuple[int, str], ...], most: int) -> Response:
    try:
        body = await _body(response, most)
    except FeedError:
        if response.status_code < 400:
            raise
        body = b""  # a refusal is told by its status, whatever its page is wrapped in
    return Response(
        status=response.status_code,
        url=str(response.url),
        redirects=hops,
        headers=dict(response.headers.items()),
        body=body,
    )


async def _body(response: httpx.Response, most: int) -> bytes:
    """Return the decoded body, of which no more than `most` bytes are taken, packed or not."""
    encoding, host = response.headers.get("content-encoding", ""), response.url.host
    unpacker, body, taken = BodyDecoder(encoding), bytearray(), 0
    try:
        async for piece in response.aiter_raw():
            taken += len(piece)
            for found in unpacker.feed(piece) if taken <= most else ():
                body += found
                if len(body) > most:
                    break
            if max(taken, len(body)) > most:
                raise too_large(host, most)
        unpacker.end()
    except CorruptBody as error:
        raise FeedError(f"{host} sends a broken {encoding[:20]} body", kind="http") from error
    except UnexpectedEncoding as error:
        said = f"{host} answers in {encoding[:20]!r}, which was not asked for"
        raise FeedError(said, kind="http") from error
    return bytes(body)
