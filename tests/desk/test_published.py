"""The page of published articles and its verbs: correct, unpublish, retract, by plain forms."""

import asyncio
import re
from datetime import UTC, datetime
from html import unescape

import pytest

from desk.routes.published import PublishedView, address_at
from pipeline.articles.front_matter import loads
from pipeline.config import load_feeds
from pipeline.http_client import HttpClient
from pipeline.publishing import PublishContext, publish_pending
from pipeline.storage import Publication
from tests.desk.conftest import Desk
from tests.desk.server import database_of, form_of, row_of

NOW = datetime(2026, 2, 7, 10, tzinfo=UTC)
TARGETS = """publish:
  site: {kind: folder, path: site}
  feed: {kind: feed, path: feed, title: Ours, link: https://s.example/, article_url: 'https://s.example/{path}/'}
"""
CLEAN, OTHER = 1, 2


@pytest.fixture
def live(desk: Desk) -> Desk:
    """Two published articles, and a folder and a feed to publish to."""
    feeds = desk.settings.feeds_file
    feeds.write_text(feeds.read_text() + TARGETS)
    for number in (CLEAN, OTHER):
        approve(desk, desk.refs[number])
    return desk


def approve(desk: Desk, ref: str) -> None:
    sha256 = desk.ada.go_through(ref)
    assert desk.ada.post(f"/drafts/{ref}/approve", data={"sha256": sha256}).status_code == 200


def send(desk: Desk) -> None:
    """Carry out the pending publications."""
    settings = desk.settings
    targets = load_feeds(settings.feeds_file).publish

    async def run() -> None:
        with database_of(settings) as db:
            async with HttpClient("test") as net:
                await publish_pending(PublishContext(db, settings.output, targets, net), NOW, patient=False)

    asyncio.run(run())


def at_site(desk: Desk, ref: str) -> bytes | None:
    found = list((desk.settings.base / "site").glob(f"**/*-{ref[:8]}.md"))
    return found[0].read_bytes() if found else None


def titles(page: str) -> list[str]:
    return [unescape(title) for title in re.findall(r'<a class="title"[^>]*>([^<]*)</a>', page)]


def edit(desk: Desk, ref: str, old: str, new: str) -> None:
    form = form_of(desk.ada.page(f"/drafts/{ref}/edit"))
    assert isinstance(form["body"], str)
    assert old in form["body"]
    form["body"] = form["body"].replace(old, new)
    assert desk.ada.post(f"/drafts/{ref}/save", data=form).status_code == 200


def test_the_page_says_who_when_where_and_what_can_be_done(live: Desk) -> None:
    ref = live.refs[CLEAN]
    page = live.ada.page("/published")
    assert titles(page) == [row_of(live.settings, live.refs[number]).title for number in (OTHER, CLEAN)]
    assert page.count("Approved by Ada, ") == 2
    assert page.count("site: will be published") == 2
    send(live)
    page = live.ada.page("/published")
    assert page.count("site: published") == 2
    path = row_of(live.settings, ref).path.removeprefix("published/")
    assert f'href="https://s.example/{path.removesuffix(".md")}/"' in page
    assert f"/site/{path}</span>" in page
    for verb in ("correct", "unpublish", "retract"):
        assert f'action="/drafts/{ref}/{verb}"' in page


def test_a_search_finds_words_of_titles_and_texts(live: Desk) -> None:
    ref = live.refs[CLEAN]
    body = loads(live.text(ref, "published"))[1]
    other = loads(live.text(live.refs[OTHER], "published"))[1].casefold()
    word = next(word for word in re.findall(r"[a-z]{7,}", body) if word not in other)
    assert titles(live.ada.page(f"/published?q={word.upper()}")) == [row_of(live.settings, ref).title]
    assert "No published articles match." in live.ada.page("/published?q=zzz%25_'")
    assert "&lt;b&gt;" in live.ada.page("/published?q=<b>")


def test_a_correction_from_the_page_to_the_targets_and_back(live: Desk) -> None:
    ref = live.refs[CLEAN]
    send(live)
    before = at_site(live, ref)
    answer = live.ada.post(f"/drafts/{ref}/correct", data={"note": "The view was missing"})
    assert "The view was missing" in answer.text
    assert "No sentence has changed yet." in answer.text
    assert "revision waits" in live.ada.page("/published")
    edit(live, ref, "## From author\n\n", "## From author\n\nIt is so. ")
    page = live.ada.page(f"/drafts/{ref}")
    assert "<ins>It is so.</ins>" in page
    approve(live, ref)
    send(live)
    sent = at_site(live, ref)
    assert sent == live.path(ref, "published").read_bytes()
    metadata, body = loads(live.text(ref, "published"))
    [entry] = metadata["corrections"]
    assert (entry["is"], entry["note"], entry["by"]) == ("It is so.", "The view was missing", "Ada")
    assert "## Corrections" in body
    assert ">corrected</span>" in live.ada.page("/published")
    send(live)
    assert at_site(live, ref) == sent, "publishing again gives the same bytes"
    live.ada.post(f"/drafts/{ref}/undo")
    send(live)
    assert at_site(live, ref) == before


def test_the_note_can_be_changed_on_the_page_of_the_revision(live: Desk) -> None:
    ref = live.refs[CLEAN]
    live.ada.post(f"/drafts/{ref}/revise")
    assert "Tell readers what was wrong" in live.ada.page(f"/drafts/{ref}")
    sha256 = live.ada.hidden(f"/drafts/{ref}", "sha256")
    live.ada.post(f"/drafts/{ref}/note", data={"note": "A <b>new</b> note", "sha256": sha256})
    assert loads(live.text(ref))[0]["correction"] == "A new note"
    refused = live.ada.post(f"/drafts/{ref}/note", data={"note": "Late", "sha256": sha256})
    assert refused.status_code == 409
    assert loads(live.text(ref))[0]["correction"] == "A new note"


def test_a_retraction_reaches_the_targets_at_the_same_path(live: Desk) -> None:
    ref = live.refs[CLEAN]
    send(live)
    before = at_site(live, ref)
    page = live.ada.post(f"/drafts/{ref}/retract", data={"note": "It was invented"}).text
    assert "Retracted:" in page
    assert ">retracted</span>" in page
    send(live)
    notice = at_site(live, ref)
    assert notice
    assert "Reason: It was invented." in notice.decode()
    assert "Retracted: " in (live.settings.base / "feed/feed.xml").read_text()
    live.ada.post(f"/drafts/{ref}/undo")
    send(live)
    assert at_site(live, ref) == before


def test_an_unpublished_article_leaves_the_targets_and_the_history_says_why(live: Desk) -> None:
    ref = live.refs[CLEAN]
    send(live)
    before = at_site(live, ref)
    page = live.ada.post(f"/drafts/{ref}/unpublish", data={"note": "Legal advice"}).text
    assert len(titles(page)) == 1
    send(live)
    assert at_site(live, ref) is None
    history = live.ada.page(f"/drafts/{ref}/history")
    assert "<strong>Unpublished</strong> by Ada: Legal advice" in history
    assert "Unpublished" in live.ada.page("/recent")
    live.ada.post("/undo")
    send(live)
    assert at_site(live, ref) == before


@pytest.mark.parametrize(
    ("verb", "message"),
    [
        ("unpublish", "Nothing was unpublished"),
        ("retract", "Nothing was retracted"),
        ("correct", "say to readers what was wrong"),
    ],
)
def test_each_verb_needs_a_reason(live: Desk, verb: str, message: str) -> None:
    ref = live.refs[CLEAN]
    answer = live.ada.post(f"/drafts/{ref}/{verb}", data={"note": " "})
    assert answer.status_code in (409, 422)
    assert message in answer.text
    assert row_of(live.settings, ref).state == "approved"


def test_a_verb_for_what_is_not_published_is_refused_with_a_reason(live: Desk) -> None:
    for verb in ("unpublish", "retract", "correct"):
        answer = live.ada.post(f"/drafts/{live.refs[4]}/{verb}", data={"note": "No"})
        assert answer.status_code == 409
        assert "published" in answer.text


def test_a_minor_correction_needs_no_note(live: Desk) -> None:
    ref = live.refs[CLEAN]
    live.ada.post(f"/drafts/{ref}/correct", data={"minor": "1"})
    assert row_of(live.settings, ref).state == "drafted"
    assert "correction" not in loads(live.text(ref))[0]


def test_pages_hold_fifty_and_the_newest_approval_comes_first(desk: Desk) -> None:
    refs = [desk.refs[number] for number in (1, 2, 4)]
    for ref in (refs[1], refs[0], refs[2]):
        approve(desk, ref)
    with database_of(desk.settings) as db:
        whole = db.published.page(limit=2)
        assert [row.external_id for row in whole.rows] == [refs[2], refs[0]]
        assert whole.total == 3
        assert [row.external_id for row in db.published.page(limit=2, offset=2).rows] == [refs[1]]
    assert "No published articles match." in desk.ada.page("/published?page=9")


def test_the_address_of_a_target_that_is_gone_is_unknown() -> None:
    last = Publication(
        id=1, item_id=1, external_id="x", feed_key="f", title="", published_at=NOW, target="old",
        action="publish", sha256="", path="published/2026/02/x.md", by="Ada", at=NOW,
    )  # fmt: skip
    assert address_at(None, last, "x") == ""


def test_the_level_of_a_review_is_shown_where_the_article_has_one(live: Desk) -> None:
    ref = live.refs[CLEAN]
    page = live.ada.page("/published")
    assert (page.count("full review"), page.count("light review")) == (2, 0)
    live.ada.post(f"/drafts/{ref}/unpublish", data={"note": "not yet"})
    edit(live, ref, "## From author\n\n", "## From author\n\nIt is so. ")
    sha256 = live.ada.hidden(f"/drafts/{ref}", "sha256")
    assert live.ada.post(f"/drafts/{ref}/approve", data={"sha256": sha256, "light": "1"}).status_code == 200
    page = live.ada.page("/published")
    assert (page.count("full review"), page.count("light review")) == (1, 1)
    with database_of(live.settings) as db:
        row = next(row for row in db.published.page().rows if row.external_id == ref)
    head = row.head.replace("  level: light\n", "")
    assert PublishedView(row.model_copy(update={"head": head}), ()).level == ""
