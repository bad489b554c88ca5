"""The next poll of a feed: cache lifetime, backoff, cooldowns."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pipeline.domain.errors import FeedError
from pipeline.domain.models import FeedConfig, PollState
from pipeline.feeds.fetch import FetchedFeed, NotModified
from pipeline.feeds.poll_schedule import (
    ReadResult,
    host_cooldowns,
    is_paused,
    skip_reason,
    state_after_failure,
    state_after_read,
    state_after_refusal,
    state_after_unchanged,
    without_future_times,
)
from pipeline.http_client.headers import CacheHints, parse_cache_headers

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
READ = ReadResult(complete=True)


def feed(**changes: Any) -> FeedConfig:
    values = {
        "key": "daily",
        "name": "Daily",
        "url": "https://daily.example/rss",
        "beat": "b",
        "category": "N",
    }
    return FeedConfig(**values | changes)


def fetched(**changes: Any) -> FetchedFeed:
    values: dict[str, Any] = {"body": b"", "body_hash": "h", "content_type": None, "url": "u"}
    return FetchedFeed(**{"hints": CacheHints(), "etag": '"1"', **values, **changes})


def unchanged(**changes: Any) -> NotModified:
    return NotModified(**{"hints": CacheHints(), **changes})


def failed(kind: str = "server", **context: Any) -> FeedError:
    return FeedError("daily: trouble", kind=kind, **context)


def wait(state: PollState) -> timedelta:
    assert state.next_poll_at is not None
    return state.next_poll_at - NOW


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"cache-control": "public, max-age=600"}, 600),
        ({"cache-control": 'max-age="60"'}, 60),
        ({"cache-control": "s-maxage=900"}, None),
        ({"cache-control": "max-age=600, no-cache"}, None),
        ({"expires": "Sun, 01 Mar 2026 12:30:00 GMT"}, 1800),
        ({"expires": "Sun, 01 Mar 2026 12:30:00 GMT", "date": "Sun, 01 Mar 2026 12:20:00 GMT"}, 600),
        ({"expires": "Sun, 01 Mar 2026 12:30:00 GMT", "cache-control": "max-age=60"}, 60),
        ({"expires": "Sun, 01 Mar 2020 12:30:00 GMT"}, None),
        ({"expires": "soon"}, None),
        ({}, None),
    ],
)
def test_how_long_an_answer_stays_fresh(headers: dict[str, str], seconds: float | None) -> None:
    assert parse_cache_headers(headers, NOW).fresh_s == seconds


def test_a_response_may_be_expired() -> None:
    assert parse_cache_headers({"expires": "0"}, NOW).expired
    assert not parse_cache_headers({"expires": "0", "cache-control": "max-age=60"}, NOW).expired


@pytest.mark.parametrize(
    ("bounds", "fresh_s", "ttl_s", "minutes"),
    [
        ((0, 60), None, None, 0),
        ((10, 60), None, None, 10),
        ((0, 60), 600.0, None, 10),
        ((0, 60), 600.0, 1800.0, 30),
        ((0, 60), 86_400.0, None, 60),
    ],
)
def test_the_wait_is_the_publishers_within_the_operators_bounds(
    bounds: tuple[float, float], fresh_s: float | None, ttl_s: float | None, minutes: float
) -> None:
    response = fetched(hints=CacheHints(fresh_s=fresh_s))
    read = ReadResult(complete=True, ttl_s=ttl_s)
    state = state_after_read(feed(poll_minutes=bounds), PollState(), response, read, NOW, 0.0)
    assert wait(state) == timedelta(minutes=minutes)
    later = state_after_unchanged(feed(poll_minutes=bounds), state, unchanged(hints=response.hints), NOW, 0.0)
    assert wait(later) == timedelta(minutes=minutes), "the feed's own wish is remembered"


def test_jitter_lengthens_the_wait() -> None:
    response = fetched(hints=CacheHints(fresh_s=600.0))
    states = [
        state_after_read(feed(), PollState(), response, READ, NOW, chance) for chance in (0.0, 0.5, 0.99)
    ]
    assert [wait(state).total_seconds() for state in states] == [600, 630, 659.4]


def test_validators_are_stored_only_for_a_feed_read_completely() -> None:
    state = state_after_read(feed(), PollState(etag='"0"'), fetched(), ReadResult(complete=False), NOW, 0.0)
    assert (state.etag, state.body_hash) == (None, None)
    state = state_after_read(feed(), PollState(), fetched(), READ, NOW, 0.0)
    assert (state.etag, state.body_hash) == ('"1"', "h")


def test_backoff_doubles_up_to_a_pause() -> None:
    state, waits = PollState(), []
    for _ in range(10):
        state = state_after_failure(state, failed(), NOW, 0.0)
        waits.append(wait(state).total_seconds() / 60)
    assert waits == [0, 5, 10, 20, 40, 80, 160, 320, 640, 1280]
    assert is_paused(state)
    reason = skip_reason(feed(), state, {}, NOW, named=False)
    assert reason is not None
    assert "paused after 10 failures in a row" in reason
    assert "copydesk run daily" in reason
    assert skip_reason(feed(), state, {}, NOW, named=True) is None
    for _ in range(50):
        state = state_after_failure(state, failed(), NOW, 0.0)
    assert wait(state) == timedelta(days=1), "a machine that was off the net recovers by itself"
    recovered = state_after_unchanged(feed(), state, unchanged(), NOW, 0.0)
    assert (is_paused(recovered), recovered.failures, recovered.last_error) == (False, 0, None)


def test_a_variable_that_is_not_set_neither_delays_nor_pauses_a_feed() -> None:
    error = FeedError("needs PAID_TOKEN, which is not set", kind="unset")
    before = state_after_failure(PollState(etag='"0"'), failed(), NOW - HOUR, 0.0)
    state = before
    for _ in range(50):
        state = state_after_failure(state, error, NOW, 0.0)
    assert state.last_error == error.message
    assert state.model_copy(update={"last_error": before.last_error}) == before
    assert skip_reason(feed(), state, {}, NOW, named=False) is None


def test_a_retired_feed_is_polled_only_by_name() -> None:
    state = state_after_failure(PollState(), failed("gone"), NOW, 0.0)
    assert "gone for good" in (skip_reason(feed(), state, {}, NOW + 999 * HOUR, named=False) or "")
    assert skip_reason(feed(), state, {}, NOW, named=True) is None
    assert not state_after_unchanged(feed(), state, unchanged(), NOW, 0.0).retired


@pytest.mark.parametrize(
    ("kind", "retry_after_s", "cooldown_s"),
    [
        ("rate-limited", 120.0, 120),
        ("rate-limited", None, 900),
        ("rate-limited", 10.0**9, 86_400),
        ("server", 120.0, 120),
        ("server", None, None),
        ("not-found", 120.0, None),
    ],
)
def test_a_cooldown_counts_for_all_feeds_of_a_host(
    kind: str, retry_after_s: float | None, cooldown_s: float | None
) -> None:
    state = state_after_failure(PollState(), failed(kind, retry_after_s=retry_after_s), NOW, 0.0)
    hosts = host_cooldowns([(feed(), state), (feed(key="other"), PollState())])
    neighbour = feed(key="neighbour", url="https://user:pass@DAILY.example/politics")
    reason = skip_reason(neighbour, PollState(), hosts, NOW, named=True)
    if cooldown_s is None:
        assert reason is None
        return
    assert reason is not None
    assert "left alone" in reason
    assert skip_reason(neighbour, PollState(), hosts, NOW + timedelta(seconds=cooldown_s), named=True) is None
    elsewhere = feed(key="else", url="https://other.example/rss")
    assert skip_reason(elsewhere, PollState(), hosts, NOW, named=True) is None


@pytest.mark.parametrize(("ahead", "is_polled"), [(timedelta(minutes=2), False), (timedelta(days=300), True)])
def test_a_poll_of_a_wrong_clock_delays_no_later_one(ahead: timedelta, is_polled: bool) -> None:
    then = NOW + ahead
    state = state_after_failure(PollState(), failed("rate-limited", retry_after_s=7200.0), then, 0.0)
    state = without_future_times(state, NOW)
    reason = skip_reason(feed(), state, host_cooldowns([(feed(), state)]), NOW, named=False)
    assert (reason is None) is is_polled
    assert (state.last_polled_at is None) is is_polled
    assert state.failures == 1


def test_a_cooldown_of_a_wrong_clock_ends() -> None:
    for ahead, is_left in ((timedelta(minutes=2), True), (timedelta(days=300), False)):
        error = failed("rate-limited", retry_after_s=7200.0)
        state = state_after_refusal(PollState(), error, NOW + ahead)
        assert (without_future_times(state, NOW).wait_until is not None) is is_left


def test_a_permanent_redirect_counts_after_three_polls() -> None:
    target, state = "https://new.example/rss", PollState()
    for _ in range(2):
        state = state_after_unchanged(feed(), state, unchanged(moved_to=target), NOW, 0.0)
    assert state.url is None
    state = state_after_unchanged(feed(), state, unchanged(), NOW, 0.0)
    assert state.moving == 0, "it did not hold"
    for _ in range(3):
        state = state_after_unchanged(feed(), state, unchanged(moved_to=target), NOW, 0.0)
    assert (state.url, state.moving) == (target, 0)
    back = state_after_failure(state, failed("not-found"), NOW, 0.0)
    assert back.url is None, "where it moved to is nothing: the configured address is asked again"
