"""httpx transport on aiohttp with the SSRF guard and limits, and the proxies of the environment."""

import asyncio
import ipaddress
import os
import ssl
import time
from collections.abc import Callable, Mapping
from functools import lru_cache, partial
from typing import Any, TypeVar
from urllib.parse import urlsplit
from urllib.request import getproxies

import aiohttp
import httpx
from aiohttp.client_proto import ResponseHandler
from aiohttp.client_reqrep import ConnectionKey
from aiohttp.helpers import set_exception
from httpx_aiohttp import AiohttpTransport

from pipeline.domain.errors import ConfigError
from pipeline.domain.text import redact_url
from pipeline.http_client.limits import MinimumRate, SlowBody
from pipeline.http_client.ssrf import GuardedResolver

MAX_IDLE_CONNECTIONS = 64
"""Hosts with idle connections: a process with 10,000 feeds must stay below its limit of open files."""
MAX_PARSE_S = 1.0
"""CPU seconds for parsing one response; an ordinary one of 15 MB takes 0.02 s."""
_MAX_HEADER_BYTES = 32_768
"""Bytes of one header; aiohttp's 8,190 are too few for some content systems. It allows 128 headers."""


@lru_cache(maxsize=1)
def tls_context() -> ssl.SSLContext:
    """Return the TLS settings of all connections of this process: reading the certificates takes 25 ms."""
    return httpx.create_ssl_context()


def without_credentials(url: httpx.URL) -> httpx.URL:
    """Return a URL without its user and password."""
    return url.copy_with(username=None, password=None) if url.userinfo else url


def proxy_of(url: str) -> httpx.Proxy:
    """Return the proxy of a URL, with its user and password as a header, as aiohttp needs them."""
    proxy = httpx.Proxy(url)
    if proxy.auth is None:
        return proxy
    return httpx.Proxy(proxy.url, headers={"Authorization": aiohttp.encode_basic_auth(*proxy.auth)})


class GuardedTransport(AiohttpTransport):
    """Connects only where its guard allows; one per proxy, and one for requests without a proxy."""

    def __init__(self, guard: GuardedResolver, tls: ssl.SSLContext, proxy: httpx.Proxy | None = None) -> None:
        super().__init__(verify=tls, proxy=proxy, client=lambda: _session(guard, tls))

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request without credentials in the URL: httpx has put them into a header already."""
        request.url = without_credentials(request.url)
        await request.aread()  # an unread empty body of a redirect would be sent in chunks
        return await super().handle_async_request(request)


class _Protocol(ResponseHandler):
    """Limits the CPU time for parsing a response, and its minimum rate.

    Endless interim responses, blank lines or chunks of one byte would keep the event loop busy until the
    deadline. A slow response would block a request slot of its host for as long.
    """

    _spent_s = 0.0
    _rate = MinimumRate()

    def set_response_params(self, **params: Any) -> None:  # noqa: ANN401 - whatever aiohttp hands on
        """Start the next response."""
        self._spent_s, self._rate = 0.0, MinimumRate()
        super().set_response_params(**params)

    def data_received(self, data: bytes) -> None:
        """Parse data, or close the connection over a limit."""
        started = time.thread_time()
        super().data_received(data)
        self._spent_s += time.thread_time() - started
        too_slow = self._rate.is_too_slow(len(data), time.monotonic())
        if too_slow:
            self._fail(SlowBody())
        if (too_slow or self._spent_s > MAX_PARSE_S) and self.transport is not None:
            self.transport.abort()

    def _fail(self, error: Exception) -> None:
        """Raise an error where the response head or body is awaited."""
        self.set_exception(error)
        if self._payload is not None:
            set_exception(self._payload, error)


class _Connector(aiohttp.TCPConnector):
    """Limits idle connections, for which aiohttp has no limit, and uses `_Protocol`."""

    def __init__(self, guard: GuardedResolver, tls: ssl.SSLContext) -> None:
        super().__init__(
            limit=0,  # HostLimiter limits connections, outside the deadline
            ssl=tls,
            resolver=guard,
            use_dns_cache=False,  # the cache's look-ups outlive their requests
            socket_factory=guard.make_socket,
        )
        self._factory = partial(_Protocol, loop=asyncio.get_running_loop())  # type: ignore[assignment]

    def _release(self, key: ConnectionKey, protocol: ResponseHandler, *, should_close: bool = False) -> None:
        full = len(self._conns) >= MAX_IDLE_CONNECTIONS and key not in self._conns
        super()._release(key, protocol, should_close=should_close or full)


def _session(guard: GuardedResolver, tls: ssl.SSLContext) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        connector=_Connector(guard, tls),
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
        max_field_size=_MAX_HEADER_BYTES,
    )


T = TypeVar("T")


_SCHEMES = ("http", "https", "all")


def require_usable_proxies() -> None:
    """Raise ConfigError where the environment names a proxy that cannot be used.

    The client libraries of the model server and of Prefect read every one of these variables, also where no
    host uses that proxy, and fail with their own error.
    """
    proxies = getproxies()
    if "*" not in _exempt(proxies):
        for scheme in _SCHEMES:
            if proxies.get(scheme):
                _proxy_url(scheme, proxies[scheme])


def proxy_mounts(make: Callable[[str], T]) -> dict[str, T | None]:
    """Return httpx's `mounts`: URL patterns with `make(proxy URL)`, or None for no proxy.

    Raises ConfigError for a proxy that is neither http nor https.
    """
    return {
        pattern: None if url is None else make(url) for pattern, url in proxy_patterns(getproxies()).items()
    }


def proxy_patterns(proxies: Mapping[str, str]) -> dict[str, str | None]:
    """Return URL patterns with their proxy URLs, from the result of `getproxies`. Raises ConfigError."""
    exempt = _exempt(proxies)
    schemes = [scheme for scheme in ("http", "https") if proxies.get(scheme)]
    if "*" in exempt:
        return {}
    if proxies.get("all") and len(schemes) < 2:  # with both, no request is left for it
        schemes.append("all")
    proxied: dict[str, str | None] = {
        f"{scheme}://": _proxy_url(scheme, proxies[scheme]) for scheme in schemes
    }
    return proxied | {_pattern(host): None for host in exempt} if proxied else {}


def _exempt(proxies: Mapping[str, str]) -> list[str]:
    return [host.strip() for host in proxies.get("no", "").split(",") if host.strip()]


def _proxy_url(scheme: str, text: str) -> str:
    url = text if "://" in text else f"http://{text}"
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise _unusable_proxy(scheme, url)
    return url


def _unusable_proxy(scheme: str, url: str) -> ConfigError:
    lower = f"{scheme}_proxy"  # takes precedence where both are set
    variable = lower if os.environ.get(lower) else lower.upper()
    problem = f"{variable} {redact_url(url)} is no http(s) proxy"
    if url.lower().startswith("socks"):
        problem = (
            f"{variable} names a SOCKS proxy ({redact_url(url)}), and Copydesk speaks to http(s) proxies only"
        )
    return ConfigError(
        f"{problem}; write one such as http://proxy.example:3128, or take {variable} out of the environment",
        variable=variable,
    )


def _pattern(host: str) -> str:
    if "://" in host:
        return host
    host = host.removeprefix("*").strip("[]")
    try:
        ip = ipaddress.ip_address(host)
    except ValueError:
        return f"all://{host}" if host.lower() == "localhost" else f"all://*{host}"
    return f"all://[{ip}]" if ip.version == 6 else f"all://{ip}"
