"""Backfills: each kind of pagination, and each reason to stop reading pages."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from pipeline.domain.errors import ConfigError, FeedError, ShutdownRequested
from pipeline.domain.feed_access import Credentials
from pipeline.domain.models import Beat, FeedConfig, Window
from pipeline.domain.urls import web_origin
from pipeline.http_client import HttpClient
from pipeline.services.backfill import admit_preview, backfill_feed, preview_backfill
from pipeline.services.context import PollReport, RunContext, Writer
from pipeline.services.estimate import Estimate, estimate_cost
from pipeline.services.poll import poll
from pipeline.storage import Database
from tests.fakes.feed_server import FeedServer
from tests.fakes.pages import WORDPRESS, archived, atom, json_paged, paged, rss, wordpress
from tests.pipeline.services.desk import BEAT, run_context
from tests.pipeline.storage.records import NOW, draft, feed, item, skip_reasons

EVER: Window = (datetime(2020, 1, 1, tzinfo=UTC), None)


def subscribed(db: Database, server: FeedServer, path: str = "/feed", **fields: Any) -> FeedConfig:
    days = feed("days", url=server.url(path), max_age_days=None, **fields)
    db.feeds.sync([feed(), days])
    return days


async def walked(desk: RunContext, days: FeedConfig, window: Window = EVER, limit: int = 100) -> PollReport:
    return await backfill_feed(desk, days, window, limit, pause_s=0)


@pytest.mark.parametrize("offered", [archived, paged, json_paged, wordpress])
async def test_every_kind_of_paging_is_read_to_its_end(
    db: Database, net: HttpClient, server: FeedServer, tmp_path: Path, offered: Any
) -> None:
    offered(server)
    days = subscribed(db, server)
    desk = run_context(db, net, tmp_path, feeds=(days,))
    preview = await preview_backfill(desk, days, EVER, 100, pause_s=0)
    assert [item.title for item in preview.new] == [f"Day {day}" for day in (20, 19, 18, 17, 16, 15)]
    assert "days" not in db.feeds.item_counts(), "a look writes nothing"
    report = await walked(desk, days)
    assert (report.new, report.notes) == (6, ("3 pages read",))
    assert db.feeds.item_counts()["days"] == {"seen": 6}
    again = await walked(desk, days)
    assert (again.new, db.feeds.item_counts()["days"]) == (0, {"seen": 6})


async def test_a_feed_without_a_model_costs_nothing_and_opens_no_second_reader(
    db: Database, net: HttpClient, tmp_path: Path
) -> None:
    def keyless(_beat: Beat) -> Writer:
        raise ConfigError("the second reader has no key")

    context = replace(run_context(db, net, tmp_path), verifier=keyless)
    assert estimate_cost(context, feed(), [item(1)]) == Estimate(items=1)


async def test_a_preview_is_admitted_without_another_request(
    db: Database, net: HttpClient, server: FeedServer, tmp_path: Path
) -> None:
    paged(server)
    days = subscribed(db, server)
    desk = run_context(db, net, tmp_path, feeds=(days,))
    preview = await preview_backfill(desk, days, EVER, 100, pause_s=0)
    requests = server.requests
    # Another run takes the first page before.
    assert (await poll(desk, days, named=True)).new == 2
    report = await admit_preview(desk, days, EVER, 100, preview)
    assert (report.new, server.requests) == (4, requests + 1)
    assert db.feeds.item_counts()["days"] == {"seen": 6}


async def test_it_ends_where_all_of_a_page_is_older_than_the_window(
    db: Database, net: HttpClient, server: FeedServer, tmp_path: Path
) -> None:
    server.add("/feed", rss([20, 19, 1], WORDPRESS))  # an old one in between is no end
    server.add("/feed?paged=2", rss([18, 17], WORDPRESS))
    server.add("/feed?paged=3", rss([16, 15], WORDPRESS))
    server.add("/feed?paged=4", rss([14, 13], WORDPRESS))
    days = subscribed(db, server)
    since = datetime(2026, 1, 17, tzinfo=UTC)
    report = await walked(run_context(db, net, tmp_path, feeds=(days,)), days, (since, None))
    assert report.new == 4
    assert server.requests_of("/feed?paged=3") == 1
    assert server.requests_of("/feed?paged=4") == 0


@pytest.mark.parametrize(("limit", "pages"), [(1, 1), (2, 1), (3, 2), (5, 3)])
async def test_without_a_beginning_as_many_pages_are_read_as_the_limit_needs(
    db: Database, net: HttpClient, server: FeedServer, tmp_path: Path, limit: int, pages: int
) -> None:
    paged(server)
    days = subscribed(db, server)
    desk = run_context(db, net, tmp_path, feeds=(days,))
    await preview_backfill(desk, days, (None, None), limit, pause_s=0)
    assert server.requests == pages
    await walked(desk, days, (None, None), limit)
    assert server.requests == 2 * pages
    # What waits already is part of the limit.
    await walked(desk, days, (None, None), limit)
    assert server.requests == 2 * pages + 1


async def test_a_server_that_ignores_the_page_gets_one_request(
    db: Database, net: HttpClient, server: FeedServer, tmp_path: Path
) -> None:
    server.add("/feed", rss([20, 19], WORDPRESS))
    server.add("/feed?paged=2", rss([20, 19], WORDPRESS))
    days = subscribed(db, server)
    report = await walked(run_context(db, net, tmp_path, feeds=(days,)), days)
    assert (report.new, report.notes, server.requests) == (2, (), 2)


@pytest.mark.parametrize("back", ["/feed", "/feed?p=2", "/feed#older"])
async def test_pages_in_a_circle_come_to_an_end(
    db: Database, net: HttpClient, server: FeedServer, tmp_path: Path, back: str
) -> None:
    server.add("/feed", rss([20], "<atom:link rel='next' href='/feed?p=2'/>"))
    server.add("/feed?p=2", rss([19], f"<atom:link rel='next' href='{back}'/>"))
    days = subscribed(db, server)
    report = await walked(run_context(db, net, tmp_path, feeds=(days,)), days)
    assert (report.new, server.requests) == (2, 2)


async def test_endless_pages_end_at_the_limit(
    db: Database, net: HttpClient, server: FeedServer, tmp_path: Path
) -> None:
    for number in range(1, 202):
        page = atom([1], f"<link rel='next' href='/p{number + 1}'/>").replace(b"d1", b"d%d" % number)
        server.add(f"/p{number}", page)
    days = subscribed(db, server, "/p1")
    preview = await preview_backfill(
        run_context(db, net, tmp_path, feeds=(days,)), days, EVER, 900, pause_s=0
    )
    assert server.requests == 200
    assert len(preview.new) == 200
    assert "200 pages" in preview.notes[-1]


async def test_no_more_items_are_admitted_than_drafted(
    db: Database, net: HttpClient, server: FeedServer, tmp_path: Path
) -> None:
    paged(server)
    days = subscribed(db, server)
    desk = run_context(db, net, tmp_path, feeds=(days,))
    first = await backfill_feed(desk, days, EVER, 3, pause_s=0)
    assert (first.new, db.items.waiting_count("days"), server.requests) == (3, 3, 2)
    again = await backfill_feed(desk, days, EVER, 5, pause_s=0)
    assert (again.new, db.items.waiting_count("days")) == (2, 5)
    assert [item.title for item in db.items.waiting("days")] == [f"Day {day}" for day in (20, 19, 18, 17, 16)]


async def test_what_the_feeds_own_document_has_beyond_the_limit_is_left_as_it_is(
    db: Database, net: HttpClient, server: FeedServer, tmp_path: Path
) -> None:
    server.add("/feed", rss([20, 19, 18, 17, 16]), etag='"1"')
    days = subscribed(db, server).model_copy(update={"max_age_days": 1})
    desk = run_context(db, net, tmp_path, feeds=(days,))
    report = await walked(desk, days, limit=2)
    assert (report.new, report.left, db.feeds.item_counts()["days"]) == (2, 3, {"seen": 2})
    assert db.feeds.poll_states()["days"].etag is None, "the document has more than was taken in"
    again = await walked(desk, days, limit=2)
    assert (again.new, db.items.waiting_count("days")) == (0, 2), "what waits counts towards the limit"
    polled = await poll(desk, days, named=True)
    assert (polled.new, polled.skipped) == (0, 3)
    assert db.feeds.item_counts()["days"] == {"seen": 2, "skipped": 3}


async def test_of_what_was_too_old_the_limit_takes_the_newest_and_leaves_the_others_skipped(
    db: Database, net: HttpClient, server: FeedServer, tmp_path: Path
) -> None:
    server.add("/feed", rss([20, 19, 18, 17]).replace(b"Day 19", b"A casino"))
    days = subscribed(db, server).model_copy(update={"max_age_days": 1, "exclude": ("casino",)})
    desk = run_context(db, net, tmp_path, feeds=(days,))
    assert (await poll(desk, days, named=True)).skipped == 4
    before = skip_reasons(db, "days", "d20", "d19", "d18", "d17")
    assert len(before) == 4
    report = await walked(desk, days, limit=2)
    assert (report.new, report.left) == (2, 1)
    assert [item.guid for item in db.items.waiting("days")] == ["d20", "d18"]
    assert skip_reasons(db, "days", *before) == {guid: before[guid] for guid in ("d19", "d17")}


async def test_a_changed_source_of_a_draft_is_left_to_the_next_poll(
    db: Database, net: HttpClient, server: FeedServer, tmp_path: Path
) -> None:
    server.add("/feed", rss([20, 19]), etag='"1"')
    days = subscribed(db, server)
    desk = run_context(db, net, tmp_path, feeds=(days,), beat=BEAT.model_copy(update={"updates": "redraft"}))
    await poll(desk, days)
    for lease in db.leases.acquire("days", 2, 900):
        db.leases.begin_write(lease, draft(lease))
        db.leases.confirm_write(lease)
    server.add("/feed", rss([20, 19]).replace(b"was day 19", b"was day nineteen"), etag='"2"')
    assert (await walked(desk, days)).updated == 0
    assert db.items.waiting_count("days") == 0, "what was drafted before is not paid for again"
    assert (await poll(desk, days, named=True)).updated == 1
    assert db.items.waiting_count("days") == 1


@pytest.mark.parametrize("limit", [1, 2, 3, 4, 100])
@pytest.mark.parametrize("beforehand", [0, 1])
async def test_a_preview_has_the_items_that_are_admitted(
    db: Database, net: HttpClient, server: FeedServer, tmp_path: Path, limit: int, beforehand: int
) -> None:
    """Pages out of order, an old item among new ones, one text under two guids."""
    text = b"Example Corp mined 1,250 coins in May at its site in Lund, four per cent more than in April."

    def text_of(day: int, page: bytes) -> bytes:
        page = page.replace(b"Day %d<" % day, b"Example Corp mines more coins in May<")
        return page.replace(b"It was day %d." % day, text)

    server.add("/feed", text_of(15, rss([15, 1, 14], WORDPRESS)))
    server.add("/feed?paged=2", text_of(12, rss([20, 12, 2], WORDPRESS)))
    server.add("/feed?paged=3", rss([13, 11], WORDPRESS))
    days = subscribed(db, server)
    desk = run_context(db, net, tmp_path, feeds=(days,))
    if beforehand:
        await walked(desk, days, limit=beforehand)
    waiting = db.items.waiting("days")
    preview = await preview_backfill(desk, days, EVER, limit, pause_s=0)
    assert db.items.waiting("days") == waiting, "a look writes nothing"
    assert len(waiting) + len(preview.new) <= limit
    report = await (
        admit_preview(desk, days, EVER, limit, preview) if beforehand else walked(desk, days, limit=limit)
    )
    assert (report.new, report.left) == (len(preview.new), preview.left)
    guids = {item.guid for item in db.items.waiting("days")}
    assert guids == {item.guid for item in (*waiting, *preview.new)}
    assert "d12" not in guids, "it tells what day 15 tells"


@pytest.mark.parametrize("status", [404, 410])
async def test_a_missing_page_is_the_end_and_no_error(
    db: Database, net: HttpClient, server: FeedServer, tmp_path: Path, status: int
) -> None:
    paged(server)
    server.add("/feed?p=3", b"", status=status)
    days = subscribed(db, server)
    report = await walked(run_context(db, net, tmp_path, feeds=(days,)), days)
    assert (report.new, report.notes) == (4, ("2 pages read",))


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ({"status": 500}, "server error (500)"),
        ({"body": b"<html><body><p>Down</p></body></html>"}, "/feed"),
        ({"status": 403}, "refuses access (403)"),
    ],
)
async def test_an_error_at_a_later_page_is_noted_and_keeps_earlier_pages(
    db: Database, net: HttpClient, server: FeedServer, tmp_path: Path, answer: dict[str, Any], message: str
) -> None:
    paged(server)
    server.add("/feed", rss([20, 19], "<atom:link rel='next' href='/feed?p=2'/>"), etag='"1"')
    server.add("/feed?p=3", **answer)
    days = subscribed(db, server)
    desk = run_context(db, net, tmp_path, feeds=(days,))
    report = await walked(desk, days)
    assert report.new == 4
    assert report.notes[0] == "2 pages read"
    assert report.notes[1].startswith("read no further than page 2: http://127.0.0.1")
    assert message in report.notes[1]
    state = db.feeds.poll_states()["days"]
    assert (state.etag, state.failures, state.wait_until) == ('"1"', 0, None)
    paged(server)
    assert (await walked(desk, days)).new == 2, "the next one goes on from there"


async def test_later_pages_do_not_change_the_poll_state(
    db: Database, net: HttpClient, server: FeedServer, tmp_path: Path
) -> None:
    more = "<atom:link rel='next' href='/feed?p=2'/>"
    server.add("/feed", rss([20, 19], more), etag='"feed"', headers={"Cache-Control": "max-age=60"})
    server.add("/feed?p=2", rss([18]), etag='"page"', headers={"Cache-Control": "max-age=9000"})
    days = subscribed(db, server)
    desk = run_context(db, net, tmp_path, feeds=(days,))
    await walked(desk, days)
    with_pages = db.feeds.poll_states()["days"]
    await poll(desk, days, EVER)
    await desk.poll_states.flush()
    assert with_pages == db.feeds.poll_states()["days"]
    assert with_pages.etag == '"feed"'
    assert "if-none-match" not in server.seen[1].headers


async def test_an_ingest_run_beside_it_keeps_what_it_learned(
    db: Database, net: HttpClient, server: FeedServer, tmp_path: Path
) -> None:
    paged(server)
    days = subscribed(db, server)
    desk = run_context(db, net, tmp_path, feeds=(days,))

    def poll_beside(_feed: str, _what: str) -> None:
        """Be another run, between one page and the next: it polled the feed, whose validators changed."""
        db.feeds.record_polls({"days": db.feeds.poll_states()["days"].model_copy(update={"etag": '"newer"'})})

    report = await backfill_feed(replace(desk, notify=poll_beside), days, EVER, 100, pause_s=0)
    assert report.new == 6
    assert db.feeds.poll_states()["days"].etag == '"newer"'


async def test_another_site_is_not_followed_and_named(
    db: Database, net: HttpClient, server: FeedServer, tmp_path: Path
) -> None:
    server.add("/feed", rss([20], "<atom:link rel='next' href='https://elsewhere.example/2?key=x'/>"))
    days = subscribed(db, server)
    report = await walked(run_context(db, net, tmp_path, feeds=(days,)), days)
    assert report.notes == ("the next page is at https://elsewhere.example/2?…, another site: not followed",)
    assert (report.new, server.requests) == (1, 1)


async def test_a_page_that_leads_to_another_site_is_not_read(
    db: Database, net: HttpClient, server: FeedServer, tmp_path: Path
) -> None:
    with FeedServer() as other:
        elsewhere = other.add("/2", rss([19])).replace("127.0.0.1", "localhost")
        server.add("/feed", rss([20], "<atom:link rel='next' href='/2'/>"))
        server.add("/2", status=302, headers={"Location": elsewhere})
        allowed = server.hosts | {elsewhere.split("/")[2]}
        days = subscribed(db, server)
        async with HttpClient("test", allowed=allowed) as wider:
            report = await walked(run_context(db, wider, tmp_path, feeds=(days,)), days)
    assert report.new == 1
    assert "another site: not read" in report.notes[0]


async def test_a_short_retry_after_is_waited_for(
    db: Database, net: HttpClient, server: FeedServer, tmp_path: Path
) -> None:
    paged(server)
    server.add("/feed?p=2", status=429, headers={"Retry-After": "0"})
    days = subscribed(db, server)
    report = await walked(run_context(db, net, tmp_path, feeds=(days,)), days)
    assert server.requests_of("/feed?p=2") == 3
    assert "asked for too often (429)" in report.notes[0]


async def test_a_long_retry_after_ends_the_backfill_and_is_stored(
    db: Database, net: HttpClient, server: FeedServer, tmp_path: Path
) -> None:
    paged(server)
    server.add("/feed?p=2", status=429, headers={"Retry-After": "600"})
    days = subscribed(db, server)
    report = await walked(run_context(db, net, tmp_path, feeds=(days,)), days)
    assert report.new == 2
    assert server.requests_of("/feed?p=2") == 1
    later = run_context(db, net, tmp_path, feeds=(days,), now=NOW + timedelta(seconds=599))
    assert "left alone" in ((await walked(later, days)).held or "")
    with pytest.raises(FeedError, match="days: its host asked to be left alone"):
        await preview_backfill(later, days, EVER, 10, pause_s=0)
    assert server.requests == 2


async def test_a_stopped_run_makes_no_more_requests(
    db: Database, net: HttpClient, server: FeedServer, tmp_path: Path
) -> None:
    paged(server)
    days = subscribed(db, server)
    desk = run_context(db, net, tmp_path, feeds=(days,))
    stopping = replace(desk, notify=lambda _feed, _what: desk.fatal_errors.append(ShutdownRequested("ended")))
    report = await backfill_feed(stopping, days, EVER, 100, pause_s=60)
    assert (report.new, server.requests) == (2, 1)
    desk.fatal_errors.clear()
    assert (await walked(desk, days)).new == 4, "what was read is kept"


async def test_a_password_goes_with_every_page(db: Database, server: FeedServer, tmp_path: Path) -> None:
    paged(server)
    days = subscribed(db, server)
    login = Credentials(web_origin(days.url), (("Authorization", "Basic YWRhOnNlY3JldA=="),))
    async with HttpClient("test", allowed=server.hosts, credentials={days.key: login}) as net:
        report = await walked(run_context(db, net, tmp_path, feeds=(days,)), days)
    assert report.new == 6
    assert {request.headers["authorization"] for request in server.seen} == {"Basic YWRhOnNlY3JldA=="}


async def test_one_item_on_two_pages_is_found_once(
    db: Database, net: HttpClient, server: FeedServer, tmp_path: Path
) -> None:
    server.add("/feed", rss([20, 19], WORDPRESS))
    server.add(
        "/feed?paged=2", rss([19, 18], WORDPRESS).replace(b"<guid>d18", b"<guid>x").replace(b"/18<", b"/20<")
    )
    days = subscribed(db, server)
    preview = await preview_backfill(run_context(db, net, tmp_path, feeds=(days,)), days, EVER, 10, pause_s=0)
    assert [item.guid for item in preview.new] == ["d20", "d19"]


async def test_an_empty_document_may_have_an_archive(
    db: Database, net: HttpClient, server: FeedServer, tmp_path: Path
) -> None:
    server.add("/feed", atom([], "<link rel='prev-archive' href='/a1'/>"))
    server.add("/a1", atom([16, 15]))
    days = subscribed(db, server)
    assert (await walked(run_context(db, net, tmp_path, feeds=(days,)), days)).new == 2
