"""SSRF guard: private networks are refused by address, name, redirect and DNS rebinding."""

import socket
from collections.abc import Sequence

import pytest

from pipeline.domain.errors import FeedError
from pipeline.http_client import HttpClient, RequestLimits
from pipeline.http_client.ssrf import (
    ForbiddenAddress,
    GuardedResolver,
    is_private_address,
    is_private_host,
    origin_of,
    url_origin,
)
from tests.fakes.feed_server import FeedServer

PRIVATE = [
    "127.0.0.1", "127.8.9.10", "0.0.0.0", "0.1.2.3", "10.0.0.1", "172.16.0.1", "172.31.255.255",
    "192.168.1.1", "4000::1", "::ffff:0:7f00:1", "169.254.169.254", "100.64.0.1", "100.127.255.255",
    "192.0.0.1", "192.0.0.8", "192.0.2.1", "192.88.99.1", "198.18.0.1", "198.51.100.1", "203.0.113.1",
    "224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255", "::", "::1", "::7f00:1",
    "::ffff:127.0.0.1", "::ffff:8.8.8.8", "64:ff9b::7f00:1", "64:ff9b::808:808", "64:ff9b:1::1",
    "100::1", "2001::1", "2001:db8::1", "2002:7f00:1::", "2002:808:808::", "fc00::1", "fd12::1",
    "fe80::1", "fe80::1%eth0", "fec0::1", "ff02::1", "3fff::1", "5f00::1", "no address", "",
]  # fmt: skip
PUBLIC = ["8.8.8.8", "1.1.1.1", "93.184.216.34", "2606:4700:4700::1111", "2a00:1450:4001::1"]
ODD = [
    "2130706433", "0x7f000001", "0x7f.1", "127.1", "017700000001", "localhost", "LOCALHOST.", "a.localhost",
    "[::1]", "[::ffff:127.0.0.1]", "printer.local", "router.home.arpa", "db.internal",
]  # fmt: skip


@pytest.mark.parametrize("address", PRIVATE)
def test_an_address_of_no_public_network_is_forbidden(address: str) -> None:
    assert is_private_address(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_the_public_internet_is_open(address: str) -> None:
    assert not is_private_address(address)
    assert not is_private_host(address)


@pytest.mark.parametrize("host", ODD)
def test_every_spelling_of_a_private_host_is_refused(host: str) -> None:
    assert is_private_host(host)


@pytest.mark.parametrize(
    "host", ["example.org", "0x.example", "face.b00c.example", "localhost.example", "dead"]
)
def test_names_are_left_to_the_resolver(host: str) -> None:
    assert not is_private_host(host)


def test_exceptions_are_exact() -> None:
    assert url_origin("http://Feeds.Intra/x") == "feeds.intra:80"
    assert url_origin("https://[::1]/x") == "[::1]:443"
    assert origin_of("::1", 8080) == "[::1]:8080"


class Resolver:
    """Returns another list of addresses at each call (DNS rebinding)."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self.answers = list(answers)
        self.calls: list[tuple[str, int]] = []

    async def __call__(self, host: str, port: int) -> list[str]:
        self.calls.append((host, port))
        return list(self.answers.pop(0) if len(self.answers) > 1 else self.answers[0])


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "*")


async def kind_of(url: str, resolver: Resolver | None = None, allowed: Sequence[str] = ()) -> str:
    net = HttpClient(
        "test", RequestLimits(timeout_s=60), allowed=allowed, resolve=resolver or Resolver(["127.0.0.1"])
    )
    async with net:
        with pytest.raises(FeedError) as caught:
            await net.get(url)
    return caught.value.kind


@pytest.mark.parametrize(
    "host",
    [
        *ODD,
        "127.0.0.1",
        "[fe80::1]",
        "0.0.0.0",
        "[64:ff9b::7f00:1]",
        "①②⑦.0.0.1",
        "10。0。0。1",
        "127%2e0.0.1",
    ],
)
async def test_an_address_in_a_url_is_refused(host: str) -> None:
    with FeedServer() as server:
        port = server.url("").rpartition(":")[2]
        assert await kind_of(f"http://{host}:{port}/feed") in {"forbidden-address", "url"}
        assert server.requests == 0


@pytest.mark.parametrize("address", ["127.0.0.1", "10.0.0.1", "169.254.169.254", "::1", "::ffff:127.0.0.1"])
async def test_a_name_that_leads_inside_is_refused(address: str) -> None:
    resolver = Resolver([address])
    assert await kind_of("http://feeds.example/rss", resolver) == "forbidden-address"
    assert resolver.calls == [("feeds.example", 80)]


async def test_dns_rebinding_is_refused() -> None:
    with FeedServer() as server:
        server.add("/feed", b"secret")
        port = int(server.url("").rpartition(":")[2])
        # The public answer is checked and connected to; there is no second question to lie to.
        resolver = Resolver(["192.0.2.1", "127.0.0.1"], ["127.0.0.1"])
        assert await kind_of(f"http://rebind.example:{port}/feed", resolver) == "forbidden-address"
        assert await kind_of(f"http://rebind.example:{port}/feed", resolver) == "forbidden-address"
        assert server.requests == 0


@pytest.mark.parametrize(
    "target", ["http://127.0.0.1:{other}/", "http://[::1]/", "http://10.1.2.3/", "//localhost/"]
)
async def test_a_redirect_that_leads_inside_is_refused(target: str) -> None:
    with FeedServer() as server, FeedServer() as inside:
        inside.add("/", b"secret")
        target = target.format(other=inside.url("").rpartition(":")[2])
        url = server.add("/feed", status=301, headers={"Location": target})
        assert await kind_of(url, allowed=list(server.hosts)) == "forbidden-address"
        assert (server.requests, inside.requests) == (1, 0)


async def test_a_redirect_into_any_other_network_is_refused() -> None:
    with FeedServer() as server:
        async with HttpClient("test", RequestLimits(timeout_s=60), allowed=server.hosts) as net:
            for address in PRIVATE[:-2]:
                host = f"[{address}]" if ":" in address else address
                url = server.add("/feed", status=302, headers={"Location": f"http://{host}/"})
                with pytest.raises(FeedError) as caught:
                    await net.get(url)
                assert caught.value.kind == "forbidden-address", host


async def test_only_the_public_addresses_of_a_name_are_tried() -> None:
    guard = GuardedResolver({"feeds.intra:80"}, Resolver(["10.0.0.1", "1.1.1.1", "::1"]))
    assert [result["host"] for result in await guard.resolve("mixed.example", 80)] == ["1.1.1.1"]
    assert len(await guard.resolve("feeds.intra", 80)) == 3


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "10.0.0.1", "2002:7f00:1::"])
def test_no_socket_is_made_for_a_forbidden_address(address: str) -> None:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    info = (family, socket.SOCK_STREAM, 0, "", (address, 8080))
    with pytest.raises(ForbiddenAddress):
        GuardedResolver([origin_of(address, 8081)], Resolver([])).make_socket(info)
    GuardedResolver([origin_of(address, 8080)], Resolver([])).make_socket(info).close()


async def test_an_exception_covers_only_its_port() -> None:
    with FeedServer() as server, FeedServer() as other:
        url = server.add("/feed", b"open")
        async with HttpClient("test", allowed=server.hosts) as net:
            assert (await net.get(url)).body == b"open"
        assert await kind_of(other.url("/feed"), allowed=list(server.hosts)) == "forbidden-address"


async def test_a_name_may_be_an_exception_too() -> None:
    with FeedServer() as server:
        server.add("/feed", b"intra")
        port = server.url("").rpartition(":")[2]
        name = f"feeds.intra:{port}"
        async with HttpClient("test", allowed=[name], resolve=Resolver(["127.0.0.1"])) as net:
            assert (await net.get(f"http://FEEDS.intra:{port}/feed")).body == b"intra"
        resolver = Resolver(["127.0.0.1"])
        assert await kind_of(f"http://evil.example:{port}/feed", resolver, [name]) == "forbidden-address"
