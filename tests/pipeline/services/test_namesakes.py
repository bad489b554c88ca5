"""A guid is a hint: other stories under a known guid are new, known stories under other guids are known."""

from pathlib import Path

import pytest

from pipeline.feeds.pages.extract import Page
from pipeline.feeds.pages.fetch import merge_page_text
from pipeline.http_client import HttpClient
from pipeline.services.context import PollReport
from pipeline.services.poll import poll
from pipeline.storage import Database
from tests.fakes.feed_server import FeedServer
from tests.pipeline.services.desk import run_context
from tests.pipeline.storage.records import LEASE_S, NOW, draft, feed

FERRY = (
    "The ferry between Lindmoor and Vale sails again from Monday, its office said. Tickets cost 7 dollars, "
    "and bicycles travel free until the end of March."
)
BRIDGE = (
    "They opened the rail bridge of Port Ansel after two years of repairs. Trains run each twenty minutes, "
    "and the old road stays closed to lorries."
)
LIBRARY = (
    "The library of Brodal lends saws, drills and ladders from Tuesday. A card costs 12 dollars, and three "
    "hundred people have put their names on a list."
)


def entry(title: str, text: str, guid: str, link: str, day: int = 4) -> str:
    return (
        f"<item><title>{title}</title><guid isPermaLink='false'>{guid}</guid><link>https://news.example/{link}"
        f"</link><pubDate>{day:02} Feb 2026 06:00:00 GMT</pubDate><description>{text}</description></item>"
    )


class Newsroom:
    """A feed and its ledger."""

    def __init__(self, db: Database, net: HttpClient, server: FeedServer, folder: Path) -> None:
        self.db, self.net, self.server, self.folder = db, net, server, folder
        self.feed = feed("late", url=server.url("/feed.xml"), max_age_days=None)
        db.feeds.sync([feed(), self.feed])

    async def poll(self, *entries: str) -> PollReport:
        body = f"<rss version='2.0'><channel><title>F</title>{''.join(entries)}</channel></rss>"
        self.server.add("/feed.xml", body.encode(), content_type="application/rss+xml")
        desk = run_context(self.db, self.net, self.folder, feeds=(self.feed,))
        return await poll(desk, self.feed, named=True)

    def waiting(self) -> list[str]:
        return sorted(item.title for item in self.db.items.waiting("late"))

    def draft(self) -> None:
        for lease in self.db.leases.acquire("late", 9, LEASE_S):
            self.db.leases.begin_write(lease, draft(lease))
            self.db.leases.confirm_write(lease)

    def findings(self) -> list[str]:
        return [finding.kind for row in self.db.drafts.list(("drafted",)) for finding in row.findings]


@pytest.fixture
def newsroom(db: Database, net: HttpClient, server: FeedServer, tmp_path: Path) -> Newsroom:
    return Newsroom(db, net, server, tmp_path)


async def test_a_daily_item_of_one_guid_and_link_is_a_story_a_day(newsroom: Newsroom) -> None:
    await newsroom.poll(entry("Briefing, Tuesday", FERRY, "briefing", "briefing", 3))
    newsroom.draft()
    newsroom.db.caches.save_page("https://news.example/briefing", '{"text": "Tuesday"}', None, NOW)
    wednesday = entry("Briefing, Wednesday", BRIDGE, "briefing", "briefing", 4)
    report = await newsroom.poll(wednesday)
    assert (report.new, report.updated) == (1, 0)
    assert newsroom.db.caches.page("https://news.example/briefing") is None, "it is Tuesday's page"
    assert newsroom.waiting() == ["Briefing, Wednesday"]
    newsroom.draft()
    assert "source-updated" not in newsroom.findings()
    corrected = await newsroom.poll(wednesday.replace("twenty minutes", "thirty minutes"))
    assert (corrected.new, corrected.updated) == (0, 1)
    assert (await newsroom.poll(entry("Briefing, Thursday", LIBRARY, "briefing", "briefing", 5))).new == 1
    assert len({row.external_id for row in newsroom.db.drafts.list(("drafted",))}) == 2


async def test_guids_that_number_a_list_name_no_item(newsroom: Newsroom) -> None:
    ferry, bridge, library = ("Ferry", FERRY, "fe"), ("Bridge", BRIDGE, "br"), ("Library", LIBRARY, "li")

    def numbered(*stories: tuple[str, str, str]) -> list[str]:
        return [entry(title, text, str(n), link) for n, (title, text, link) in enumerate(stories, 1)]

    await newsroom.poll(*numbered(ferry, bridge))
    newsroom.draft()
    report = await newsroom.poll(*numbered(library, ferry))
    assert (report.new, report.updated, report.merged) == (1, 0, 1)
    assert report.notes == ("1 new under a guid that another story had before",)
    assert newsroom.waiting() == ["Library"]
    newsroom.draft()
    again = await newsroom.poll(*numbered(library, ferry, bridge))
    assert (again.new, again.updated) == (0, 0)
    assert "source-updated" not in newsroom.findings()


async def test_one_guid_for_everything_hides_nothing(newsroom: Newsroom) -> None:
    ferry, bridge = entry("Ferry", FERRY, "0", "fe"), entry("Bridge", BRIDGE, "0", "br")
    assert (await newsroom.poll(ferry)).new == 1
    assert (await newsroom.poll(bridge, ferry)).new == 1
    assert (await newsroom.poll(entry("Library", LIBRARY, "0", "li"))).new == 1
    assert (await newsroom.poll(bridge)).new == 0
    assert newsroom.waiting() == ["Bridge", "Ferry", "Library"]


async def test_a_column_whose_guid_is_its_title_is_a_story_a_day(newsroom: Newsroom) -> None:
    await newsroom.poll(entry("The brief", FERRY, "The brief", "brief-3", 3))
    report = await newsroom.poll(entry("The brief", BRIDGE, "The brief", "brief-4", 4))
    assert (report.new, report.updated) == (1, 0)
    again = await newsroom.poll(entry("The brief", BRIDGE + " It rains.", "The brief", "brief-4", 4))
    assert (again.new, again.updated) == (0, 1)


async def test_stories_with_one_link_for_all_are_no_duplicates(newsroom: Newsroom) -> None:
    ferry, bridge = entry("Ferry", FERRY, "a", "news"), entry("Bridge", BRIDGE, "b", "news")
    assert (await newsroom.poll(ferry, bridge)).new == 2
    newsroom.draft()
    library = entry("Library", LIBRARY, "c", "news", 5)
    report = await newsroom.poll(library)
    assert (report.new, report.updated) == (1, 0)
    again = await newsroom.poll(library, bridge, ferry)
    assert (again.new, again.updated) == (0, 0)
    assert "source-updated" not in newsroom.findings()
    copy = entry("Ferry sails", FERRY.replace("7", "8"), "d", "news", 5)
    merged = await newsroom.poll(copy, "<!-- -->")
    assert (merged.new, merged.merged, merged.updated) == (0, 1, 1)


async def test_an_edited_story_keeps_its_guid(newsroom: Newsroom) -> None:
    """Neither a new headline, nor a new slug and date, nor a new text makes another story of it."""
    await newsroom.poll(entry("Ferry to sail", FERRY, "g", "fe"), entry("Bridge", BRIDGE, "h", "br"))
    newsroom.draft()
    edited = await newsroom.poll(
        entry("Ferry sails on Monday", FERRY + " Dogs pay nothing.", "g", "ferry-monday", 5),
        entry("Bridge", LIBRARY, "h", "br", 5),
    )
    assert (edited.new, edited.updated) == (0, 2)


@pytest.mark.parametrize("link", ["fe", "ferry-monday"])
async def test_an_edited_teaser_is_not_compared_with_the_text_of_its_page(
    newsroom: Newsroom, link: str
) -> None:
    await newsroom.poll(entry("Ferry to sail", FERRY, "g", "fe"))
    [lease] = newsroom.db.leases.acquire("late", 1, LEASE_S)
    page = Page(text=f"{BRIDGE} {LIBRARY} " * 3)
    newsroom.db.leases.set_source(lease, merge_page_text(lease.item, page, newsroom.feed))
    newsroom.db.leases.begin_write(lease, draft(lease))
    newsroom.db.leases.confirm_write(lease)
    edited = await newsroom.poll(entry("Crossing resumes", FERRY, "g", link, 5))
    assert (edited.new, edited.updated) == (0, 1)


async def test_a_story_under_a_new_guid_and_link_of_its_feed_is_named(newsroom: Newsroom) -> None:
    url = "https://news.example"
    await newsroom.poll(entry("Mayor Park to resign", f"{FERRY} {BRIDGE}", f"{url}/resign", "resign"))
    newsroom.draft()
    later = entry(
        "Mayor Park to resign in January", f"{FERRY} {BRIDGE} {LIBRARY}", f"{url}/january", "january"
    )
    assert (await newsroom.poll(later)).new == 1
    assert newsroom.findings() == ["form", "story"]


async def test_what_was_updated_merged_and_left_out_is_counted_by_reason(newsroom: Newsroom) -> None:
    newsroom.feed = newsroom.feed.model_copy(update={"max_age_days": 7})
    ferry = entry("Ferry", FERRY, "g", "fe")
    old = [entry(f"Old {day}", f"{BRIDGE} {day}", f"o{day}", f"old-{day}", day) for day in (1, 2)]
    old = [each.replace(" Feb 2026", " Jan 2026") for each in old]
    await newsroom.poll(ferry, *old, entry("Ferry", FERRY, "h", "fe"))
    await newsroom.poll(ferry.replace("7 dollars", "8 dollars"))
    found = newsroom.db.items.outcomes("late")
    assert [(each.outcome, each.count) for each in found] == [("merged", 1), ("skipped", 2)]
    assert found[0].reason == "the link of another item"
    assert found[1].reason == "too old: more than 7 days ago"
    newsroom.draft()
    await newsroom.poll(ferry.replace("7 dollars", "9 dollars"))
    [updated, *_] = newsroom.db.items.outcomes("late")
    assert (updated.outcome, updated.titles) == ("updated", ("Ferry",))
