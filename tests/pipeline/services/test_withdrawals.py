"""What a publisher withdraws, corrects or takes out of its feed after it was drafted."""

from pathlib import Path

import pytest
import sqlalchemy as sa

from pipeline.domain.reviews import Draft
from pipeline.http_client import HttpClient
from pipeline.services.context import PollReport
from pipeline.services.poll import poll
from pipeline.storage import Database, DraftQuery
from pipeline.storage.item_rows import EDIT, NewVersion, add, apply_source_update
from pipeline.storage.schema import items
from tests.fakes.feed_server import FeedServer
from tests.pipeline.services.desk import BEAT, run_context
from tests.pipeline.storage.records import LEASE_S, NOW, draft, feed

DELETED = "The source was withdrawn by its publisher: its feed says that it is deleted"
MISSING = "The source is missing: its feed no longer has it, but still has older items"
NAMES = ("Ferry", "Bridge", "Library", "Harvest", "Comet")


def entry(name: str, title: str = "", more: str = "") -> str:
    hour = 20 - NAMES.index(name)
    return (
        f"<entry><id>tag:{name}</id><title>{title or f'{name} news of Vale'}</title>"
        f"<link href='https://news.example/{name}'/><updated>2026-02-04T{hour}:00:00Z</updated>"
        f"<content>The {name.lower()} of Vale was spoken of for {hour} hours by the council. {more}</content>"
        "</entry>"
    )


def tombstone(name: str) -> str:
    return f"<at:deleted-entry ref='tag:{name}' when='2026-02-05T09:00:00Z'><at:comment/></at:deleted-entry>"


class Newsroom:
    """A feed and its ledger."""

    def __init__(self, db: Database, net: HttpClient, server: FeedServer, folder: Path) -> None:
        self.db, self.net, self.server, self.folder = db, net, server, folder
        self.path, self.beat = "/feed.xml", BEAT
        self.feed = feed("late", url=server.url("/feed.xml"), max_age_days=None)
        db.feeds.sync([feed(), self.feed])

    async def poll(self, *entries: str, **headers: str) -> PollReport:
        names = "xmlns='http://www.w3.org/2005/Atom' xmlns:at='http://purl.org/atompub/tombstones/1.0'"
        body = f"<feed {names}><title>F</title>{''.join(entries)}</feed>"
        self.server.add(self.path, body.encode(), content_type="application/atom+xml", headers=headers)
        desk = run_context(self.db, self.net, self.folder, beat=self.beat, feeds=(self.feed,))
        return await poll(desk, self.feed, named=True)

    def draft(self, count: int = 9) -> None:
        for lease in self.db.leases.acquire("late", count, LEASE_S):
            self.db.leases.begin_write(lease, draft(lease))
            self.db.leases.confirm_write(lease)

    def approve(self, name: str) -> None:
        with self.db._engine.begin() as connection:
            approved = "UPDATE items SET state = 'approved' WHERE guid = ?"
            connection.exec_driver_sql(approved, (f"tag:{name}",))

    def findings(self) -> dict[str, list[str]]:
        """Return the messages of findings about sources, by the draft's item."""
        return {
            row.item.guid[4:]: [each.message for each in row.findings if each.kind.startswith("source-")]
            for row in self.db.drafts.list(("drafted", "approved"))
            if row.feed_key == "late"
        }

    def counts(self) -> dict[str, int]:
        return self.db.feeds.item_counts()["late"]


@pytest.fixture
def newsroom(db: Database, net: HttpClient, server: FeedServer, tmp_path: Path) -> Newsroom:
    return Newsroom(db, net, server, tmp_path)


async def test_what_a_feed_says_is_deleted_is_withdrawn(newsroom: Newsroom) -> None:
    every = [entry(name) for name in NAMES]
    await newsroom.poll(*every)
    newsroom.draft(2)
    newsroom.approve("Bridge")
    report = await newsroom.poll(
        *every[3:], *map(tombstone, ("Ferry", "Bridge", "Library", "Comet", "unknown"))
    )
    assert (report.new, report.updated) == (0, 3)
    assert newsroom.counts() == {"drafted": 1, "approved": 1, "skipped": 1, "seen": 2}
    assert newsroom.findings() == {"Ferry": [DELETED], "Bridge": [DELETED]}
    published = (
        "source of a published article withdrawn: its feed says that it is deleted: Bridge news of Vale"
    )
    assert published in report.notes
    assert "2 sources withdrawn: its feed says that it is deleted" in report.notes
    again = await newsroom.poll(*every[3:], tombstone("Ferry"))
    assert (again.updated, again.notes) == (0, ())
    assert newsroom.findings()["Ferry"] == [DELETED], "once"
    page = newsroom.db.drafts.page(DraftQuery(state="approved", changed=True))
    assert [row.notice for row in page.rows] == ["withdrawn: its feed says that it is deleted"]
    assert [row.change for row in page.rows] == ["withdrawn"]


async def test_an_item_that_vanishes_before_older_ones_is_missed_until_it_is_back(newsroom: Newsroom) -> None:
    every = [entry(name) for name in NAMES]
    await newsroom.poll(*every)
    newsroom.draft()
    report = await newsroom.poll(every[0], *every[2:4])
    assert newsroom.findings() == {name: [MISSING] * (name == "Bridge") for name in NAMES}, (
        "the last one is only old"
    )
    assert [note for note in report.notes if "missing" in note] == [
        "1 source missing: its feed no longer has it, but still has older items"
    ]
    renamed = every[1].replace("tag:Bridge", "tag:other")
    assert (await newsroom.poll(every[0], renamed, *every[2:])).new == 0
    assert newsroom.findings()["Bridge"] == [MISSING]
    await newsroom.poll(*every)
    assert newsroom.findings()["Bridge"] == []
    await newsroom.poll(*reversed([every[0], *every[2:]]))
    assert newsroom.findings()["Bridge"] == [], "a feed in another order has what it likes"


async def test_what_an_editor_knew_when_approving_is_not_said_again(newsroom: Newsroom) -> None:
    every = [entry(name) for name in NAMES]
    await newsroom.poll(*every)
    newsroom.draft()
    await newsroom.poll(every[0], *every[2:])
    with newsroom.db._engine.begin() as connection:
        [row] = connection.execute(sa.select(items).where(items.c.notice.is_not(None)))
        apply_source_update(connection, row.id, None)
    newsroom.approve("Bridge")
    changed = DraftQuery(state="approved", changed=True)
    assert newsroom.db.drafts.page(changed).total == 0
    assert (await newsroom.poll(every[0], *every[2:], "<!-- -->")).notes == ()
    await newsroom.poll(every[0], *every[2:], tombstone("Bridge"))
    assert newsroom.db.drafts.page(changed).total == 1, "this is worse"


async def test_a_withdrawn_item_leaves_its_place_to_a_duplicate_of_another_feed(newsroom: Newsroom) -> None:
    await newsroom.poll(*(entry(name) for name in NAMES))
    first, own = newsroom.feed, newsroom.feed.model_copy(update={"key": "second"})
    newsroom.feed = own.model_copy(update={"url": newsroom.server.url("/second.xml")})
    newsroom.db.feeds.sync([feed(), first, newsroom.feed])
    newsroom.path = "/second.xml"
    assert (await newsroom.poll(entry("Ferry"))).merged == 1
    newsroom.feed, newsroom.path = first, "/feed.xml"
    await newsroom.poll(tombstone("Ferry"))
    assert newsroom.db.feeds.item_counts()["second"] == {"seen": 1}


async def test_a_title_that_says_so_withdraws_an_item(newsroom: Newsroom) -> None:
    await newsroom.poll(*(entry(name) for name in NAMES[:4]))
    newsroom.draft(2)
    newsroom.approve("Ferry")
    retracted = [entry(name, f"RETRACTED: {name} news of Vale", "It is not so.") for name in NAMES]
    report = await newsroom.poll(*retracted)
    assert newsroom.counts() == {"approved": 1, "drafted": 1, "skipped": 3}
    title = "The source was withdrawn by its publisher: its title says so, “RETRACTED: {} news of Vale”"
    assert newsroom.findings() == {name: [title.format(name)] for name in NAMES[:2]}
    assert sum("a published article withdrawn" in note for note in report.notes) == 1
    assert (await newsroom.poll(*retracted, "<!-- -->")).notes == ()
    outcomes = [(each.outcome, each.reason, each.count) for each in newsroom.db.items.outcomes("late")]
    assert outcomes == [
        ("noticed", "withdrawn: its title says so", 2),
        ("skipped", "withdrawn: its title says so", 3),
    ]


@pytest.mark.parametrize(
    ("title", "kind"),
    [
        ("Correction: Ferry news of Vale", "source-updated"),
        ("Berichtigung: „Ferry news of Vale“", "source-updated"),
        ("[Retraction] Ferry news of Vale", "source-withdrawn"),
    ],
)
async def test_a_correction_with_a_page_of_its_own_is_told_where_it_belongs(
    newsroom: Newsroom, title: str, kind: str
) -> None:
    await newsroom.poll(*(entry(name) for name in NAMES[:4]))
    newsroom.draft()
    newsroom.approve("Ferry")
    correction = entry("Comet", title)
    report = await newsroom.poll(correction, *(entry(name) for name in NAMES[:4]))
    assert report.new == 0
    [row] = [row for row in newsroom.db.drafts.list(("approved",)) if row.item.guid == "tag:Ferry"]
    assert [each.kind for each in row.findings if title in each.message] == [kind]
    assert any("a published article" in note for note in report.notes)
    other = await newsroom.poll(entry("Comet", "Corrections: Thursday").replace("tag:Comet", "tag:new"))
    assert other.new == 1
    copy = await newsroom.poll(
        correction.replace("tag:Comet", "tag:copy").replace("example/Comet", "example/c")
    )
    assert (copy.new, copy.updated) == (0, 0)
    assert copy.merged + copy.skipped == 1, "it is counted, though its notice is not new"


async def test_a_correction_in_the_same_document_is_no_story_of_its_own(newsroom: Newsroom) -> None:
    correction = entry("Comet", "Correction: Ferry news of Vale", "It was an hour less.")
    report = await newsroom.poll(correction, *(entry(name) for name in NAMES[:4]))
    assert (report.new, report.merged) == (4, 1)
    newsroom.draft()
    assert newsroom.findings()["Ferry"] == [
        "The source changed after this was drafted: see “Correction: Ferry news of Vale”"
    ]
    edited = await newsroom.poll(correction.replace("an hour", "two hours"), entry("Bridge"))
    assert edited.updated == 0, "its text is not that of the story"
    [ferry] = [row for row in newsroom.db.drafts.list(("drafted",)) if row.item.guid == "tag:Ferry"]
    assert ferry.updated is None


async def test_what_its_feed_has_again_is_no_longer_withdrawn(newsroom: Newsroom) -> None:
    every = [entry(name) for name in NAMES]
    await newsroom.poll(*every)
    await newsroom.poll(entry("Ferry", "RETRACTED: Ferry news of Vale"), *every[2:], tombstone("Bridge"))
    assert newsroom.counts() == {"seen": 3, "skipped": 2}
    report = await newsroom.poll(*every)
    assert (report.new, newsroom.counts()) == (2, {"seen": 5})
    retraction = entry("Comet", "Retraction: Ferry news of Vale").replace("tag:Comet", "tag:note")
    await newsroom.poll(retraction, *every)
    again = await newsroom.poll(retraction, *every, "<!-- -->")
    assert (again.new, newsroom.counts()) == (0, {"seen": 4, "skipped": 2})


async def test_a_change_that_is_taken_back_is_no_change(newsroom: Newsroom) -> None:
    every = [entry(name) for name in NAMES]
    await newsroom.poll(*every)
    newsroom.draft()
    newsroom.approve("Ferry")
    for name in NAMES[3:]:
        [row] = [each for each in newsroom.db.drafts.list(("drafted",)) if each.item.guid == f"tag:{name}"]
        newsroom.db.redrafts.request(row, "Ada", NOW)
    assert (await newsroom.poll(*(entry(name, f"New {name}") for name in NAMES))).updated == 5
    assert {len(each) for each in newsroom.findings().values()} == {1}
    [bridge] = [each for each in newsroom.db.drafts.list(("drafted",)) if each.item.guid == "tag:Bridge"]
    with newsroom.db._engine.begin() as connection:
        fitted = Draft(external_id="", path=bridge.path, text="Fitted.", findings=bridge.findings)
        add(connection, bridge.item_id, fitted, NewVersion(2, EDIT, confirmed=True))
    report = await newsroom.poll(*every)
    assert (report.updated, report.notes) == (1, ())
    assert newsroom.findings() | {"Bridge": []} == {name: [] for name in NAMES}
    assert "it is now: Bridge news of Vale" in newsroom.findings()["Bridge"][0], "it was fitted to the change"
    assert newsroom.db.drafts.page(DraftQuery(state="approved", changed=True)).total == 0
    assert newsroom.db.redrafts.counts() == {"late": 2}, "editors' requests stay"
    newsroom.beat = BEAT.model_copy(update={"updates": "redraft"})
    await newsroom.poll(*every[:2], entry("Library", "New Library"), *every[3:])
    assert newsroom.db.redrafts.counts() == {"late": 3}
    await newsroom.poll(*every, "<!-- -->")
    assert newsroom.db.redrafts.counts() == {"late": 2}


async def test_a_change_that_is_reserved_is_told_and_not_read(newsroom: Newsroom) -> None:
    await newsroom.poll(*(entry(name) for name in NAMES))
    newsroom.draft(1)
    changed = [entry(name, f"New {name}", "A secret.") for name in NAMES]
    report = await newsroom.poll(*changed, **{"TDM-Reservation": "1"})
    assert (report.new, report.updated, report.skipped) == (0, 1, 4)
    assert newsroom.counts() == {"drafted": 1, "skipped": 4}, "what waits is not drafted from its free text"
    assert (await newsroom.poll(*changed, "<!-- -->", **{"TDM-Reservation": "1"})).skipped == 0
    [row] = newsroom.db.drafts.list(("drafted",))
    assert row.updated is None
    assert "secret" not in row.model_dump_json()
    assert newsroom.findings() == {
        "Ferry": [
            "The source changed after this was drafted: its publisher reserves it now, so the new text was "
            "not read"
        ]
    }
    freed = await newsroom.poll(*(entry(name) for name in NAMES))
    assert (freed.new, newsroom.counts()) == (4, {"drafted": 1, "seen": 4})
