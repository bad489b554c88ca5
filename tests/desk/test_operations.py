"""The pages of operations: what they count, what their numbers link to, and that no name can break them."""

import platform
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from html import unescape
from pathlib import Path

import httpx
import pytest
import yaml

from desk.routes.feeds import read_feeds
from desk.routes.money import read_caps
from pipeline.config import load_feeds
from pipeline.domain.errors import BudgetExceeded
from pipeline.domain.model_calls import LLMResponse, Provenance, TokenUsage
from pipeline.domain.models import PollState
from pipeline.services.budget import active_caps
from pipeline.storage import CallCost, CallDetails, Database, FeedActivity, FeedBacklog, RunSummary
from pipeline.storage.schema import draft_index
from tests.desk.conftest import Desk
from tests.desk.server import DeskServer, Visitor, database_of
from tests.fakes.stock import FEED, TOKEN, layout
from tests.pipeline.storage.approvals import drafted
from tests.pipeline.storage.records import admit, feed, item

HOSTILE = '</title><script>alert(1)</script> & "Söhne" \''
PAGES = ("runs", "feeds", "money", "checks", "articles", f"feeds/{FEED}")
DEAD = f"{platform.node()}|an earlier boot|1|1"
"""A process of this host that is not alive."""


@pytest.fixture
def db(desk: Desk) -> Iterator[Database]:
    with database_of(desk.settings) as opened:
        yield opened


def links(page: str) -> set[str]:
    return {unescape(link) for link in re.findall(r'href="([^"]*)"', page)}


def text_of(page: str) -> str:
    """Return what a page says, on one line."""
    main = page[page.index("<main") : page.index("</main>")]
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", main)).split())


def answer_costs(
    db: Database, desk: Desk, number: int, micros: int | None, model: str = "gpt-x", days: int = 0
) -> None:
    """Record an answer that was paid for some days ago."""
    row = db.drafts.get(desk.refs[number])
    provenance = Provenance(rewritten=True, model=model, prompt="p")
    answer = LLMResponse(
        text="{}", usage=TokenUsage(prompt_tokens=9, completion_tokens=9), provenance=provenance
    )
    at = datetime.now(UTC) - timedelta(days=days)
    db.budget.record(row, answer, CallDetails(at=at, run="ingest-1", micros=micros))


def test_each_page_needs_a_sign_in_and_works_on_an_empty_period(desk: Desk) -> None:
    for page in PAGES:
        assert httpx.get(f"{desk.server.url}/operations/{page}").status_code == 401
        odd = ("?days=90", "?days=x", "?day=0001-01-01", "?day=9999-12-31") if page == "runs" else ()
        for query in ("", "?day=2020-02-29", *odd):
            answer = desk.ada.get(f"/operations/{page}{query}")
            assert answer.status_code == 200, (page, query, answer.text)
            assert "style=" not in answer.text
            assert "/operations/money" in answer.text
    with httpx.Client(base_url=desk.server.url, follow_redirects=True) as nameless:
        landed = nameless.get("/operations/runs", params={"token": TOKEN})
    assert 'name="name"' in landed.text, "who signed in without a name is asked for one"


def test_the_chosen_period_is_marked(desk: Desk) -> None:
    for query, marked in (("", ["30 days"]), ("?days=90", ["90 days"]), ("?day=2026-02-05", [])):
        page = desk.ada.page(f"/operations/feeds{query}")
        assert re.findall(r'aria-current="true">([^<]*)', page) == marked


def test_runs_are_listed_fifty_to_a_page(desk: Desk, db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    now, cut = datetime.now(UTC), "The time line shows the latest"
    for number in range(51):
        db.runs.begin(f"ingest-{number:02}", "ingest", now - timedelta(minutes=number))
    names = [f"/operations/runs/ingest-{number:02}" for number in range(51)]

    def listed(page: str) -> list[str]:
        return re.findall(r'class="name" href="([^"]*)"', page)

    first = desk.ada.page("/operations/runs?days=7")
    assert (listed(first), cut in first) == (names[:50], False)
    assert "?days=7&page=2" in links(first)
    monkeypatch.setattr("desk.routes.runs._MAX_MARKS", 50)
    second = desk.ada.page("/operations/runs?days=7&page=2")
    assert (listed(second), cut in second) == (names[50:], True)
    assert "?days=7&page=1" in links(second)
    assert "?days=7&page=3" not in links(second)


def test_a_run_is_told_with_what_it_did_and_links_to_its_drafts(desk: Desk, db: Database) -> None:
    now = datetime.now(UTC)
    ref = desk.refs[1]
    db.runs.begin("ingest-1", "ingest", now - timedelta(minutes=9), "https://prefect.example/runs/flow-run/1")
    did = FeedActivity(
        feed=FEED, new=3, drafts=(ref, desk.refs[2], "f" * 16), drafted=2, held=1, failed=1,
        causes={"it <broke>": 1}, waiting=2, waits={"robots.txt of x.example cannot be read": 2},
        micros=90_000, error="stock-wire: 500",
    )  # fmt: skip
    summary = RunSummary(
        polled=1, new=3, drafted=2, held=1, failed=1, unread=1, micros=90_000, exit_code=7,
        stopped="the cap is reached", feeds=(did,),
    )  # fmt: skip
    db.runs.end("ingest-1", summary, now)
    page = desk.ada.page("/operations/runs")
    said = text_of(page)
    for part in (
        "ended early",
        "3 new",
        "2 drafted",
        "1 held",
        "1 failed",
        "$0.0900",
        "9 min",
        "the cap is reached",
    ):
        assert part in said
    assert "https://prefect.example/runs/flow-run/1" in links(page)
    assert "/operations/runs/ingest-1#drafts" in links(page)
    one_run = desk.ada.page("/operations/runs/ingest-1")
    assert "2 items: robots.txt of x.example cannot be read" in text_of(one_run)
    assert {f"/drafts/{ref}", f"/drafts/{desk.refs[2]}", f"/operations/feeds/{FEED}"} <= links(one_run)
    assert "1 item: it <broke>" in text_of(one_run)
    assert "stock-wire: 500" in text_of(one_run)
    assert f"/drafts/{'f' * 16}" not in links(one_run), "its item was erased"
    assert desk.ada.get("/operations/runs/ingest-2").status_code == 404


def test_a_killed_run_did_not_end_and_one_under_way_is_no_failure(desk: Desk, db: Database) -> None:
    with Database.open(desk.settings.database_url, owner=DEAD) as dead:
        dead.runs.begin("ingest-1", "ingest", datetime.now(UTC) - timedelta(minutes=1))
    db.runs.begin("requests-2", "requests", datetime.now(UTC))
    page = desk.ada.page("/operations/runs")
    said = text_of(page)
    assert re.search(r"ingest, \S+ \S+ UTC did not end", said)
    assert re.search(r"requests, \S+ \S+ UTC under way", said)
    assert "the next run does the rest" in said
    assert "0 drafted" not in said


def test_a_run_without_a_report_has_a_cost_and_no_zeros(desk: Desk, db: Database) -> None:
    db.runs.begin("ingest-1", "ingest", datetime.now(UTC))
    answer_costs(db, desk, 0, 1_500_000)
    running = text_of(desk.ada.page("/operations/runs/ingest-1"))
    assert "What it did is recorded when it ends" in running
    assert "Answers paid for 1 Cost $1.50" in running
    db.runs.fail("ingest-1", "the disk is full", 6, datetime.now(UTC))
    said = text_of(desk.ada.page("/operations/runs/ingest-1"))
    assert "the disk is full What it did was not recorded. Answers paid for 1 Cost $1.50" in said
    assert "Drafted" not in said
    page = desk.ada.page("/operations/runs")
    assert "what it did was not recorded" in text_of(page)
    assert "0 drafted" not in unescape(page)


def test_times_are_those_of_the_operators_zone(tmp_path: Path) -> None:
    settings = layout(tmp_path / "project", {"COPYDESK_TIMEZONE": "Asia/Kathmandu"})
    with database_of(settings) as db, DeskServer(settings) as server, Visitor(server) as ada:
        db.runs.begin("ingest-1", "ingest", datetime(2026, 3, 1, 20, tzinfo=UTC))
        page = ada.page("/operations/runs?day=2026-03-02")
    assert "ingest, 2026-03-02 01:45 +0545" in text_of(page)
    assert "ingest, 2026-03-02 01:45, " in page, "and on the time line"
    assert "UTC" not in text_of(page)


def test_a_page_of_prefect_that_is_no_web_address_is_no_link(desk: Desk, db: Database) -> None:
    db.runs.begin("ingest-1", "ingest", datetime.now(UTC), "javascript:alert(1)")
    for path in ("/operations/runs", "/operations/runs/ingest-1"):
        assert "javascript:" not in desk.ada.page(path)


def test_money_by_day_model_and_feed_beside_the_caps(desk: Desk, db: Database) -> None:
    answer_costs(db, desk, 0, 1_500_000, days=1)
    answer_costs(db, desk, 1, 500_000, "mini<b>")
    answer_costs(db, desk, 2, None, "mini<b>")
    page = desk.ada.page("/operations/money")
    said = text_of(page)
    assert "Spent in the last 30 days $2.00" in said
    assert "mini<b> 2 $0.50 1 without a price" in said
    assert "Stock Wire 3 $2.00" in said
    assert "COPYDESK_CAP_DAY no cap is set spent $0.50" in said
    assert {"?model=gpt-x", "?model=mini%3Cb%3E", f"?feed={FEED}"} <= links(page)
    days = re.findall(r'<th scope="row"><a href="/operations/runs\?day=([^"]*)', page)
    assert len(days) == 2
    assert days == sorted(days, reverse=True)
    mini = desk.ada.page("/operations/money?model=mini%3Cb%3E")
    assert "Spent in the last 30 days $0.50" in text_of(mini)
    assert "?model=mini%3Cb%3E&days=7" in links(mini)
    assert "No model was paid" in desk.ada.page("/operations/money?feed=another")


def test_a_cap_is_reached_where_the_next_call_would_be_refused(tmp_path: Path) -> None:
    model = {"COPYDESK_MODEL": "m", "OPENAI_API_KEY": "k", "COPYDESK_PRICE": "0/100"}  # 1,500 tokens: $0.15
    settings = layout(tmp_path / "project", {**model, "COPYDESK_CAP_DAY": "1", "COPYDESK_CAP_MONTH": "10"})
    subscriptions, now = load_feeds(settings.feeds_file), datetime.now(UTC)
    with database_of(settings) as db:

        def states() -> list[tuple[str, int, bool]]:
            caps = read_caps(db, settings, subscriptions, now)
            return [(cap.name, cap.left, cap.is_reached) for cap in caps if cap.limit is not None]

        assert states() == [("a day", 1_000_000, False), ("a month", 10_000_000, False)]
        with Database.open(settings.database_url, owner=DEAD) as dead:  # it was killed during the call
            dead.budget.reserve("ingest-1", CallCost(860_000, 0), [], now, stale=now)
        assert states() == [("a day", 140_000, True), ("a month", 9_140_000, False)]
        caps = active_caps(settings, "ingest-2", now)
        with pytest.raises(BudgetExceeded, match="cap of the day"):
            db.budget.require_left("ingest-2", CallCost(150_000, 150_000), caps)


def test_feeds_with_health_counts_and_reasons(desk: Desk, db: Database) -> None:
    now = datetime.now(UTC)
    db.feeds.record_polls({FEED: PollState(failures=3, last_error="it answered <500>", last_polled_at=now)})
    page = desk.ada.page("/operations/feeds?day=2026-02-05")
    said = text_of(page)
    assert "Stock Wire failed 3 times in a row 6 items" in said
    assert "6 drafted (100%)" in said
    assert "it answered <500>" in said
    assert f"/operations/feeds/{FEED}?day=2026-02-05#items" in links(page)
    own = desk.ada.page(f"/operations/feeds/{FEED}?day=2026-02-05")
    assert f"/?feed={FEED}" in links(own)
    assert "Wait for an editor, of any day 6 Approved 0" in text_of(own)
    other = text_of(desk.ada.page(f"/operations/feeds/{FEED}?day=2020-01-01"))
    assert "Wait for an editor, of any day 6" in other, "the queue has them on each day"
    assert desk.ada.get("/operations/feeds/unknown").status_code == 404


def test_a_feed_that_was_never_synchronized_has_a_page(desk: Desk) -> None:
    path = desk.settings.feeds_file
    document = yaml.safe_load(path.read_text())
    document["feeds"].append(
        document["feeds"][0] | {"key": "new", "name": "New", "url": "https://n.example/f"}
    )
    path.write_text(yaml.safe_dump(document))
    assert "/operations/feeds/new?#items" in links(desk.ada.page("/operations/feeds"))
    assert "not polled yet" in text_of(desk.ada.page("/operations/feeds/new"))


def test_items_that_are_not_drafted_are_counted_as_status_does(tmp_path: Path) -> None:
    settings = layout(tmp_path / "project")
    with database_of(settings) as db:
        db.feeds.sync([feed(FEED)])
        admit(db, *(item(number) for number in range(1, 6)), key=FEED)
        first, second, third = db.leases.acquire(FEED, 3, 60)
        later = datetime.now(UTC) + timedelta(hours=1)
        db.leases.fail(first, "it broke", retry=True)
        db.leases.fail(second, "it broke", retry=False)
        db.leases.postpone(third, "robots.txt", later)
        polls, backlogs = read_feeds(db, datetime.now(UTC))
    assert polls == {FEED: PollState()}
    assert backlogs == {FEED: FeedBacklog(queued=2, waiting=1, failed=2)}


def test_checks_count_open_and_decided_findings(desk: Desk) -> None:
    checks = desk.ada.page("/operations/checks")
    assert "Drafts held 2" in text_of(checks)
    kinds = {link for link in links(checks) if link.startswith("/?kind=")}
    assert kinds
    for link in kinds:
        listed = len(set(re.findall(r'name="draft" value="([0-9a-f]+)', desk.ada.page(link))))
        label = re.search(rf'<a href="{re.escape(link)}">([^<]*)</a></th>', checks)
        assert label
        assert f"{label[1]} {listed} " in text_of(checks)
    page = desk.ada.page(f"/drafts/{desk.refs[0]}")
    hidden = dict(re.findall(r'name="(key|sha256)" value="([^"]*)"', page))
    place = re.search(r'action="(/drafts/[0-9a-f]+/(?:acknowledge|dismiss)[^"]*)"', page)
    assert place, "the draft has a finding that can be dismissed"
    form = hidden | {"preset": "checker-wrong", "reason": ""}
    assert desk.ada.post(unescape(place[1]), data=form).status_code == 200
    said = text_of(desk.ada.page("/operations/checks"))
    assert "Dismissed as wrong 1" in said
    assert "False-alarm rate 100%" in said
    assert "No finding was decided on 2020-01-01" in text_of(
        desk.ada.page("/operations/checks?day=2020-01-01")
    )


def test_articles_wait_by_age_and_are_counted_on_the_day_of_their_approval(desk: Desk) -> None:
    ref = desk.refs[1]
    sha256 = desk.ada.go_through(ref)
    desk.ada.post(f"/drafts/{ref}/approve", data={"sha256": sha256})
    page = desk.ada.page("/operations/articles")
    assert "Drafts that wait 5" in text_of(page)
    assert "Approved in the last 30 days 1" in text_of(page)
    [day] = {link for link in links(page) if link.startswith("/published?day=")}
    assert re.findall(r'<th scope="row">(\d[^<]*)</th>', page) == [day.partition("=")[2]], "no other day"
    assert f"/drafts/{ref}" in links(desk.ada.page(day))
    assert f"/drafts/{ref}" not in links(desk.ada.page("/published?day=2020-01-01"))
    desk.ada.post(f"/drafts/{ref}/undo")
    assert "Approved in the last 30 days 0" in text_of(desk.ada.page("/operations/articles"))


def test_waiting_drafts_by_feed_and_age(desk: Desk, db: Database) -> None:
    db.feeds.sync([feed()])
    rows, now = [(drafted(db, 1), 2), (drafted(db, 2), 8)], datetime.now(UTC)
    with db._writing() as connection:
        for row, days in rows:
            change = draft_index.update().where(draft_index.c.item_id == row.item_id)
            connection.execute(change.values(since=now - timedelta(days=days)))
    page = desk.ada.page("/operations/articles")
    said = text_of(page)
    assert "The oldest waits for 8 d" in said
    assert "one 2 8 d" in said
    assert "up to 1 day: 6 · 1 to 3 days: 1 · 3 to 7 days: 0 · over 7 days: 1" in said


def test_hostile_names_of_feeds_are_text_on_every_page(desk: Desk, db: Database) -> None:
    path = desk.settings.feeds_file
    document = yaml.safe_load(path.read_text())
    document["feeds"][0]["name"] = HOSTILE
    path.write_text(yaml.safe_dump(document))
    answer_costs(db, desk, 0, 1_000_000, HOSTILE)
    db.runs.begin("ingest-1", "ingest", datetime.now(UTC))
    for page in PAGES:
        html = desk.ada.page(f"/operations/{page}")
        assert "<script>alert" not in html
        if page not in ("runs", "checks"):
            assert " ".join(HOSTILE.split()) in text_of(html)
