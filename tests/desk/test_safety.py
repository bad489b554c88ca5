"""Access control (token, host, origin, proxy), and hostile articles (XSS), which must be inert."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr

from pipeline.articles.front_matter import dumps, loads
from pipeline.checks.pool import CheckPool
from pipeline.config import Settings
from pipeline.storage import Database
from tests.desk.conftest import Desk
from tests.desk.server import DeskServer, Visitor
from tests.fakes.stock import TOKEN, fill, layout

HOSTILE = """## Overview

<script>alert(1)</script> <img src=x onerror=alert(1)> <svg onload=alert(1)>
<style>body{display:none}</style> <a href="javascript:alert(1)">a</a>

[link](javascript:alert(1)) [data](data:text/html,<script>alert(1)</script>) ![i](http://evil.example/x.png)
<iframe src="http://evil.example"></iframe> &lt;script&gt; {{ 7*7 }} {% raw %}
\u202eright to left\u202c \U000f0000\U000f0001 ``` code `

| a | b |
|---|---|
| <b onclick="x()">c</b> | d |
"""


SECRET = "a word between proxy and desk"


def plain(server: DeskServer, **headers: str) -> httpx.Client:
    return httpx.Client(base_url=server.url, headers=headers, timeout=300)


def test_requests_without_the_token_are_refused(desk: Desk) -> None:
    with plain(desk.server, Origin=desk.server.url) as stranger:
        for method, path in (
            ("GET", "/"),
            ("GET", "/static/desk.css"),
            ("POST", "/bulk"),
            ("GET", "/nothing"),
        ):
            answer = stranger.request(method, path)
            assert answer.status_code == 401
            assert "copydesk desk" in answer.text
        assert stranger.get("/?token=wrong").status_code == 401
        assert stranger.get("/", headers={"Cookie": f"copydesk-{desk.server.port}=0"}).status_code == 401


def test_the_link_signs_a_browser_in_and_leaves_the_address(desk: Desk) -> None:
    with plain(desk.server) as browser:
        answer = browser.get(f"/?token={TOKEN}&feed=x")
        assert answer.status_code == 303
        assert answer.headers["location"] == "/?feed=x"
        cookie = answer.headers["set-cookie"]
        assert cookie.startswith(f"copydesk-{desk.server.port}=")
        assert TOKEN not in cookie
        assert "HttpOnly" in cookie
        assert "SameSite=Lax" in cookie
        assert browser.get("/", follow_redirects=True).status_code == 200


def test_the_link_leads_nowhere_else(desk: Desk) -> None:
    with plain(desk.server) as browser:
        for path in ("//evil.example/", "/\\evil.example/", "///evil.example"):
            answer = browser.send(
                httpx.Request(
                    "GET", f"{desk.server.url}{path}?token={TOKEN}", headers={"Host": desk.server.url[7:]}
                )
            )
            assert answer.status_code == 303
            assert re.match(r"/[^/\\]", answer.headers["location"])
        assert desk.ada.post("/name", data={"name": "Ada", "next": "//evil.example"}).url.path == "/"


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:1", "127.0.0.1:1", "127.0.0.1.evil.example", ""]
)
def test_a_name_that_is_not_ours_is_refused(desk: Desk, host: str) -> None:
    answer = desk.ada.get("/", headers={"Host": host})
    assert answer.status_code == 400


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": ""},
        {"Origin": "null"},
        {"Origin": "http://evil.example"},
        {"Origin": "http://["},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
    ],
)
def test_a_form_from_elsewhere_changes_nothing(desk: Desk, headers: dict[str, str]) -> None:
    ref = desk.refs[1]
    sha256 = desk.ada.hidden(f"/drafts/{ref}", "sha256")
    answer = desk.ada.post(f"/drafts/{ref}/approve", data={"sha256": sha256, "light": "1"}, headers=headers)
    assert answer.status_code == 403
    assert desk.exists(ref, "drafts")


def test_a_form_without_an_origin_changes_nothing(desk: Desk) -> None:
    desk.ada.headers.pop("Origin")
    assert desk.ada.post(f"/drafts/{desk.refs[1]}/approve", data={"sha256": ""}).status_code == 403


@pytest.mark.parametrize(
    "path",
    [
        "/static/../app.py",
        "/static/%2e%2e/app.py",
        "/static/..%2f..%2fpyproject.toml",
        "/drafts/..%2f..%2fetc%2fpasswd",
        "/drafts/../../etc/passwd",
        "/drafts/%00",
        "/drafts/zzzz",
        "/nothing",
    ],
)
def test_a_path_that_leads_elsewhere_leads_nowhere(desk: Desk, path: str) -> None:
    url = httpx.URL(desk.server.url).copy_with(raw_path=path.encode())
    answer = desk.ada.send(desk.ada.build_request("GET", url))
    assert answer.status_code == 404
    assert "create_app" not in answer.text
    assert "root:" not in answer.text


def test_pages_say_what_they_may_do(desk: Desk) -> None:
    answer = desk.ada.get("/")
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["referrer-policy"] == "same-origin"
    assert "immutable" in desk.ada.get("/static/desk.css").headers["cache-control"]


def test_no_page_has_a_script_or_style_of_its_own_or_asks_anybody_else(desk: Desk) -> None:
    ref = desk.refs[0]
    for path in (
        "/",
        f"/drafts/{ref}",
        f"/drafts/{ref}/edit",
        f"/drafts/{ref}/history",
        "/published",
        "/recent",
    ):
        page = desk.ada.page(path)
        assert not re.search(r"<script(?![^>]*\bsrc=\"/static/)", page)
        assert not re.search(r"<style|\sstyle=|\son[a-z]+=", page)
        assert not re.search(r'(?:src|action)="(?:https?:)?//', page)


def hostile(settings: Settings, ref: str, body: str, title: str) -> None:
    """Put a body and a title into a draft's file, as a model or anybody on this machine might."""
    with Database.open(settings.database_url) as db:
        path = settings.output / db.drafts.get(ref).path
    metadata, _ = loads(path.read_text())
    metadata["title"] = title
    metadata["description"] = "<script>alert(2)</script>"
    path.write_text(dumps(metadata, body))


class Inert(HTMLParser):
    """Fails at an element, attribute or address that could do something."""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag not in ("iframe", "svg", "img", "style", "object", "base", "embed"), tag
        for name, value in attrs:
            assert not name.startswith("on"), name
            assert name != "style"
            if name in ("href", "src", "action", "hx-post"):
                assert re.match(r"https?://|/|#", value or ""), value
        if tag == "script":
            assert dict(attrs)["src"].startswith("/static/")  # type: ignore[union-attr]


def inert(page: str) -> None:
    Inert().feed(page)


def test_a_hostile_article_is_inert(desk: Desk) -> None:
    ref = desk.refs[1]
    hostile(desk.settings, ref, HOSTILE, '"><script>alert(3)</script>')
    for path in (f"/drafts/{ref}", f"/drafts/{ref}/edit", f"/drafts/{ref}/compare"):
        inert(desk.ada.page(path))
    inert(desk.ada.post("/preview", data={"body": HOSTILE}).text)
    sha256 = desk.ada.hidden(f"/drafts/{ref}", "sha256")
    refused = desk.ada.post(f"/drafts/{ref}/approve", data={"sha256": sha256, "light": "1"})
    assert refused.status_code == 409
    inert(refused.text)


PIECES = ("a", "[", "*a_ ", "> ", "`")


@pytest.mark.parametrize("piece", PIECES)
def test_a_long_text_does_no_harm(desk: Desk, piece: str) -> None:
    _show(desk.settings, desk.refs[1], desk.ada, piece * (15_000 // len(piece)))


@pytest.mark.soak
@pytest.mark.process
@pytest.mark.parametrize("piece", PIECES)
def test_a_million_characters_do_no_harm(desk: Desk, piece: str) -> None:
    """Checks are given up in their workers; `test_a_long_text_does_no_harm` shows the same pages."""
    with DeskServer(desk.settings, checks=CheckPool(workers=2)) as server, Visitor(server) as ada:
        _show(desk.settings, desk.refs[1], ada, piece * (1_000_000 // len(piece)))


def _show(settings: Settings, ref: str, ada: Visitor, body: str) -> None:
    hostile(settings, ref, body, "x" * 100_000)
    assert ada.get(f"/drafts/{ref}").status_code == 200
    assert ada.post("/preview", data={"body": body[:300_000]}).status_code == 200


def test_too_much_is_refused(desk: Desk) -> None:
    answer = desk.ada.post("/preview", data={"body": "a" * 4_000_001})
    assert answer.status_code == 413


@pytest.fixture
def proxied(tmp_path: Path) -> Iterator[DeskServer]:
    settings = layout(tmp_path / "project")
    fill(settings, 1)
    hosts = frozenset(("desk.example.org",))
    secret = SecretStr(SECRET)
    with DeskServer(settings, hosts=hosts, user_header="X-Forwarded-User", user_secret=secret) as server:
        yield server


def test_a_configured_proxy_signs_editors_in(proxied: DeskServer) -> None:
    headers = {"Host": "desk.example.org", "X-Copydesk-Secret": SECRET}
    with plain(proxied, **headers, **{"X-Forwarded-User": "Grace"}) as browser:
        assert ">Grace</a>" in browser.get("/").text
    with plain(proxied, **headers) as browser:
        assert browser.get("/").status_code == 401


@pytest.mark.parametrize("secret", [None, "", "another word that is long enough"])
def test_the_user_header_is_ignored_without_the_proxys_secret(
    proxied: DeskServer, caplog: pytest.LogCaptureFixture, secret: str | None
) -> None:
    secret_header = {} if secret is None else {"X-Copydesk-Secret": secret}
    with plain(proxied, **{"X-Forwarded-User": "Grace"}, **secret_header) as browser:
        assert browser.get("/").status_code == 401
    assert "401" in str(caplog.text) or "Not signed in" in caplog.text
    assert SECRET not in caplog.text
    # The link signs in under the name that was given in that browser.
    with Visitor(proxied, "Ada") as ada:
        page = ada.get("/", headers={"X-Forwarded-User": "Grace", **secret_header}).text
    assert ">Ada</a>" in page
    assert "Grace" not in page


def test_a_user_header_that_is_not_configured_is_ignored(desk: Desk) -> None:
    with plain(desk.server, **{"X-Forwarded-User": "Mallory"}) as browser:
        assert browser.get("/").status_code == 401
