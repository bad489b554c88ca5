"""The cover in a browser: shown from the desk itself, without a shift of the page and within its rules."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser

from pipeline.articles.front_matter import dumps, loads
from tests.desk.browser.conftest import signed_in
from tests.desk.browser.test_accessible import AXE
from tests.desk.conftest import Desk
from tests.desk.server import DeskServer, Visitor
from tests.fakes.feed_server import FeedServer
from tests.fakes.images import png
from tests.fakes.stock import fill, layout

pytestmark = pytest.mark.soak  # over HTTP in every run: test_cover_image.py


def test_the_cover_is_shown_without_scripts_or_other_hosts(browser: Browser, tmp_path: Path) -> None:
    with FeedServer() as images:
        [place] = images.hosts
        settings = layout(tmp_path / "project", {"COPYDESK_ALLOW_HOSTS": place})
        [ref] = fill(settings, 1, faults=False)
        with DeskServer(settings) as server, Visitor(server) as ada:
            desk = Desk(server, settings, [ref], ada)
            metadata, body = loads(desk.text(ref))
            cover = {"small": images.add("/a", png(300, 100)), "credit": {"name": "The Gull"}}
            desk.path(ref).write_text(dumps(metadata | {"coverImage": cover}, body), encoding="utf-8")
            context, page = signed_in(browser, desk, java_script_enabled=False)
            requested: list[str] = []
            page.on("request", lambda sent: requested.append(sent.url))
            with page.expect_response(f"**/drafts/{ref}/cover") as answer:
                page.goto(f"{server.url}/drafts/{ref}/covers")
            assert answer.value.status == 200
            image = page.locator(".cover img")
            box = image.bounding_box()
            assert box
            assert box["width"] / box["height"] == 1.5  # whatever the image has
            assert all(url.startswith(server.url) for url in requested)
            context.close()
            context, page = signed_in(browser, desk, bypass_csp=True)
            page.goto(f"{server.url}/drafts/{ref}/covers")
            assert (
                page.locator(".cover img").evaluate("image => image.decode().then(() => image.naturalWidth)")
                == 300
            )
            if AXE.exists():
                page.add_script_tag(path=AXE)
                assert (
                    page.evaluate(
                        "axe.run('.cover').then((found) => found.violations.map((each) => each.id))"
                    )
                    == []
                )
            context.close()
