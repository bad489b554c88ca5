"""After Ctrl-C the run releases unfinished items, and the next run finishes them at once."""

import signal
import time
from collections.abc import Callable

import pytest

from tests.end_to_end.project import Project, run_copydesk
from tests.fakes.feed_server import FeedServer
from tests.fakes.model_server import ModelServer

ITEMS = 24


def rss() -> bytes:
    items = "".join(
        f"<item><title>Story {number}</title><guid>s{number}</guid><link>https://feed.example/{number}</link>"
        f"<pubDate>Mon, 02 Feb 2026 10:{number:02d}:00 GMT</pubDate>"
        f"<description>Company {number} sold {number} coins.</description></item>"
        for number in range(ITEMS)
    )
    return f"<rss version='2.0'><channel><title>Stories</title>{items}</channel></rss>".encode()


@pytest.mark.soak
def test_an_interrupted_run_is_finished_by_the_next(
    new_project: Callable[..., Project], feeds: FeedServer
) -> None:
    """`test_stopping.py` ends a run that waits for no answer, and has the next run finish its work."""
    feeds.add("/stories.xml", rss(), content_type="application/rss+xml")
    project = new_project({"stories": feeds.url("/stories.xml")}, max_items=ITEMS)
    with ModelServer(latency_s=0.3) as model:
        project.environ |= {
            "COPYDESK_MODEL": "m",
            "OPENAI_BASE_URL": model.base_url,
            "COPYDESK_MAX_IN_FLIGHT": "4",
        }
        process = run_copydesk(project, "run", wait=False)
        deadline = time.monotonic() + 300
        while len(model.answered) < 6 and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        assert process.wait(300) == 130
        assert len(project.drafts()) < ITEMS
        finished = run_copydesk(project, "run")
        assert finished.returncode == 0, finished.stderr
        assert len(model.answered) <= ITEMS + 4
    assert len(project.drafts()) == ITEMS
