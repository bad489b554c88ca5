"""Pages that wait for their host, for a place among the pages ahead, or for the files of their site."""

import asyncio
from typing import Any, cast

import pytest

from pipeline.domain.errors import ShutdownRequested
from pipeline.feeds.pages.extract import Page
from pipeline.feeds.pages.fetch import PageFetcher
from pipeline.feeds.pages.turns import PagesAhead
from pipeline.http_client import Response
from tests.pipeline.feeds.test_page_fetch import FakeTime
from tests.pipeline.feeds.test_page_turns import settled


class Web:
    """Hosts that have every page, and no file of a site; these wait while `files` is not set."""

    def __init__(self) -> None:
        self.pages: list[str] = []
        self.site_files: list[str] = []
        self.files = asyncio.Event()
        self.files.set()

    def has_credentials(self, _url: str, _feed: str) -> bool:
        return False

    async def get(self, url: str, *_headers: object, **_limits: object) -> Response:
        if not url.endswith((".txt", ".json")):
            self.pages.append(url.rpartition("/")[2])
            return Response(status=200, url=url, headers={}, body=b"")
        self.site_files.append(url)
        await self.files.wait()
        return Response(status=404, url=url, headers={}, body=b"")


async def no_text(*_document: object) -> Page:
    return Page(text="")


@pytest.fixture
def time() -> FakeTime:
    return FakeTime()


async def test_a_page_whose_place_was_lost_is_the_next_of_its_host(time: FakeTime) -> None:
    web, ahead = Web(), PagesAhead(1)
    elsewhere = ahead.place()

    async def sleep(seconds: float) -> None:
        if not time.slept:  # in the delay before the first page that needs a place
            await asyncio.sleep(0)  # the others ask
            elsewhere.take()
        await time.sleep(seconds)

    pages = PageFetcher(cast(Any, web), no_text, clock=time.clock, sleep=sleep)

    async def page(name: str) -> None:
        place = ahead.place()
        await pages.page(f"https://a.example/{name}", feed=name[0], delay_s=5, place=place)
        place.leave()

    await pages.page("https://a.example/before", feed="one")
    asked = [asyncio.ensure_future(page(name)) for name in ("a1", "a2", "b1")]
    await settled()
    assert (web.pages, time.slept) == (["before"], [4])
    elsewhere.leave()
    await asyncio.gather(*asked)
    assert web.pages == ["before", "a1", "b1", "a2"]


async def test_a_page_leaves_its_place_when_a_feed_with_a_longer_delay_joins(time: FakeTime) -> None:
    web, ahead, waits = Web(), PagesAhead(1), list[tuple[float, bool]]()
    joined: list[asyncio.Task[Page]] = []

    async def sleep(seconds: float) -> None:
        waits.append((seconds, ahead.has_free()))
        if len(waits) == 2:
            joined.append(asyncio.ensure_future(pages.page(f"{url}/2", feed="slow", delay_s=600)))
            await settled()
        await time.sleep(seconds)

    url = "https://a.example"
    pages = PageFetcher(cast(Any, web), no_text, clock=time.clock, sleep=sleep)
    await pages.page(f"{url}/0", feed="one")
    await pages.page(f"{url}/1", delay_s=5, place=ahead.place(), feed="one")
    assert waits == [(4, True), (1, False), (594, True), (1, False)]
    await asyncio.gather(*joined)
    assert web.pages == ["0", "1", "2"]


async def test_few_sites_are_asked_for_their_files_at_the_same_time_and_none_once_the_run_ends() -> None:
    web, stopped = Web(), list[str]()
    web.files.clear()
    pages = PageFetcher(cast(Any, web), no_text, should_stop=lambda: bool(stopped))
    urls = [f"https://{number}.example/{number}" for number in range(40)]
    asked = [asyncio.ensure_future(pages.page(url, feed="one")) for url in urls]
    await settled()
    assert [url.rpartition("/")[2] for url in web.site_files] == ["robots.txt"] * 16
    stopped.append("now")
    web.files.set()
    results = await asyncio.gather(
        *asked, pages.page("https://late.example/", feed="one"), return_exceptions=True
    )
    assert {type(result) for result in results} == {ShutdownRequested}
    assert (len(web.site_files), web.pages) == (16, [])


async def test_a_site_whose_files_are_known_waits_for_those_of_no_other() -> None:
    web = Web()
    pages = PageFetcher(cast(Any, web), no_text)
    await pages.page("https://known.example/1", delay_s=0, feed="one")
    web.files.clear()
    asked = [
        asyncio.ensure_future(pages.page(f"https://{number}.example/", feed="one")) for number in range(20)
    ]
    await settled()
    await pages.page("https://known.example/2", delay_s=0, feed="one")
    assert web.pages == ["1", "2"]
    web.files.set()
    await asyncio.gather(*asked)
