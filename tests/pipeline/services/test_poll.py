"""Polls: which items are admitted, and when a feed is not polled."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from pipeline.domain.errors import FeedError
from pipeline.domain.models import FeedConfig, Window
from pipeline.feeds.pages.fetch import PageFetcher
from pipeline.feeds.pages.site_files import SiteFile, SiteUrl
from pipeline.http_client import HttpClient
from pipeline.services.draft import draft_feed
from pipeline.services.poll import poll
from pipeline.services.site_file_store import DatabaseSiteFiles
from pipeline.storage import Database
from tests.fakes.feed_server import FeedServer
from tests.pipeline.services.desk import run_context
from tests.pipeline.storage.records import NOW, feed, skip_reasons

CUT = b"<rss version='2.0'><channel><title>F</title>%s<item><title>B is cut o"
FIRST = (
    b"<item><title>%s</title><guid>%s</guid><pubDate>%s 2026 12:00:00 GMT</pubDate>"
    b"<description>It rose by 3%% on Monday.</description></item>"
)
TWO = b"<rss version='2.0'><channel><title>F</title>%s%s</channel></rss>" % (
    FIRST % (b"January", b"a", b"15 Jan"),
    FIRST % (b"February", b"b", b"05 Feb"),
)


def subscribed(db: Database, server: FeedServer, body: bytes, **answer: Any) -> FeedConfig:
    server.add("/feed.xml", body, content_type="application/rss+xml", **answer)
    late = feed("late", url=server.url("/feed.xml"), max_age_days=None)
    db.feeds.sync([feed(), late])
    return late


@pytest.mark.parametrize(
    ("body", "window"),
    [
        (CUT % (FIRST % (b"A", b"a", b"05 Feb")), None),
        (TWO, (datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC))),
    ],
    ids=["a cut-off answer", "a backfill's window"],
)
async def test_what_was_left_out_comes_with_the_next_poll(
    db: Database, net: HttpClient, server: FeedServer, tmp_path: Path, body: bytes, window: Window | None
) -> None:
    late = subscribed(db, server, body, etag='"1"')
    desk = run_context(db, net, tmp_path, feeds=(late,))
    assert (await poll(desk, late, window)).new == 1
    assert db.feeds.poll_states()["late"].etag is None
    # The whole document, under the validator that came with its first half.
    server.add("/feed.xml", TWO, content_type="application/rss+xml", etag='"1"')
    later = await poll(desk, late, named=True)
    assert (later.unchanged, later.new) == (False, 1)
    assert db.feeds.poll_states()["late"].etag == '"1"'


async def test_a_quiet_feed_costs_no_transaction_of_its_own(
    db: Database, net: HttpClient, server: FeedServer, tmp_path: Path
) -> None:
    late = subscribed(db, server, TWO, etag='"1"')
    desk = run_context(db, net, tmp_path, feeds=(late,))
    await poll(desk, late)
    before = db.feeds.poll_states()["late"]
    assert (await poll(desk, late)).unchanged
    assert db.feeds.poll_states()["late"] == before
    await desk.poll_states.flush()
    assert db.feeds.poll_states()["late"].unchanged == 1


async def test_the_same_bytes_are_not_parsed_twice(
    db: Database, net: HttpClient, server: FeedServer, tmp_path: Path
) -> None:
    late = subscribed(db, server, TWO)
    desk = run_context(db, net, tmp_path, feeds=(late,))
    assert (await poll(desk, late)).new == 2
    assert (await poll(desk, late)).unchanged, "a server without validators"
    window = (datetime(2026, 1, 1, tzinfo=UTC), None)
    assert not (await poll(desk, late, window)).unchanged, "a backfill looks at the whole feed"


async def test_a_feed_that_keeps_its_validator_is_read_when_its_items_change(
    db: Database, net: HttpClient, server: FeedServer, tmp_path: Path
) -> None:
    static = {"ETag": '"static"'}  # sent with every answer; requests that carry it get the whole feed, too
    late = subscribed(db, server, TWO, headers=static)
    desk = run_context(db, net, tmp_path, feeds=(late,))
    assert (await poll(desk, late)).new == 2
    three = TWO.replace(b"</channel>", FIRST % (b"March", b"c", b"03 Feb") + b"</channel>")
    server.add("/feed.xml", three, content_type="application/rss+xml", headers=static)
    again = await poll(desk, late)
    assert (again.unchanged, again.new) == (False, 1)
    assert (await poll(desk, late)).unchanged, "the same bytes once more"
    assert len(server.seen) == 3
    assert server.seen[1].headers["if-none-match"] == '"static"'


async def test_a_hosts_cooldown_holds_for_all_its_feeds(
    db: Database, net: HttpClient, server: FeedServer, tmp_path: Path
) -> None:
    server.add("/other.xml", TWO)
    late = subscribed(db, server, b"", status=429, headers={"Retry-After": "600"})
    other = feed("other", url=server.url("/other.xml"), max_age_days=None)
    db.feeds.sync([feed(), late, other])
    desk = run_context(db, net, tmp_path, feeds=(late, other))
    with pytest.raises(FeedError, match="asked for too often"):
        await poll(desk, late)
    assert "left alone" in ((await poll(desk, other, named=True)).held or "")
    await desk.poll_states.flush()
    next_run = run_context(db, net, tmp_path, feeds=(late, other), now=NOW + timedelta(seconds=599))
    assert (await poll(next_run, other)).held, "the next run knows it too"
    later = run_context(db, net, tmp_path, feeds=(late, other), now=NOW + timedelta(seconds=601))
    assert (await poll(later, other)).new == 2
    assert server.requests == 2


async def test_a_feed_is_polled_when_it_is_due_or_named(
    db: Database, net: HttpClient, server: FeedServer, tmp_path: Path
) -> None:
    late = subscribed(db, server, TWO, headers={"Cache-Control": "max-age=1800"})
    desk = run_context(db, net, tmp_path, feeds=(late,))
    await poll(desk, late)
    assert "not due before 2026-02-05 12:30" in ((await poll(desk, late)).held or "")
    assert (await poll(desk, late, named=True)).held is None
    due = run_context(db, net, tmp_path, feeds=(late,), now=NOW + timedelta(minutes=31))
    assert (await poll(due, late)).held is None


async def test_an_erased_item_is_never_admitted_again(
    db: Database, net: HttpClient, server: FeedServer, tmp_path: Path
) -> None:
    body = TWO.replace(b"<guid>", b"<link>https://news.example/once</link><guid>", 1)
    db.erasure.begin("https://news.example/once", NOW)
    late = subscribed(db, server, body)
    desk = run_context(db, net, tmp_path, feeds=(late,))
    assert (await poll(desk, late)).new == 1
    assert db.feeds.item_counts()["late"] == {"seen": 1}


RSL = b"""<rss version="2.0" xmlns:r="https://rslstandard.org/rsl"><channel><title>F</title>
<item><guid>a</guid><title>A</title><description>It rose by 3%.</description><r:content url="/a"><r:license>
<r:prohibits type="usage">ai-all</r:prohibits></r:license></r:content></item>
<item><guid>b</guid><title>B</title><description>It fell by 3%.</description></item></channel></rss>"""


@pytest.mark.parametrize(
    ("body", "headers", "new", "reason"),
    [
        (RSL, {}, 1, "the RSL licence prohibits ai-all in the feed's item"),
        (RSL, {"TDM-Reservation": "1"}, 0, "tdm-reservation: 1 in its HTTP headers"),
        (RSL.replace(b"<title>F</title>", b"<r:license><r:payment type='use'/></r:license>"), {}, 0, "(use)"),
        (RSL.replace(b"ai-all", b"ai-train"), {"Content-Signal": "ai-train=no"}, 2, ""),
    ],
    ids=["an item", "headers", "the feed", "another use"],
)
async def test_reserved_items_are_skipped(
    db: Database,
    net: HttpClient,
    server: FeedServer,
    tmp_path: Path,
    body: bytes,
    headers: dict[str, str],
    new: int,
    reason: str,
) -> None:
    late = subscribed(db, server, body, headers=headers)
    report = await poll(run_context(db, net, tmp_path, feeds=(late,)), late)
    assert (report.new, report.skipped) == (new, 2 - new)
    reasons = [*skip_reasons(db, "late", "a", "b").values()]
    assert all("reserved by its publisher: " in each for each in reasons)
    assert any(reason in each for each in (*reasons, ""))
    assert any(reason in note for note in (*report.notes, ""))
    again = RSL.replace(b"It ", b"Now it ")
    server.add("/feed.xml", again, content_type="application/rss+xml", headers={"X-Robots-Tag": "noai"})
    later = await poll(run_context(db, net, tmp_path, feeds=(late,)), late, named=True)
    assert (later.new, later.updated, later.skipped) == (0, 0, new), "nor is the free one drafted now"
    freed = re.sub(rb"<r:license>.*</r:license>", b"", again, flags=re.DOTALL).replace(b"Now", b"Then")
    server.add("/feed.xml", freed, content_type="application/rss+xml", headers={"X-Robots-Tag": "none"})
    once_more = await poll(run_context(db, net, tmp_path, feeds=(late,)), late, named=True)
    assert once_more.new == 2, "a reservation that is gone no longer counts"


async def test_what_a_site_reserves_is_looked_up_once_a_day(
    db: Database, net: HttpClient, server: FeedServer, tmp_path: Path
) -> None:
    late = subscribed(db, server, TWO)
    server.add("/robots.txt", b"User-agent: *\nContent-Usage: ai-use=n")

    async def run(hours: float, title: bytes) -> tuple[int, list[bool]]:
        server.add("/feed.xml", TWO.replace(b"<title>F<", b"<title>%s<" % title))
        desk = run_context(db, net, tmp_path, feeds=(late,), now=NOW + timedelta(hours=hours))
        store = DatabaseSiteFiles(db, desk.clock)
        desk = replace(desk, pages=PageFetcher(net, store=store))
        report = await poll(desk, late, named=True)
        return report.new, [bool(outcome.path) for outcome in await draft_feed(desk, late, 9)]

    assert await run(0, b"1") == (2, [False, False])
    assert await run(23, b"2") == (0, [])
    assert server.requests_of("/robots.txt") == server.requests_of("/.well-known/tdmrep.json") == 1
    assert await run(25, b"3") == (2, [False, False])
    server.add("/robots.txt", b"User-agent: *\nAllow: /")
    assert await run(26, b"4") == (0, [])
    assert await run(50, b"5") == (2, [True, True])
    assert server.requests_of("/robots.txt") == 3


async def test_a_feed_with_credentials_has_stored_files_of_its_own(db: Database) -> None:
    store, url = DatabaseSiteFiles(db, lambda: NOW), "https://paid.example/robots.txt"
    await store.save(SiteUrl(url, "paid"), SiteFile(200, b"for paid"))
    assert await store.load(SiteUrl(url)) is None
    await store.save(SiteUrl(url), SiteFile(200, b"for all"))
    assert await store.load(SiteUrl(url, "paid")) == SiteFile(200, b"for paid")
    assert await store.load(SiteUrl(url)) == SiteFile(200, b"for all")


async def test_headers_of_a_feed_that_free_it_supersede_the_sites_file(
    db: Database, net: HttpClient, server: FeedServer, tmp_path: Path
) -> None:
    server.add("/.well-known/tdmrep.json", b'[{"location": "/", "tdm-reservation": 1}]')
    late = subscribed(db, server, TWO, headers={"TDM-Reservation": "0"})
    desk = run_context(db, net, tmp_path, feeds=(late,))
    assert (await poll(desk, late)).new == 2
    assert all(outcome.path for outcome in await draft_feed(desk, late, 2))


async def test_rsl_in_a_feed_is_for_the_pages_that_it_names(
    db: Database, net: HttpClient, server: FeedServer, tmp_path: Path
) -> None:
    paid = b"<r:content url='/paid/*'><r:license><r:prohibits type='usage'>ai-input</r:prohibits></r:license>"
    paid += b"</r:content><r:content url='/paid/free'><r:license/></r:content>"
    late = subscribed(
        db,
        server,
        RSL[: RSL.index(b"<item>")]
        + paid
        + b"".join(
            b"<item><title>%d</title><link>%s</link></item>" % (number, server.url(path).encode())
            for number, path in enumerate(("/paid/1", "/open", "/paid/free/2"))
        )
        + b"</channel></rss>",
    )
    report = await poll(run_context(db, net, tmp_path, feeds=(late,)), late)
    assert (report.new, report.skipped) == (2, 1)
    assert report.notes[-1].endswith("the RSL licence prohibits ai-input in the feed")


async def test_unread_dates_are_skipped_at_a_feeds_first_poll_only(
    db: Database, net: HttpClient, server: FeedServer, tmp_path: Path
) -> None:
    unread = TWO.replace(b" 2026 ", b" Quux ")
    late = subscribed(db, server, unread)
    desk = run_context(db, net, tmp_path, feeds=(late,))
    assert (await poll(desk, late)).skipped == 2
    tomorrow = unread.replace(b"<guid>", b"<guid>z").replace(b"ary<", b"ary the second<")
    server.add("/feed.xml", tomorrow, content_type="application/rss+xml")
    report = await poll(desk, late, named=True)
    assert (report.new, report.skipped) == (2, 0), "a day later none of the first items is left"
