"""TLS connections to named servers on loopback."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from pipeline.domain.errors import FeedError
from pipeline.http_client import HttpClient, RequestLimits, tls_context
from tests.fakes.feed_server import FeedServer

PEM = Path(__file__).parents[2] / "fakes" / "self_signed.pem"


class SecureServer:
    """A TLS server that stores the requests it gets."""

    def __init__(self, location: str = "") -> None:
        self.location = location
        self.requests: list[bytes] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                self.requests.append(await reader.readuntil(b"\r\n\r\n"))
                status = f"302 Found\r\nLocation: {self.location}" if self.location else "200 OK"
                writer.write(f"HTTP/1.1 {status}\r\nContent-Length: 2\r\n\r\nok".encode())
        writer.close()

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[int]:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(PEM)
        async with await asyncio.start_server(self.serve, "127.0.0.1", 0, ssl=context) as server:
            yield server.sockets[0].getsockname()[1]


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("NO_PROXY", "*")
    tls_context.cache_clear()  # each test has its own certificates
    yield
    tls_context.cache_clear()


@pytest.fixture
def trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(PEM))


async def loopback(host: str, port: int) -> list[str]:
    return ["127.0.0.1"]


def client(port: int, *others: str) -> HttpClient:
    names = ("good", "other", "wrong")
    allowed = [*(f"{name}.example:{port}" for name in names), *others]
    return HttpClient("test", RequestLimits(timeout_s=30), allowed=allowed, resolve=loopback)


@pytest.mark.usefixtures("trusted")
async def test_a_trusted_server_is_read_on_one_connection() -> None:
    server = SecureServer()
    async with server.running() as port, client(port) as net:
        for _ in range(3):
            assert (await net.get(f"https://good.example:{port}/feed")).body == b"ok"
    assert len(server.requests) == 3


@pytest.mark.usefixtures("trusted")
async def test_a_certificate_for_another_host_is_named() -> None:
    server = SecureServer()
    async with server.running() as port, client(port) as net:
        with pytest.raises(FeedError, match=r"certificate: Hostname mismatch.*wrong\.example") as caught:
            await net.get(f"https://wrong.example:{port}/feed")
    assert (caught.value.kind, server.requests) == ("tls", [])


async def test_a_certificate_that_nobody_vouches_for_is_named() -> None:
    server = SecureServer()
    async with server.running() as port, client(port) as net:
        with pytest.raises(FeedError, match="certificate: self") as caught:
            await net.get(f"https://good.example:{port}/feed")
    assert (caught.value.kind, server.requests) == ("tls", [])


@pytest.mark.usefixtures("trusted")
async def test_a_password_is_not_sent_on_in_the_clear() -> None:
    with FeedServer() as plain:
        plain.add("/feed", b"plain")
        port = plain.url("").rpartition(":")[2]
        server = SecureServer(location=f"http://good.example:{port}/feed")
        async with server.running() as secure, client(secure, f"good.example:{port}") as net:
            assert (await net.get(f"https://ada:secret@good.example:{secure}/feed")).body == b"plain"
        assert b"\r\nauthorization: basic " in server.requests[0].lower()
        assert "authorization" not in plain.seen[0].headers
