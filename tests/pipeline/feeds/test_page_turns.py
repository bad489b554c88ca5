"""Whose turn it is at a host, and the delay between two turns."""

import asyncio
from collections.abc import Iterable

import pytest

from pipeline.domain.errors import ShutdownRequested
from pipeline.feeds.pages.fetch import PageFetcher
from pipeline.feeds.pages.turns import HostTurns, PagesAhead, Place
from pipeline.http_client import HttpClient
from tests.fakes.feed_server import FeedServer, several_hosts
from tests.pipeline.feeds.test_page_fetch import PAGE, FakeTime

UNLIMITED = PagesAhead()


class Log:
    """Items that ask for turns at one host; each notes its turn, and ends it at once."""

    def __init__(self) -> None:
        self.host = HostTurns()
        self.turns: list[str] = []
        self.tasks: list[asyncio.Task[None]] = []

    async def ask(self, feed: str, place: Place) -> None:
        async with self.host.turn(feed, place):
            self.turns.append(feed)
            await asyncio.sleep(0)

    async def join(self, feeds: Iterable[str], ahead: PagesAhead = UNLIMITED) -> None:
        """Let one item of each feed ask, in this order."""
        self.tasks += [asyncio.ensure_future(self.ask(feed, ahead.place())) for feed in feeds]
        await settled()


async def settled() -> None:
    """Let every task go on as far as it can without waiting for time or network."""
    for _ in range(50):
        await asyncio.sleep(0)


async def test_feeds_have_their_turns_in_rotation() -> None:
    log = Log()
    async with log.host.turn("other", UNLIMITED.place()):
        await log.join("aaaabbc")
    await settled()
    assert "".join(log.turns) == "abcabaa"


async def test_a_feed_that_is_far_enough_ahead_holds_up_no_other() -> None:
    log, ahead = Log(), PagesAhead(1)
    ahead.take()
    await log.join("aa", ahead)
    await log.join("bb")
    assert "".join(log.turns) == "bb"
    ahead.give_back()
    await settled()
    assert "".join(log.turns) == "bbaa"


async def test_a_place_that_is_lost_meanwhile_is_waited_for_and_the_item_stays_the_first() -> None:
    host, ahead, order = HostTurns(), PagesAhead(1), list[str]()
    elsewhere = ahead.place()

    async def ask(name: str, place: Place, *, again: bool = False) -> None:
        async with host.turn("a", place, again=again):
            taken = place.take()
            order.append(f"{name} {taken}")
        if not taken:
            await ask(name, place, again=True)

    async with host.turn("a", ahead.place()):
        tasks = [asyncio.ensure_future(ask(name, ahead.place())) for name in ("first", "second")]
        await settled()
    elsewhere.take()  # by an item of another host
    await settled()
    assert order == ["first False"]
    elsewhere.leave()
    await settled()
    assert order == ["first False", "first True"]
    ahead.give_back()
    await asyncio.gather(*tasks)
    assert order[-1] == "second True"


async def test_a_feed_whose_place_was_lost_goes_before_the_others_of_its_host() -> None:
    host, ahead, order = HostTurns(), PagesAhead(1), list[str]()
    elsewhere = ahead.place()

    async def ask(feed: str, place: Place, *, again: bool = False) -> None:
        async with host.turn(feed, place, again=again):
            taken = place.take()
            order.append(feed if taken else feed.upper())
        if not taken:
            await ask(feed, place, again=True)
        place.leave()

    async with host.turn("x", UNLIMITED.place()):
        tasks = [asyncio.ensure_future(ask(feed, ahead.place())) for feed in "aabbc"]
        await settled()
    elsewhere.take()  # by an item of another host
    await settled()
    elsewhere.leave()
    await asyncio.gather(*tasks)
    assert "".join(order) == "Aabcab"


async def order_of_drafts(**hosts: tuple[int, float]) -> list[str]:
    """Return the hosts of the items in the order of their drafts, one at a time; a host: items and delay."""
    ahead, drafts, asked = PagesAhead(1), asyncio.Queue[tuple[str, Place]](), list[asyncio.Task[None]]()
    first = ahead.place()
    first.take()

    async def ask(name: str, host: HostTurns, place: Place, *, again: bool = False) -> None:
        async with host.turn(name, place, again=again):
            taken = place.take()
        if taken:
            drafts.put_nowait((name, place))
        else:
            await ask(name, host, place, again=True)

    for name, (count, delay_s) in hosts.items():
        host = HostTurns()
        host.delay_s = delay_s
        asked += (asyncio.ensure_future(ask(name, host, ahead.place())) for _ in range(count))
    await settled()
    first.leave()
    order = []
    for _ in asked:
        name, place = await drafts.get()
        order.append(name)
        await settled()
        place.leave()
    await asyncio.gather(*asked)
    return order


async def test_places_are_for_the_host_with_the_most_items_and_for_the_one_that_has_waited_longest() -> None:
    order = await order_of_drafts(small=(2, 1), other=(2, 1), large=(9, 1))
    assert order[:8] == ["large", "small", "large", "other", "large", "small", "large", "other"]


async def test_the_time_that_items_need_counts_not_how_many_they_are() -> None:
    assert (await order_of_drafts(many=(5, 1), slow=(2, 60)))[0] == "slow"
    assert (await order_of_drafts(few=(2, 0), many=(5, 0)))[0] == "many", "no host has a delay"


async def test_a_host_with_a_long_delay_takes_its_place_at_the_end_of_it(
    net: HttpClient, server: FeedServer, time: FakeTime
) -> None:
    ahead, free = PagesAhead(1), list[bool]()

    async def sleep(seconds: float) -> None:
        free.append(ahead.has_free())
        await time.sleep(seconds)

    pages = PageFetcher(net, clock=time.clock, sleep=sleep)
    url = server.add("/story", PAGE, content_type="text/html")
    for _ in range(2):
        place = ahead.place()
        await pages.page(url, delay_s=30, place=place, feed="one")
        place.leave()
    assert (free, time.slept) == ([True, False], [29, 1])


def test_a_place_is_taken_and_left_once() -> None:
    ahead = PagesAhead(1)
    place, other = ahead.place(), ahead.place()
    assert place.take()
    assert place.take(), "it has it"
    assert not other.take()
    place.leave()
    place.leave()
    assert other.take()
    assert not ahead.place().take()


@pytest.mark.parametrize("given", [False, True], ids=["waiting", "given the turn a moment before"])
async def test_an_item_that_is_cancelled_holds_up_no_other(given: bool) -> None:
    log = Log()
    async with log.host.turn("other", UNLIMITED.place()):
        await log.join("ab")
        if not given:
            log.tasks[0].cancel()
    if given:
        log.tasks[0].cancel()
    await settled()
    assert log.tasks[0].cancelled()
    assert log.turns == ["b"]
    await log.join("c")
    assert log.turns == ["b", "c"]


@pytest.fixture
def time() -> FakeTime:
    return FakeTime()


@pytest.mark.parametrize(
    ("delays", "robots", "each"),
    [
        ((0, 0, 0), b"", 0),
        ((0.5, 0.5, 0.5), b"", 0.5),
        ((5, 0, 0), b"", 5),
        ((0, 5, 0), b"", 5),
        ((2, 2, 2), b"User-agent: *\nCrawl-delay: 7\n", 7),
        ((9, 9, 9), b"User-agent: *\nCrawl-delay: 7\n", 9),
        ((0, 0, 0), b"User-agent: *\nCrawl-delay: 86400\n", 30),
    ],
)
async def test_the_longest_delay_of_the_feeds_and_of_robots_txt_counts(
    net: HttpClient,
    server: FeedServer,
    time: FakeTime,
    delays: tuple[float, ...],
    robots: bytes,
    each: float,
) -> None:
    server.add("/robots.txt", robots)
    url = server.add("/story", PAGE, content_type="text/html")
    pages = PageFetcher(net, clock=time.clock, sleep=time.sleep)
    asked = (pages.page(url, feed=f"f{n}", delay_s=delay) for n, delay in enumerate(delays))
    await asyncio.gather(*asked)
    assert sum(time.slept) == 2 * each


@several_hosts
async def test_other_hosts_go_on_while_one_host_has_its_delay(
    net: HttpClient, server: FeedServer, time: FakeTime
) -> None:
    asleep, awake = asyncio.Event(), asyncio.Event()

    async def sleep(seconds: float) -> None:
        asleep.set()
        await awake.wait()
        time.now += seconds

    slow = [server.add(path, PAGE, content_type="text/html") for path in ("/1", "/2")]
    with FeedServer("127.0.0.2") as other:
        async with HttpClient("test", allowed=server.hosts | other.hosts) as both:
            pages = PageFetcher(both, clock=time.clock, sleep=sleep)
            waiting = asyncio.gather(*(pages.page(url, feed="one") for url in slow))
            await asleep.wait()
            await pages.page(other.add("/3", PAGE, content_type="text/html"), feed="one")
            assert not waiting.done()
            awake.set()
            await waiting
    assert server.requests_of("/2") == other.requests_of("/3") == 1


async def test_no_page_is_requested_once_the_run_ends(net: HttpClient, server: FeedServer) -> None:
    stopped: list[str] = []

    async def sleep(_seconds: float) -> None:
        stopped.append("in the delay before the second page")

    pages = PageFetcher(net, sleep=sleep, should_stop=lambda: bool(stopped))
    urls = [server.add(path, PAGE, content_type="text/html") for path in ("/1", "/2", "/3")]
    results = await asyncio.gather(*(pages.page(url, feed="one") for url in urls), return_exceptions=True)
    assert [type(result) for result in results[1:]] == [ShutdownRequested] * 2
    assert [server.requests_of(path) for path in ("/1", "/2", "/3")] == [1, 0, 0]
