"""Rules for robots: robots.txt, headers, directives."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.domain.errors import FeedError
from pipeline.feeds.pages.robots import (
    CACHE_S,
    RobotsCache,
    RobotsRules,
)
from pipeline.feeds.pages.site_files import SiteFiles
from pipeline.http_client import HttpClient
from tests.fakes.feed_server import FeedServer

PAGE = "https://news.example/story"


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def robots(net: HttpClient, clock: Clock) -> RobotsCache:
    return RobotsCache(SiteFiles(net), clock)


def origin(server: FeedServer) -> str:
    return server.url("")


@pytest.mark.parametrize(
    ("status", "allowed"), [(404, True), (403, True), (429, True), (301, True), (500, False), (None, False)]
)
def test_a_host_without_rules_allows_all_and_a_failing_one_nothing(status: int | None, allowed: bool) -> None:
    assert RobotsRules(status, b"User-agent: *\nDisallow: /").allows(PAGE) is allowed


@pytest.mark.parametrize(
    ("body", "allowed"),
    [
        (b"", True),
        (b"User-agent: *\nDisallow: /", False),
        (b"\xef\xbb\xbfUser-agent: *\nDisallow: /", False),
        (b"User-agent: *\nDisallow: /\n\nUser-agent: Copydesk\nAllow: /", True),
        (b"User-agent: *\nAllow: /\n\nUser-agent: copydesk\nDisallow: /st", False),
        (b"User-agent: GPTBot\nDisallow: /", True),
        (b"User-agent: *\nDisallow: /*.pdf$\nDisallow: /other", True),
        (b"<!doctype html><html><title>Not found</title></html>", True),
        (b"# " + b"x" * 500_000 + b"\nUser-agent: *\nDisallow: /", True),
    ],
)
def test_rules_apply_to_the_user_agents_they_name(body: bytes, allowed: bool) -> None:
    assert RobotsRules(200, body).allows(PAGE) is allowed


@pytest.mark.parametrize(
    ("crawl_delay", "delay_s"), [(b"4", 4), (b"900", 30), (b"soon", 0), (b"-1", 0), (b"inf", 0)]
)
def test_a_crawl_delay_has_a_maximum(crawl_delay: bytes, delay_s: float) -> None:
    assert RobotsRules(200, b"User-agent: *\nCrawl-delay: " + crawl_delay).delay_s() == delay_s


@given(st.binary(max_size=300))
def test_no_robots_txt_does_harm(body: bytes) -> None:
    rules = RobotsRules(200, b"User-agent: *\n" + body)
    assert rules.allows(PAGE) in (True, False)
    assert 0 <= rules.delay_s() <= 30


async def test_concurrent_requests_fetch_the_rules_once(robots: RobotsCache, server: FeedServer) -> None:
    server.add("/robots.txt", b"User-agent: *\nDisallow: /", delay_s=0.05)
    results = await asyncio.gather(*(robots.rules(origin(server), "one") for _ in range(8)))
    assert server.requests == 1
    assert not any(rules.allows(server.url("/story")) for rules in results)


async def test_rules_are_fetched_again_after_a_day(
    robots: RobotsCache, server: FeedServer, clock: Clock
) -> None:
    server.add("/robots.txt", b"User-agent: *\nDisallow: /")
    assert not (await robots.rules(origin(server), "one")).allows(server.url("/story"))
    server.add("/robots.txt", b"")
    clock.now = CACHE_S - 1
    assert not (await robots.rules(origin(server), "one")).allows(server.url("/story"))
    clock.now = CACHE_S
    assert (await robots.rules(origin(server), "one")).allows(server.url("/story"))


async def test_a_failing_host_is_tried_again_within_an_hour(
    robots: RobotsCache, server: FeedServer, clock: Clock
) -> None:
    server.add("/robots.txt", status=503)
    assert (await robots.rules(origin(server), "one")).unknown
    server.add("/robots.txt", b"")
    assert (await robots.rules(origin(server), "one")).unknown, "not at once"
    clock.now = 3600
    assert not (await robots.rules(origin(server), "one")).unknown


async def test_rules_are_found_where_redirects_lead(robots: RobotsCache, server: FeedServer) -> None:
    server.add("/robots.txt", status=301, headers={"Location": "/rules"})
    server.add("/rules", b"User-agent: *\nDisallow: /")
    assert not (await robots.rules(origin(server), "one")).allows(server.url("/story"))


async def test_redirects_without_end_are_no_rules(robots: RobotsCache, server: FeedServer) -> None:
    server.add("/robots.txt", status=302, headers={"Location": "/robots.txt"})
    assert (await robots.rules(origin(server), "one")).allows(server.url("/story"))


async def test_rules_of_a_forbidden_address_are_not_fetched(server: FeedServer) -> None:
    async with HttpClient("test") as guarded:
        with pytest.raises(FeedError) as caught:
            await RobotsCache(SiteFiles(guarded), Clock()).rules(origin(server), "one")
    assert caught.value.kind == "forbidden-address"
    assert server.requests == 0
