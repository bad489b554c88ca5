"""The source of a draft: the feed's text, its page if that text is thin or cut, or no draft."""

from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from pipeline.articles import files
from pipeline.domain.errors import LLMError
from pipeline.domain.models import FeedConfig, Item
from pipeline.domain.text import url_host
from pipeline.feeds.urls import canonical_url
from pipeline.http_client import HttpClient
from pipeline.services.draft import draft_feed
from pipeline.services.feed_report import feed_report
from pipeline.storage import Database, Policy
from tests.fakes.feed_server import FeedServer
from tests.pipeline.services.desk import Scripted, run_context
from tests.pipeline.storage.records import LEASE_S, NOW, admit, feed, item

STORY = (
    "The port of Varnhem will close its northern basin for eleven weeks, the harbour board said on Tuesday. "
    "Engineers found that the quay wall, built in 1961, had moved 14 centimetres towards the water. "
    "About 40 fishing boats and two ferries have to use the southern basin in the meantime."
)
PAGE = (
    "<html><head><title>Basin closes</title></head><body><nav>Home Sport</nav><article><h1>Basin closes</h1>"
    + "".join(f"<p>{STORY} Paragraph {number} says more of it.</p>" for number in range(4))
    + "</article></body></html>"
).encode()


def queued(db: Database, server: FeedServer, text: str, **settings: Any) -> FeedConfig:
    thin = feed("thin", url=server.url("/feed"), **{"min_chars": 200, "full_text": "auto", **settings})
    db.feeds.sync([feed(), thin])
    admit(db, story(server, text), key="thin")
    return thin


def story(server: FeedServer, text: str) -> Item:
    return item(
        9,
        title="The basin closes for weeks",
        text=text,
        link=server.url("/story"),
        canonical=canonical_url(server.url("/story")),
    )


async def draft(db: Database, net: HttpClient, folder: Path, thin: FeedConfig, model: Scripted) -> Any:
    [outcome] = await draft_feed(run_context(db, net, folder, model, feeds=(thin,)), thin, 1)
    return outcome


async def test_a_thin_item_is_drafted_from_its_page(
    db: Database, net: HttpClient, server: FeedServer, tmp_path: Path
) -> None:
    server.add("/story", PAGE, content_type="text/html")
    thin = queued(db, server, "The port closes.")
    assert (await draft(db, net, tmp_path, thin, Scripted())).path
    [row] = db.drafts.list()
    assert "14 centimetres" in row.item.text, "the editor sees what it was written from"
    assert db.caches.page(server.url("/story")) is not None


@pytest.mark.parametrize("text", ["The port closes.", f"{STORY} The ferry company expects delays of […]"])
async def test_a_thin_or_cut_source_is_never_rewritten(
    db: Database, net: HttpClient, server: FeedServer, tmp_path: Path, text: str
) -> None:
    model, thin = Scripted(), queued(db, server, text, full_text="never")
    outcome = await draft(db, net, tmp_path, thin, model)
    assert (outcome.path, outcome.skipped, model.call_count) == (None, True, 0)
    assert db.feeds.item_counts()["thin"] == {"skipped": 1}


async def test_a_page_without_text_is_named_and_not_requested_again(
    db: Database, net: HttpClient, server: FeedServer, tmp_path: Path
) -> None:
    server.add("/story", b"", status=403)
    thin = queued(db, server, "The port closes.")
    outcome = await draft(db, net, tmp_path, thin, Scripted())
    assert outcome.skipped
    assert "16 of 200" in outcome.reason
    assert "403" in outcome.reason
    admit(db, story(server, "The port closes soon."), key="thin")
    assert (await draft(db, net, tmp_path, thin, Scripted())).skipped
    assert server.requests_of("/story") == 1


@pytest.mark.parametrize("by_feed", [False, True], ids=["the page is back", "the feed has the text"])
async def test_a_page_with_a_server_error_is_tried_again_later(
    db: Database, net: HttpClient, server: FeedServer, tmp_path: Path, by_feed: bool
) -> None:
    server.add("/story", b"", status=503)
    thin = queued(db, server, "The port closes.")
    pauses, now = [], NOW
    while db.feeds.item_counts()["thin"] == {"seen": 1}:
        desk = run_context(db, net, tmp_path, Scripted(), feeds=(thin,), now=now)
        pauses += [now] if await draft_feed(desk, thin, 1) else []
        now += timedelta(minutes=30) if len(pauses) < 7 else timedelta(hours=4)
    hours = [(later - earlier) / timedelta(hours=1) for earlier, later in pairwise(pauses)]
    assert hours == [0.5, 1, 2, 4, 8, 16, *[24] * 5], "with growing pauses, for days"
    assert db.feeds.item_counts()["thin"] == {"failed": 1}
    if by_feed:
        admit(db, updated=[story(server, f"{STORY} The ferry stops.")], key="thin")
    else:
        server.add("/story", PAGE, content_type="text/html")
        assert db.items.retry_failed() == 1
    assert (await draft(db, net, tmp_path, thin, Scripted())).path
    [row] = [row for row in db.drafts.list() if row.feed_key == "thin"]
    assert ("The ferry stops." in row.item.text, row.updated) == (by_feed, None)


async def test_a_page_that_is_back_is_no_longer_missing(
    db: Database, net: HttpClient, server: FeedServer, tmp_path: Path
) -> None:
    server.add("/story", PAGE, content_type="text/html")
    thin = queued(db, server, "The port closes.")

    async def redraft(text: str, days: int) -> list[str]:
        admit(db, updated=[story(server, text)], key="thin", policy=Policy(redraft=True))
        now = NOW + timedelta(days=days)
        await draft_feed(run_context(db, net, tmp_path, Scripted(), feeds=(thin,), now=now), thin, 1)
        [row] = [row for row in db.drafts.list() if row.feed_key == "thin"]
        return [each.kind for each in row.findings if each.kind == "source-missing"]

    assert await redraft("The port closes.", 0) == []
    server.add("/story", status=404)
    assert await redraft("The port closes soon.", 0) == ["source-missing"]
    server.add("/story", PAGE, content_type="text/html")
    assert await redraft("The port closes now.", 2) == []


async def test_a_page_that_is_not_asked_for_as_its_host_rests_is_not_tried(
    db: Database, net: HttpClient, server: FeedServer, tmp_path: Path
) -> None:
    thin = queued(db, server, "The port closes.")
    for path in ("/story", "/other"):
        url = server.add(path, status=429, headers={"Retry-After": "3600"})
    admit(db, item(10, text="Short.", link=url, canonical=url), key="thin")
    desk = run_context(db, net, tmp_path, Scripted(), feeds=(thin,))
    assert [outcome.waits for outcome in await draft_feed(desk, thin, 2)] == [True, True]
    assert server.requests_of("/story") + server.requests_of("/other") == 1
    assert sorted(lease.page_tries for lease in db.leases.acquire("thin", 9, LEASE_S)) == [0, 1]


async def test_what_robots_txt_refuses_uses_up_no_pages(
    db: Database, net: HttpClient, server: FeedServer, tmp_path: Path
) -> None:
    server.add("/robots.txt", b"User-agent: *\nDisallow: /")
    thin = queued(db, server, "The port closes.")
    urls = [server.url(f"/{number}") for number in range(7)]
    others = (item(number, text="Short.", link=url, canonical=url) for number, url in enumerate(urls))
    admit(db, *others, key="thin")
    desk = run_context(db, net, tmp_path, Scripted(), feeds=(thin,))
    assert len(await draft_feed(desk, thin, 1)) == 8
    assert db.feeds.item_counts()["thin"] == {"skipped": 8}


async def test_the_limit_counts_drafts_and_the_pages_asked_for_are_three_times_as_many(
    db: Database, net: HttpClient, server: FeedServer, tmp_path: Path
) -> None:
    thin = queued(db, server, "The port closes.", full_text="auto")
    others = [
        item(
            number,
            text=f"{number} short.",
            link=server.url(f"/{number}"),
            canonical=f"https://a.example/{number}",
        )
        for number in range(7)
    ]
    unlinked = [item(number, text=f"{number} short.", link=None, canonical=None) for number in range(10, 20)]
    whole = item(30, text=STORY, link=None, canonical=None)
    admit(db, *others, *unlinked, whole, key="thin")
    for number in range(3):
        server.add(f"/{number}", status=503)
    desk = run_context(db, net, tmp_path, Scripted(), feeds=(thin,))
    first = await draft_feed(desk, thin, 1)
    assert [outcome.waits for outcome in first] == [True] * 3
    report = feed_report("thin", None, None, first, 16)
    assert [(cause.kind, cause.count, cause.cause) for cause in report.causes] == [
        ("waits", 3, f"{url_host(server.url(''))} answers 503")
    ]
    assert (report.waiting, report.queued, report.failed) == (3, 13, ()), (
        "what waits is not queued, nor failed"
    )
    second = await draft_feed(desk, thin, 1)
    assert [outcome.waits for outcome in second] == [False] * 3, "those that wait keep no other from its turn"
    third = await draft_feed(desk, thin, 1)
    assert [bool(outcome.path) for outcome in third] == [False] * 12 + [True], "what needs no page is no page"
    assert db.feeds.item_counts()["thin"] == {"seen": 3, "skipped": 15, "drafted": 1}


async def test_an_updated_source_is_written_over_our_draft_and_never_over_an_editors(
    db: Database, net: HttpClient, server: FeedServer, tmp_path: Path
) -> None:
    thin = queued(db, server, STORY)
    first = await draft(db, net, tmp_path, thin, Scripted())
    again = Policy(redraft=True)
    admit(db, updated=[story(server, f"{STORY} The ferry stops.")], key="thin", policy=again)
    second = await draft(db, net, tmp_path, thin, Scripted())
    assert second.path == first.path
    text = files.read_bytes(tmp_path / "output", first.path) or b""
    assert b"version: 2" in text
    edited = text.replace(b"## Overview", b"## Overview\n\nAn editor was here.")
    files.write_atomically(tmp_path / "output", first.path, edited)
    admit(db, updated=[story(server, f"{STORY} The ferry runs.")], key="thin", policy=again)
    model = Scripted()
    third = await draft(db, net, tmp_path, thin, model)
    assert (third.path, third.skipped, model.call_count) == (None, True, 0)
    assert files.read_bytes(tmp_path / "output", first.path) == edited
    assert db.drafts.list()[0].findings[-1].kind == "source-updated"


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("Gone.", None),
        (f"{STORY} The ferry stops.", LLMError("stalled", retry=True)),
        (f"{STORY} The ferry stops.", LLMError("refused", retry=False)),
    ],
    ids=["its source is too thin now", "the model stalls", "the model refuses it"],
)
async def test_a_failed_redraft_leaves_the_draft(
    db: Database, net: HttpClient, server: FeedServer, tmp_path: Path, text: str, error: Exception | None
) -> None:
    thin = queued(db, server, STORY, full_text="never")
    first = await draft(db, net, tmp_path, thin, Scripted())
    before = files.read_bytes(tmp_path / "output", first.path)
    admit(db, updated=[story(server, text)], key="thin", policy=Policy(redraft=True))
    script = [error] if error else []
    assert (await draft(db, net, tmp_path, thin, Scripted(*script))).path is None
    [row] = [row for row in db.drafts.list() if row.feed_key == "thin"]
    assert row.path == first.path, "an editor finds it, and can decide"
    assert row.findings[-1].kind == "source-updated"
    assert files.read_bytes(tmp_path / "output", first.path) == before


async def test_a_day_has_its_limit(db: Database, net: HttpClient, tmp_path: Path) -> None:
    limited = feed(max_items_per_day=3)
    desk = run_context(db, net, tmp_path, Scripted(), feeds=(limited,))
    assert [len(await draft_feed(desk, limited, 2)) for _ in range(3)] == [2, 1, 0]
    assert db.feeds.item_counts()["one"] == {"drafted": 3, "seen": 2}


@pytest.mark.parametrize(
    ("path", "file", "full_text", "what"),
    [
        ("/robots.txt", b"User-agent: *\nContent-Usage: /feed ai-use=n", "auto", "Content-Usage: ai-use=n"),
        (
            "/.well-known/tdmrep.json",
            b'[{"location": "/", "tdm-reservation": 1}]',
            "auto",
            "tdm-reservation: 1 in its site's tdmrep.json",
        ),
        ("/story", PAGE.replace(b"<head>", b"<head><meta name='robots' content='noai'>"), "always", "noai"),
    ],
    ids=["robots.txt", "tdmrep.json", "its page"],
)
async def test_a_reserved_text_is_not_drafted(
    db: Database,
    net: HttpClient,
    server: FeedServer,
    tmp_path: Path,
    path: str,
    file: bytes,
    full_text: str,
    what: str,
) -> None:
    server.add(path, file, content_type="text/html")
    model, whole = Scripted(), queued(db, server, STORY, full_text=full_text)
    outcome = await draft(db, net, tmp_path, whole, model)
    assert (outcome.path, outcome.skipped, model.call_count) == (None, True, 0)
    assert "reserved by its publisher: " in outcome.reason
    assert what in outcome.reason


async def test_a_page_dates_and_merges_its_item(
    db: Database, net: HttpClient, server: FeedServer, tmp_path: Path
) -> None:
    """Two queries lead to one page; another page is of 2019; a third one declares the URL of the first."""
    canonical = f"<link rel=canonical href='{server.url('/story')}'>".encode()
    for path in ("/story", "/story?cid=business"):
        server.add(path, PAGE.replace(b"<head>", b"<head>" + canonical), content_type="text/html")
    thin = queued(db, server, "The port closes.")
    other = feed("other", url=server.url("/other"), min_chars=200, full_text="auto")
    db.feeds.sync([feed(), thin, other])
    titles = ("The northern basin closes", "Of 2019", "Ninety pools")
    for number, path in enumerate(("/story?cid=business", "/old", "/third")):
        link = server.url(path)
        added = item(20 + number, text=f"{number}", title=titles[number], link=link, canonical=link)
        admit(db, added.model_copy(update={"dated": path != "/old"}), key="other")
    old = b"<head><meta property='article:published_time' content='2019-03-01T10:00:00Z'>"
    server.add("/old", PAGE.replace(b"<head>", old), content_type="text/html")
    third = PAGE.replace(b"<head>", b"<head>" + canonical).replace(b"port of Varnhem", b"town of Brodal")
    words = (
        b"northern basin",
        b"quay wall",
        b"Engineers",
        b"fishing boats",
        b"harbour board",
        b"southern basin",
    )
    for number, word in enumerate(words):
        third = third.replace(word, f"pool{number} nobody knew about".encode())
    server.add("/third", third, content_type="text/html")
    context = run_context(db, net, tmp_path, Scripted(), feeds=(thin, other))
    await draft_feed(context, thin, 1)
    outcomes = {each.title: each for each in await draft_feed(context, other, 9)}
    report = feed_report("other", None, None, tuple(outcomes.values()), 0)
    assert (report.merged, report.skipped, len(report.drafts)) == (1, 1, 1), "as in the database"
    assert f"merged {titles[0]}: its page is that of 'The basin closes for weeks'" in report.notes
    assert "published 2019-03-01" in (outcomes[titles[1]].reason or "")
    assert outcomes[titles[2]].path
    assert db.feeds.item_counts()["other"] == {"merged": 1, "skipped": 1, "drafted": 1}
    again = item(30, title="Later", link=server.url("/story"), canonical=canonical_url(server.url("/story")))
    assert admit(db, again, key="other").merged == 1
