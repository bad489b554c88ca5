"""A changed reader is no changed source: ledgers written before an upgrade, polled after it."""

from collections.abc import Callable, Collection
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from pipeline.domain.models import FeedConfig, reader_of
from pipeline.feeds.parsing.parse import ParsedFeed, parse_feed
from pipeline.feeds.reader import FIRST_READER, READER
from pipeline.http_client import HttpClient
from pipeline.services.context import PollReport
from pipeline.services.poll import poll
from pipeline.storage import Database
from pipeline.storage.schema import findings, items, requests
from tests.fakes.feed_server import FeedServer
from tests.pipeline.services.desk import BEAT, run_context
from tests.pipeline.storage.conftest import open_db, postgres_migrated, postgres_server, url
from tests.pipeline.storage.records import LEASE_S, draft, feed

__all__ = ["open_db", "postgres_migrated", "postgres_server", "url"]
NEXT = READER + 1
ITEM = (
    "<item><title>Council {n} meets</title><guid>{guid}</guid><link>https://news.example/{n}</link>"
    "<pubDate>Thu, 05 Feb 2026 10:00:00 GMT</pubDate><category>{category}</category><description>"
    "The council of town {n} spent {n}00 dollars on a tram stop, it said on day {n}.</description></item>"
)
WITHOUT_GUID = "<item><title>A note</title><description>There is a fair in Vale at 9.</description></item>"


def document(*numbers: int, more: str = "") -> str:
    entries = [ITEM.format(n=n, guid=f"g{n}", category="sport" if n == 0 else "town") for n in numbers]
    return f"<rss version='2.0'><channel><title>F</title>{''.join(entries)}{more}</channel></rss>"


async def upgraded(*document: Any, boilerplate: Collection[str] = ()) -> ParsedFeed:
    """Read as a later version would that has one rule more: numbers have a mark in front of them."""
    body, content_type, url, now, reader = (*document, NEXT)[:5]
    feed = parse_feed(body, content_type, url, now, min(reader, READER))
    if reader < NEXT:
        return feed
    read = [
        item.model_copy(update={"text": item.text.replace(" dollars", " US dollars"), "reader": NEXT})
        for item in feed.items
    ]
    return feed.model_copy(update={"items": tuple(read)})


class Newsroom:
    """A feed, its server and a ledger, and what is stored of it."""

    def __init__(self, db: Database, net: HttpClient, server: FeedServer, folder: Path) -> None:
        self.db, self.net, self.server, self.folder = db, net, server, folder
        self.feed: FeedConfig = feed(
            "late", url=server.url("/feed.xml"), max_age_days=None, exclude_categories=("sport",)
        )
        db.feeds.sync([self.feed])

    async def poll(self, body: str, **changes: Any) -> PollReport:
        self.server.add("/feed.xml", body.encode(), content_type="application/rss+xml")
        beat = BEAT.model_copy(update={"updates": "redraft"})
        desk = run_context(self.db, self.net, self.folder, beat=beat, feeds=(self.feed,))
        return await poll(replace(desk, **changes), self.feed, named=True)

    def draft(self, count: int) -> None:
        for lease in self.db.leases.acquire("late", count, LEASE_S):
            if lease.item.guid == "g1":  # drafted from its page
                item = lease.item.model_copy(update={"text": "The text of its page. " * 9})
                self.db.leases.set_source(lease, item)
            self.db.leases.begin_write(lease, draft(lease))
            self.db.leases.confirm_write(lease)

    def rows(self) -> dict[str, Any]:
        with self.db._engine.begin() as connection:
            return {row.guid: row for row in connection.execute(sa.select(items))}

    def count(self, table: sa.Table) -> int:
        with self.db._engine.begin() as connection:
            return connection.scalar(sa.select(sa.func.count()).select_from(table)) or 0


@pytest.fixture
def newsroom(
    open_db: Callable[..., Database], net: HttpClient, server: FeedServer, tmp_path: Path
) -> Newsroom:
    return Newsroom(open_db(), net, server, tmp_path)


async def test_an_upgrade_changes_no_item_and_a_correction_still_counts(newsroom: Newsroom) -> None:
    town = range(30)
    first = await newsroom.poll(document(*town, more=WITHOUT_GUID))
    assert (first.new, first.skipped) == (30, 1)
    newsroom.draft(20)
    before, flags = newsroom.rows(), newsroom.count(findings)

    report = await newsroom.poll(document(*town, 30, more=WITHOUT_GUID), parse=upgraded)
    assert (report.new, report.updated, report.skipped, report.merged) == (1, 0, 0, 0)
    assert (newsroom.count(findings), newsroom.count(requests)) == (flags, 0)
    after = newsroom.rows()
    assert set(after) - set(before) == {"g30"}
    for guid, row in before.items():
        now = after[guid]
        assert (now.state, now.updates, now.updated_hash, now.external_id, now.published_at) == (
            (row.state, 0, None, row.external_id, row.published_at)
        )
        assert reader_of(now.content_hash) == NEXT
    assert " US dollars" in after["g2"].payload
    assert "The text of its page." in after["g1"].payload

    quiet = await newsroom.poll(document(*town, 30, more=WITHOUT_GUID + "<!-- -->"), parse=upgraded)
    assert (quiet.new, quiet.updated) == (0, 0)
    corrected = document(*town, 30).replace("The council of town 2 ", "The new council of town 2 ")
    assert (await newsroom.poll(corrected, parse=upgraded)).updated == 1
    assert newsroom.rows()["g2"].updates == 1


async def test_a_line_that_turns_out_to_be_boilerplate_is_no_change_and_stays_out(newsroom: Newsroom) -> None:
    footer = "Lend the Gull a hand: it is your paper"
    body = document(*range(1, 9)).replace(".</description>", f".&lt;p&gt;{footer}&lt;/p&gt;</description>")
    few = body[: body.index("<item><title>Council 5")] + "</channel></rss>"
    assert (await newsroom.poll(few)).new == 4
    newsroom.draft(4)
    assert footer in newsroom.rows()["g2"].payload, "four texts show nothing"
    flags = newsroom.count(findings)
    report = await newsroom.poll(body)
    assert (report.new, report.updated, newsroom.count(findings)) == (4, 0, flags)
    rows = newsroom.rows()
    assert not any(footer in row.payload for row in rows.values())
    fewer = await newsroom.poll(few.replace("town 2 ", "town two "))
    assert (fewer.new, fewer.updated) == (0, 1), "a correction counts, and nothing comes back"
    assert not any(footer in (row.updated_payload or row.payload) for row in newsroom.rows().values())
    state = newsroom.db.feeds.poll_states()["late"]
    assert (state.boilerplate, state.excerpts) == (
        (footer,),
        "its texts are teasers of at most 75 characters",
    )


async def test_a_correction_on_the_day_of_the_upgrade_is_found(newsroom: Newsroom) -> None:
    await newsroom.poll(document(*range(1, 6)))
    newsroom.draft(5)
    corrected = document(*range(1, 6)).replace("spent 300 ", "spent 301 ")
    report = await newsroom.poll(corrected, parse=upgraded)
    assert (report.new, report.updated) == (0, 1)
    rows = newsroom.rows()
    assert [guid for guid, row in rows.items() if row.updates] == ["g3"]
    assert {reader_of(row.updated_hash or row.content_hash) for row in rows.values()} == {NEXT}


async def test_a_change_that_waits_is_no_new_change_after_the_upgrade(newsroom: Newsroom) -> None:
    await newsroom.poll(document(1, 2))
    newsroom.draft(2)
    corrected = document(1, 2).replace("spent 200 ", "spent 201 ")
    assert (await newsroom.poll(corrected)).updated == 1
    again = await newsroom.poll(corrected.replace("<title>F<", "<title>G<"), parse=upgraded)
    assert (again.new, again.updated) == (0, 0)
    row = newsroom.rows()["g2"]
    assert (reader_of(row.content_hash), reader_of(row.updated_hash)) == (READER, NEXT)
    assert " US dollars" in row.updated_payload


async def test_an_item_under_another_guid_on_the_day_of_the_upgrade_is_no_change(
    newsroom: Newsroom,
) -> None:
    await newsroom.poll(document(1, 2))
    newsroom.draft(2)
    renamed = document(1, 2).replace("<guid>g2<", "<guid>other<")
    report = await newsroom.poll(renamed, parse=upgraded)
    assert (report.new, report.merged) == (0, 1)
    rows = newsroom.rows()
    assert (rows["g2"].updates, rows["other"].state) == (0, "merged")
    changed = renamed.replace("spent 200 ", "spent 201 ")
    assert (await newsroom.poll(changed, parse=upgraded)).updated == 1
    assert newsroom.rows()["g2"].updates == 1


async def test_the_text_of_a_version_that_is_not_here_is_accepted(newsroom: Newsroom) -> None:
    await newsroom.poll(document(1, 2), parse=upgraded)
    newsroom.draft(2)
    report = await newsroom.poll(document(1, 2, 3))
    assert (report.new, report.updated) == (1, 0)
    assert reader_of(newsroom.rows()["g2"].content_hash) == READER


TWIN = document(1).replace("<guid>g1<", "<guid>h1<").replace(" on day", " late on day")
TWIN_ITEM = TWIN.replace("10:00:00", "11:30:00").partition("<title>F</title>")[2].partition("</channel>")[0]


async def of_the_first_version(*document: Any, boilerplate: Collection[str] = ()) -> ParsedFeed:
    """Read as the first version did, which knew no repeated lines."""
    body, content_type, url, now, reader = (*document, FIRST_READER)[:5]
    return parse_feed(body, content_type, url, now, reader)


async def test_an_item_that_took_over_the_text_of_its_duplicate_is_not_flagged(newsroom: Newsroom) -> None:
    both = document(1, more=TWIN_ITEM)
    first = await newsroom.poll(both, parse=of_the_first_version)
    assert (first.new, first.merged) == (1, 1)
    newsroom.draft(1)
    twin = newsroom.rows()["h1"]
    taken = {"content_hash": twin.content_hash, "payload": twin.payload}
    with newsroom.db._engine.begin() as connection:  # as the first version left it
        connection.execute(items.update().where(items.c.guid == "g1").values(**taken))
    assert (await newsroom.poll(both.replace("<title>F<", "<title>G<"))).updated == 0
    assert (await newsroom.poll(both.replace("spent 100 ", "spent 101 "))).updated == 1


async def test_a_correction_of_one_of_two_equal_items_is_found(newsroom: Newsroom) -> None:
    equal = TWIN_ITEM.replace(" late on day", " on day")
    await newsroom.poll(document(1, more=equal), parse=of_the_first_version)
    newsroom.draft(1)
    corrected = document(1, more=equal).replace("spent 100 ", "spent 101 ", 1)
    assert (await newsroom.poll(corrected)).updated == 1


FIRE = (
    "<item><title>Mill burns</title><guid>g1</guid><link>https://news.example/mill</link><pubDate>06 Feb "
    "2026 10:00:00 GMT</pubDate><description>Nobody was hurt when the old mill of Vale burnt down at night; "
    "its owner puts the loss at 9 million dollars.</description></item>"
)


async def test_what_an_earlier_version_read_is_read_by_it_once(newsroom: Newsroom) -> None:
    versions: list[int] = []

    async def counted(*document: Any, boilerplate: Collection[str] = ()) -> ParsedFeed:
        versions.append((*document, NEXT)[4])
        return await upgraded(*document)

    await newsroom.poll(document(0, 1))
    newsroom.draft(1)
    namesake = document(0, more=FIRE).replace("spent 000 ", "spent 1 ")  # the first is skipped
    assert (await newsroom.poll(namesake)).new == 1
    first = await newsroom.poll(namesake.replace("<title>F<", "<title>G<"), parse=counted)
    assert (first.new, first.updated, versions) == (0, 0, [NEXT, READER])
    again = await newsroom.poll(namesake, parse=counted)
    assert (again.new, again.updated, versions[2:]) == (0, 0, [NEXT])
