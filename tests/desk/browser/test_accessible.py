"""axe-core reports no accessibility violation on any page, in light and dark, wide and on a phone."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from pipeline.domain.model_calls import LLMResponse, Provenance
from pipeline.storage import CallDetails, FeedActivity, RunSummary
from tests.desk.browser.conftest import signed_in
from tests.desk.conftest import Desk
from tests.desk.server import Visitor, database_of, form_of
from tests.fakes.stock import FEED

AXE = Path(__file__).parents[2] / "readers" / "node_modules" / "axe-core" / "axe.min.js"
_RUN = "options => axe.run(document, {resultTypes: ['violations'], ...options})"
_COLOURS = {"runOnly": ["color-contrast"]}
"""The only rule whose result depends on the colours of a page."""


def record_work(desk: Desk) -> None:
    """Record a run that ended early and an answer that was paid for, for the pages of operations."""
    now = datetime.now(UTC)
    feed = FeedActivity(feed=FEED, new=6, drafts=tuple(desk.refs), drafted=6, failed=1, causes={"why": 1})
    with database_of(desk.settings) as db:
        db.runs.begin("ingest-1", "ingest", now - timedelta(minutes=9))
        db.runs.end("ingest-1", RunSummary(drafted=6, failed=1, stopped="a cap", feeds=(feed,)), now)
        provenance = Provenance(rewritten=True, model="a-model", prompt="p")
        details = CallDetails(at=now, run="ingest-1", micros=90_000)
        db.budget.record(db.drafts.get(desk.refs[0]), LLMResponse(text="{}", provenance=provenance), details)


class Axe:
    """A page of the browser, and the violations that axe-core found on the pages of the desk."""

    def __init__(self, browser: Browser, desk: Desk) -> None:
        if not AXE.exists():
            pytest.skip("axe-core is not installed: `npm ci --prefix tests/readers`")
        # The CSP would block axe-core, so it is bypassed.
        self.context, self.page = signed_in(browser, desk, color_scheme="light", bypass_csp=True)
        self.url = desk.server.url
        self.violations: dict[str, list[object]] = {}

    def check(self, what: str) -> None:
        """Check what is shown, in light and dark."""
        self.page.add_script_tag(path=AXE)
        violations = self.page.evaluate(_RUN, {})["violations"]
        self.page.emulate_media(color_scheme="dark")
        violations += self.page.evaluate(_RUN, _COLOURS)["violations"]
        self.page.emulate_media(color_scheme="light")
        if violations:
            nodes = [(item["id"], [node["html"][:200] for node in item["nodes"]]) for item in violations]
            self.violations[what] = [*nodes]

    def check_page(self, path: str) -> None:
        """Open a page and check it."""
        self.page.goto(self.url + path)
        self.check(path)

    def check_phone(self, path: str) -> None:
        """Open a page as wide as a phone and check it."""
        self.page.set_viewport_size({"width": 390, "height": 800})
        self.check_page(path)
        assert self.page.evaluate("document.documentElement.scrollWidth") <= 390, path
        self.page.set_viewport_size({"width": 1280, "height": 720})

    def end(self) -> None:
        """Close the browser's page; fail if there was a violation."""
        self.context.close()
        assert self.violations == {}, json.dumps(self.violations, indent=1)


def test_no_page_has_a_violation(browser: Browser, desk: Desk) -> None:
    held, clean, requested, edited = desk.refs[0], desk.refs[1], desk.refs[2], desk.refs[4]
    desk.ada.post(f"/drafts/{clean}/approve", data={"sha256": desk.ada.hidden(f"/drafts/{clean}", "sha256")})
    desk.ada.post(f"/drafts/{requested}/redraft", data={"note": "shorter"})
    form = form_of(desk.ada.page(f"/drafts/{edited}/edit"))
    desk.ada.post(f"/drafts/{edited}/save", data=form | {"title": "Another"})
    record_work(desk)
    axe = Axe(browser, desk)
    pages = [
        "/", f"/drafts/{held}", f"/drafts/{clean}", f"/drafts/{requested}", f"/drafts/{clean}/proof",
        f"/drafts/{edited}/compare", "/published", "/operations/runs",
    ]  # fmt: skip
    for path in pages:
        axe.check_page(path)
    for path in ("/", f"/drafts/{held}"):
        axe.check_phone(path)
    page = axe.page
    with Visitor(desk.server, "Ola") as ola:
        theirs = form_of(ola.page(f"/drafts/{edited}/edit"))
        page.goto(f"{desk.server.url}/drafts/{edited}/edit")
        ola.post(f"/drafts/{edited}/save", data=theirs | {"title": "Ola's"})
    page.locator("#title").fill("Ada's")
    expect(page.locator("#conflict")).to_be_visible()
    axe.check("conflict")
    page.goto(desk.server.url)
    page.locator("[name=draft]").first.check()
    page.get_by_role("button", name="Reject 1").click()
    expect(page.get_by_role("alert")).to_be_visible()
    axe.check("bulk")
    axe.end()


@pytest.mark.soak  # in every run: the pages above
def test_no_other_page_has_a_violation_and_none_on_a_phone(browser: Browser, desk: Desk) -> None:
    record_work(desk)
    axe = Axe(browser, desk)
    names = ("runs", "feeds", "money", "checks", "articles", f"feeds/{FEED}", "runs/ingest-1")
    for path in (f"/operations/{name}" for name in names):
        axe.check_page(path)
        axe.check_phone(path)
    draft = f"/drafts/{desk.refs[0]}"
    for path in (f"{draft}/edit", f"{draft}/history", f"{draft}/covers", "/published", "/recent", "/name"):
        axe.check_page(path)
        axe.check_phone(path)
    for path in ("/?state=approved", "/?q=nothing-is-called-that", "/nothing"):
        axe.check_page(path)
    axe.end()
