"""The HTTP client against a real server on loopback."""

import asyncio
import contextlib
import gzip
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from pipeline.domain.errors import FeedError
from pipeline.http_client import HttpClient, RequestLimits, Response, redact_url
from pipeline.http_client.ssrf import url_origin
from tests.fakes.feed_server import FeedServer


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[FeedServer]:
    monkeypatch.setenv("NO_PROXY", "*")
    with FeedServer() as running:
        yield running


async def get(
    url: str, headers: tuple[tuple[str, str], ...] = (), allowed: frozenset[str] | None = None, **limits: Any
) -> Response:
    if allowed is None:
        allowed = frozenset()
        with contextlib.suppress(ValueError):
            allowed = frozenset((url_origin(url),))
    async with HttpClient("copydesk-test", RequestLimits(**limits), allowed=allowed) as net:
        return await net.get(url, headers)


async def failure(url: str, **limits: Any) -> FeedError:
    with pytest.raises(FeedError) as caught:
        await get(url, **limits)
    assert "\n" not in caught.value.message
    return caught.value


async def test_a_response_has_status_url_headers_and_body(server: FeedServer) -> None:
    url = server.add("/feed", b"\xff\x00body", status=418, headers={"X-Odd": "One"})
    answer = await get(url, (("If-None-Match", '"1"'),))
    assert (answer.status, answer.url, answer.body) == (418, url, b"\xff\x00body")
    assert answer.headers["x-odd"] == "One"
    [request] = server.seen
    assert request.headers["user-agent"] == "copydesk-test"
    assert request.headers["accept-encoding"] == "gzip"
    assert request.headers["if-none-match"] == '"1"'


async def test_redirects_are_followed_to_the_final_url(server: FeedServer) -> None:
    end = server.add("/end", b"here")
    start = server.add("/start", status=301, headers={"Location": "/end"})
    answer = await get(start)
    assert (answer.url, answer.body) == (end, b"here")


async def test_a_redirect_loop_ends(server: FeedServer) -> None:
    url = server.add("/circle", status=302, headers={"Location": "/circle"})
    assert (await failure(url, max_redirects=3)).kind == "redirects"
    assert server.requests == 4


async def test_a_redirect_out_of_the_web_is_refused(server: FeedServer) -> None:
    url = server.add("/start", status=302, headers={"Location": "file:///etc/passwd"})
    assert (await failure(url)).kind == "url"


@pytest.mark.parametrize(
    "url", ["file:///etc/passwd", "ftp://a.example/", "gopher://a", "http://", "no url", "http://[", ""]
)
async def test_only_the_web_is_fetched(url: str) -> None:
    assert (await failure(url)).kind in {"url", "unreachable"}


async def test_gzip_is_decoded(server: FeedServer) -> None:
    assert (await get(server.add("/zip", b"text" * 1000, compress=True))).body == b"text" * 1000


async def test_broken_gzip_is_named(server: FeedServer) -> None:
    url = server.add("/zip", b"this is no archive", headers={"Content-Encoding": "gzip"})
    assert (await failure(url)).kind == "http"


async def test_an_unrequested_encoding_is_refused(server: FeedServer) -> None:
    url = server.add("/br", b"\x0b\x02\x80", headers={"Content-Encoding": "br"})
    assert "'br'" in (await failure(url)).message


async def test_what_has_no_body_is_in_no_encoding(server: FeedServer) -> None:
    url = server.add("/feed", status=304, headers={"Content-Encoding": "br"})
    assert (await get(url)).status == 304


async def test_an_error_status_is_returned_whatever_its_body(server: FeedServer) -> None:
    url = server.add(
        "/feed", b"\x0b\x02\x80", status=429, headers={"Content-Encoding": "br", "Retry-After": "9"}
    )
    answer = await get(url)
    assert (answer.status, answer.headers["retry-after"], answer.body) == (429, "9", b"")


async def test_repeated_headers_are_joined(server: FeedServer) -> None:
    repeated = b"Vary: a\r\nvary: b\r\nX-Robots-Tag: bot: none\r\nx-robots-tag: noai\r\n"
    url = server.add_raw("/feed", b"HTTP/1.1 200 OK\r\n" + repeated + b"\r\n")
    headers = (await get(url)).headers
    assert (headers["vary"], headers["x-robots-tag"]) == ("a, b", "bot: none\nnoai")


async def test_the_limit_counts_decoded_bytes(server: FeedServer) -> None:
    bomb = server.add("/bomb", gzip.compress(bytes(5_000_000)), headers={"Content-Encoding": "gzip"})
    assert (await failure(bomb, max_bytes=100_000)).kind == "too-large"
    plain = server.add("/plain", bytes(1001))
    assert (await failure(plain, max_bytes=1000)).kind == "too-large"
    assert len((await get(plain, max_bytes=1001)).body) == 1001


async def test_a_slow_body_times_out(server: FeedServer) -> None:
    # Each byte arrives well before a read would time out: only a deadline for the whole ends this.
    url = server.add("/drip", b"x" * 10_000, drip_s=0.05)
    assert (await failure(url, timeout_s=0.4)).kind == "timeout"


async def test_redirects_do_not_stretch_the_deadline(server: FeedServer) -> None:
    for number in range(5):
        server.add(f"/{number}", status=302, headers={"Location": f"/{number + 1}"}, delay_s=0.3)
    server.add("/5", b"x")
    assert (await failure(server.url("/0"), timeout_s=0.8)).kind == "timeout"


async def test_a_silent_server_times_out(server: FeedServer) -> None:
    assert (await failure(server.add("/mute", b"x", delay_s=60), timeout_s=0.2)).kind == "timeout"


async def test_a_connection_that_breaks_off_is_named(server: FeedServer) -> None:
    url = server.add("/cut", b"x" * 1000, cut_at=10)
    assert (await failure(url)).kind == "http"


async def test_a_closed_port_is_unreachable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "*")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound but not listening: nobody else can take it either
        error = await failure(f"http://127.0.0.1:{taken.getsockname()[1]}/feed")
    assert error.kind == "unreachable"
    assert "127.0.0.1" in error.message


async def test_an_unknown_host_is_unreachable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "*")
    assert (await failure("http://no-such-host.invalid/feed")).kind == "unreachable"


async def test_a_server_without_tls_is_named(server: FeedServer) -> None:
    url = server.add("/feed", b"x").replace("http:", "https:")
    error = await failure(url)
    assert error.kind == "tls"
    assert server.requests == 0


def test_a_url_in_a_message_is_redacted() -> None:
    assert (
        redact_url("https://ada:secret@a.example:8443/f.xml?token=secret") == "https://a.example:8443/f.xml?…"
    )
    assert "\n" not in redact_url("https://a.example/\nb")
    assert "[" in redact_url("https://[broken")


async def test_redirects_are_returned_with_their_status(server: FeedServer) -> None:
    end = server.add("/end", b"here")
    middle = server.add("/middle", status=302, headers={"Location": "/end"})
    start = server.add("/start", status=301, headers={"Location": "/middle"})
    assert (await get(start)).redirects == ((301, middle), (302, end))


async def test_cookies_are_not_stored(server: FeedServer) -> None:
    async def loopback(host: str, port: int) -> list[str]:
        return ["127.0.0.1"]

    # By name: cookies of bare addresses are dropped by some jars anyway.
    url = server.add("/feed", b"x", headers={"Set-Cookie": "id=1; Path=/"}).replace("127.0.0.1", "a.example")
    async with HttpClient("test", allowed=[url_origin(url)], resolve=loopback) as net:
        await net.get(url)
        await net.get(url)
    assert len(server.seen) == 2
    assert all("cookie" not in request.headers for request in server.seen)


async def test_a_password_goes_only_to_its_own_host(server: FeedServer) -> None:
    with FeedServer() as other:
        target = other.add("/feed", b"x")
        start = server.add("/feed", status=302, headers={"Location": target})
        url = start.replace("http://", "http://ada:secret@")
        assert (await get(url, allowed=server.hosts | other.hosts)).body == b"x"
        assert server.seen[0].headers["authorization"].startswith("Basic ")
        assert "authorization" not in other.seen[0].headers


async def test_a_redirect_is_returned_without_its_password(server: FeedServer) -> None:
    end = server.add("/end", b"x")
    secret = end.replace("http://", "http://ada:secret@")
    answer = await get(server.add("/start", status=302, headers={"Location": secret}))
    assert (answer.url, answer.redirects) == (end, ((302, end),))


async def test_a_cancelled_request_leaves_nothing_behind(server: FeedServer) -> None:
    async with HttpClient("test", allowed=server.hosts) as net:
        waiting = asyncio.create_task(net.get(server.add("/mute", b"x", delay_s=60)))
        dripping = asyncio.create_task(net.get(server.add("/drip", b"x" * 10_000, drip_s=0.05)))
        while server.requests < 2:
            await asyncio.sleep(0.01)
        waiting.cancel()
        dripping.cancel()
        await asyncio.gather(waiting, dripping, return_exceptions=True)
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_a_redirect_is_followed_without_a_body(server: FeedServer) -> None:
    server.add("/end", b"here")
    await get(server.add("/start", status=302, headers={"Location": "/end"}))
    assert not {"transfer-encoding", "content-type", "content-length"} & set(server.seen[1].headers)


async def post(url: str) -> Response:
    async with HttpClient("copydesk-test", allowed=frozenset((url_origin(url),))) as net:
        return await net.post(url)


async def test_a_post_follows_no_redirect(server: FeedServer) -> None:
    server.add("/end", b"here")
    url = server.add("/start", status=302, headers={"Location": "/end"})
    assert (await post(url)).status == 302
    [request] = server.seen
    assert (request.method, request.body, request.headers["content-length"]) == ("POST", b"", "0")


async def test_a_post_keeps_to_the_public_internet(server: FeedServer) -> None:
    async with HttpClient("copydesk-test") as net:
        with pytest.raises(FeedError) as caught:
            await net.post(server.add("/build"))
    assert caught.value.kind == "forbidden-address"
    assert server.seen == []
