"""A named Prefect server that cannot be used is a one-line error before the run starts."""

import socket
from collections.abc import Callable

import prefect
import pytest
from prefect.settings import PREFECT_API_URL, temporary_settings

from flows.prefect_api import require_api, require_api_url
from pipeline.domain.errors import ConfigError
from tests.fakes.feed_server import FeedServer


@pytest.mark.parametrize(
    "url",
    [
        "nonsense",
        "127.0.0.1:4200/api",
        "ftp://prefect.example/api",
        "http://",
        "http://[",
        "http://127.0.0.1:99999/api",
    ],
)
def test_an_invalid_url_is_shown(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("PREFECT_API_URL", url)
    with pytest.raises(ConfigError) as caught:
        require_api_url()
    assert caught.value.message.startswith(f"PREFECT_API_URL {url!r} is not an http(s) URL; ")
    assert "or unset it" in caught.value.message


def test_a_url_that_may_contain_a_password_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PREFECT_API_URL", "ada:secret@prefect.example/api")
    with pytest.raises(ConfigError) as caught:
        require_api_url()
    assert "secret" not in caught.value.message


@pytest.mark.parametrize("url", ["", " ", "http://127.0.0.1:4200/api", "https://ada:secret@prefect.example"])
def test_a_valid_or_empty_url_is_accepted(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("PREFECT_API_URL", url)
    require_api_url()


def answering(server: FeedServer, version: str) -> None:
    server.add("/api/admin/version", f'"{version}"'.encode(), content_type="application/json")
    server.add("/api/health", b"true", content_type="application/json")


def another(server: FeedServer) -> None:
    answering(server, "99.0.0")


def a_page(server: FeedServer) -> None:
    server.add("/api/admin/version", b"<html>Welcome</html>", content_type="text/html")


def a_login(server: FeedServer) -> None:
    server.add("/api/admin/version", b"{}", status=401)


def nothing(_server: FeedServer) -> None:
    """Answer 404 to everything."""


@pytest.mark.parametrize(
    ("offered", "message"),
    [
        (nothing, "no Prefect server answers there"),
        (a_page, "no Prefect server answers there"),
        (a_login, "requires a login (HTTP 401): set PREFECT_API_KEY or PREFECT_API_AUTH_STRING"),
        (another, "Found incompatible versions"),
    ],
)
async def test_an_answer_of_another_server_is_an_error(
    offered: Callable[[FeedServer], None], message: str
) -> None:
    with FeedServer() as server:
        offered(server)
        url = server.url("/api")
        with temporary_settings({PREFECT_API_URL: url}), pytest.raises(ConfigError) as caught:
            await require_api()
    assert caught.value.message.startswith(f"PREFECT_API_URL {url}")
    assert message in caught.value.message
    assert "\n" not in caught.value.message


async def test_without_a_server_the_error_names_the_fix() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound but not listening: nobody else can take it either
        place = f"127.0.0.1:{taken.getsockname()[1]}/api"
        named = temporary_settings({PREFECT_API_URL: f"http://ada:secret@{place}"})
        with named, pytest.raises(ConfigError) as caught:
            await require_api()
    assert caught.value.message.startswith(
        f"PREFECT_API_URL http://{place}: no Prefect server answers there; "
    )
    assert "start that server" in caught.value.message


async def test_a_prefect_server_or_none_is_accepted() -> None:
    with FeedServer() as server:
        answering(server, prefect.__version__)
        with temporary_settings({PREFECT_API_URL: server.url("/api")}):
            await require_api()
        assert server.requests
    with temporary_settings({PREFECT_API_URL: None}):
        await require_api()
