"""Saving as one types: one in flight, conflicts shown, nothing lost on the way out."""

from playwright.sync_api import Page, Route, expect

from tests.desk.conftest import Desk
from tests.desk.server import Visitor, form_of


def typed(page: Page, text: str) -> None:
    page.locator("#body").focus()
    page.keyboard.press("Control+End")
    page.keyboard.type(text)


def test_what_is_typed_is_on_disk_soon(page: Page, desk: Desk) -> None:
    ref = desk.refs[1]
    page.goto(f"{desk.server.url}/drafts/{ref}/edit")
    typed(page, "\nOne more line.")
    expect(page.locator("#saving")).to_contain_text("Saved")
    assert "One more line." in desk.text(ref)
    typed(page, " And another.")
    expect(page.locator("#saving")).to_contain_text("Not saved yet")
    expect(page.locator("#saving")).to_contain_text("Saved")
    assert "One more line. And another." in desk.text(ref)


def test_leaving_with_a_save_in_flight_waits_for_it(page: Page, desk: Desk) -> None:
    ref = desk.refs[1]
    page.goto(f"{desk.server.url}/drafts/{ref}/edit")
    flights: list[int] = []

    def slowly(route: Route) -> None:
        flights.append(1)
        page.wait_for_timeout(400)
        route.continue_()

    page.route("**/save*", slowly)
    typed(page, "\nIn flight.")
    page.wait_for_timeout(900)
    typed(page, " And on.")
    page.get_by_role("button", name="Save and approve").click()
    page.wait_for_url(f"**/drafts/{desk.refs[2]}*")
    page.unroute_all(behavior="ignoreErrors")
    assert "In flight. And on." in desk.text(ref, "published")


def test_a_save_that_is_queued_does_not_race_with_leaving(page: Page, desk: Desk) -> None:
    ref = desk.refs[1]
    page.goto(f"{desk.server.url}/drafts/{ref}/edit")

    def slowly(route: Route) -> None:
        page.wait_for_timeout(1_500)
        route.continue_()

    page.route("**/save*", slowly, times=1)
    typed(page, "\nIn flight.")
    page.wait_for_timeout(900)
    typed(page, " And queued.")
    page.wait_for_timeout(900)
    page.get_by_role("button", name="Save and approve").click()
    page.wait_for_url(f"**/drafts/{desk.refs[2]}*")
    assert "In flight. And queued." in desk.text(ref, "published")


def test_a_conflict_keeps_the_text_and_shows_both(page: Page, desk: Desk) -> None:
    ref = desk.refs[1]
    page.goto(f"{desk.server.url}/drafts/{ref}/edit")
    with Visitor(desk.server, "Ben") as ben:
        form = form_of(ben.page(f"/drafts/{ref}/edit"))
        form["title"] = "Ben's title"
        ben.post(f"/drafts/{ref}/save", data=form)
    typed(page, "\nAda's line.")
    expect(page.locator("#conflict")).to_be_visible()
    expect(page.locator("#body")).to_have_value(page.locator("#body").input_value())
    assert "Ada's line." in page.locator("#body").input_value()
    assert "Ben's title" in desk.text(ref)
    # Typing on sends nothing: whose text stands is the editor's word.
    typed(page, " More.")
    page.wait_for_timeout(1200)
    assert "Ada's line" not in desk.text(ref)
    page.get_by_label("Save mine over theirs").check()
    page.get_by_role("button", name="Save", exact=True).click()
    page.wait_for_url(f"**/drafts/{ref}?*")
    assert "Ada's line. More." in desk.text(ref)


def test_a_desk_that_does_not_answer_loses_nothing(page: Page, desk: Desk) -> None:
    ref = desk.refs[1]
    page.goto(f"{desk.server.url}/drafts/{ref}/edit")
    page.route("**/save*", lambda route: route.abort())
    typed(page, "\nStill here.")
    expect(page.locator("#saving")).to_contain_text("your text is still here")
    page.unroute("**/save*")
    expect(page.locator("#saving")).to_contain_text("Saved", timeout=10_000)
    assert "Still here." in desk.text(ref)
