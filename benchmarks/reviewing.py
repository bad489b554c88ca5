"""What an editor waits for: from the key to the next draft, the queue of thousands, a page's weight.

    python benchmarks/reviewing.py [--drafts 50] [--queue 5000] [--postgresql]

The desk on loopback in a process of its own, a real browser, drafts of about 300 words. The floor is the same
browser that loads a page of the same weight from the same server and does nothing else.
"""

import argparse
import multiprocessing
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "benchmarks")]

from machines import running_postgresql  # noqa: E402

from pipeline.checks.pool import CheckPool  # noqa: E402
from pipeline.config import Settings  # noqa: E402
from tests.desk.server import DeskServer  # noqa: E402
from tests.fakes.stock import TOKEN, fill, layout  # noqa: E402

# No key approves within a second of the last decision.
_PAUSE_MS = 1100
# Another draft is on screen, and its scripts take keys.
_NEXT = """ref => {
  const shown = document.querySelector('#pairs');
  return shown && shown.dataset.ref !== ref && document.readyState === 'complete';
}"""


def serve(settings: Settings, port: "multiprocessing.Queue[str]", stop: "multiprocessing.Queue[int]") -> None:
    """Serve a desk until it is told to stop."""
    with DeskServer(settings, checks=CheckPool(workers=2)) as server:
        port.put(server.url)
        stop.get()


def sit_down(page: Page, url: str) -> None:
    """Sign in."""
    page.goto(f"{url}/?token={TOKEN}")
    page.get_by_label("Your name").fill("Ada")
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"{url}/")


def cleared(page: Page, count: int) -> list[float]:
    """Approve drafts one after another by key; returns the milliseconds until each next one is shown."""
    page.locator("a.title").first.click()
    page.wait_for_function(_NEXT, arg="")
    took = []
    for _ in range(count - 1):
        page.wait_for_timeout(_PAUSE_MS)
        ref = page.locator("#pairs").get_attribute("data-ref")
        begun = time.perf_counter()
        page.keyboard.press("A")
        page.wait_for_function(_NEXT, arg=ref)
        took.append(1000 * (time.perf_counter() - begun))
    return took


def loaded(page: Page, address: str, rounds: int) -> list[float]:
    """Return the milliseconds that a page takes until it is shown."""
    took = []
    for _ in range(rounds):
        begun = time.perf_counter()
        page.goto(address, wait_until="domcontentloaded")
        took.append(1000 * (time.perf_counter() - begun))
    return took


def asked(client: httpx.Client, path: str, rounds: int) -> tuple[float, int]:
    """Return the median milliseconds of an answer, and its bytes."""
    took, size = [], 0
    for _ in range(rounds):
        begun = time.perf_counter()
        size = len(client.get(path).content)
        took.append(1000 * (time.perf_counter() - begun))
    return statistics.median(took), size


def measure(url: str, drafts: int) -> None:
    """Print the table."""
    with sync_playwright() as playwright:
        chromium = shutil.which("chromium") or shutil.which("google-chrome")
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page()
        sit_down(page, url)
        first = page.locator("a.title").first.get_attribute("href") or "/"
        cookies = {one["name"]: one["value"] for one in page.context.cookies()}
        floor = statistics.median(loaded(page, f"{url}/name", 20))
        reading = statistics.median(loaded(page, url + first, 20))
        page.goto(f"{url}/")
        took = cleared(page, drafts)
        browser.close()
    with httpx.Client(base_url=url, cookies=cookies) as client:
        queue, weight = asked(client, "/", 10)
        held, _ = asked(client, "/?findings=held&sort=findings", 10)
        searched, _ = asked(client, "/?q=fees", 10)
        missing, _ = asked(client, "/?q=nowhere+fees", 10)
        draft, draft_weight = asked(client, first, 10)
    key = f"key `A` to the next draft, {drafts - 1:,} times"
    rows = (
        ("floor: a page that asks for a name", floor, "in the browser"),
        ("a draft opened", reading, "in the browser"),
        (key, statistics.median(took), f"worst {max(took):.0f}"),
        ("the queue", queue, f"{weight / 1000:.0f} kB"),
        ("the queue, blocked ones, most first", held, ""),
        ("a word of the texts", searched, ""),
        ("a word of no text", missing, ""),
        ("a draft", draft, f"{draft_weight / 1000:.0f} kB"),
    )
    for name, took_ms, note in rows:
        print(f"  {name:40} {took_ms:6.0f} ms  {note}")


@contextmanager
def database(folder: Path, *, on_postgresql: bool) -> Iterator[dict[str, str]]:
    """Yield the settings that name the database: a file, or a PostgreSQL of our own."""
    if not on_postgresql:
        yield {}
        return
    with running_postgresql(folder) as url:
        yield {"COPYDESK_DATABASE_URL": url}


def main() -> None:
    """Fill a desk and measure it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--drafts", type=int, default=50)
    parser.add_argument("--queue", type=int, default=5000)
    parser.add_argument("--postgresql", action="store_true")
    arguments = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as folder,
        database(Path(folder), on_postgresql=arguments.postgresql) as environ,
    ):
        settings = layout(Path(folder) / "desk", environ)
        fill(settings, arguments.queue, faults=False)
        context = multiprocessing.get_context("spawn")
        port, stop = context.Queue(), context.Queue()
        desk = context.Process(target=serve, args=(settings, port, stop))
        desk.start()
        print(f"{arguments.queue:,} drafts wait")
        try:
            measure(port.get(), arguments.drafts)
        finally:
            stop.put(1)
            desk.join()


if __name__ == "__main__":
    main()
