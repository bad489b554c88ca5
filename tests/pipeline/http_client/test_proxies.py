"""The proxies of the environment."""

import socket

import pytest

from pipeline.domain.errors import ConfigError, FeedError
from pipeline.http_client import HttpClient, require_usable_proxies
from pipeline.http_client.transport import proxy_patterns
from tests.fakes.feed_server import FeedServer

PROXY = "http://proxy.example:3128"


@pytest.mark.parametrize(
    ("proxies", "expected"),
    [
        ({}, {}),
        ({"no": "a.example"}, {}),
        ({"http": PROXY}, {"http://": PROXY}),
        ({"https": "proxy.example:3128"}, {"https://": PROXY}),
        ({"all": PROXY, "no": "*"}, {}),
        ({"all": PROXY, "no": "localhost,"}, {"all://": PROXY, "all://localhost": None}),
        ({"all": PROXY, "no": ".a.example"}, {"all://": PROXY, "all://*.a.example": None}),
        ({"all": PROXY, "no": "*.a.example"}, {"all://": PROXY, "all://*.a.example": None}),
        (
            {"all": PROXY, "no": "10.0.0.1, ::1"},
            {"all://": PROXY, "all://10.0.0.1": None, "all://[::1]": None},
        ),
        ({"http": PROXY, "https": PROXY, "all": "socks5://x:1"}, {"http://": PROXY, "https://": PROXY}),
    ],
)
def test_proxies_become_patterns(proxies: dict[str, str], expected: dict[str, str | None]) -> None:
    assert proxy_patterns(proxies) == expected


@pytest.mark.parametrize(
    "url", ["socks5://ada:secret@proxy.example:1080", "http://[", "http://", "http://a:x"]
)
def test_a_proxy_that_cannot_be_used_is_named(url: str) -> None:
    with pytest.raises(ConfigError) as caught:
        proxy_patterns({"all": url})
    assert "ALL_PROXY" in caught.value.message
    assert "secret" not in caught.value.message


def only(monkeypatch: pytest.MonkeyPatch, **proxies: str) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    for name, value in proxies.items():
        monkeypatch.setenv(name, value)


@pytest.mark.parametrize("variable", ["ALL_PROXY", "all_proxy", "HTTP_PROXY", "https_proxy"])
@pytest.mark.parametrize("scheme", ["socks5", "socks5h", "SOCKS4"])
def test_the_error_names_the_variable_of_a_socks_proxy(
    monkeypatch: pytest.MonkeyPatch, variable: str, scheme: str
) -> None:
    # No host is left to it: the libraries take it all the same.
    only(monkeypatch, **{variable: f"{scheme}://ada:secret@127.0.0.1:1080", "NO_PROXY": "127.0.0.1"})
    with pytest.raises(ConfigError) as caught:
        require_usable_proxies()
    message = (
        f"{variable} names a SOCKS proxy ({scheme.lower()}://127.0.0.1:1080), and Copydesk speaks to http(s)"
    )
    assert caught.value.message.startswith(message)
    assert caught.value.message.endswith(f"or take {variable} out of the environment")


@pytest.mark.parametrize(
    "proxies",
    [
        {},
        {"HTTP_PROXY": PROXY, "https_proxy": "proxy.example:3128", "ALL_PROXY": "https://proxy.example"},
        {"ALL_PROXY": "socks5://x:1", "NO_PROXY": "a.example, *"},
        {"ALL_PROXY": ""},
    ],
)
def test_other_proxies_are_taken(monkeypatch: pytest.MonkeyPatch, proxies: dict[str, str]) -> None:
    only(monkeypatch, **proxies)
    require_usable_proxies()


async def test_no_request_bypasses_a_socks_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    only(monkeypatch, all_proxy="socks5://127.0.0.1:1", NO_PROXY="127.0.0.1")
    with FeedServer() as server:
        url = server.add("/feed", b"<rss/>")
        async with HttpClient("test", allowed=server.hosts) as net:
            for request in (net.get(url), net.post(url)):
                with pytest.raises(FeedError, match="all_proxy names a SOCKS proxy") as caught:
                    await request
        assert (caught.value.kind, server.requests) == ("proxy", 0)


async def test_a_proxy_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_PROXY", "no_proxy", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    with FeedServer() as server:
        monkeypatch.setenv("HTTP_PROXY", server.url("").replace("http://", "http://ada:secret@"))
        server.add("http://news.example/feed", b"by proxy")
        async with HttpClient("test") as net:
            assert (await net.get("http://news.example/feed")).body == b"by proxy"
            with pytest.raises(FeedError, match="public internet"):
                await net.get("http://10.0.0.1/feed")
        [request] = server.seen
        assert request.headers["proxy-authorization"].startswith("Basic ")


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_an_unreachable_proxy_is_named(monkeypatch: pytest.MonkeyPatch, scheme: str) -> None:
    for name in ("NO_PROXY", "no_proxy", "http_proxy", "https_proxy"):
        monkeypatch.delenv(name, raising=False)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound but not listening: nobody else can take it either
        monkeypatch.setenv(f"{scheme.upper()}_PROXY", f"127.0.0.1:{taken.getsockname()[1]}")
        async with HttpClient("test") as net:
            with pytest.raises(FeedError, match="through the proxy") as caught:
                await net.get(f"{scheme}://news.example/feed")
    assert caught.value.kind == "unreachable"
