"""A backfill through all pages of an archive: confirmed first, no item drafted twice or lost."""

import json
import os
import signal
import time
from collections.abc import Callable, Iterator

import pytest

from tests.commands import call_copydesk
from tests.end_to_end.project import Project, run_copydesk
from tests.end_to_end.terminal import run_at_terminal
from tests.fakes.feed_server import FeedServer
from tests.fakes.model_server import ModelServer
from tests.fakes.pages import WORDPRESS, archived, json_paged, paged, rss, wordpress

SPAN = ("backfill", "days", "--since", "2026-01-01")
QUESTION = "Continue? [y/N]"


@pytest.fixture
def model() -> Iterator[ModelServer]:
    with ModelServer() as server:
        yield server


@pytest.fixture
def project(new_project: Callable[..., Project], feeds: FeedServer) -> Project:
    return new_project({"days": feeds.url("/feed")})


@pytest.fixture
def dear(project: Project, model: ModelServer, feeds: FeedServer) -> Project:
    """A project whose model costs some dollars an item."""
    wordpress(feeds)
    project.environ |= {
        "COPYDESK_MODEL": "m",
        "OPENAI_BASE_URL": model.base_url,
        "COPYDESK_PRICE": "1000/2000",
    }
    return project


@pytest.mark.parametrize("offered", [archived, paged, json_paged, wordpress])
def test_every_page_is_read_once_and_every_item_drafted(
    project: Project, feeds: FeedServer, offered: Callable[[FeedServer], None]
) -> None:
    offered(feeds)
    done = call_copydesk(project, *SPAN, "--json")
    [report] = json.loads(done.stdout)["feeds"]
    assert (report["new"], len(report["drafts"]), report["notes"]) == (6, 6, ["3 pages read"])
    assert "To be drafted: 6 items." in done.stderr
    assert len(project.drafts()) == 6
    assert len(feeds.seen) == len({request.path for request in feeds.seen}), "nothing was asked for twice"


def test_a_dry_run_walks_and_writes_nothing(project: Project, feeds: FeedServer) -> None:
    paged(feeds)
    feeds.add("/feed?p=3", b"", status=500)
    dry = call_copydesk(project, *SPAN, "--limit", "3", "--dry-run")
    assert dry.returncode == 0, dry.stderr
    assert "Would draft 3 items; nothing was written." in dry.stdout
    assert "1 more item of the date range, and possibly older ones, are not drafted" in dry.stdout
    dry = call_copydesk(project, *SPAN, "--dry-run")
    assert "read no further than page 2" in dry.stdout
    status = json.loads(call_copydesk(project, "status", "--json").stdout)
    assert "seen" not in json.dumps(status["feeds"])


def test_a_failed_later_page_is_reported_and_the_rest_drafted(project: Project, feeds: FeedServer) -> None:
    paged(feeds)
    feeds.add("/feed?p=3", b"", status=500)
    done = call_copydesk(project, *SPAN)
    assert done.returncode == 0
    assert "server error (500)" in done.stdout
    assert len(project.drafts()) == 4


def test_a_killed_backfill_is_continued(project: Project, feeds: FeedServer) -> None:
    wordpress(feeds)
    feeds.add("/feed?paged=3", rss([16, 15], WORDPRESS), delay_s=120)
    process = run_copydesk(project, *SPAN, "--yes", wait=False)
    deadline = time.monotonic() + 300
    while not feeds.requests_of("/feed?paged=3") and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait(120)
    status = json.loads(call_copydesk(project, "status", "--json").stdout)
    assert status["feeds"][0]["counts"] == {"seen": 4}
    wordpress(feeds)
    [report] = json.loads(call_copydesk(project, *SPAN, "--json").stdout)["feeds"]
    assert (report["new"], len(report["drafts"])) == (2, 6)


@pytest.mark.soak  # in one process: test_sharing.py
def test_a_scheduled_run_at_the_same_time_duplicates_nothing(
    project: Project, feeds: FeedServer, model: ModelServer
) -> None:
    wordpress(feeds)
    project.environ |= {"COPYDESK_MODEL": "m", "OPENAI_BASE_URL": model.base_url}
    beside = [run_copydesk(project, "run", wait=False), run_copydesk(project, *SPAN, "--yes", wait=False)]
    assert [process.wait(120) for process in beside] == [0, 0]
    call_copydesk(project, "run")
    assert len(project.drafts()) == 6
    assert len(model.answered) == 6


def test_a_high_cost_is_drafted_after_a_yes(dear: Project, feeds: FeedServer) -> None:
    done = run_at_terminal(dear, *SPAN, question=QUESTION, answer="y")
    assert done.returncode == 0, done.shown
    assert "To be drafted: 6 items for about $" in done.shown
    assert "6 rewritten by m" in done.stdout
    assert len(dear.drafts()) == 6
    rules = ("/robots.txt", "/.well-known/tdmrep.json")
    assert sum(seen.path not in rules for seen in feeds.seen) == 4, "three pages and the end of them, once"


def test_after_a_no_nothing_is_drafted_now_or_by_the_next_run(dear: Project, feeds: FeedServer) -> None:
    done = run_at_terminal(dear, *SPAN, question=QUESTION, answer="")
    assert done.returncode == 0
    assert "Stopped: nothing was drafted or written." in done.shown
    feeds.add("/feed", rss([]))
    call_copydesk(dear, "run")
    assert dear.drafts() == []


def test_without_a_terminal_the_error_names_the_options(dear: Project, model: ModelServer) -> None:
    refused = call_copydesk(dear, *SPAN)
    assert refused.returncode == 2
    assert "add --yes to continue" in refused.stderr
    assert (dear.drafts(), model.requests) == ([], 0)
    assert call_copydesk(dear, *SPAN, "--limit", "1", "--yes").returncode == 0
    assert len(dear.drafts()) == 1
    dear.environ["COPYDESK_CONFIRM"] = "1000"
    assert call_copydesk(dear, *SPAN).returncode == 0
    assert len(dear.drafts()) == 6


def test_many_items_of_unknown_price_need_confirmation(dear: Project, feeds: FeedServer) -> None:
    del dear.environ["COPYDESK_PRICE"]
    feeds.add("/feed", rss(range(1, 22)))
    refused = call_copydesk(dear, *SPAN)
    assert refused.returncode == 2
    assert "this would draft 21 items; there is no terminal" in refused.stderr
    assert call_copydesk(dear, *SPAN, "--limit", "20").returncode == 0
    assert len(dear.drafts()) == 20
