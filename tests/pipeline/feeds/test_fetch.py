"""Fetching one feed: conditional requests, redirects, errors that name the feed."""

from datetime import UTC, datetime, timedelta

import pytest

from pipeline.domain.errors import FeedError
from pipeline.domain.models import FeedConfig, PollState
from pipeline.feeds.fetch import FetchedFeed, NotModified, fetch_feed
from pipeline.feeds.poll_schedule import state_after_failure
from pipeline.http_client import HttpClient
from tests.fakes.feed_server import FeedServer

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def feed(url: str) -> FeedConfig:
    return FeedConfig(key="daily-coin", name="Daily Coin", url=url, beat="crypto", category="BTC")


def after(fetched: FetchedFeed) -> PollState:
    state = {"etag": fetched.etag, "last_modified": fetched.last_modified, "body_hash": fetched.body_hash}
    return PollState(**state)


async def test_a_feed_is_fetched_once_and_then_unchanged(net: HttpClient, server: FeedServer) -> None:
    stamp = "Sun, 01 Mar 2026 10:00:00 GMT"
    url = server.add("/f", b"<rss/>", content_type="application/rss+xml", etag='W/"1"', last_modified=stamp)
    first = await fetch_feed(net, feed(url), PollState(), NOW)
    assert isinstance(first, FetchedFeed)
    assert (first.body, first.content_type, first.url) == (b"<rss/>", "application/rss+xml", url)
    assert (first.etag, first.last_modified) == ('W/"1"', stamp)
    again = await fetch_feed(net, feed(url), after(first), NOW)
    assert isinstance(again, NotModified)
    assert again.is_304
    server.add("/f", b"<rss></rss>", etag='W/"2"')
    third = await fetch_feed(net, feed(url), after(first), NOW)
    assert isinstance(third, FetchedFeed)
    assert third.etag == 'W/"2"'
    assert "if-none-match" not in server.seen[0].headers
    assert server.seen[1].headers["if-none-match"] == 'W/"1"'
    assert server.seen[1].headers["if-modified-since"] == stamp


async def test_304_to_an_unconditional_request_is_an_error(net: HttpClient, server: FeedServer) -> None:
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
    second = await fetch_feed(net, feed(url), after(first), NOW)
    assert isinstance(second, FetchedFeed)
    assert (second.body, second.etag) == (b"<rss></rss>", now)


async def test_the_same_bytes_are_unchanged_whatever_the_server_says(
    net: HttpClient, server: FeedServer
) -> None:
    url = server.add("/f", b"<rss/>", headers={"ETag": '"1"'})
    first = await fetch_feed(net, feed(url), PollState(), NOW)
    assert isinstance(first, FetchedFeed)
    server.add("/f", b"<rss/>", headers={"ETag": '"2"'})
    again = await fetch_feed(net, feed(url), after(first), NOW)
    assert isinstance(again, NotModified)
    assert not again.is_304
    assert isinstance(await fetch_feed(net, feed(url), after(first), NOW, whole=True), FetchedFeed)


async def test_after_48_answers_304_a_request_is_unconditional(net: HttpClient, server: FeedServer) -> None:
    url = server.add("/f", b"<rss>new</rss>", etag='"1"')
    assert isinstance(await fetch_feed(net, feed(url), PollState(etag='"1"', unchanged=47), NOW), NotModified)
    fetched = await fetch_feed(net, feed(url), PollState(etag='"0"', unchanged=48), NOW)
    assert isinstance(fetched, FetchedFeed)
    assert "if-none-match" not in server.seen[-1].headers


async def test_validators_of_an_expired_response_are_not_stored(net: HttpClient, server: FeedServer) -> None:
    url = server.add("/f", b"<rss/>", headers={"ETag": '"1"', "Expires": "0"})
    fetched = await fetch_feed(net, feed(url), PollState(), NOW)
    assert isinstance(fetched, FetchedFeed)
    assert fetched.etag is None


@pytest.mark.parametrize(("statuses", "moved"), [((301, 308), True), ((301, 302), False), ((302,), False)])
async def test_only_permanent_redirects_move_a_feed(
    net: HttpClient, server: FeedServer, statuses: tuple[int, ...], moved: bool
) -> None:
    end = server.add("/end", b"<rss/>")
    for number, status in enumerate(statuses):
        target = f"/{number + 1}" if number + 1 < len(statuses) else "/end"
        server.add(f"/{number}", status=status, headers={"Location": target})
    fetched = await fetch_feed(net, feed(server.url("/0")), PollState(), NOW)
    assert fetched.moved_to == (end if moved else None)


async def test_a_feed_with_a_password_does_not_follow_a_move(net: HttpClient, server: FeedServer) -> None:
    server.add("/new", b"<rss/>")
    url = server.add("/old", status=301, headers={"Location": "/new"})
    fetched = await fetch_feed(net, feed(url.replace("//", "//ada:secret@")), PollState(), NOW)
    assert fetched.moved_to is None


async def test_a_moved_feed_is_fetched_from_its_new_url(net: HttpClient, server: FeedServer) -> None:
    url = server.add("/new", b"<rss/>")
    fetched = await fetch_feed(net, feed(server.url("/old")), PollState(url=url), NOW)
    assert isinstance(fetched, FetchedFeed)
    assert [request.path for request in server.seen] == ["/new"]


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
        (402, "refused"),
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


async def test_a_network_error_names_the_feed(net: HttpClient, server: FeedServer) -> None:
    url = server.add("/f", b"x").replace("http:", "https:")
    with pytest.raises(FeedError, match=r"^daily-coin: 127\.0\.0\.1: no secure connection") as caught:
        await fetch_feed(net, feed(url), PollState(), NOW)
    assert caught.value.kind == "tls"


@pytest.mark.parametrize("status", [403, 503])
async def test_a_challenge_page_is_no_plain_refusal(net: HttpClient, server: FeedServer, status: int) -> None:
    page = b"<!doctype html><title>Just a moment...</title><script>window._cf_chl_opt = {}</script>"
    url = server.add("/f", page, status=status, content_type="text/html; charset=UTF-8")
    with pytest.raises(FeedError, match="browser check") as caught:
        await fetch_feed(net, feed(url), PollState(), NOW)
    assert (caught.value.kind, caught.value.context["status"]) == ("challenge", status)


@pytest.mark.parametrize(
    ("status", "headers", "body"),
    [
        (403, {"cf-mitigated": "challenge"}, b""),
        (405, {"x-amzn-waf-action": "captcha"}, b"<html>"),
        (202, {"x-amzn-waf-action": "challenge"}, b""),
        (202, {"sg-captcha": "challenge"}, b"<html><meta http-equiv='refresh' content='0;/c'></html>"),
        (202, {}, b""),
        (202, {}, b"\n<!DOCTYPE html><html><script src='/c.js'></script>"),
    ],
)
async def test_a_challenge_is_recognised(
    net: HttpClient, server: FeedServer, status: int, headers: dict[str, str], body: bytes
) -> None:
    url = server.add("/f", body, status=status, headers=headers, content_type="text/html")
    with pytest.raises(FeedError) as caught:
        await fetch_feed(net, feed(url), PollState(), NOW)
    assert caught.value.kind == "challenge"


async def test_a_feed_with_status_202_is_a_feed(net: HttpClient, server: FeedServer) -> None:
    url = server.add("/f", b"<rss/>", status=202)
    assert isinstance(await fetch_feed(net, feed(url), PollState(), NOW), FetchedFeed)


@pytest.mark.parametrize(
    ("status", "headers", "kind", "advice"),
    [
        (402, {}, "refused", "wants payment (402); ask its publisher for terms"),
        (403, {"Retry-After": "7200"}, "rate-limited", "(403 with Retry-After); it is polled again later"),
        (403, {"Retry-After": "0"}, "refused", "ask the publisher"),
        (503, {"Retry-After": "7200"}, "server", "(503, Retry-After); it is polled again later"),
        (451, {}, "refused", "is withheld for legal reasons (451)"),
    ],
)
async def test_a_refusal_advises_rightly(
    net: HttpClient, server: FeedServer, status: int, headers: dict[str, str], kind: str, advice: str
) -> None:
    url = server.add("/f", b"<html>no</html>", status=status, headers=headers, content_type="text/html")
    with pytest.raises(FeedError) as caught:
        await fetch_feed(net, feed(url), PollState(), NOW)
    assert caught.value.kind == kind
    assert advice in caught.value.message
    rests = state_after_failure(PollState(), caught.value, NOW, 0.0).wait_until
    assert rests == (NOW + timedelta(hours=2) if headers.get("Retry-After") == "7200" else None)
