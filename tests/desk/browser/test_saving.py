"""Autosave in the browser: one request at a time, conflicts are shown, leaving loses no text."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, Dialog, Page, Route, expect

from tests.desk.browser.conftest import signed_in
from tests.desk.conftest import Desk
from tests.desk.server import Visitor, database_of, form_of


def typed(page: Page, text: str) -> None:
    page.locator("#body").focus()
    page.keyboard.press("Control+End")
    page.keyboard.type(text)


def pasted(page: Page, text: str) -> None:
    """Insert text in one step, so that one save contains all of it."""
    page.locator("#body").focus()
    page.keyboard.press("Control+End")
    page.keyboard.insert_text(text)


def kept_aside(desk: Desk, ref: str) -> list[str]:
    """Return the last line of each version of a draft that is kept aside."""
    with database_of(desk.settings) as db:
        versions = db.versions.list(db.drafts.get(ref).item_id)
    return [version.text.rstrip("\n").rpartition("\n")[2] for version in versions if version.aside]


def dialogs(page: Page) -> list[str]:
    """Return a list that collects the types of the browser's dialogs; each is accepted."""
    types: list[str] = []

    def answer(dialog: Dialog) -> None:
        types.append(dialog.type)
        dialog.accept()

    page.on("dialog", answer)
    return types


@contextmanager
def window(browser: Browser, desk: Desk, name: str) -> Iterator[Page]:
    """Return a second window, in which another editor is signed in."""
    context, page = signed_in(browser, desk, name=name)
    yield page
    context.close()


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
    pasted(page, "\nAda's line.")
    expect(page.locator("#conflict")).to_be_visible()
    expect(page.locator("#body")).to_have_value(page.locator("#body").input_value())
    assert "Ada's line." in page.locator("#body").input_value()
    assert "Ben's title" in desk.text(ref)
    # Further typing is kept aside: the editor chooses which text to keep.
    with page.expect_response("**/save*"):
        pasted(page, " More.")
    assert "Ada's line" not in desk.text(ref)
    assert kept_aside(desk, ref) == ["Ada's line. More."]
    page.get_by_label("Keep mine").check()
    page.get_by_role("button", name="Save", exact=True).click()
    page.wait_for_url(f"**/drafts/{ref}?*")
    assert "Ada's line. More." in desk.text(ref)
    assert kept_aside(desk, ref) == []


def test_a_conflict_is_shown_in_the_bar_and_both_texts_stay(browser: Browser, page: Page, desk: Desk) -> None:
    ref = desk.refs[1]
    page.set_viewport_size({"width": 1280, "height": 720})
    page.goto(f"{desk.server.url}/drafts/{ref}/edit")
    with window(browser, desk, "Ola") as ola:
        ola.goto(f"{desk.server.url}/drafts/{ref}/edit")
        pasted(ola, "\nOla's line.")
        expect(ola.locator("#saving")).to_contain_text("Saved")
    pasted(page, "\nAda's line.")
    bar = page.locator("#saving")
    expect(bar).to_have_class("saving bad")
    expect(bar).to_have_text(
        re.compile(r"Not saved: Ola changed this at \d\d:\d\d UTC\. Your text is kept as a version\. Compare")
    )
    # At the end of the page the conflict box is out of view, and the bar stays in view.
    page.evaluate("scrollTo({top: document.body.scrollHeight, behavior: 'instant'})")
    expect(page.locator("#conflict")).not_to_be_in_viewport()
    expect(bar).to_be_in_viewport()
    # The choice stays ticked while further typing is kept.
    page.get_by_label("Keep mine").check()
    with page.expect_response("**/save*"):
        pasted(page, " More.")
    expect(page.get_by_label("Keep mine")).to_be_checked()
    expect(page.locator("#conflict-diff")).to_contain_text("Ada's line. More.")
    expect(bar).to_have_class("saving bad")
    bar.get_by_role("link", name="Compare").click()
    expect(page.locator("#conflict > p").first).to_be_in_viewport()
    expect(page.locator("#conflict")).to_be_focused()
    assert kept_aside(desk, ref) == ["Ada's line. More."]
    # Leaving asks for confirmation, and the text is in the history in any case.
    dialog_types = dialogs(page)
    page.get_by_role("link", name="Back to the draft").click()
    page.wait_for_url(f"**/drafts/{ref}?*")
    assert dialog_types == ["beforeunload"]
    page.goto(f"{desk.server.url}/drafts/{ref}/history")
    expect(page.locator("table.versions")).to_contain_text("(aside)")
    assert "Ola's line." in desk.text(ref)


def test_keeping_theirs_asks_no_question(page: Page, desk: Desk) -> None:
    ref = desk.refs[1]
    page.goto(f"{desk.server.url}/drafts/{ref}/edit")
    path = desk.path(ref)
    path.write_text(path.read_text() + "\nFrom vim.\n")
    pasted(page, "\nAda's line.")
    expect(page.locator("#saving")).to_contain_text("the file was changed on disk")
    dialog_types = dialogs(page)
    page.get_by_role("link", name="Keep theirs").click()
    expect(page.locator("#body")).to_have_value(re.compile(r"From vim\.\n$"))
    assert dialog_types == []
    assert kept_aside(desk, ref) == ["Ada's line."]


def test_a_decision_made_meanwhile_is_shown_in_the_bar(page: Page, desk: Desk) -> None:
    ref = desk.refs[1]
    page.goto(f"{desk.server.url}/drafts/{ref}/edit")
    with Visitor(desk.server, "Ola") as ola:
        ola.post(
            f"/drafts/{ref}/reject", data={"sha256": ola.hidden(f"/drafts/{ref}", "sha256"), "note": "old"}
        )
    pasted(page, "\nToo late.")
    bar = page.locator("#saving")
    expect(bar).to_contain_text("is rejected already")
    expect(bar).to_contain_text("Your text is kept as a version.")
    expect(bar).to_have_class("saving bad")
    assert kept_aside(desk, ref) == ["Too late."]


def test_save_without_a_choice_in_the_conflict_replaces_nothing(page: Page, desk: Desk) -> None:
    ref = desk.refs[1]
    page.goto(f"{desk.server.url}/drafts/{ref}/edit")
    path = desk.path(ref)
    path.write_text(path.read_text() + "\nFrom vim.\n")
    pasted(page, "\nAda's line.")
    expect(page.locator("#conflict")).to_be_visible()
    for _ in range(2):
        with page.expect_navigation():
            page.get_by_role("button", name="Save", exact=True).click()
        expect(page.locator("#saving")).to_have_class("saving bad")
        expect(page.locator("#conflict")).to_be_visible()
    assert "Ada's line." not in desk.text(ref)
    with page.expect_response("**/save*"):
        pasted(page, " More.")
    assert "Ada's line." not in desk.text(ref)
    assert kept_aside(desk, ref) == ["Ada's line. More."]


def test_a_desk_that_does_not_answer_loses_nothing(page: Page, desk: Desk) -> None:
    ref = desk.refs[1]
    page.goto(f"{desk.server.url}/drafts/{ref}/edit")
    page.route("**/save*", lambda route: route.abort())
    typed(page, "\nStill here.")
    expect(page.locator("#saving")).to_contain_text("your text is still here")
    page.unroute("**/save*")
    expect(page.locator("#saving")).to_contain_text("Saved", timeout=60_000)
    assert "Still here." in desk.text(ref)


def test_a_description_that_nobody_touched_is_refreshed_with_the_text(page: Page, desk: Desk) -> None:
    ref = desk.refs[1]
    page.goto(f"{desk.server.url}/drafts/{ref}/edit")
    field = page.locator("#description")
    page.locator("#body").fill("## Overview\n\nIt fell on Monday.\n\n## From author\n\nWe wait.\n")
    expect(field).to_have_value("It fell on Monday.")
    page.locator("#body").fill("## Overview\n\nIt fell on Thursday.\n\n## From author\n\nWe wait.\n")
    expect(field).to_have_value("It fell on Thursday.")
    field.fill("My own.")
    page.locator("#body").fill("## Overview\n\nIt fell on Friday.\n\n## From author\n\nWe wait.\n")
    expect(page.locator("#described")).to_have_value("My own.")
    expect(field).to_have_value("My own.")
