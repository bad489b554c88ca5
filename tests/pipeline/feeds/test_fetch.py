"""One feed's fetch: what came of it is a value, or an error that names the feed."""

from datetime import UTC, datetime

import pytest

from pipeline.domain.errors import FeedError
from pipeline.domain.models import FeedConfig, PollState
from pipeline.feeds.fetch import FetchedFeed, NotModified, fetch_feed
from pipeline.http_client import HttpClient
from tests.fakes.feed_server import FeedServer

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def feed(url: str) -> FeedConfig:
    return FeedConfig(key="daily-coin", name="Daily Coin", url=url, beat="crypto", category="BTC")


def after(fetched: FetchedFeed) -> PollState:
    kept = {"etag": fetched.etag, "last_modified": fetched.last_modified, "body_hash": fetched.body_hash}
    return PollState(**kept)


async def test_a_feed_is_fetched_once_and_then_unchanged(net: HttpClient, server: FeedServer) -> None:
    stamp = "Sun, 01 Mar 2026 10:00:00 GMT"
    url = server.add("/f", b"<rss/>", content_type="application/rss+xml", etag='W/"1"', last_modified=stamp)
    first = await fetch_feed(net, feed(url), PollState(), NOW)
    assert isinstance(first, FetchedFeed)
    assert (first.body, first.content_type, first.url) == (b"<rss/>", "application/rss+xml", url)
    assert (first.etag, first.last_modified) == ('W/"1"', stamp)
    again = await fetch_feed(net, feed(url), after(first), NOW)
    assert isinstance(again, NotModified)
    assert again.asked
    server.add("/f", b"<rss></rss>", etag='W/"2"')
    third = await fetch_feed(net, feed(url), after(first), NOW)
    assert isinstance(third, FetchedFeed)
    assert third.etag == 'W/"2"'
    assert "if-none-match" not in server.seen[0].headers
    assert server.seen[1].headers["if-none-match"] == 'W/"1"'
    assert server.seen[1].headers["if-modified-since"] == stamp


async def test_unchanged_since_nothing_is_no_answer(net: HttpClient, server: FeedServer) -> None:
    url = server.add("/f", status=304)
    with pytest.raises(FeedError, match="304"):
        await fetch_feed(net, feed(url), PollState(), NOW)


@pytest.mark.parametrize(
    ("before", "now"), [('"a"', '"a"'), ('W/"a"', '"a"'), ('"a-gzip"', '"a"'), ('"a;gzip"', 'W/"a"')]
)
async def test_another_body_is_read_whatever_its_validator_says(
    net: HttpClient, server: FeedServer, before: str, now: str
) -> None:
    url = server.add("/f", b"<rss/>", headers={"ETag": before})
    first = await fetch_feed(net, feed(url), PollState(), NOW)
    assert isinstance(first, FetchedFeed)
    server.add("/f", b"<rss></rss>", headers={"ETag": now})
    seen = await fetch_feed(net, feed(url), after(first), NOW)
    assert isinstance(seen, FetchedFeed)
    assert (seen.body, seen.etag) == (b"<rss></rss>", now)


async def test_the_same_bytes_are_unchanged_whatever_the_server_says(
    net: HttpClient, server: FeedServer
) -> None:
    url = server.add("/f", b"<rss/>", headers={"ETag": '"1"'})
    first = await fetch_feed(net, feed(url), PollState(), NOW)
    assert isinstance(first, FetchedFeed)
    server.add("/f", b"<rss/>", headers={"ETag": '"2"'})
    again = await fetch_feed(net, feed(url), after(first), NOW)
    assert isinstance(again, NotModified)
    assert not again.asked
    assert isinstance(await fetch_feed(net, feed(url), after(first), NOW, whole=True), FetchedFeed)


async def test_a_server_stuck_on_unchanged_is_asked_for_the_whole_now_and_then(
    net: HttpClient, server: FeedServer
) -> None:
    url = server.add("/f", b"<rss>new</rss>", etag='"1"')
    assert isinstance(await fetch_feed(net, feed(url), PollState(etag='"1"', unchanged=47), NOW), NotModified)
    seen = await fetch_feed(net, feed(url), PollState(etag='"0"', unchanged=48), NOW)
    assert isinstance(seen, FetchedFeed)
    assert "if-none-match" not in server.seen[-1].headers


async def test_validators_of_a_feed_that_expires_at_once_are_not_kept(
    net: HttpClient, server: FeedServer
) -> None:
    url = server.add("/f", b"<rss/>", headers={"ETag": '"1"', "Expires": "0"})
    seen = await fetch_feed(net, feed(url), PollState(), NOW)
    assert isinstance(seen, FetchedFeed)
    assert seen.etag is None


@pytest.mark.parametrize(("statuses", "moved"), [((301, 308), True), ((301, 302), False), ((302,), False)])
async def test_only_permanent_redirects_move_a_feed(
    net: HttpClient, server: FeedServer, statuses: tuple[int, ...], moved: bool
) -> None:
    end = server.add("/end", b"<rss/>")
    for number, status in enumerate(statuses):
        target = f"/{number + 1}" if number + 1 < len(statuses) else "/end"
        server.add(f"/{number}", status=status, headers={"Location": target})
    seen = await fetch_feed(net, feed(server.url("/0")), PollState(), NOW)
    assert seen.moved_to == (end if moved else None)


async def test_a_feed_with_a_password_does_not_move_on_without_it(
    net: HttpClient, server: FeedServer
) -> None:
    server.add("/new", b"<rss/>")
    url = server.add("/old", status=301, headers={"Location": "/new"})
    seen = await fetch_feed(net, feed(url.replace("//", "//ada:secret@")), PollState(), NOW)
    assert seen.moved_to is None


async def test_a_feed_that_moved_is_asked_for_at_its_new_address(net: HttpClient, server: FeedServer) -> None:
    url = server.add("/new", b"<rss/>")
    seen = await fetch_feed(net, feed(server.url("/old")), PollState(url=url), NOW)
    assert isinstance(seen, FetchedFeed)
    assert [one.path for one in server.seen] == ["/new"]


async def test_a_validator_that_cannot_be_sent_back_is_forgotten(net: HttpClient, server: FeedServer) -> None:
    url = server.add("/f", b"<rss/>", headers={"ETag": '"caf\xe9"'})
    odd = PollState(etag='"a\r\nX: y"', last_modified="Freitag, 1. März")
    fetched = await fetch_feed(net, feed(url), odd, NOW)
    assert isinstance(fetched, FetchedFeed)
    assert (fetched.etag, fetched.last_modified) == (None, None)
    assert "x" not in server.seen[0].headers


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (401, "refused"),
        (403, "refused"),
        (404, "not-found"),
        (410, "gone"),
        (418, "http"),
        (429, "rate-limited"),
        (500, "server"),
        (503, "server"),
    ],
)
async def test_a_refusal_is_named_with_its_feed(
    net: HttpClient, server: FeedServer, status: int, kind: str
) -> None:
    url = server.add("/f.xml?token=secret", b"<html>sorry</html>", status=status)
    with pytest.raises(FeedError) as caught:
        await fetch_feed(net, feed(url), PollState(), NOW)
    error = caught.value
    assert (error.kind, error.context["status"], error.context["feed"]) == (kind, status, "daily-coin")
    assert error.message.startswith("daily-coin: ")
    assert str(status) in error.message
    assert "secret" not in error.message
    assert "\n" not in error.message


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("120", 120),
        ("Sun, 01 Mar 2026 12:01:00 GMT", 60),
        ("Sun, 01 Mar 2020 12:00:00 GMT", 0),
        ("soon", None),
        ("-5", 0),
        ("9" * 400, None),
    ],
)
async def test_how_long_a_server_asks_to_wait(
    net: HttpClient, server: FeedServer, header: str, seconds: float | None
) -> None:
    url = server.add("/f", status=429, headers={"Retry-After": header})
    with pytest.raises(FeedError) as caught:
        await fetch_feed(net, feed(url), PollState(), NOW)
    assert caught.value.context["retry_after_s"] == seconds


async def test_trouble_on_the_way_names_the_feed_too(net: HttpClient, server: FeedServer) -> None:
    url = server.add("/f", b"x").replace("http:", "https:")
    with pytest.raises(FeedError, match=r"^daily-coin: 127\.0\.0\.1: no secure connection") as caught:
        await fetch_feed(net, feed(url), PollState(), NOW)
    assert caught.value.kind == "tls"


@pytest.mark.parametrize("status", [403, 503])
async def test_a_check_of_the_browser_is_told_from_a_refusal(
    net: HttpClient, server: FeedServer, status: int
) -> None:
    page = b"<!doctype html><title>Just a moment...</title><script>window._cf_chl_opt = {}</script>"
    url = server.add("/f", page, status=status, content_type="text/html; charset=UTF-8")
    with pytest.raises(FeedError, match="check of the browser") as caught:
        await fetch_feed(net, feed(url), PollState(), NOW)
    assert (caught.value.kind, caught.value.context["status"]) == ("challenge", status)


async def test_so_is_one_that_a_header_tells_of(net: HttpClient, server: FeedServer) -> None:
    url = server.add("/f", status=403, headers={"cf-mitigated": "challenge"})
    with pytest.raises(FeedError) as caught:
        await fetch_feed(net, feed(url), PollState(), NOW)
    assert caught.value.kind == "challenge"
