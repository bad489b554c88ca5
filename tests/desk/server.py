"""The real desk on loopback, served by a thread, and an HTTP client that acts as a browser."""

import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from html import unescape
from types import TracebackType
from typing import Self

import httpx
import uvicorn

from desk import create_app
from desk.auth import AccessPolicy
from pipeline.checks.pool import CheckPool
from pipeline.config import Settings
from pipeline.storage import Database, DraftRow
from tests.fakes.checks import ChecksHere
from tests.fakes.stock import TOKEN


class DeskServer:
    """A desk that listens on a free port; it checks in this process where no pool is given."""

    def __init__(
        self,
        settings: Settings,
        covers_api: str = "http://127.0.0.1:9",
        checks: CheckPool | None = None,
        **access: object,
    ) -> None:
        self.settings = settings
        self._socket = socket.socket()
        self._socket.bind(("127.0.0.1", 0))
        self.port = int(self._socket.getsockname()[1])
        self.url = f"http://127.0.0.1:{self.port}"
        policy = AccessPolicy(port=self.port, token=TOKEN, **access)  # type: ignore[arg-type]
        app = create_app(settings, policy, covers_api=covers_api, checks=checks or ChecksHere())
        # With a log_config or a level, uvicorn would configure the loggers of this process.
        config = uvicorn.Config(app, log_config=None, access_log=False, ws="none", lifespan="on")
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [self._socket]})

    def __enter__(self) -> Self:
        self._thread.start()
        while not self._server.started:
            time.sleep(0.01)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.should_exit = True
        self._thread.join()
        self._socket.close()


class Visitor(httpx.Client):
    """An editor's browser: it keeps cookies and sends Origin."""

    def __init__(self, server: DeskServer, name: str = "Ada") -> None:
        headers = {"Origin": server.url}
        # The desk is plain HTTP: loading certificates takes longer than a page.
        super().__init__(
            base_url=server.url, headers=headers, follow_redirects=True, timeout=300, verify=False
        )
        self._name = name

    def __enter__(self) -> Self:
        super().__enter__()
        self.get(f"/?token={TOKEN}")
        self.post("/name", data={"name": self._name, "next": "/"})
        return self

    def page(self, path: str) -> str:
        """Return a page's HTML."""
        answer = self.get(path)
        assert answer.status_code == 200, answer.text
        return answer.text

    def go_through(self, ref: str) -> str:
        """Have every section of a draft shown; returns the hash of its text."""
        page = self.page(f"/drafts/{ref}")
        hidden: dict[str, str] = dict(re.findall(r'name="(opened|sha256)" value="([^"]*)"', page))
        for section in re.findall(r'name="section" value="(\d+)"', page):
            assert self.post(f"/drafts/{ref}/shown", data=hidden | {"section": section}).status_code == 200
        return hidden["sha256"]

    def hidden(self, path: str, name: str) -> str:
        """Return the value of a hidden field of a page."""
        match = re.search(rf'name="{name}"[^>]*value="([^"]*)"', self.page(path))
        assert match
        return unescape(match[1])


def form_of(page: str) -> dict[str, str | list[str]]:
    """Return the fields of a page's editing form as a browser would send them."""
    body = re.search(r'<textarea name="body"[^>]*>\n?(.*?)</textarea>', page, re.DOTALL)
    description = re.search(r'<textarea name="description"[^>]*>\n?(.*?)</textarea>', page, re.DOTALL)
    assert body
    assert description
    fields: dict[str, str | list[str]] = {"body": unescape(body[1]), "description": unescape(description[1])}
    for name in ("base", "described", "title", "sticky_weight"):
        match = re.search(rf'name="{name}"[^>]*value="([^"]*)"', page)
        assert match, name
        fields[name] = unescape(match[1])
    for name in ("category", "sentiment"):
        select = re.search(rf'<select name="{name}">(.*?)</select>', page, re.DOTALL)
        assert select
        chosen = re.search(r"<option(?: value=\"([^\"]*)\")? selected>([^<]*)", select[1])
        assert chosen
        fields[name] = unescape(chosen[1] or chosen[2])
    fields["tags"] = re.findall(r'name="tags" value="([^"]*)" checked', page)
    return fields


@contextmanager
def database_of(settings: Settings) -> Iterator[Database]:
    with Database.open(settings.database_url) as db:
        yield db


def row_of(settings: Settings, ref: str) -> DraftRow:
    with database_of(settings) as db:
        return db.drafts.get(ref)
