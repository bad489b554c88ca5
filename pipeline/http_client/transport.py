"""httpx on aiohttp, with a session of our own: guarded, without cookies, with few idle connections.

The proxies of the environment, as httpx takes them where the transport is its own.
"""

import asyncio
import ipaddress
import os
import ssl
import time
from collections.abc import Callable, Mapping
from functools import partial
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
"""Hosts with connections kept open for a next request: 10,000 feeds must fit into a process's open files."""
PARSE_S = 1.0
"""Processor time for parsing one answer's bytes; 15 MB that nobody cut up on purpose take .02 s."""
_HEADER_BYTES = 32_768
"""Of one header; aiohttp's 8,190 are too few for what some content systems send. It allows 128 headers."""


def without_credentials(url: httpx.URL) -> httpx.URL:
    """Return a URL without its user and password."""
    return url.copy_with(username=None, password=None) if url.userinfo else url


def proxy_of(url: str) -> httpx.Proxy:
    """Return the proxy at a URL; its user and password as the header that aiohttp makes of them."""
    proxy = httpx.Proxy(url)
    if proxy.auth is None:
        return proxy
    return httpx.Proxy(proxy.url, headers={"Authorization": aiohttp.encode_basic_auth(*proxy.auth)})


class GuardedTransport(AiohttpTransport):
    """Connects where its guard allows; one per proxy, and one for all that goes without."""

    def __init__(self, guard: GuardedResolver, tls: ssl.SSLContext, proxy: httpx.Proxy | None = None) -> None:
        super().__init__(verify=tls, proxy=proxy, client=lambda: _session(guard, tls))

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request; httpx has made a header of the URL's user and password, aiohttp refuses both."""
        request.url = without_credentials(request.url)
        await request.aread()  # a redirect's body is empty but unread: it would be sent, in chunks
        return await super().handle_async_request(request)


class _Protocol(ResponseHandler):
    """Bounds what parsing an answer costs, and how slowly it may come.

    Interim answers, blank lines and chunks of one byte, sent without end, would keep the event loop busy
    until the deadline; an answer in drops would keep its turn for as long.
    """

    _spent_s = 0.0
    _pace = MinimumRate()

    def set_response_params(self, **params: Any) -> None:  # noqa: ANN401 - whatever aiohttp hands on
        """Begin with another answer."""
        self._spent_s, self._pace = 0.0, MinimumRate()
        super().set_response_params(**params)

    def data_received(self, data: bytes) -> None:
        """Parse what came, or hang up."""
        started = time.thread_time()
        super().data_received(data)
        self._spent_s += time.thread_time() - started
        drips = self._pace.drips(len(data), time.monotonic())
        if drips:
            self._fail(SlowBody())
        if (drips or self._spent_s > PARSE_S) and self.transport is not None:
            self.transport.abort()

    def _fail(self, error: Exception) -> None:
        """Raise an error in whoever waits for the head, or for the body."""
        self.set_exception(error)
        if self._payload is not None:
            set_exception(self._payload, error)


class _Connector(aiohttp.TCPConnector):
    """Bounds the idle connections, for which aiohttp has no limit, and what comes on any."""

    def __init__(self, guard: GuardedResolver, tls: ssl.SSLContext) -> None:
        super().__init__(
            limit=0,  # turns are waited for before, where the deadline does not run
            ssl=tls,
            resolver=guard,
            use_dns_cache=False,  # with it, a look-up outlives its request
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
        max_field_size=_HEADER_BYTES,
    )


T = TypeVar("T")


_SCHEMES = ("http", "https", "all")


def require_usable_proxies() -> None:
    """Raise ConfigError where the environment names a proxy that cannot be used.

    The libraries that ask the model and Prefect take every one of these variables, also where another, or
    NO_PROXY, leaves no host to it, and end with an error of their own.
    """
    found = getproxies()
    if "*" not in _exempt(found):
        for scheme in _SCHEMES:
            if found.get(scheme):
                _proxy(scheme, found[scheme])


def mounts(make: Callable[[str], T]) -> dict[str, T | None]:
    """Return httpx's `mounts`: URL pattern to what `make` makes of a proxy's URL, None for no proxy.

    Raises ConfigError for a proxy that is neither http nor https.
    """
    return {pattern: None if url is None else make(url) for pattern, url in patterns(getproxies()).items()}


def patterns(found: Mapping[str, str]) -> dict[str, str | None]:
    """Return URL patterns and their proxies, of what `getproxies` found. Raises ConfigError."""
    exempt = _exempt(found)
    schemes = [scheme for scheme in ("http", "https") if found.get(scheme)]
    if "*" in exempt:
        return {}
    if found.get("all") and len(schemes) < 2:  # else nothing is left for it
        schemes.append("all")
    proxied: dict[str, str | None] = {f"{scheme}://": _proxy(scheme, found[scheme]) for scheme in schemes}
    return proxied | {_pattern(host): None for host in exempt} if proxied else {}


def _exempt(found: Mapping[str, str]) -> list[str]:
    return [host.strip() for host in found.get("no", "").split(",") if host.strip()]


def _proxy(scheme: str, text: str) -> str:
    url = text if "://" in text else f"http://{text}"
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise _unusable(scheme, url)
    return url


def _unusable(scheme: str, url: str) -> ConfigError:
    lower = f"{scheme}_proxy"  # goes before the other where both are set
    variable = lower if os.environ.get(lower) else lower.upper()
    said = f"{variable} {redact_url(url)} is no http(s) proxy"
    if url.lower().startswith("socks"):
        said = (
            f"{variable} names a SOCKS proxy ({redact_url(url)}), and Copydesk speaks to http(s) proxies only"
        )
    return ConfigError(
        f"{said}; write one such as http://proxy.example:3128, or take {variable} out of the environment",
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
