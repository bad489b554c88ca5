"""Decides when a feed is polled next: cache lifetime, backoff, jitter, Retry-After cooldown. Pure.

A feed is due at every run, unless its publisher asked for a longer wait or its polls failed. `chance` is a
random number in [0, 1) for the jitter.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from pipeline.domain.errors import FeedError
from pipeline.domain.models import FeedConfig, FrozenModel, PollState
from pipeline.feeds.fetch import FetchedFeed, NotModified

JITTER = 0.1
"""Largest part of a wait that is added to it, so that feeds added together spread. Chosen, not measured."""
_BACKOFF_S = 300.0
"""Seconds after the second failure in a row; doubled after each further one. Chosen, not measured."""
_MAX_WAIT_S = 86_400.0
"""Seconds: the longest backoff, and the longest Retry-After that is obeyed. Chosen, not measured."""
_PAUSE_AFTER_FAILURES = 10
"""Failures in a row after which a feed is paused, that is, polled once a day. It is never stopped for good:
after a week without a network, all feeds must recover by themselves. Chosen, not measured."""
_POLLS_UNTIL_MOVED = 3
"""Polls in a row that must see a permanent redirect before it replaces the URL. Chosen, not measured."""
_DEFAULT_COOLDOWN_S = 900.0
"""Seconds of cooldown after a 429 without Retry-After. Chosen, not measured."""
_CLOCK_MARGIN = timedelta(hours=1)
"""The clocks of several machines differ by less. Chosen, not measured."""
_COOLDOWN_KINDS = frozenset(("rate-limited", "server"))


class ReadResult(FrozenModel):
    """How a fetched feed was read."""

    complete: bool
    """False: items were left out (a truncated feed, a backfill's window) and must be read again."""
    ttl_s: float | None = None
    """Cache lifetime that the feed declares, in seconds."""


def host_of(url: str) -> str:
    """Return the host and port of a URL in lower case: cooldowns count per host."""
    try:
        return urlsplit(url).netloc.rpartition("@")[2].lower()
    except ValueError:
        return url


def host_cooldowns(states: Iterable[tuple[FeedConfig, PollState]]) -> dict[str, datetime]:
    """Return the end of each host's cooldown, the latest of all its feeds."""
    until: dict[str, datetime] = {}
    for feed, state in states:
        if state.wait_until:
            host = host_of(state.url or feed.url)
            until[host] = max(until.get(host, state.wait_until), state.wait_until)
    return until


def without_future_times(state: PollState, now: datetime) -> PollState:
    """Return the state without times that a wrong clock set: of a poll in the future, of a longer cooldown.

    Else the feed would not be polled until the clock reaches them.
    """
    if state.last_polled_at and state.last_polled_at > now + _CLOCK_MARGIN:
        return state.model_copy(update={"last_polled_at": None, "next_poll_at": None, "wait_until": None})
    if state.wait_until and state.wait_until > now + timedelta(seconds=_MAX_WAIT_S) + _CLOCK_MARGIN:
        return state.model_copy(update={"wait_until": None})
    return state


def skip_reason(
    feed: FeedConfig, state: PollState, hosts: Mapping[str, datetime], now: datetime, *, named: bool
) -> str | None:
    """Return why a feed is not polled now, None if it is. `hosts` are cooldowns of `host_cooldowns`.

    `named`: the user named the feed by its key. Then only a host's cooldown counts, not the schedule.
    """
    until = hosts.get(host_of(state.url or feed.url))
    if until and until > now:
        return f"its host asked to be left alone until {until:%Y-%m-%d %H:%M} UTC"
    if named:
        return None
    if state.retired:
        return f"retired: its publisher says it is gone for good; `copydesk run {feed.key}` tries it again"
    if state.next_poll_at is None or state.next_poll_at <= now:
        return None
    due = f"not due before {state.next_poll_at:%Y-%m-%d %H:%M} UTC"
    if is_paused(state):
        return (
            f"paused after {state.failures} failures in a row, {due}; `copydesk run {feed.key}` tries it now"
        )
    return due


def is_paused(state: PollState) -> bool:
    """Return whether a feed failed so often that it is polled only once a day."""
    return state.failures >= _PAUSE_AFTER_FAILURES


def state_after_unchanged(
    feed: FeedConfig, state: PollState, response: NotModified, now: datetime, chance: float
) -> PollState:
    """Return the state after a poll of a feed that was not modified."""
    count = state.unchanged + 1 if response.is_304 else 0
    return _state_after_response(feed, state, response, now, chance).model_copy(update={"unchanged": count})


def state_after_read(
    feed: FeedConfig,
    state: PollState,
    fetched: FetchedFeed,
    read: ReadResult,
    now: datetime,
    chance: float,
) -> PollState:
    """Return the state after a poll whose feed was read.

    Validators and hash are stored only if it was read completely: else a 304 would hide the items left out.
    """
    update = {
        "etag": fetched.etag if read.complete else None,
        "last_modified": fetched.last_modified if read.complete else None,
        "body_hash": fetched.body_hash if read.complete else None,
        "unchanged": 0,
        "ttl_s": read.ttl_s,
        "tdm": fetched.declared.tdm,
    }
    return _state_after_response(feed, state.model_copy(update=update), fetched, now, chance)


def _state_after_response(
    feed: FeedConfig, state: PollState, response: FetchedFeed | NotModified, now: datetime, chance: float
) -> PollState:
    wait_s = _clamp_wait_s(feed, max(response.hints.fresh_s or 0.0, state.ttl_s or 0.0))
    update = {
        "last_polled_at": now,
        "next_poll_at": _next_poll_at(now, wait_s, chance),
        "wait_until": None,
        "failures": 0,
        "last_error": None,
        "retired": False,
    }
    return state.model_copy(update=update | _redirect_update(feed, state, response.moved_to))


def _redirect_update(feed: FeedConfig, state: PollState, target: str | None) -> dict[str, object]:
    """Return the fields of a permanent redirect: it replaces the URL after several polls in a row."""
    if target is None or target == (state.url or feed.url):
        return {"moving_to": None, "moving": 0}
    polls = state.moving + 1 if target == state.moving_to else 1
    if polls >= _POLLS_UNTIL_MOVED:
        return {"url": target, "moving_to": None, "moving": 0}
    return {"moving_to": target, "moving": polls}


def state_after_failure(state: PollState, error: FeedError, now: datetime, chance: float) -> PollState:
    """Return the state after a failed poll, with exponential backoff. `now` is aware UTC.

    A variable that is not set is no failure of the feed, and no request was sent: the feed stays due, so that
    it is polled at the first run that has the variable.
    """
    if error.kind == "unset":
        return state.model_copy(update={"last_error": error.message})
    failures = state.failures + 1
    wait_s = min(_MAX_WAIT_S, _BACKOFF_S * 2 ** min(failures - 2, 20)) if failures > 1 else 0.0
    update = {
        "last_polled_at": now,
        "next_poll_at": _next_poll_at(now, wait_s, chance),
        "wait_until": _wait_until(error, now),
        "failures": failures,
        "last_error": error.message,
        "retired": error.kind == "gone",
        # The URL of a redirect that no longer works: go back to the URL in feeds.yaml.
        "url": None if error.kind in {"not-found", "gone", "url"} else state.url,
    }
    return state.model_copy(update=update)


def state_after_refusal(state: PollState, error: FeedError, now: datetime) -> PollState:
    """Return the state with the cooldown of a refused archive page of the feed; it counts as no failure."""
    until = _wait_until(error, now)
    return state.model_copy(update={"wait_until": until}) if until else state


def _wait_until(error: FeedError, now: datetime) -> datetime | None:
    retry_after_s = error.context.get("retry_after_s")
    if isinstance(retry_after_s, float) and error.kind in _COOLDOWN_KINDS:
        return now + timedelta(seconds=min(retry_after_s, _MAX_WAIT_S))
    return now + timedelta(seconds=_DEFAULT_COOLDOWN_S) if error.kind == "rate-limited" else None


def _clamp_wait_s(feed: FeedConfig, wait_s: float) -> float:
    shortest, longest = feed.poll_minutes
    return min(max(wait_s, shortest * 60), longest * 60)


def _next_poll_at(now: datetime, wait_s: float, chance: float) -> datetime:
    return now + timedelta(seconds=wait_s * (1 + JITTER * chance))
