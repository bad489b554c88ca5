"""What `copydesk doctor` says of clock, disk and schedules."""

from datetime import timedelta

import pytest

from copydesk.installation_checks import check_clock, check_schedules, describe_free
from pipeline.domain.errors import ConfigError, CopydeskError, OutputError
from pipeline.domain.models import PollState
from pipeline.http_client import HttpClient
from pipeline.http_client.headers import clock_offset
from tests.fakes.feed_server import FeedServer
from tests.pipeline.storage.records import NOW, feed


@pytest.mark.parametrize(
    ("offsets", "message"),
    [
        ([7_200.0, 7_201.0, 3.0], "2 h ahead of that of 3 answers of servers: set it"),
        ([3_599.0, 98_000.0], "14 h 6 min ahead of that of 2 answers"),
        ([-130.4], "2 min 10 s behind that of 1 answer of servers: set it"),
    ],
)
def test_a_clock_that_differs_is_named_with_its_difference(offsets: list[float], message: str) -> None:
    with pytest.raises(CopydeskError, match=message):
        check_clock(offsets)


def test_one_server_with_a_wrong_clock_is_no_error() -> None:
    assert check_clock([0.4, 9_000.0, -1.0]) == "agrees with that of 3 answers of servers"
    assert check_clock([]) == "not compared: no server answered with its time"


def test_a_servers_time_counts_without_the_age_in_caches() -> None:
    now = NOW.replace(microsecond=0)
    date = f"{now - timedelta(minutes=10):%a, %d %b %Y %H:%M:%S} GMT"
    assert clock_offset({"date": date}, now) == 600
    assert clock_offset({"date": date, "age": "600"}, now) == 0
    assert clock_offset({"date": date, "age": "x"}, now) is None
    assert clock_offset({"date": "yesterday"}, now) is None
    assert clock_offset({}, now) is None


async def test_the_client_notes_the_offset_of_each_response() -> None:
    with FeedServer() as server:
        url = server.add_raw("/", b"HTTP/1.1 200 OK\r\nDate: Mon, 02 Feb 1998 10:00:00 GMT\r\n\r\nhello")
        async with HttpClient("test", allowed=server.hosts) as net:
            await net.get(url)
            await net.get(server.add("/now", b"hello"))
            far, near = net.clock_offsets
    assert far > 800_000_000
    assert abs(near) < 60


def test_a_full_disk_is_named() -> None:
    with pytest.raises(OutputError, match="12 MB are free for the database: free at least 200 MB"):
        describe_free({"output": 10**12, "database": 12_345_678})
    assert describe_free({"output": 10**12}) == "1,000,000 MB free for the output"


def test_schedules_that_nothing_keeps_are_an_error() -> None:
    feeds = [feed("one", schedule="15m"), feed("two", schedule="15m"), feed("three", schedule="never")]
    assert check_schedules(feeds, {}, NOW) == "2 feeds '15m'; last poll never"
    states = {"one": PollState(last_polled_at=NOW - timedelta(hours=2))}
    assert check_schedules(feeds, states, NOW).startswith("2 feeds '15m'; last poll 2026-02-05")
    states = {"one": PollState(last_polled_at=NOW - timedelta(days=3))}
    with pytest.raises(
        ConfigError, match="nothing was polled since 2026-02-02 12:00Z: start `copydesk serve`"
    ):
        check_schedules(feeds, states, NOW)
    assert check_schedules(feeds[2:], states, NOW).startswith("no feed has one")
