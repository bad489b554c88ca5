"""Credentials of a feed go to the origin of its URL, and nowhere else."""

import socket
from collections.abc import Iterator

import aiohttp
import pytest

from pipeline.domain.errors import FeedError
from pipeline.domain.feed_access import Credentials
from pipeline.domain.urls import web_origin
from pipeline.feeds.pages.fetch import PageFetcher
from pipeline.feeds.pages.site_files import SiteFile, SiteUrl
from pipeline.http_client import HttpClient
from pipeline.http_client.errors import to_feed_error
from tests.fakes.feed_server import FeedServer

SECRETS = (
    ("Authorization", "Bearer s3same"),
    ("Cookie", "session=s3same"),
    ("X-Api-Key", "s3same"),
    ("User-Agent", "Reader/s3same"),
)


@pytest.fixture
def server() -> Iterator[FeedServer]:
    with FeedServer() as server:
        yield server


@pytest.fixture
def other() -> Iterator[FeedServer]:
    with FeedServer() as other:
        yield other


def client(*servers: FeedServer, proxy: str | None = None, error: str | None = None) -> HttpClient:
    """Return a client with credentials of the feed `paid` at the first server."""
    login = Credentials(
        web_origin(servers[0].url("/")), SECRETS, proxy, "PAID_PROXY" if proxy else None, error
    )
    hosts = frozenset[str]().union(*(server.hosts for server in servers))
    return HttpClient("Copydesk/test", allowed=hosts, credentials={"paid": login})


def sent(server: FeedServer, number: int = 0) -> dict[str, str]:
    headers = server.seen[number].headers
    return {name: headers.get(name.lower(), "") for name, _ in SECRETS}


NOTHING = {"Authorization": "", "Cookie": "", "X-Api-Key": "", "User-Agent": "Copydesk/test"}


async def test_a_request_of_the_feed_has_them(server: FeedServer) -> None:
    async with client(server) as net:
        await net.get(server.add("/feed", b"x"), feed="paid")
    assert sent(server) == dict(SECRETS)


async def test_other_requests_do_not(server: FeedServer, other: FeedServer) -> None:
    async with client(server, other) as net:
        await net.get(server.add("/feed", b"x"))
        await net.get(server.add("/feed", b"x"), feed="free")
        await net.get(other.add("/feed", b"x"), feed="paid")
    assert [sent(server, 0), sent(server, 1), sent(other)] == [NOTHING] * 3


async def test_a_host_with_an_international_name_gets_them(server: FeedServer) -> None:
    async def loopback(_host: str, _port: int) -> list[str]:
        return ["127.0.0.1"]

    port = server.url("").rpartition(":")[2]
    url = f"http://bücher.example:{port}/feed"
    login = Credentials(web_origin(url), SECRETS)
    server.add("/feed", b"x")
    allowed = {f"xn--bcher-kva.example:{port}"}
    async with HttpClient(
        "Copydesk/test", allowed=allowed, resolve=loopback, credentials={"paid": login}
    ) as net:
        await net.get(url, feed="paid")
        await net.get(f"http://xn--bcher-kva.example:{port}/feed", feed="paid")
    assert [sent(server, 0), sent(server, 1)] == [dict(SECRETS)] * 2


async def test_a_redirect_to_another_origin_does_not_have_them(server: FeedServer, other: FeedServer) -> None:
    back = server.add("/back", b"x")
    away = other.add("/away", status=302, headers={"Location": back})
    start = server.add("/start", status=302, headers={"Location": "/next"})
    server.add("/next", status=307, headers={"Location": away})
    async with client(server, other) as net:
        assert (await net.get(start, feed="paid")).body == b"x"
    assert [sent(server, number) for number in range(3)] == [dict(SECRETS)] * 3
    assert sent(other) == NOTHING


async def test_pages_of_the_origin_have_them_and_pages_elsewhere_do_not(
    server: FeedServer, other: FeedServer
) -> None:
    async with client(server, other) as net:
        pages = PageFetcher(net)
        for each in (server, other):
            with pytest.raises(FeedError):
                await pages.page(each.url("/article"), feed="paid", delay_s=0)
    asked = {request.path: request.headers.get("x-api-key") for request in server.seen}
    assert asked["/article"] == "s3same"
    assert all("s3same" not in str(request.headers) for request in other.seen)


async def test_requests_to_the_origin_go_through_its_proxy(server: FeedServer, other: FeedServer) -> None:
    server.add("/feed", status=302, headers={"Location": other.add("/away", b"direct")})
    with FeedServer() as proxy:
        proxy.add(server.url("/feed"), status=302, headers={"Location": other.url("/away")})
        address = proxy.url("").replace("http://", "http://ada:s3same@")
        async with client(server, other, proxy=address) as net:
            assert (await net.get(server.url("/feed"), feed="paid")).body == b"direct"
            await net.get(server.add("/free", b"x"))
        assert [request.path for request in proxy.seen] == [server.url("/feed")]
        assert proxy.seen[0].headers["proxy-authorization"].startswith("Basic ")
    assert [request.path for request in server.seen] == ["/free"]
    assert "s3same" not in str(other.seen)


class Store:
    """Site files between runs."""

    def __init__(self) -> None:
        self.files: dict[SiteUrl, SiteFile] = {}

    async def load(self, url: SiteUrl) -> SiteFile | None:
        return self.files.get(url)

    async def save(self, url: SiteUrl, file: SiteFile) -> None:
        self.files[url] = file


async def test_files_of_a_site_are_requested_as_its_feed_is(server: FeedServer) -> None:
    server.add("/robots.txt", b"User-agent: *\nDisallow: /")  # for those who come without the proxy
    license_url = server.url("/license.xml")
    store = Store()
    with FeedServer() as proxy:
        proxy.add(server.url("/robots.txt"), f"User-agent: *\nLicense: {license_url}".encode())
        async with client(server, proxy=proxy.url("")) as net:
            pages = PageFetcher(net, store=store)
            for _ in range(2):
                await pages.require_allowed(server.url("/article"), "paid")
            with pytest.raises(FeedError, match="may not be fetched by robots"):
                await pages.require_allowed(server.url("/article"), "free")
        paths = [request.path.removeprefix(server.url("")) for request in proxy.seen]
    assert paths == ["/robots.txt", "/.well-known/tdmrep.json", "/license.xml"]
    assert [request.path for request in server.seen] == ["/robots.txt"]
    assert {url.feed for url in store.files if url.url == server.url("/robots.txt")} == {"paid", ""}


async def test_a_page_of_a_feed_without_its_variable_names_it(server: FeedServer) -> None:
    async with client(server, error="needs PAID_TOKEN, which is not set") as net:
        with pytest.raises(FeedError, match="needs PAID_TOKEN"):
            await PageFetcher(net).page(server.url("/article"), feed="paid", delay_s=0)
    assert server.requests == 0


async def test_a_variable_that_is_not_set_is_an_error_at_the_origin_alone(
    server: FeedServer, other: FeedServer
) -> None:
    async with client(server, other, error="needs PAID_TOKEN, which is not set") as net:
        with pytest.raises(FeedError, match="needs PAID_TOKEN") as raised:
            await net.get(server.url("/feed"), feed="paid")
        assert (await net.get(other.add("/page", b"x"), feed="paid")).body == b"x"
    assert raised.value.kind == "unset"
    assert server.requests == 0


@pytest.mark.parametrize(
    "proxy", ["http://proxy:99999", "http://[::1", "http://proxy:31x", "http://999.1.1.1"]
)
async def test_a_proxy_that_cannot_be_used_fails_its_feed_alone(server: FeedServer, proxy: str) -> None:
    async with client(server, proxy=proxy) as net:
        with pytest.raises(FeedError, match="proxy in PAID_PROXY") as raised:
            await net.get(server.url("/feed"), feed="paid")
        assert (await net.get(server.add("/free", b"x"), feed="free")).body == b"x"
    assert raised.value.kind == "unset"
    assert proxy not in raised.value.message


async def test_a_dead_proxy_of_a_feed_is_named_by_its_variable(server: FeedServer) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound but not listening: nobody else can take it either
        async with client(server, proxy=f"http://127.0.0.1:{taken.getsockname()[1]}") as net:
            with pytest.raises(FeedError) as raised:
                await net.get(server.url("/feed"), feed="paid")
    assert raised.value.message == "127.0.0.1 cannot be reached through the proxy; check PAID_PROXY"
    assert raised.value.kind == "unreachable"


@pytest.mark.parametrize(
    "error", [socket.gaierror("no such host"), aiohttp.ServerTimeoutError("no connection within 10 s")]
)
def test_a_feed_with_a_proxy_connects_to_that_alone(error: Exception) -> None:
    message = to_feed_error(error, "https://paid.example/feed", "PAID_PROXY").message
    assert message == "paid.example cannot be reached through the proxy; check PAID_PROXY"


async def test_a_bad_proxy_of_the_environment_does_not_concern_a_feed_with_its_own(
    monkeypatch: pytest.MonkeyPatch, server: FeedServer
) -> None:
    monkeypatch.setenv("ALL_PROXY", "socks5://127.0.0.1:1")
    with FeedServer() as proxy:
        proxy.add(server.url("/feed"), b"by proxy")
        async with client(server, proxy=proxy.url("")) as net:
            assert (await net.get(server.url("/feed"), feed="paid")).body == b"by proxy"
            with pytest.raises(FeedError, match="ALL_PROXY names a SOCKS proxy"):
                await net.get(server.url("/free"), feed="free")


def test_secrets_are_not_shown() -> None:
    assert "s3same" not in repr(Credentials("https://a.example:443", SECRETS, "http://ada:s3same@proxy"))


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://A.example/feed", "https://a.example:443"),
        ("https://a.example:443/", "https://a.example:443"),
        ("http://a.example/", "http://a.example:80"),
        ("http://a.example:8080/", "http://a.example:8080"),
        ("https://b.a.example/", "https://b.a.example:443"),
        ("https://ada:x@a.example./", "https://a.example:443"),
        ("https://bücher.example/", "https://xn--bcher-kva.example:443"),
        ("https://BÜCHER.example./", "https://xn--bcher-kva.example:443"),
        ("https://xn--bcher-kva.example/", "https://xn--bcher-kva.example:443"),
        ("https://straße.example/", "https://xn--strae-oqa.example:443"),
        ("https://a。example/", "https://a.example:443"),
        ("https://☃.example/", ""),
        ("ftp://a.example/", ""),
        ("https://a.example:x/", ""),
        ("nothing", ""),
    ],
)
def test_an_origin_is_scheme_host_and_port(url: str, origin: str) -> None:
    assert web_origin(url) == origin
