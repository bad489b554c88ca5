"""httpx on aiohttp, with a session of our own: guarded, without cookies, with few idle connections."""

import asyncio
import ssl
import time
from functools import partial
from typing import Any

import aiohttp
import httpx
from aiohttp.client_proto import ResponseHandler
from aiohttp.client_reqrep import ConnectionKey
from aiohttp.helpers import set_exception
from httpx_aiohttp import AiohttpTransport

from pipeline.net.guard import Guard
from pipeline.net.pace import Drips, Pace

IDLE = 64
"""Hosts with connections kept open for a next request: 10,000 feeds must fit into a process's open files."""
PARSE_S = 1.0
"""Processor time for parsing one answer's bytes; 15 MB that nobody cut up on purpose take .02 s."""
_HEADER_BYTES = 32_768
"""Of one header; aiohttp's 8,190 are too few for what some content systems send. It allows 128 headers."""


def bare(url: httpx.URL) -> httpx.URL:
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

    def __init__(self, guard: Guard, tls: ssl.SSLContext, proxy: httpx.Proxy | None = None) -> None:
        super().__init__(verify=tls, proxy=proxy, client=lambda: _session(guard, tls))

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request; httpx has made a header of the URL's user and password, aiohttp refuses both."""
        request.url = bare(request.url)
        await request.aread()  # a redirect's body is empty but unread: it would be sent, in chunks
        return await super().handle_async_request(request)


class _Protocol(ResponseHandler):
    """Bounds what parsing an answer costs, and how slowly it may come.

    Interim answers, blank lines and chunks of one byte, sent without end, would keep the event loop busy
    until the deadline; an answer in drops would keep its turn for as long.
    """

    _spent_s = 0.0
    _pace = Pace()

    def set_response_params(self, **params: Any) -> None:  # noqa: ANN401 - whatever aiohttp hands on
        """Begin with another answer."""
        self._spent_s, self._pace = 0.0, Pace()
        super().set_response_params(**params)

    def data_received(self, data: bytes) -> None:
        """Parse what came, or hang up."""
        started = time.thread_time()
        super().data_received(data)
        self._spent_s += time.thread_time() - started
        drips = self._pace.drips(len(data), time.monotonic())
        if drips:
            self._fail(Drips())
        if (drips or self._spent_s > PARSE_S) and self.transport is not None:
            self.transport.abort()

    def _fail(self, error: Exception) -> None:
        """Raise an error in whoever waits for the head, or for the body."""
        self.set_exception(error)
        if self._payload is not None:
            set_exception(self._payload, error)


class _Connector(aiohttp.TCPConnector):
    """Bounds the idle connections, for which aiohttp has no limit, and what comes on any."""

    def __init__(self, guard: Guard, tls: ssl.SSLContext) -> None:
        super().__init__(
            limit=0,  # turns are waited for before, where the deadline does not run
            ssl=tls,
            resolver=guard,
            use_dns_cache=False,  # with it, a look-up outlives its request
            socket_factory=guard.make_socket,
        )
        self._factory = partial(_Protocol, loop=asyncio.get_running_loop())  # type: ignore[assignment]

    def _release(self, key: ConnectionKey, protocol: ResponseHandler, *, should_close: bool = False) -> None:
        full = len(self._conns) >= IDLE and key not in self._conns
        super()._release(key, protocol, should_close=should_close or full)


def _session(guard: Guard, tls: ssl.SSLContext) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        connector=_Connector(guard, tls),
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
        max_field_size=_HEADER_BYTES,
    )
