"""The client: http and https only, the public internet only, one deadline from look-up to last byte.

The body is streamed and counted as it is decoded, so neither a slow server nor a small archive of a huge
file does harm. Where the environment names a proxy, names are resolved by that proxy, which then is the
one to keep private networks apart; addresses written in URLs are checked here all the same.
"""

import asyncio
from collections.abc import AsyncIterator, Collection, Iterable
from http.cookiejar import CookieJar, DefaultCookiePolicy
from types import TracebackType

import aiohttp
import httpx
from httpx_aiohttp import AiohttpTransport

from pipeline.errors import FeedError
from pipeline.models import Record
from pipeline.net.addresses import forbidden_host, place, place_of
from pipeline.net.guard import Guard, Resolve, resolve_by_system
from pipeline.net.names import late, named, off_limits
from pipeline.net.proxies import mounts
from pipeline.net.unpack import Broken, Unpacker
from pipeline.urls import host_in

_COMPRESSED = {"gzip", "x-gzip", "deflate"}
_PLAIN = {"", "identity"}
_CONNECT_S = 10.0


class Response(Record):
    """What a server answered, whatever its status."""

    status: int
    url: str
    """Where the answer came from in the end, after redirects."""
    redirects: tuple[tuple[int, str], ...] = ()
    """Status of each redirect, and where it led."""
    headers: dict[str, str]
    """Names in lower case; repeated ones are joined by commas."""
    body: bytes
    """Decoded from gzip, no further."""


class _Transport(AiohttpTransport):
    """Leaves a URL's user and password to httpx, which has made a header of them: aiohttp refuses both."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if request.url.userinfo:
            request.url = request.url.copy_with(username=None, password=None)
        return await super().handle_async_request(request)


class Net:
    """An HTTP client to be opened with `async with`.

    `timeout_s` counts for a request as a whole, without the time that it waits for its turn: at most `total`
    requests at one time, `per_host` of them to one host. `allowed` are `host:port` outside the public
    internet that may be asked all the same. Proxies and certificates come from the environment.
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
        resolve: Resolve = resolve_by_system,
    ) -> None:
        self._user_agent = user_agent
        self._timeout_s = timeout_s
        self._max_bytes = max_bytes
        self._max_redirects = max_redirects
        self._allowed = allowed
        self._resolve = resolve
        self._per_host = per_host
        self._total = asyncio.Semaphore(total)
        self._hosts: dict[str, asyncio.Semaphore] = {}

    async def __aenter__(self) -> "Net":
        tls = httpx.create_ssl_context()
        proxied = mounts(lambda url: (url, self._transport(tls, httpx.Proxy(url))))
        proxies = {place_of(each[0]) for each in proxied.values() if each}
        self._guard = Guard(frozenset(self._allowed), self._resolve)
        self._proxy_guard = Guard(proxies)
        self._client = httpx.AsyncClient(
            # gzip alone: of the other encodings we could not limit the size while decoding.
            headers={"User-Agent": self._user_agent, "Accept-Encoding": "gzip"},
            timeout=httpx.Timeout(self._timeout_s, connect=min(_CONNECT_S, self._timeout_s), pool=None),
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
            transport=self._transport(tls, None),
            mounts={pattern: each[1] if each else None for pattern, each in proxied.items()},
        )
        await self._client.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._client.__aexit__(kind, error, trace)

    def _transport(self, tls: object, proxy: httpx.Proxy | None) -> AiohttpTransport:
        def session() -> aiohttp.ClientSession:
            guard = self._proxy_guard if proxy else self._guard
            connector = aiohttp.TCPConnector(
                limit=0,  # bounded here, by `total` and `per_host`
                ssl=tls,  # type: ignore[arg-type]
                resolver=guard,
                use_dns_cache=False,  # the guard must see every name
                socket_factory=guard.make_socket,
            )
            return aiohttp.ClientSession(
                connector=connector, cookie_jar=aiohttp.DummyCookieJar(), auto_decompress=False
            )

        return _Transport(verify=tls, proxy=proxy, client=session)  # type: ignore[arg-type]

    async def get(
        self, url: str, headers: Iterable[tuple[str, str]] = (), *, max_bytes: int | None = None
    ) -> Response:
        """Return the answer to one GET, of any status; `max_bytes` takes the place of the client's own.

        Raises FeedError of kind url, unreachable, tls, timeout, too-large, redirects, forbidden-address or
        http; its message names the host but not the feed.
        """
        async with self._total, self._host(url):
            try:
                async with asyncio.timeout(self._timeout_s):
                    return await self._get(url, list(headers), max_bytes or self._max_bytes)
            except (TimeoutError, httpx.ReadTimeout) as error:
                raise late(host_in(url), self._timeout_s) from error
            except (httpx.HTTPError, httpx.InvalidURL, aiohttp.ClientError, OSError, ValueError) as error:
                raise named(error, url) from error

    def _host(self, url: str) -> asyncio.Semaphore:
        host = host_in(url)
        if host not in self._hosts:
            self._hosts[host] = asyncio.Semaphore(self._per_host)
        return self._hosts[host]

    async def _get(self, url: str, headers: list[tuple[str, str]], most: int) -> Response:
        request = self._client.build_request("GET", url, headers=headers)
        hops: list[tuple[int, str]] = []
        while True:
            self._check(request.url)
            response = await self._client.send(request, stream=True)
            try:
                if response.next_request is None:
                    return await _read(response, tuple(hops), most)
            finally:
                await response.aclose()
            request = response.next_request
            hops.append((response.status_code, str(request.url)))
            if len(hops) > self._max_redirects:
                raise FeedError(
                    f"{host_in(url)} redirects too often; open it in a browser and use where it ends",
                    kind="redirects",
                )

    def _check(self, url: httpx.URL) -> None:
        """Refuse what is forbidden as it is written; names are checked when they are resolved."""
        if url.scheme not in ("http", "https") or not url.host:
            raise FeedError(
                f"{host_in(str(url))}: only http and https can be fetched; correct the address", kind="url"
            )
        port = url.port or (443 if url.scheme == "https" else 80)
        if forbidden_host(url.host) and place(url.host, port) not in self._allowed:
            raise off_limits(str(url))


async def _read(response: httpx.Response, hops: tuple[tuple[int, str], ...], most: int) -> Response:
    body = bytearray()
    try:
        async for piece in _decoded(response, most):
            body += piece
            if len(body) > most:
                raise FeedError(f"{response.url.host} sends more than {most:,} bytes", kind="too-large")
    except Broken as error:
        encoding = response.headers.get("content-encoding", "")[:20]
        raise FeedError(f"{response.url.host} sends a broken {encoding} body", kind="http") from error
    return Response(
        status=response.status_code,
        url=str(response.url),
        redirects=hops,
        headers={name.lower(): value for name, value in response.headers.items()},
        body=bytes(body),
    )


async def _decoded(response: httpx.Response, most: int) -> AsyncIterator[bytes]:
    """Yield the body's bytes, in small pieces; of an archive no more than `most` bytes are read."""
    encoding = response.headers.get("content-encoding", "").strip().lower()
    if encoding in _PLAIN:
        async for piece in response.aiter_raw():
            yield piece
        return
    if encoding not in _COMPRESSED:
        raise FeedError(
            f"{response.url.host} answers in {encoding[:20]!r}, which was not asked for", kind="http"
        )
    unpacker, taken = Unpacker(encoding), 0
    async for piece in response.aiter_raw():
        taken += len(piece)
        if taken > most:
            raise FeedError(f"{response.url.host} sends more than {most:,} bytes", kind="too-large")
        for found in unpacker.feed(piece):
            yield found
    unpacker.end()
