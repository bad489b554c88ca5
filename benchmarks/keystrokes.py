"""What a draft costs an editor: keys, counted in a real browser, and minutes by the keystroke-level model.

    python benchmarks/keystrokes.py

Drafts with planted errors; what is on screen counts as shown at once, and scrolling is not counted. The
estimate is that of Card, Moran and Newell (The Keystroke-Level Model, CACM 23(7), 1980): 0.28 s a key (an
average typist, 40 words a minute), 1.35 s to prepare a decision. Reading: 240 words a minute (Brysbaert,
Journal of Memory and Language 109, 2019: 238 for non-fiction), the article once, and for each finding the
source sentence beside it (25 words). The floor is the reading of the article alone.
"""

import shutil
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from tests.desk.planted import FALSE, plant  # noqa: E402
from tests.desk.server import DeskServer  # noqa: E402
from tests.fakes.stock import TOKEN, fill, layout  # noqa: E402

KEY_S, PREPARE_S, WORDS_PER_S, SOURCE_WORDS = 0.28, 1.35, 4.0, 25
ARTICLE_WORDS, TRUE_FINDINGS, FALSE_FINDINGS = 600, 3, 3


def go_through(page: Page, address: str) -> None:
    """Open a draft and scroll to its end."""
    page.goto(address)
    show_all(page)


def show_all(page: Page) -> None:
    """Scroll to the end, until every section is shown."""
    for row in page.locator("[data-row]").all():
        row.scroll_into_view_if_needed()
    page.wait_for_function("!document.querySelector('form.shown:not(.done)')")


def clear(page: Page, address: str, keys: str) -> int:
    """Decide on every finding with these keys, approve; returns the number of keys pressed."""
    go_through(page, address)
    pressed = 0
    while left := page.locator(".finding.block, .finding.warn").count():
        page.locator(".finding.block, .finding.warn").first.scroll_into_view_if_needed()
        for key in keys:
            page.keyboard.press(key)
            pressed += 1
        page.wait_for_function(
            "left => document.querySelectorAll('.finding.block, .finding.warn').length < left", arg=left
        )
    show_all(page)
    page.keyboard.press("a")
    page.wait_for_url(lambda url: address not in url)
    return pressed + 1


def minutes(true_keys: int, false_keys: int) -> float:
    """Return the estimate for an article with findings, from the keys that one finding of each kind takes."""
    findings = TRUE_FINDINGS + FALSE_FINDINGS
    keys = TRUE_FINDINGS * true_keys + FALSE_FINDINGS * false_keys + 1
    reading = (ARTICLE_WORDS + findings * SOURCE_WORDS) / WORDS_PER_S
    return (reading + keys * KEY_S + (findings + 1) * PREPARE_S) / 60


def main() -> None:
    """Plant drafts, clear them by key, print keys and minutes."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        settings = layout(Path(folder) / "project", {"COPYDESK_READING_WORDS_PER_S": "0"})
        refs = fill(settings, 30, faults=False)
        plant(settings, refs[0], {"Monday evening": "Tuesday evening"}, everywhere=True)
        said = "; ".join(f"so did {name}" for name in FALSE)
        plant(settings, refs[12], {"66.7% were needed": f"66.7% were needed; {said}"})
        chromium = shutil.which("chromium") or shutil.which("google-chrome")
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        with DeskServer(settings) as server:
            page = browser.new_page(viewport={"width": 1440, "height": 900})
            page.goto(f"{server.url}/?token={TOKEN}")
            page.get_by_label("Your name").fill("Ada")
            page.get_by_role("button", name="Sign in").click()
            page.wait_for_url(f"{server.url}/")
            drafts = {
                name: f"{server.url}/drafts/{refs[at]}"
                for name, at in (("clean", 4), ("true", 0), ("false", 12))
            }
            clean = clear(page, drafts["clean"], "")
            true = clear(page, drafts["true"], "t")
            dismissed = clear(page, drafts["false"], "d3")
            browser.close()
    print(f"  keys for a clean draft                       {clean}")
    print(f"  keys for one true finding in three places    {true}")
    digits = (dismissed - 1) // 2 + 1
    print(f"  keys for three false findings                {dismissed} (by digits alone {digits})")
    estimate, floor = minutes(true - 1, (dismissed - 1) // 3), ARTICLE_WORDS / WORDS_PER_S / 60
    article = f"{ARTICLE_WORDS} words, 3 true and 3 false findings"
    print(f"  {article:44} {estimate:.1f} min; to read it {floor:.1f}")


if __name__ == "__main__":
    main()
