"""The queue in a browser: rows by keyboard, filters at once, the place that is found again."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.desk.browser.conftest import signed_in
from tests.desk.conftest import Desk
from tests.desk.server import DeskServer, Visitor
from tests.fakes.stock import fill, layout

ROW_PX = 44


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A desk with more than one page of drafts, shared by the tests of this file."""
    settings = layout(Path(tmp_path_factory.mktemp("queue")) / "project")
    refs = fill(settings, 60)
    with DeskServer(settings) as server, Visitor(server) as ada:
        yield Desk(server, settings, refs, ada)


@pytest.fixture
def context(browser: Browser, many: Desk) -> Iterator[BrowserContext]:
    context, _ = signed_in(browser, many, viewport={"width": 1440, "height": 900})
    yield context
    context.close()


@pytest.fixture
def queue(context: BrowserContext) -> Page:
    return context.pages[0]


def chosen(page: Page) -> str | None:
    return page.locator(".row.on").get_attribute("data-row")


def test_sixteen_rows_of_one_line_are_on_a_screen_and_nothing_covers_them(queue: Page) -> None:
    boxes = [row.bounding_box() for row in queue.locator(".row").all()[:16]]
    assert all(box and box["height"] == ROW_PX and box["y"] + ROW_PX <= 900 for box in boxes)
    queue.locator("[name=draft]").nth(1).check()
    approve = queue.locator("[data-bulk] [value=approve]")
    expect(approve).to_have_text("Approve 0")
    expect(queue.locator("[data-stays]")).to_have_text("Not approved: 1 is not opened yet.")
    bar, row = queue.locator("[data-bulk]").bounding_box(), queue.locator(".row").first.bounding_box()
    assert bar
    assert row
    assert bar["y"] + bar["height"] <= row["y"]
    queue.locator("[name=draft]").nth(1).uncheck()
    expect(approve).to_be_hidden()


def test_filters_act_at_once_and_stay_in_the_address(queue: Page, many: Desk) -> None:
    queue.locator("[name=findings]").select_option("clean")
    queue.wait_for_url("**/?findings=clean")
    total = queue.locator("h1 > span")
    expect(total).not_to_have_text("60")
    expect(queue.locator(".row .nothing")).to_have_count(min(50, int(total.text_content() or 0)))
    queue.keyboard.press("/")
    queue.keyboard.type("LISBON office")
    queue.wait_for_url("**/?q=LISBON+office&findings=clean")
    expect(queue.locator("#search")).to_be_focused()
    assert "Lisbon" in (queue.locator("a.title").first.text_content() or "")


def test_row_and_scroll_are_found_again(queue: Page, many: Desk) -> None:
    for _ in range(30):
        queue.keyboard.press("j")
    assert chosen(queue) == many.refs[29]
    queue.evaluate("scrollTo(0, 900)")
    queue.keyboard.press("Enter")
    queue.wait_for_url(f"**/drafts/{many.refs[29]}*")
    queue.go_back()
    expect(queue.locator(".row.on")).to_have_attribute("data-row", many.refs[29])
    assert queue.evaluate("scrollY") == 900
    # A draft of the next page, reached from draft to draft.
    queue.goto(f"{many.server.url}/drafts/{many.refs[52]}")
    queue.goto(f"{many.server.url}/")
    expect(queue.locator(".row.on")).to_have_attribute("data-row", many.refs[52])
    expect(queue.locator(".row.on a.title")).to_be_focused()
    assert queue.url == f"{many.server.url}/?page=2"


def test_a_key_opens_what_it_is_about(queue: Page, many: Desk) -> None:
    queue.keyboard.press("e")
    expect(queue.locator("#status")).to_contain_text("Choose a draft first")
    queue.keyboard.press("j")
    queue.keyboard.press("e")
    queue.wait_for_url(f"**/drafts/{many.refs[0]}/edit*")
    queue.goto(f"{many.server.url}/")
    expect(queue.locator(".row.on")).to_have_count(1)
    queue.keyboard.press("a")
    queue.wait_for_url(f"**/drafts/{many.refs[0]}?*")


def test_rows_are_decided_in_place_and_the_next_one_is_chosen(queue: Page, many: Desk) -> None:
    first, second, third = many.refs[10:13]
    for _ in range(11):
        queue.keyboard.press("j")
    assert chosen(queue) == first
    queue.keyboard.press("r")
    queue.keyboard.press("Escape")
    expect(queue.locator(".in-row")).to_have_count(0)
    expect(queue.locator(".row.on a.title")).to_be_focused()
    queue.keyboard.press("r")
    queue.keyboard.type("old news")
    queue.keyboard.press("Enter")
    expect(queue.locator(".row.on")).to_have_attribute("data-row", second)
    expect(queue.locator(".row.on a.title")).to_be_focused()
    expect(queue.locator("#status")).to_contain_text("Rejected")
    assert many.exists(first, "rejected")
    queue.keyboard.press("n")
    queue.keyboard.type("shorter")
    queue.keyboard.press("Enter")
    expect(queue.locator(".row.on")).to_have_attribute("data-row", third)
    expect(queue.locator(f"[data-row='{second}']")).to_contain_text("rewrite requested")
    # What the server refuses is said where it was asked for.
    queue.keyboard.press("k")
    queue.keyboard.press("n")
    queue.keyboard.press("Enter")
    expect(queue.locator(".in-row .error")).not_to_be_empty()
    assert chosen(queue) == second


def test_on_a_phone_a_row_has_two_lines_and_filters_are_behind_a_button(browser: Browser, many: Desk) -> None:
    context, page = signed_in(browser, many, viewport={"width": 390, "height": 844})
    box = page.locator(".row").first.bounding_box()
    assert box
    assert box["y"] < 230
    assert box["height"] < 70
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    findings = page.locator("[name=findings]")
    expect(findings).to_be_hidden()
    page.get_by_text("Filters", exact=True).click()
    expect(findings).to_be_visible()
    context.close()


def test_without_scripts_the_form_and_the_bar_are_there(browser: Browser, many: Desk) -> None:
    context, page = signed_in(browser, many, java_script_enabled=False)
    page.locator("[name=findings]").select_option("held")
    page.get_by_role("button", name="Show").click()
    expect(page).to_have_url(f"{many.server.url}/?q=&feed=&findings=held&sort=waiting")
    page.locator("[name=draft]").first.check()
    page.get_by_role("button", name="Reject selected").click()
    expect(page.get_by_role("alert")).to_contain_text("fill in “Reason”")
    expect(page.locator("[name=draft]").first).to_be_checked()
    context.close()
