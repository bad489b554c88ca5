"""A backfill of a date range: listed first, drafted once, next to the items of scheduled runs."""

import json
from collections.abc import Callable, Iterator
from decimal import Decimal

import pytest

from pipeline.domain.errors import ConfigError
from pipeline.services.backfill import backfill
from pipeline.services.cost_question import CostLimit
from pipeline.services.report import RunReport
from pipeline.services.run import Ports
from pipeline.storage import Database
from tests.commands import call_copydesk
from tests.end_to_end.project import Project
from tests.fakes.feed_server import FeedServer
from tests.fakes.model_server import ModelServer
from tests.fakes.pools import working_here


def rss(days: range) -> bytes:
    items = "".join(
        f"<item><title>Day {day}</title><guid>d{day}</guid><link>https://feed.example/{day}</link>"
        f"<pubDate>{day:02d} Jan 2026 12:00:00 GMT</pubDate>"
        f"<description>It was day {day}.</description></item>"
        for day in days
    )
    return f"<rss version='2.0'><channel><title>Days</title>{items}</channel></rss>".encode()


def test_a_span_is_listed_then_drafted_once(new_project: Callable[..., Project], feeds: FeedServer) -> None:
    feeds.add("/days.xml", rss(range(1, 21)), content_type="application/rss+xml")
    project = new_project({"days": feeds.url("/days.xml")}, max_age_days=1)
    scheduled = call_copydesk(project, "run", "--json")
    assert json.loads(scheduled.stdout)["feeds"][0]["skipped"] == 20, "all are older than a day"

    span = ("backfill", "days", "--since", "2026-01-05", "--until", "2026-01-10")
    dry = call_copydesk(project, *span, "--dry-run", "--json")
    assert [item["title"] for item in json.loads(dry.stdout)["items"]] == [
        f"Day {day}" for day in (9, 8, 7, 6, 5)
    ]
    assert project.drafts() == []

    limited = (*span, "--limit", "3", "--json")
    plan = json.loads(call_copydesk(project, *limited, "--dry-run").stdout)
    assert ([item["title"] for item in plan["items"]], plan["left"]) == (["Day 9", "Day 8", "Day 7"], 2)
    before = call_copydesk(project, "status", "--json").stdout
    assert json.loads(before)["feeds"][0]["counts"] == {"skipped": 20}
    [first] = json.loads(call_copydesk(project, *limited).stdout)["feeds"]
    assert (len(first["drafts"]), first["left"], first["queued"]) == (3, 2, 0)
    [plain] = json.loads(call_copydesk(project, "run", "days", "--json").stdout)["feeds"]
    assert (plain["new"], plain["drafts"], plain["queued"]) == (0, [], 0), "the others are as they were"
    rest = json.loads(call_copydesk(project, *span, "--json").stdout)
    assert len(rest["feeds"][0]["drafts"]) == 2
    again = json.loads(call_copydesk(project, *span, "--json").stdout)
    assert again["feeds"][0]["drafts"] == []
    assert len(project.drafts()) == 5


def test_an_unknown_feed_and_a_wrong_day_say_what_to_write(
    new_project: Callable[..., Project], feeds: FeedServer
) -> None:
    project = new_project({"days": feeds.url("/days.xml")})
    unknown = call_copydesk(project, "backfill", "nights", "--dry-run")
    assert (unknown.returncode, unknown.stderr.count("\n")) == (2, 1), unknown.stderr
    assert "nights" in unknown.stderr
    assert "days" in unknown.stderr
    wrong = call_copydesk(project, "backfill", "days", "--since", "yesterdayish")
    assert wrong.returncode == 2
    assert "yesterdayish" in wrong.stderr
    empty = call_copydesk(project, "backfill", "days", "--since", "2026-02-01", "--until", "2026-02-01")
    assert (empty.returncode, empty.stderr.count("\n")) == (2, 1), empty.stderr
    assert "--since 2026-02-01 is not before --until 2026-02-01" in empty.stderr


@pytest.fixture
def settled(
    monkeypatch: pytest.MonkeyPatch, new_project: Callable[..., Project], feeds: FeedServer
) -> Iterator[tuple[Project, ModelServer]]:
    """A project with a model at 500 dollars per million tokens, in whose folder this process is."""
    feeds.add("/days.xml", rss(range(1, 4)), content_type="application/rss+xml")
    project = new_project({"days": feeds.url("/days.xml")})
    with ModelServer() as model, working_here():
        environ = {"COPYDESK_MODEL": "fake-1", "OPENAI_BASE_URL": model.base_url, "COPYDESK_PRICE": "500/500"}
        for name, value in (project.environ | environ).items():
            monkeypatch.setenv(name, value)
        monkeypatch.chdir(project.folder)
        yield project, model


async def test_a_backfill_that_nobody_is_asked_about_writes_nothing_above_its_limit(
    settled: tuple[Project, ModelServer], feeds: FeedServer
) -> None:
    """As the run of a deployment does it; a run of the deployment itself is in test_prefect_pages.py."""
    project, model = settled
    limit = CostLimit(Decimal("0.01"), is_confirmed=True)
    with pytest.raises(ConfigError, match="confirm_cost allows"):
        await backfill("days", ports=Ports(cost_limit=limit))
    assert (project.drafts(), model.requests) == ([], 0)
    with Database.open(f"sqlite:///{project.folder / '.copydesk/ledger.db'}") as db:
        assert db.feeds.item_counts() == {}
    before = feeds.requests_of("/days.xml")
    report = await backfill("days", limit=2, ports=Ports(cost_limit=limit._replace(usd=Decimal(100))))
    assert isinstance(report, RunReport)
    assert (len(report.drafts), model.requests) == (2, 2)
    assert feeds.requests_of("/days.xml") == before + 1, "what the dry run read is not read again"


async def test_a_confirmed_cost_ends_the_run_that_would_spend_more(
    settled: tuple[Project, ModelServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The answers cost more than was likely."""
    project, model = settled
    monkeypatch.setenv("COPYDESK_MAX_IN_FLIGHT", "1")
    model.usage = {"prompt_tokens": 1000, "completion_tokens": 7000}  # 4 dollars
    report = await backfill("days", ports=Ports(cost_limit=CostLimit(Decimal(5), is_confirmed=True)))
    assert isinstance(report, RunReport)
    assert "the cap of the run is reached" in str(report.stopped)
    assert (model.requests, len(project.drafts())) == (1, 1)
