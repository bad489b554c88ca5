"""A real browser on the real desk; without Chromium these tests are skipped."""

import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect, sync_playwright

from tests.desk.conftest import Desk
from tests.fakes.stock import TOKEN

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """One browser for this package only: no other event loop can run beside its own."""
    if CHROMIUM is None:
        pytest.skip("no Chromium is installed: `apt-get install chromium`")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield opened
        opened.close()


expect.set_options(timeout=60_000)  # how long a page takes depends on the machine


def click(what: Locator) -> None:
    """Click when the page is painted: Chromium drops clicks on a page that has not shown a frame yet."""
    what.page.screenshot(clip={"x": 0, "y": 0, "width": 1, "height": 1})
    what.click()


def signed_in(
    browser: Browser, desk: Desk, name: str = "Ada", **options: object
) -> tuple[BrowserContext, Page]:
    """Return a browser context and page in which an editor is signed in, without the pages of that."""
    context = browser.new_context(**options)  # type: ignore[arg-type]
    context.request.get(f"{desk.server.url}/?token={TOKEN}")
    context.request.post(
        f"{desk.server.url}/name", form={"name": name, "next": "/"}, headers={"Origin": desk.server.url}
    )
    page = context.new_page()
    page.set_default_timeout(60_000)
    page.goto(f"{desk.server.url}/")
    return context, page


def sign_in_by_form(page: Page, desk: Desk, name: str) -> None:
    """Sign in as an editor does who follows the link of `copydesk desk`."""
    page.set_default_timeout(60_000)
    page.goto(f"{desk.server.url}/?token={TOKEN}")
    page.get_by_label("Your name").fill(name)
    click(page.get_by_role("button", name="Sign in"))
    page.wait_for_url(f"{desk.server.url}/")


@pytest.fixture
def page(browser: Browser, desk: Desk) -> Iterator[Page]:
    """A page whose test fails on script errors and on requests to other hosts."""
    context, opened = signed_in(browser, desk)
    errors: list[str] = []
    opened.on("pageerror", lambda error: errors.append(str(error)))
    opened.on("request", lambda sent: _note_outside(sent.url, desk, errors))
    opened.on(
        "console", lambda message: errors.append(message.text) if "Content Security" in message.text else None
    )
    yield opened
    context.close()
    assert errors == []


def _note_outside(url: str, desk: Desk, errors: list[str]) -> None:
    if not url.startswith(desk.server.url):
        errors.append(f"requested {url}")
