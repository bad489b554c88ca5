"""Autosave in the browser: one request at a time, conflicts are shown, leaving loses no text."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
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


def saves(page: Page) -> list[str]:
    """Return a list that collects when requests to save are sent and answered."""
    events: list[str] = []

    def note(event: str, url: str) -> None:
        if "/save" in url:
            events.append(event)

    page.on("request", lambda sent: note("sent", sent.url))
    page.on("response", lambda answer: note("answered", answer.url))
    return events


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
    expect(page.locator("#saving")).to_have_text(re.compile(r"^Saved \d"))
    assert "One more line." in desk.text(ref)
    typed(page, " And another.")
    expect(page.locator("#saving")).to_have_text("Saving")
    expect(page.locator("#saving")).to_have_text(re.compile(r"^Saved \d"))
    assert "One more line. And another." in desk.text(ref)


def test_leaving_and_a_further_save_wait_for_the_one_under_way(page: Page, desk: Desk) -> None:
    ref = desk.refs[1]
    page.clock.install()
    page.goto(f"{desk.server.url}/drafts/{ref}/edit")
    events, held = saves(page), list[Route]()
    page.route("**/save*", lambda route: held.append(route), times=1)
    with page.expect_request("**/save*"):
        typed(page, "\nIn flight.")
        page.clock.fast_forward(2_000)
    typed(page, " And queued.")
    page.clock.fast_forward(2_000)  # the next save by itself is due
    page.get_by_role("button", name="Save", exact=True).click()
    assert events == ["sent"]
    held[0].continue_()
    page.wait_for_url(f"**/drafts/{ref}?*")
    assert events == ["sent", "answered"] * 2
    assert "In flight. And queued." in desk.text(ref)


def test_a_conflict_keeps_the_text_and_shows_both(page: Page, desk: Desk) -> None:
    ref = desk.refs[1]
    page.goto(f"{desk.server.url}/drafts/{ref}/edit")
    with Visitor(desk.server, "Ben") as ben:
        form = form_of(ben.page(f"/drafts/{ref}/edit"))
        form["title"] = "Ben's title"
        ben.post(f"/drafts/{ref}/save", data=form)
    page.locator("#title").fill("Ada's title")
    expect(page.locator("#conflict")).to_be_visible()
    expect(page.locator("#title")).to_have_value("Ada's title")
    # Further typing is kept aside: the editor chooses which text to keep.
    with page.expect_response("**/save*"):
        pasted(page, "\nAda's line.")
    assert "Ben's title" in desk.text(ref)
    assert "Ada's line" not in desk.text(ref)
    assert kept_aside(desk, ref) == ["Ada's line."]
    page.get_by_label("Keep mine").check()
    page.get_by_role("button", name="Save", exact=True).click()
    page.wait_for_url(f"**/drafts/{ref}?*")
    assert "Ada's title" in desk.text(ref)
    assert "Ada's line." in desk.text(ref)
    assert kept_aside(desk, ref) == []


def test_a_conflict_is_shown_in_the_bar_and_both_texts_stay(browser: Browser, page: Page, desk: Desk) -> None:
    ref = desk.refs[1]
    page.set_viewport_size({"width": 1280, "height": 720})
    page.goto(f"{desk.server.url}/drafts/{ref}/edit")
    with window(browser, desk, "Ola") as ola:
        ola.goto(f"{desk.server.url}/drafts/{ref}/edit")
        expect(ola.locator(".others")).to_have_text("Ada edits this")
        pasted(ola, "\nOla's line.")
        expect(ola.locator("#saving")).to_contain_text("Saved")
    pasted(page, "\nAda's line.")
    bar = page.locator("#saving")
    expect(bar).to_have_class("saving bad")
    expect(bar).to_have_text(
        re.compile(
            r"NOT SAVED: Ola changed this at \d\d:\d\d UTC\. Your text is kept as a version\. "
            r"Choose which text to keep"
        )
    )
    # At the end of the page the conflict box is out of view, and the bar stays in view.
    page.evaluate("scrollTo({top: document.body.scrollHeight, behavior: 'instant'})")
    expect(page.locator("#conflict")).not_to_be_in_viewport()
    expect(bar).to_be_in_viewport()
    bar.get_by_role("link", name="Choose which text to keep").click()
    expect(page.locator("#conflict > p").first).to_be_in_viewport()
    expect(page.locator("#conflict")).to_be_focused()
    # What was chosen stays chosen while further typing is kept.
    page.get_by_label("Keep mine").check()
    with page.expect_response("**/save*"):
        page.locator("#title").fill("Ada's title")
    expect(page.get_by_label("Keep mine")).to_be_checked()
    expect(bar).to_have_class("saving bad")
    assert kept_aside(desk, ref) == ["Ada's line."]
    # Leaving asks for confirmation, and the text is in the history in any case.
    dialog_types = dialogs(page)
    page.get_by_role("link", name="Back to the draft").click()
    page.wait_for_url(f"**/drafts/{ref}?*")
    assert dialog_types == ["beforeunload"]
    expect(page.locator("#status")).to_contain_text("Your text is kept as a version")
    page.goto(f"{desk.server.url}/drafts/{ref}/history")
    expect(page.locator(".events").first).to_contain_text("(aside)")
    assert "Ola's line." in desk.text(ref)


def test_others_changes_come_into_the_page_and_the_cursor_stays(page: Page, desk: Desk) -> None:
    ref = desk.refs[1]
    page.goto(f"{desk.server.url}/drafts/{ref}/edit")
    path = desk.path(ref)
    path.write_text(
        path.read_text().replace("## Overview\n", "## Overview\n\nFrom vim, a whole paragraph.\n")
    )
    pasted(page, "\nAda's line.")
    expect(page.locator("#saving")).to_contain_text("Saved, together with what was changed on disk")
    text = page.locator("#body").input_value()
    assert "From vim, a whole paragraph." in text
    # Typing goes on where it was, and the next save is no conflict.
    page.keyboard.type(" And on.")
    expect(page.locator("#saving")).to_have_text(re.compile(r"^Saved \d"))
    assert desk.text(ref).endswith("Ada's line. And on.\n")
    assert page.locator("#body").input_value().rstrip().endswith("Ada's line. And on.")


def test_typing_during_a_merged_save_stays_in_the_page(page: Page, desk: Desk) -> None:
    ref = desk.refs[1]
    page.goto(f"{desk.server.url}/drafts/{ref}/edit")
    path = desk.path(ref)
    path.write_text(path.read_text().replace("## Overview\n", "## Overview\n\nFrom vim.\n"))

    def meanwhile(route: Route) -> None:
        response = route.fetch()
        page.locator("#body").evaluate(
            "field => field.setRangeText(' And on.', field.value.length, field.value.length, 'end')"
        )
        page.locator("#body").dispatch_event("input", {"bubbles": True})
        route.fulfill(response=response)

    page.route("**/save*", meanwhile, times=1)
    pasted(page, "\nAda's line.")
    expect(page.locator("#saving")).to_contain_text("together with what was changed on disk")
    expect(page.locator("#body")).to_have_value(
        re.compile(r"From vim\..*Ada's line\. And on\.\n?$", re.DOTALL)
    )
    expect(page.locator("#saving")).to_have_text(re.compile("^Saved"))
    assert desk.text(ref).endswith("Ada's line. And on.\n")
    assert "From vim." in desk.text(ref)


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
    with page.expect_response("**/save*"):
        page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator("#saving")).to_have_class("saving bad")
    assert "Ada's line." not in desk.text(ref)
    page.get_by_role("textbox", name="Your text for text 1").fill("From vim and Ada.")
    expect(page.get_by_label("Write it differently")).to_be_checked()
    page.get_by_role("button", name="Save", exact=True).click()
    page.wait_for_url(f"**/drafts/{ref}?*")
    assert desk.text(ref).endswith("\nFrom vim and Ada.\n")


@pytest.mark.parametrize("phase", ["before the request", "before the response", "within the response"])
def test_a_connection_that_is_cut_loses_nothing(page: Page, desk: Desk, phase: str) -> None:
    ref = desk.refs[1]
    page.goto(f"{desk.server.url}/drafts/{ref}/edit")

    def cut(route: Route) -> None:
        if phase == "before the request":
            route.abort()
            return
        response = route.fetch()
        if phase == "before the response":
            route.abort()
        else:
            route.fulfill(status=200, body=response.text()[:30])

    page.route("**/save*", cut)
    typed(page, "\nStill here.")
    bar = page.locator("#saving")
    expect(bar).to_have_class("saving bad")
    expect(bar).to_contain_text("NOT SAVED")
    # Neither the button nor the keys leave the page, and leaving asks.
    page.get_by_role("button", name="Save", exact=True).click()
    page.keyboard.press("Control+Enter")
    typed(page, " And on.")
    # The last attempt of button and keys, which may leave the page, fails before the next one by itself.
    with page.expect_request(lambda request: (request.post_data or "").endswith("then=")):
        expect(bar).to_contain_text("text is still here")
    page.unroute_all(behavior="ignoreErrors")  # a cut request may be under way
    expect(bar).to_have_text(re.compile("^Saved"))
    assert desk.text(ref).endswith("Still here. And on.\n")
    assert kept_aside(desk, ref) == []


def test_unsaved_text_survives_a_reload(page: Page, desk: Desk) -> None:
    ref = desk.refs[1]
    page.goto(f"{desk.server.url}/drafts/{ref}/edit")
    page.route("**/save*", lambda route: route.abort())
    typed(page, "\nStill here.")
    expect(page.locator("#saving")).to_contain_text("NOT SAVED")
    dialog_types = dialogs(page)
    page.reload()
    assert dialog_types == ["beforeunload"]
    expect(page.locator("#body")).to_have_value(re.compile(r"Still here\.$"))
    page.unroute("**/save*")
    expect(page.locator("#saving")).to_have_text(re.compile("^Saved"))
    assert desk.text(ref).endswith("Still here.\n")
    assert (
        page.evaluate("Object.keys(sessionStorage).filter(name => name.startsWith('copydesk.unsaved'))") == []
    )


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
