"""The desk by keyboard: queue, evidence, edit, dismiss, approve, undo."""

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from pipeline.articles.front_matter import loads
from tests.desk.browser.conftest import click, signed_in
from tests.desk.conftest import Desk
from tests.fakes.stock import TOKEN

HELD, CLEAN = 0, 1


def show_all(page: Page) -> None:
    """Scroll through a draft: every section was on screen then."""
    for row in page.locator("[data-row]").all():
        row.scroll_into_view_if_needed()
    expect(page.locator("form.shown:not(.done)")).to_have_count(0)


def test_from_the_queue_to_the_published_file_by_keyboard(page: Page, desk: Desk) -> None:
    ref = desk.refs[HELD]
    page.goto(f"{desk.server.url}/?sort=newest")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/drafts/{ref}*")
    # A finding stands under its sentence, beside the source.
    page.keyboard.press("f")
    chosen = page.locator(".finding.on")
    expect(chosen).to_contain_text("is not in the source")
    expect(page.locator(".pair.on")).to_contain_text("Ruritania")
    page.keyboard.press("a")
    expect(page.locator("#status")).to_contain_text("4 must are open")
    # Edit: the invented date goes.
    page.keyboard.press("e")
    field = page.get_by_label("Edit this sentence")
    field.fill(field.input_value().replace(" on 3 March 2019", ""))
    page.keyboard.press("Enter")
    expect(page.locator(".finding.block")).to_have_count(3)
    assert "3 March 2019" not in desk.text(ref)
    # Dismiss the rest.
    for left in (2, 1, 0):
        page.keyboard.press("d")
        page.keyboard.press("2")
        expect(page.locator(".finding.block")).to_have_count(left)
    show_all(page)
    page.keyboard.press("a")
    page.wait_for_url(f"**/drafts/{desk.refs[CLEAN]}*")
    metadata, text = loads(desk.text(ref, "published"))
    assert metadata["review"]["by"] == "Ada"
    assert metadata["review"]["level"] == "full"
    assert metadata["ai"]["checks"] == {"open": 0, "acknowledged": 3}
    assert "3 March 2019" not in text
    # And back again.
    page.keyboard.press("u")
    page.wait_for_url(f"**/drafts/{ref}*")
    assert desk.exists(ref, "drafts")


_WATCH = """() => {
  window.asked = [];
  const real = window.fetch;
  window.fetch = (address, options) => { asked.push(String(address)); return real(address, options); };
}"""
"""Notes what the page's script asks for, in the moment in which it does."""


def test_a_second_press_does_not_approve_the_next_draft(page: Page, desk: Desk) -> None:
    first, second = desk.refs[1], desk.refs[2]
    page.clock.install(time=0)
    page.goto(f"{desk.server.url}/drafts/{first}")
    # The page's own clock stands from now on: a second is over when it is set forward, and not before.
    page.clock.pause_at(60)
    page.keyboard.press("A")
    page.wait_for_url(f"**/drafts/{second}*")
    expect(page.locator("h1")).to_contain_text("(3)")
    page.evaluate(_WATCH)
    page.keyboard.press("A")
    page.evaluate("document.querySelector('#approve-light, #approve').requestSubmit()")
    page.clock.fast_forward(900)
    page.keyboard.press("A")
    assert page.evaluate("asked") == []
    page.clock.fast_forward(200)
    page.keyboard.press("A")
    page.wait_for_url(f"**/drafts/{desk.refs[3]}*")
    assert desk.exists(second, "published")


def test_approving_from_the_editor_does_not_approve_the_next_draft(page: Page, desk: Desk) -> None:
    first, second = desk.refs[1], desk.refs[2]
    desk.ada.go_through(first)
    page.clock.install(time=0)
    page.goto(f"{desk.server.url}/drafts/{first}/edit")
    page.clock.pause_at(60)
    page.keyboard.press("a")
    page.wait_for_url(f"**/drafts/{second}*")
    expect(page.locator("h1")).to_contain_text("(3)")
    page.evaluate(_WATCH)
    page.keyboard.press("a")
    assert page.evaluate("asked.filter(each => each.includes('approve'))") == []
    page.clock.fast_forward(1_100)
    page.keyboard.press("A")
    page.wait_for_url(f"**/drafts/{desk.refs[3]}*")


def test_what_the_second_reader_found_is_shown_without_taking_what_is_typed(page: Page, desk: Desk) -> None:
    reading, done, address = True, False, f"{desk.server.url}/drafts/{desk.refs[HELD]}"
    notices = '<div id="notices">'

    def answer(route: Route) -> None:
        found = route.fetch()
        note = f'<p data-reading="{address}/reading">It reads.</p>' if reading else ""
        route.fulfill(response=found, body=found.text().replace(notices, notices + note))

    page.route(address, answer)
    page.route(f"{address}/reading", lambda asked: asked.fulfill(status=200 if done else 204))
    page.goto(address)
    typed = page.locator(".finding .ack input[name=reason]").first
    page.locator(".finding .ack > summary").first.click()
    typed.fill("as the wire has it")
    typed.blur()
    done = True
    expect(page.locator("[data-reading]")).to_contain_text("load the page again")
    expect(typed).to_have_value("as the wire has it")
    done = False
    page.goto(address)
    page.evaluate("scrollTo(0, 200)")
    place = "[history.length, document.querySelector('[data-row]').getBoundingClientRect().top]"
    before = page.evaluate(place)
    reading, done = False, True
    expect(page.locator("[data-reading]")).to_have_count(0)
    assert page.evaluate(place) == pytest.approx(before, abs=1)


def test_a_page_that_is_signed_out_asks_no_more_until_it_is_signed_in(page: Page, desk: Desk) -> None:
    address, requests, reads = f"{desk.server.url}/drafts/{desk.refs[CLEAN]}", list[str](), True
    notices = '<div id="notices">'

    def answer(route: Route) -> None:
        response = route.fetch()
        note = f'<p data-reading="{address}/reading">It reads.</p>' if reads else ""
        route.fulfill(response=response, body=response.text().replace(notices, notices + note))

    def reading(route: Route) -> None:
        status = route.fetch().status
        route.fulfill(status=204 if status == 200 and reads else status)

    page.clock.install(time=0)
    page.clock.pause_at(1_000)
    page.route(address, answer)
    page.route(f"{address}/reading", reading)
    page.goto(address)
    page.wait_for_load_state("networkidle")  # an answer from before would sign it in again
    page.context.clear_cookies()
    page.clock.run_for(1_100)
    status = page.locator("#status")
    expect(status).to_contain_text("You are signed out: open the link of the desk in another tab")
    page.on("request", lambda sent: requests.append(sent.url))
    page.clock.run_for(120_000)
    expect(status).to_contain_text("What you typed is still here.")
    assert requests == []
    page.context.request.get(f"{desk.server.url}/?token={TOKEN}")
    own = {"Origin": desk.server.url}
    page.context.request.post(f"{desk.server.url}/name", form={"name": "Ada", "next": "/"}, headers=own)
    reads = False
    page.evaluate("dispatchEvent(new Event('focus'))")
    expect(status).to_have_text("You are signed in again.")
    page.clock.run_for(1_100)
    expect(page.locator("[data-reading]")).to_have_count(0)


def test_rejecting_and_asking_for_a_redraft_by_keyboard(page: Page, desk: Desk) -> None:
    page.goto(f"{desk.server.url}/drafts/{desk.refs[CLEAN]}")
    page.keyboard.press("r")
    page.keyboard.type("old news")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/drafts/{desk.refs[CLEAN + 1]}*")
    assert desk.exists(desk.refs[CLEAN], "rejected")
    page.keyboard.press("n")
    page.keyboard.press("Tab")
    page.keyboard.type("shorter")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/drafts/{desk.refs[CLEAN + 2]}*")
    page.goto(f"{desk.server.url}/drafts/{desk.refs[CLEAN + 1]}")
    expect(page.locator(".note.asked")).to_contain_text("shorter")


def test_keys_can_be_switched_off_and_never_act_while_typing(page: Page, desk: Desk) -> None:
    page.keyboard.press("/")
    page.keyboard.type("a r u j x")
    expect(page.locator("#search")).to_have_value("a r u j x")
    page.wait_for_url("**q=a+r+u+j+x*")
    page.keyboard.press("Escape")
    expect(page.locator(".row")).to_have_count(len(desk.refs))
    page.keyboard.press("?")
    expect(page.locator("#keys")).to_be_visible()
    page.get_by_label("Single-key shortcuts").uncheck()
    page.keyboard.press("Escape")
    page.goto(f"{desk.server.url}/drafts/{desk.refs[CLEAN]}")
    show_all(page)
    approvals: list[str] = []
    page.on("request", lambda sent: approvals.append(sent.url) if "/approve" in sent.url else None)
    page.keyboard.press("A")
    page.get_by_role("button", name="Keys").click()
    page.get_by_label("Single-key shortcuts").check()
    page.keyboard.press("Escape")
    assert approvals == []
    page.keyboard.press("A")
    page.wait_for_url(f"**/drafts/{desk.refs[CLEAN + 1]}*")
    assert len(approvals) == 1


def test_j_and_k_go_through_the_queue(page: Page, desk: Desk) -> None:
    page.goto(f"{desk.server.url}/drafts/{desk.refs[0]}")
    for at in (1, 2):
        page.keyboard.press("j")
        page.wait_for_url(f"**/drafts/{desk.refs[at]}*")
    page.keyboard.press("k")
    page.wait_for_url(f"**/drafts/{desk.refs[1]}*")


def test_without_scripts_everything_is_a_form(browser: Browser, desk: Desk) -> None:
    context, page = signed_in(browser, desk, java_script_enabled=False)
    ref = desk.refs[HELD]
    page.goto(f"{desk.server.url}/drafts/{ref}?sort=newest")
    click(page.locator("summary", has_text="More"))
    click(page.get_by_role("link", name="Edit the whole article"))
    page.wait_for_url("**/edit*")
    body = page.locator("#body")
    body.fill(body.input_value().replace(" on 3 March 2019", ""))
    click(page.get_by_role("button", name="Save", exact=True))
    blocking = page.locator(".finding.block")
    expect(blocking).to_have_count(3, timeout=60_000)
    for left in (2, 1, 0):
        # An open <details> needs no script.
        click(blocking.first.locator("summary"))
        click(blocking.first.get_by_role("button", name="common knowledge"))
        expect(blocking).to_have_count(left, timeout=60_000)
    click(page.locator("#approve button"))
    expect(page.get_by_role("alert")).to_contain_text("were not shown to you")
    page.goto(f"{desk.server.url}/drafts/{ref}?sort=newest")
    unread = page.get_by_role("button", name="Section read")
    for left in reversed(range(unread.count())):
        click(unread.first)
        expect(unread).to_have_count(left, timeout=60_000)
    click(page.locator("#approve button"))
    page.wait_for_url(f"**/drafts/{desk.refs[CLEAN]}*")
    assert desk.exists(ref, "published")
    click(page.get_by_role("button", name="Undo"))
    page.wait_for_url(f"**/drafts/{ref}*")
    assert desk.exists(ref, "drafts")
    context.close()


def test_on_a_phone(browser: Browser, desk: Desk) -> None:
    context, page = signed_in(browser, desk, viewport={"width": 375, "height": 740}, has_touch=True)
    for path in (
        "/",
        f"/drafts/{desk.refs[HELD]}",
        f"/drafts/{desk.refs[HELD]}/edit",
        "/published",
        "/recent",
    ):
        page.goto(desk.server.url + path)
        assert page.evaluate("document.documentElement.scrollWidth") <= 375, path
    page.goto(f"{desk.server.url}/drafts/{desk.refs[CLEAN]}")
    show_all(page)
    page.locator("#approve button").tap()
    page.wait_for_url(f"**/drafts/{desk.refs[CLEAN + 1]}*")
    assert desk.exists(desk.refs[CLEAN], "published")
    context.close()
