"""Turns the errors of the HTTP libraries into FeedErrors with a plain message."""

import socket
import ssl
from collections.abc import Iterator

import aiohttp
import httpx

from pipeline.domain.errors import FeedError
from pipeline.domain.text import redact_url, url_host
from pipeline.http_client.limits import SlowBody
from pipeline.http_client.ssrf import ForbiddenAddress, url_origin

_PROXY_ERRORS = (aiohttp.ClientProxyConnectionError, aiohttp.ClientHttpProxyError)
_NO_CONNECTION = (socket.gaierror, aiohttp.ServerTimeoutError)
"""Errors before there is a connection, besides those of a proxy."""


def timeout_error(error: Exception, host: str, seconds: float) -> FeedError:
    """Return the error of a response that is late or too slow."""
    if any(isinstance(cause, SlowBody) for cause in _causes(error)):
        return FeedError(f"{host} sends its response too slowly; the next run tries again", kind="timeout")
    return FeedError(
        f"{host} did not answer in full within {seconds:g} s; the next run tries again", kind="timeout"
    )


def unsupported_scheme(url: str) -> FeedError:
    """Return the error of a URL that is neither http nor https."""
    message = f"{url_host(url)}: only http and https can be fetched; correct the address"
    return FeedError(message, kind="url")


def too_large(host: str, max_bytes: int) -> FeedError:
    """Return the error of a body over `max_bytes`."""
    return FeedError(f"{host} sends more than {max_bytes:,} bytes", kind="too-large")


def too_many_redirects(url: str) -> FeedError:
    """Return the error of a redirect chain that is too long."""
    message = f"{url_host(url)} redirects too often; open it in a browser and use where it ends"
    return FeedError(message, kind="redirects")


def forbidden_address(origin: str) -> FeedError:
    """Return the error of a `host:port` in a private network."""
    fix = f"if you trust it, add {origin} to COPYDESK_ALLOW_HOSTS"
    return FeedError(f"{origin} is no address of the public internet; {fix}", kind="forbidden-address")


def to_feed_error(error: Exception, url: str, proxy_variable: str | None = None) -> FeedError:
    """Return the FeedError for any error of a request.

    `proxy_variable` names the proxy of the feed that the request went through: then no other host was
    connected to. Without it the proxies of the environment count.
    """
    host, causes = url_host(url), tuple(_causes(error))
    if any(isinstance(cause, ForbiddenAddress) for cause in causes):
        return forbidden_address(url_origin(url))
    if isinstance(error, httpx.UnsupportedProtocol) and not any(
        isinstance(cause, aiohttp.InvalidURL) for cause in causes
    ):
        return unsupported_scheme(url)
    if isinstance(error, httpx.InvalidURL | httpx.UnsupportedProtocol | ValueError):
        return FeedError(f"{redact_url(url)} is no usable address; correct it", kind="url")
    if any(isinstance(cause, _PROXY_ERRORS + (_NO_CONNECTION if proxy_variable else ())) for cause in causes):
        check = proxy_variable or "HTTP_PROXY, HTTPS_PROXY and ALL_PROXY"
        message = f"{host} cannot be reached through the proxy; check {check}"
        return FeedError(message, kind="unreachable")
    if any(isinstance(cause, ssl.SSLError) for cause in causes):
        message = f"{host}: no secure connection ({_tls_reason(causes)}); check the address"
        return FeedError(message, kind="tls")
    if any(isinstance(cause, socket.gaierror) for cause in causes):
        return FeedError(f"{host}: no such host, or no network; check the address", kind="unreachable")
    if any(isinstance(cause, aiohttp.ClientConnectorError | aiohttp.ServerTimeoutError) for cause in causes):
        message = f"{host} cannot be reached; check the address, or wait until it is up"
        return FeedError(message, kind="unreachable")
    return FeedError(
        f"{host} closed the connection or does not speak HTTP ({_reason(causes)}); the next run tries again",
        kind="http",
    )


def _reason(causes: tuple[BaseException, ...]) -> str:
    """Return the name of aiohttp's error: httpx's is less exact."""
    return next(
        (type(cause).__name__ for cause in causes if isinstance(cause, aiohttp.ClientError)),
        type(causes[0]).__name__,
    )


def _tls_reason(causes: tuple[BaseException, ...]) -> str:
    """Return OpenSSL's reason: aiohttp's own errors are SSL errors without one."""
    for cause in causes:
        if reason := getattr(cause, "verify_message", None):
            return f"certificate: {reason}".rstrip(".")
    for cause in causes:
        if isinstance(cause, ssl.SSLError) and (reason := getattr(cause, "reason", None)):
            return str(reason).lower().replace("_", " ")
    return "the handshake failed"


def _causes(error: BaseException) -> Iterator[BaseException]:
    current: BaseException | None = error
    visited: set[int] = set()
    while current is not None and id(current) not in visited:
        visited.add(id(current))
        yield current
        if isinstance(current, BaseExceptionGroup):
            for each in current.exceptions:
                yield from _causes(each)
        current = getattr(current, "os_error", None) or current.__cause__ or current.__context__
