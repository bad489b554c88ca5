"""The one HTTP client: every request but the model call goes through it, with limits on all of it.

http and https only; one deadline from the first look-up to the last byte; the body is streamed and
counted as it is decoded, so neither a slow server nor a small archive of a huge file does harm.
"""

import asyncio
import socket
import ssl
import zlib
from collections.abc import AsyncIterator, Iterable
from types import TracebackType
from urllib.parse import urlsplit

import httpx

from pipeline.errors import FeedError
from pipeline.models import Record

_COMPRESSED = {"gzip", "x-gzip", "deflate"}
_PLAIN = {"", "identity"}


class Response(Record):
    """What a server answered, whatever its status."""

    status: int
    url: str
    """Where the answer came from in the end, after redirects."""
    headers: dict[str, str]
    """Names in lower case."""
    body: bytes
    """Decoded from gzip, no further."""


class Net:
    """An HTTP client to be opened with `async with`; `timeout_s` counts for a request as a whole.

    Proxies and certificates come from the environment, as httpx reads it.
    """

    def __init__(
        self, user_agent: str, timeout_s: float = 20, max_bytes: int = 15_000_000, max_redirects: int = 5
    ) -> None:
        self._timeout_s = timeout_s
        self._max_bytes = max_bytes
        self._client = httpx.AsyncClient(
            # gzip alone: of the other encodings we could not limit the size while decoding.
            headers={"User-Agent": user_agent, "Accept-Encoding": "gzip"},
            timeout=timeout_s,
            follow_redirects=True,
            max_redirects=max_redirects,
        )

    async def __aenter__(self) -> "Net":
        await self._client.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._client.__aexit__(kind, error, trace)

    async def get(self, url: str, headers: Iterable[tuple[str, str]] = ()) -> Response:
        """Return the answer to one GET, of any status.

        Raises FeedError of kind url, unreachable, tls, timeout, too-large, redirects or http; its message
        names the host but not the feed.
        """
        host = _host(url)
        try:
            async with asyncio.timeout(self._timeout_s):
                return await self._get(url, headers)
        except (TimeoutError, httpx.TimeoutException) as error:
            raise FeedError(
                f"{host} did not answer in full within {self._timeout_s:g} s; the next run tries again",
                kind="timeout",
            ) from error
        except (httpx.InvalidURL, UnicodeError) as error:
            raise FeedError(f"{shown_url(url)} is no usable address; correct it", kind="url") from error
        except httpx.HTTPError as error:
            raise _named(error, host) from error

    async def _get(self, url: str, headers: Iterable[tuple[str, str]]) -> Response:
        async with self._client.stream("GET", url, headers=list(headers)) as response:
            body = bytearray()
            async for piece in _decoded(response, self._max_bytes):
                body += piece
                if len(body) > self._max_bytes:
                    raise FeedError(
                        f"{response.url.host} sends more than {self._max_bytes:,} bytes; is it a feed?",
                        kind="too-large",
                    )
            return Response(
                status=response.status_code,
                url=str(response.url),
                headers={name.lower(): value for name, value in response.headers.items()},
                body=bytes(body),
            )


async def _decoded(response: httpx.Response, most: int) -> AsyncIterator[bytes]:
    """Yield the body's bytes; no piece is longer than `most` + 1."""
    encoding = response.headers.get("content-encoding", "").strip().lower()
    if encoding not in _COMPRESSED | _PLAIN:
        raise FeedError(
            f"{response.url.host} answers in {encoding[:20]!r}, which was not asked for", kind="http"
        )
    if encoding in _PLAIN:
        async for piece in response.aiter_raw():
            yield piece
        return
    unpack = zlib.decompressobj(zlib.MAX_WBITS | 32)
    try:
        async for piece in response.aiter_raw():
            yield unpack.decompress(piece, most + 1)
    except zlib.error as error:
        raise FeedError(f"{response.url.host} sends a broken {encoding} body", kind="http") from error


def shown_url(url: str) -> str:
    """Return a URL as it may stand in a message: no password, no query with somebody's key, one line."""
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "") + (f":{parts.port}" if parts.port else "")
    except ValueError:
        return repr(url[:80])
    shown = f"{parts.scheme}://{host}{parts.path}" + ("?…" if parts.query else "")
    return "".join(char if char.isprintable() else "�" for char in shown)[:300]


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or shown_url(url)
    except ValueError:
        return shown_url(url)


def _named(error: httpx.HTTPError, host: str) -> FeedError:
    causes = tuple(_causes(error))
    if isinstance(error, httpx.TooManyRedirects):
        return FeedError(
            f"{host} redirects too often; open it in a browser and use where it ends", kind="redirects"
        )
    if isinstance(error, httpx.UnsupportedProtocol):
        return FeedError(f"{host}: only http and https can be fetched; correct the address", kind="url")
    if any(isinstance(cause, ssl.SSLError) for cause in causes):
        return FeedError(
            f"{host}: no secure connection ({_tls_reason(causes)}); check the address", kind="tls"
        )
    if any(isinstance(cause, socket.gaierror) for cause in causes):
        return FeedError(f"{host}: no such host, or no network; check the address", kind="unreachable")
    if isinstance(error, httpx.ConnectError):
        return FeedError(
            f"{host} cannot be reached; check the address, or wait until it is up", kind="unreachable"
        )
    return FeedError(
        f"{host} broke off or does not speak HTTP ({type(error).__name__}); the next run tries again",
        kind="http",
    )


def _tls_reason(causes: tuple[BaseException, ...]) -> str:
    for cause in causes:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"certificate: {cause.verify_message}"
        if isinstance(cause, ssl.SSLError) and cause.reason:
            return cause.reason.lower().replace("_", " ")
    return "the handshake failed"


def _causes(error: BaseException) -> Iterable[BaseException]:
    current: BaseException | None = error
    while current is not None:
        yield current
        current = current.__cause__ or current.__context__
