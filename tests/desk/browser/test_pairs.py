"""A draft by keyboard, pair by pair: decisions where findings stand, approving what was on screen."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from pipeline.articles.front_matter import loads
from tests.desk.browser.conftest import signed_in
from tests.desk.conftest import Desk
from tests.desk.planted import FALSE, plant
from tests.desk.server import DeskServer, Visitor, row_of
from tests.fakes.stock import fill, layout

TRUE, THREE, CLEAN, EDITED, LIGHT = range(5)


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A desk where what is on screen counts as shown at once."""
    folder: Path = tmp_path_factory.mktemp("desk")
    settings = layout(folder / "project", {"COPYDESK_READING_WORDS_PER_S": "0"})
    refs = fill(settings, 30, faults=False)
    drafts = [refs[0], refs[12], refs[4], refs[24], refs[8]]
    plant(settings, drafts[TRUE], {"Monday evening": "Tuesday evening"}, everywhere=True)
    said = "; ".join(f"so did {name}" for name in FALSE)
    plant(settings, drafts[THREE], {"66.7% were needed": f"66.7% were needed; {said}"})
    plant(settings, drafts[EDITED], {"66.7% were needed": "66.7% were needed; so did Zirkon Bank"})
    with DeskServer(settings) as server, Visitor(server) as ada:
        yield Desk(server, settings, drafts, ada)


@pytest.fixture
def page(browser: Browser, planted: Desk) -> Iterator[Page]:
    context, opened = signed_in(browser, planted, viewport={"width": 1440, "height": 900})
    yield opened
    context.close()


def go_through(page: Page, planted: Desk, ref: str) -> None:
    """Open a draft and scroll to its end: every section is shown then."""
    page.goto(f"{planted.server.url}/drafts/{ref}")
    count = page.locator("form.shown").count()
    for row in page.locator("[data-row]").all():
        row.scroll_into_view_if_needed()
    expect(page.locator("form.shown.done")).to_have_count(count)


def published(planted: Desk, ref: str) -> tuple[dict[str, object], str]:
    return loads(planted.text(ref, "published"))


def approved(page: Page, ref: str) -> None:
    page.wait_for_url(lambda address: ref not in address.partition("?")[0])


def test_a_clean_draft_takes_one_key(page: Page, planted: Desk) -> None:
    ref = planted.refs[CLEAN]
    go_through(page, planted, ref)
    page.keyboard.press("a")
    approved(page, ref)
    review = published(planted, ref)[0]["review"]
    assert isinstance(review, dict)
    assert (review["by"], review["level"]) == ("Ada", "full")


def test_a_true_finding_takes_one_key_in_all_its_places(page: Page, planted: Desk) -> None:
    ref = planted.refs[TRUE]
    go_through(page, planted, ref)
    expect(page.locator(".finding.block")).to_have_count(1)
    page.locator(".finding.block").scroll_into_view_if_needed()
    page.keyboard.press("t")
    expect(page.locator(".finding.block")).to_have_count(0)
    expect(page.locator("[data-row] .is-title, #left")).not_to_contain_text("must")
    for row in page.locator("[data-row]").all():
        row.scroll_into_view_if_needed()
    expect(page.locator("form.shown:not(.done)")).to_have_count(0)
    page.keyboard.press("a")
    approved(page, ref)
    metadata, body = published(planted, ref)
    assert "Tuesday" not in f"{metadata['title']} {metadata['description']} {body}"


def test_false_findings_take_two_keys_each_and_the_next_one_is_chosen(page: Page, planted: Desk) -> None:
    ref = planted.refs[THREE]
    go_through(page, planted, ref)
    found = page.locator(".finding.block")
    expect(found).to_have_count(3)
    found.first.scroll_into_view_if_needed()
    before = page.evaluate("scrollY")
    for left in (2, 1, 0):
        expect(page.locator(".finding.on")).to_be_in_viewport()
        page.keyboard.press("d")
        page.keyboard.press("3")
        expect(found).to_have_count(left)
    # They stay where they are, and so does the page.
    expect(page.locator(".finding.fine")).to_have_count(3)
    assert abs(page.evaluate("scrollY") - before) < 200
    page.keyboard.press("a")
    approved(page, ref)
    assert "Zirkon Bank" in published(planted, ref)[1]


def test_a_draft_with_a_section_not_shown_is_approved_by_shift_only(page: Page, planted: Desk) -> None:
    ref = planted.refs[LIGHT]
    page.route("**/shown*", lambda route: route.abort())  # the key scrolls, and the rest would be shown
    page.goto(f"{planted.server.url}/drafts/{ref}")
    page.keyboard.press("a")
    expect(page.locator("#status")).to_contain_text("not shown yet")
    assert planted.exists(ref, "drafts")
    page.keyboard.press("A")
    approved(page, ref)
    metadata = published(planted, ref)[0]
    review, ai = metadata["review"], metadata["ai"]
    assert isinstance(review, dict)
    assert isinstance(ai, dict)
    assert (review["level"], ai["disclosure"]) == ("light", "required")


def test_a_sentence_is_edited_where_it_stands(page: Page, planted: Desk) -> None:
    ref = planted.refs[EDITED]
    page.goto(f"{planted.server.url}/drafts/{ref}")
    expect(page.locator(".finding.block")).to_have_count(1)
    page.keyboard.press("f")
    page.keyboard.press("e")
    field = page.get_by_label("Edit this sentence")
    expect(field).to_be_focused()
    field.fill(field.input_value().replace("; so did Zirkon Bank", ""))
    page.keyboard.press("Enter")
    expect(page.locator("#saving")).to_have_text("Saved")
    expect(page.locator(".finding.block")).to_have_count(0)
    expect(field).to_have_count(0)
    assert "Zirkon Bank" not in planted.text(ref)


def test_space_walks_the_pairs_and_a_held_key_stops_at_a_finding(page: Page, planted: Desk) -> None:
    ref = planted.refs[EDITED]
    plant(planted.settings, ref, {"Earlier attempts had": "Palisade Court had"})
    assert row_of(planted.settings, ref).findings
    page.goto(f"{planted.server.url}/drafts/{ref}")
    page.locator("[data-row]").first.click()
    seen = []
    for _ in range(4):
        page.keyboard.press(" ")
        seen.append(page.locator(".pair.on").get_attribute("data-row"))
    assert len(set(seen)) == 4
    page.keyboard.down(" ")
    for _ in range(40):
        page.keyboard.down(" ")
    page.keyboard.up(" ")
    expect(page.locator(".pair.on").locator(".finding.block, .finding.warn")).not_to_have_count(0)
