"""The desk by keyboard: queue, evidence, edit, dismiss, approve, undo."""

from playwright.sync_api import Browser, Page, Route, expect

from pipeline.articles.front_matter import loads
from tests.desk.browser.conftest import click, sign_in_by_form, signed_in
from tests.desk.conftest import Desk

HELD, CLEAN = 0, 1
_CHOOSE = """words => {
  const text = document.querySelector("#body"), at = text.value.indexOf(words);
  text.setSelectionRange(at, at + words.length);
}"""


def test_from_the_queue_to_the_published_file_by_keyboard(page: Page, desk: Desk) -> None:
    ref = desk.refs[HELD]
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/drafts/{ref}*")
    approve = page.get_by_role("button", name="Approve")
    expect(approve).to_be_disabled()
    # A finding, its place in the draft, and that the source does not support it.
    page.keyboard.press("f")
    expect(page.locator("mark.on")).to_have_text("Ruritania")
    expect(page.locator("#status")).to_contain_text("nothing in the source supports it")
    page.keyboard.press("a")
    expect(page.locator("#status")).to_contain_text("4 findings block approval")
    # Edit: the invented date goes.
    page.keyboard.press("e")
    page.wait_for_url("**/edit*")
    body = page.locator("#body")
    body.focus()
    page.evaluate(_CHOOSE, " on 3 March 2019")
    page.keyboard.press("Delete")
    expect(page.locator("#saving")).to_contain_text("Saved")
    expect(page.locator("#found .finding.block")).to_have_count(3)
    expect(page.locator("#preview")).not_to_contain_text("3 March 2019")
    page.keyboard.press("Control+Enter")
    page.wait_for_url(f"**/drafts/{ref}?*")
    # Dismiss the rest.
    for left in (3, 2, 1):
        expect(page.locator(".finding.block")).to_have_count(left)
        page.keyboard.press("f")
        page.keyboard.press("c")
        page.keyboard.type("on the wire desk's word")
        with page.expect_navigation():
            page.keyboard.press("Enter")
    expect(approve).to_be_enabled()
    page.keyboard.press("a")
    page.wait_for_url(f"**/drafts/{desk.refs[CLEAN]}*")
    metadata, text = loads(desk.text(ref, "published"))
    assert metadata["review"]["by"] == "Ada"
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
    page.keyboard.press("a")
    page.wait_for_url(f"**/drafts/{second}*")
    expect(page.locator("h1")).to_contain_text("(3)")
    page.evaluate(_WATCH)
    page.keyboard.press("a")
    click(page.get_by_role("button", name="Approve"))
    page.clock.fast_forward(900)
    page.keyboard.press("a")
    assert page.evaluate("asked") == []
    page.clock.fast_forward(200)
    page.keyboard.press("a")
    page.wait_for_url(f"**/drafts/{desk.refs[3]}*")
    assert desk.exists(second, "published")


def test_approving_from_the_editor_does_not_approve_the_next_draft(page: Page, desk: Desk) -> None:
    first, second = desk.refs[1], desk.refs[2]
    page.clock.install(time=0)
    page.goto(f"{desk.server.url}/drafts/{first}/edit")
    page.clock.pause_at(60)
    page.keyboard.press("a")
    page.wait_for_url(f"**/drafts/{second}*")
    expect(page.locator("h1")).to_contain_text("(3)")
    page.evaluate(_WATCH)
    page.keyboard.press("a")
    assert page.evaluate("asked") == []
    page.clock.fast_forward(1_100)
    page.keyboard.press("a")
    page.wait_for_url(f"**/drafts/{desk.refs[3]}*")


def test_what_the_second_reader_found_is_shown_without_taking_what_is_typed(page: Page, desk: Desk) -> None:
    reading, address = True, f"{desk.server.url}/drafts/{desk.refs[HELD]}"
    findings = '<ol class="findings"'

    def answer(route: Route) -> None:
        found = route.fetch()
        note = f'<p data-reading="{address}/reading">It reads.</p>' if reading else ""
        route.fulfill(response=found, body=found.text().replace(findings, note + findings))

    page.route(address, answer)
    page.clock.install(time=0)
    page.goto(address)
    page.clock.pause_at(60)
    typed = page.locator(".finding .ack input[name=reason]").first
    page.locator(".finding .ack > summary").first.click()
    typed.fill("as the wire has it")
    typed.blur()
    page.clock.fast_forward(1_100)
    expect(page.locator("[data-reading]")).to_contain_text("load the page again")
    expect(typed).to_have_value("as the wire has it")
    page.clock.resume()
    page.goto(address)
    page.clock.pause_at(120)
    page.evaluate("scrollTo(0, 200)")
    before = page.evaluate("[history.length, scrollY]")
    reading = False
    page.clock.fast_forward(1_100)
    expect(page.locator("[data-reading]")).to_have_count(0)
    assert page.evaluate("[history.length, scrollY]") == before


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
    page.keyboard.press("Escape")
    page.keyboard.press("Backspace")
    expect(page.locator(".row")).to_have_count(len(desk.refs))
    page.keyboard.press("?")
    expect(page.locator("#keys")).to_be_visible()
    page.get_by_label("Single-key shortcuts").uncheck()
    page.keyboard.press("Escape")
    page.goto(f"{desk.server.url}/drafts/{desk.refs[CLEAN]}")
    page.keyboard.press("a")
    page.wait_for_timeout(300)
    assert desk.exists(desk.refs[CLEAN], "drafts")
    page.get_by_role("button", name="Keys").click()
    page.get_by_label("Single-key shortcuts").check()
    page.keyboard.press("Escape")
    page.keyboard.press("a")
    page.wait_for_url(f"**/drafts/{desk.refs[CLEAN + 1]}*")


def test_a_link_to_a_place_of_the_page_does_not_load_it_again(page: Page, desk: Desk) -> None:
    page.goto(f"{desk.server.url}/drafts/{desk.refs[HELD]}")
    loads: list[str] = []
    page.on("request", lambda sent: loads.append(sent.url) if sent.is_navigation_request() else None)
    click(page.get_by_role("link", name="in the draft").first)
    page.wait_for_url("**#c1")
    page.keyboard.press("j")
    page.wait_for_url(f"**/drafts/{desk.refs[HELD + 1]}*")
    assert loads == []
    page.go_back()
    page.wait_for_url("**#c1")
    expect(page.locator("h1")).to_contain_text("(1)")


def test_j_and_k_go_through_the_queue(page: Page, desk: Desk) -> None:
    page.goto(f"{desk.server.url}/drafts/{desk.refs[0]}")
    for at in (1, 2):
        page.keyboard.press("j")
        page.wait_for_url(f"**/drafts/{desk.refs[at]}*")
    page.keyboard.press("k")
    page.wait_for_url(f"**/drafts/{desk.refs[1]}*")


def test_without_scripts_everything_is_a_form(browser: Browser, desk: Desk) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    sign_in_by_form(page, desk, "Ada")
    ref = desk.refs[HELD]
    click(page.locator("a.title").first)
    page.wait_for_url(f"**/drafts/{ref}*")
    click(page.get_by_role("link", name="Edit"))
    page.wait_for_url("**/edit*")
    body = page.locator("#body")
    body.fill(body.input_value().replace(" on 3 March 2019", ""))
    click(page.get_by_role("button", name="Save", exact=True))
    blocking = page.locator(".col.found .finding.block")
    expect(blocking).to_have_count(3, timeout=60_000)
    for left in (2, 1, 0):
        # An open <details> needs no script.
        click(blocking.first.locator("summary"))
        blocking.first.get_by_label("Reason").fill("known")
        click(blocking.first.get_by_role("button", name="Dismiss"))
        expect(blocking).to_have_count(left, timeout=60_000)
    click(page.get_by_role("button", name="Approve"))
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
    page.get_by_role("button", name="Approve").tap()
    page.wait_for_url(f"**/drafts/{desk.refs[CLEAN + 1]}*")
    assert desk.exists(desk.refs[CLEAN], "published")
    context.close()
