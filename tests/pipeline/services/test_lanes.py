"""Pages are fetched while the model is asked: what waits for a host holds no slot; not too many."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest
import sqlalchemy as sa

from pipeline.articles import files
from pipeline.domain.errors import BudgetExceeded
from pipeline.domain.models import FeedConfig, Item
from pipeline.feeds.pages.extract import Page
from pipeline.feeds.pages.fetch import PageFetcher
from pipeline.http_client import HttpClient, Response
from pipeline.llm.chat import ChatResponse
from pipeline.services.context import RunContext, Writer
from pipeline.services.draft import draft_feed
from pipeline.services.work_queue import HELD_BATCHES, free_leases
from pipeline.storage import Database, Policy
from pipeline.storage.schema import items
from tests.pipeline.services.desk import Scripted, run_context
from tests.pipeline.services.test_source import STORY
from tests.pipeline.storage.records import admit, feed, item

WIRE = feed("wire", min_chars=200, full_text="auto")


class Web:
    """Hosts whose pages wait until a test lets them through; it notes what was requested."""

    def __init__(self) -> None:
        self.requested: list[str] = []
        self.closed: set[str] = set()
        self.missing: Callable[[str], bool] = lambda _url: False
        self.opened = asyncio.Event()
        self.on_request: Callable[[], None] = lambda: None

    def has_credentials(self, _url: str, _feed: str) -> bool:
        return False

    async def get(self, url: str, *_headers: object, **_limits: object) -> Response:
        if url.endswith((".txt", ".json")):
            return Response(status=404, url=url, headers={}, body=b"")
        self.requested.append(url)
        self.on_request()
        if any(host in url for host in self.closed):
            await self.opened.wait()
        if self.missing(url):
            return Response(status=404, url=url, headers={}, body=b"")
        return Response(status=200, url=url, headers={}, body=url.encode())


async def extracted(body: bytes, *_document: object) -> Page:
    return Page(text=f"{STORY} This page is {body.decode()}, and no other one.")


def context(
    db: Database, net: HttpClient, folder: Path, model: Scripted, web: Web, *, lanes: int = 4
) -> RunContext:
    writers = {"wire": (Writer("default", cast(Any, model), lanes=lanes),)}
    ctx = run_context(db, net, folder, feeds=(WIRE,), writers=writers)
    stop = lambda: bool(ctx.fatal_errors)  # noqa: E731 - the context that it looks at is made above
    return replace(ctx, pages=PageFetcher(cast(Any, web), extracted, should_stop=stop))


def queued(db: Database, *hosts: str) -> None:
    """Queue an item for each host, the newest first; an empty host: its feed has the whole text."""
    db.feeds.sync([feed(), WIRE])
    for number, host in enumerate(hosts):
        link = f"https://{host or 'feed.example'}/{number}"
        text = "Short." if host else f"{STORY} It is number {number}."
        admit(db, item(number, text=text, link=link, canonical=link), key="wire")


def pending(db: Database) -> tuple[str, Item]:
    """Return the change of an item's source that waits for its redraft: its hash, and the item."""
    with db.items._engine.connect() as connection:
        [row] = connection.execute(sa.select(items).where(items.c.updated_hash.is_not(None)))
    return row.updated_hash, Item.model_validate_json(row.updated_payload)


async def until(condition: Callable[[], bool]) -> None:
    """Wait for what happens in threads, too."""
    async with asyncio.timeout(60):
        while not condition():
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("others", [[""] * 5, [f"{n}.example" for n in range(5)]], ids=["no page", "hosts"])
async def test_items_that_wait_for_a_host_hold_up_no_others_of_their_feed(
    db: Database, net: HttpClient, tmp_path: Path, others: list[str]
) -> None:
    queued(db, *["slow.example"] * 9, *others)
    web, model = Web(), Scripted()
    web.closed = {"slow.example"}
    drafting = asyncio.ensure_future(draft_feed(context(db, net, tmp_path, model, web), WIRE, 99))
    await until(lambda: db.feeds.item_counts()["wire"].get("drafted") == 5)
    assert sum("slow.example" in url for url in web.requested) == 1
    web.opened.set()
    assert sum(bool(outcome.path) for outcome in await drafting) == 14


async def test_pages_are_fetched_while_the_model_is_asked_but_not_too_many(
    db: Database, net: HttpClient, tmp_path: Path
) -> None:
    lanes, web, answering = 2, Web(), asyncio.Event()

    class Waiting(Scripted):
        async def send(self, body: dict[str, Any], **limits: object) -> ChatResponse:
            await answering.wait()
            return await super().send(body, **limits)

    queued(db, *(f"{number}.example" for number in range(20)))
    model, most = Waiting(), 0

    def look() -> None:
        nonlocal most
        most = max(most, len(web.requested) - model.call_count)

    web.on_request = look
    drafting = asyncio.ensure_future(
        draft_feed(context(db, net, tmp_path, model, web, lanes=lanes), WIRE, 99)
    )
    await until(lambda: len(web.requested) == 2 * lanes)
    answering.set()
    assert sum(bool(outcome.path) for outcome in await drafting) == 20
    assert most == 2 * lanes, "those in the slots, and as many ahead"


async def test_items_that_are_skipped_leave_their_drafts_of_the_day_to_others(
    db: Database, net: HttpClient, tmp_path: Path
) -> None:
    queued(db, *["half.example"] * 80)
    web = Web()
    web.missing = lambda url: int(url.rpartition("/")[2]) % 2 == 0
    config = WIRE.model_copy(update={"max_items_per_day": 16})
    outcomes = await draft_feed(context(db, net, tmp_path, Scripted(), web, lanes=8), config, 99)
    assert sum(bool(outcome.path) for outcome in outcomes) == 16
    assert len(web.requested) <= 2 * 16 + 1
    assert db.items.held_count("wire") == 0


async def test_pages_in_vain_leave_their_places(db: Database, net: HttpClient, tmp_path: Path) -> None:
    queued(db, *(f"{number}.example" for number in range(12)))
    web = Web()
    web.missing = lambda url: int(url.rpartition("/")[2]) < 5
    ctx = context(db, net, tmp_path, Scripted(), web, lanes=2)
    async with asyncio.timeout(60):
        outcomes = await draft_feed(ctx, WIRE, 99)
    assert [bool(outcome.path) for outcome in outcomes].count(True) == 7
    ahead = ctx.writers(WIRE)[0].pages_ahead
    assert [ahead.take() for _ in range(3)] == [True, True, False], "all places are free"


async def test_after_a_fatal_error_no_model_is_asked_about_a_page_that_came(
    db: Database, net: HttpClient, tmp_path: Path
) -> None:
    queued(db, *["slow.example"] * 3)
    web, model = Web(), Scripted()
    ctx = context(db, net, tmp_path, model, web)
    web.on_request = lambda: ctx.fatal_errors.append(BudgetExceeded("no money is left"))
    assert await draft_feed(ctx, WIRE, 99) == []
    assert (len(web.requested), model.call_count) == (1, 0)
    assert db.feeds.item_counts()["wire"] == {"seen": 3}
    assert db.items.held_count("wire") == 0
    assert db.caches.page(web.requested[0]) is not None, "the next run need not request it"


async def test_when_the_grace_time_is_over_items_that_wait_for_their_host_are_released(
    db: Database, net: HttpClient, tmp_path: Path
) -> None:
    queued(db, *["slow.example"] * 5)
    web = Web()
    web.closed = {"slow.example"}
    ctx = context(db, net, tmp_path, Scripted(), web)
    web.on_request = ctx.grace_expired.set
    assert await draft_feed(ctx, WIRE, 99) == []
    assert (len(web.requested), db.feeds.item_counts()["wire"]) == (1, {"seen": 5})
    assert db.items.held_count("wire") == 0


async def test_a_draft_that_is_edited_while_its_page_is_fetched_costs_no_call(
    db: Database, net: HttpClient, tmp_path: Path
) -> None:
    queued(db, "slow.example")
    web, model = Web(), Scripted()
    [first] = await draft_feed(context(db, net, tmp_path, model, web), WIRE, 1)
    link = "https://slow.example/new"
    changed = item(0, text="Changed.", link=link, canonical=link)
    admit(db, updated=[changed], key="wire", policy=Policy(redraft=True))

    def edit() -> None:
        before = files.read_bytes(tmp_path / "output", first.path or "") or b""
        files.write_atomically(tmp_path / "output", first.path or "", before + b"\nAn editor was here.\n")

    web.on_request = edit
    before = pending(db)
    [second] = await draft_feed(context(db, net, tmp_path, model, web), WIRE, 1)
    assert (second.path, second.skipped, model.call_count) == (None, True, 1)
    assert "edited" in (second.reason or "")
    assert pending(db) == before == (changed.content_hash, changed)


@pytest.mark.parametrize(
    ("hosts", "free"),
    [
        ({}, 8),
        ({None: 3}, 5),
        ({"a": 1}, 8),
        ({"a": 20}, 8),
        ({"a": 18, "b": 2, None: 2}, 6),
        (dict.fromkeys("abcdefghij", 1), 6),
        ({"a": 8 * HELD_BATCHES - 2}, 2),
        ({"a": 8 * HELD_BATCHES}, 0),
        ({None: 8}, 0),
    ],
)
def test_how_many_more_items_a_feed_may_hold(hosts: dict[str | None, int], free: int) -> None:
    assert free_leases(hosts, 8) == free


def test_a_feed_has_a_delay_of_a_second() -> None:
    values = {"key": "f", "name": "F", "url": "https://f.example", "beat": "b", "category": "N"}
    assert FeedConfig.model_validate(values).page_delay == 1
