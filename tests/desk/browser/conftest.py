"""A real browser on the real desk. On a machine without one these tests are skipped, by name."""

import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, sync_playwright

from tests.desk.conftest import Desk
from tests.fakes.stock import TOKEN

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """One browser for these tests, and no longer: its event loop lets no other run beside it."""
    if CHROMIUM is None:
        pytest.skip("no Chromium is installed: `apt-get install chromium`")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield opened
        opened.close()


def click(what: Locator) -> None:
    """Click when the page is painted: Chromium drops clicks on a page that has not shown a frame yet."""
    what.page.screenshot()
    what.click()


def signed_in(
    browser: Browser, desk: Desk, name: str = "Ada", **options: object
) -> tuple[BrowserContext, Page]:
    """Return a window in which an editor sits at the desk."""
    context = browser.new_context(**options)  # type: ignore[arg-type]
    page = context.new_page()
    page.set_default_timeout(60_000)
    page.goto(f"{desk.server.url}/?token={TOKEN}")
    page.get_by_label("Your name").fill(name)
    click(page.get_by_role("button", name="Sit down"))
    page.wait_for_url(f"{desk.server.url}/")
    return context, page


@pytest.fixture
def page(browser: Browser, desk: Desk) -> Iterator[Page]:
    """A window that fails its test where a script fails, or anybody outside is asked."""
    context, opened = signed_in(browser, desk)
    troubles: list[str] = []
    opened.on("pageerror", lambda error: troubles.append(str(error)))
    opened.on("request", lambda sent: _note_outside(sent.url, desk, troubles))
    opened.on("console", lambda said: troubles.append(said.text) if "Content Security" in said.text else None)
    yield opened
    context.close()
    assert troubles == []


def _note_outside(url: str, desk: Desk, troubles: list[str]) -> None:
    if not url.startswith(desk.server.url):
        troubles.append(f"asked {url}")
