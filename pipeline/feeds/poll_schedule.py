"""When a feed is polled next: pure, from what its polls taught and what came of the last one.

The operator's schedule is the clock: a feed is due at every run unless its publisher asked for longer, or
it failed. Jitter spreads feeds that were added together; `chance` is a number in [0, 1).
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from pipeline.domain.errors import FeedError
from pipeline.domain.models import FeedConfig, PollState
from pipeline.feeds.fetch import FetchedFeed, NotModified

JITTER = 0.1
"""Part of a wait that is added at most."""
_BACKOFF_S = 300.0
_LONGEST_S = 86_400.0
_PATIENCE = 10
"""Polls that fail in a row before a feed counts as paused, that is, tried once a day: a machine that was
off the net for a week must not need its feeds named one by one."""
_MOVED = 3
"""Polls in a row that a permanent redirect must be seen on before it is believed."""
_BUSY_S = 900.0
"""Seconds that a host is left alone that is asked too often, or busy, and does not say for how long."""
_RESTING = frozenset(("rate-limited", "server"))


def host_of(url: str) -> str:
    """Return the host that a URL's pacing counts for."""
    try:
        return urlsplit(url).netloc.rpartition("@")[2].lower()
    except ValueError:
        return url


def host_cooldowns(states: Iterable[tuple[FeedConfig, PollState]]) -> dict[str, datetime]:
    """Return until when each host asked to be left alone, by any of its feeds."""
    until: dict[str, datetime] = {}
    for feed, state in states:
        if state.wait_until:
            host = host_of(state.url or feed.url)
            until[host] = max(until.get(host, state.wait_until), state.wait_until)
    return until


def skip_reason(
    feed: FeedConfig, state: PollState, hosts: Mapping[str, datetime], now: datetime, *, named: bool
) -> str | None:
    """Return why a feed is not to be polled now, None where it is. `named`: somebody asked for it by key.

    Whoever names a feed is served, whatever its schedule; only a host's wish to be left alone holds.
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
    """Tell whether a feed failed so often that it is polled once a day only."""
    return state.failures >= _PATIENCE


def state_after_unchanged(
    feed: FeedConfig, state: PollState, seen: NotModified, now: datetime, chance: float
) -> PollState:
    """Return the state after a poll that brought nothing."""
    count = state.unchanged + 1 if seen.asked else 0
    return _after_answer(feed, state, seen, now, chance).model_copy(update={"unchanged": count})


def state_after_read(
    feed: FeedConfig,
    state: PollState,
    seen: FetchedFeed,
    now: datetime,
    chance: float,
    *,
    whole: bool,
    ttl_s: float | None = None,
) -> PollState:
    """Return the state after a poll whose feed was read.

    Not `whole`: items were left for later (a cut-off answer, a backfill's window), so nothing is kept that
    would keep them from being read again. `ttl_s` is the feed's own wish, in seconds.
    """
    kept = {
        "etag": seen.etag if whole else None,
        "last_modified": seen.last_modified if whole else None,
        "body_hash": seen.body_hash if whole else None,
        "unchanged": 0,
        "ttl_s": ttl_s,
    }
    return _after_answer(feed, state.model_copy(update=kept), seen, now, chance)


def _after_answer(
    feed: FeedConfig, state: PollState, seen: FetchedFeed | NotModified, now: datetime, chance: float
) -> PollState:
    wait_s = _between(feed, max(seen.hints.fresh_s or 0.0, state.ttl_s or 0.0))
    well = {
        "last_polled_at": now,
        "next_poll_at": _later(now, wait_s, chance),
        "wait_until": None,
        "failures": 0,
        "last_error": None,
        "retired": False,
    }
    return state.model_copy(update=well | _moving(feed, state, seen.moved_to))


def _moving(feed: FeedConfig, state: PollState, target: str | None) -> dict[str, object]:
    """Believe a permanent redirect once it was seen on several polls."""
    if target is None or target == (state.url or feed.url):
        return {"moving_to": None, "moving": 0}
    seen = state.moving + 1 if target == state.moving_to else 1
    if seen >= _MOVED:
        return {"url": target, "moving_to": None, "moving": 0}
    return {"moving_to": target, "moving": seen}


def state_after_failure(state: PollState, error: FeedError, now: datetime, chance: float) -> PollState:
    """Return the state after a poll that failed: longer and longer waits, then a pause."""
    failures = state.failures + 1
    wait_s = min(_LONGEST_S, _BACKOFF_S * 2 ** min(failures - 2, 20)) if failures > 1 else 0.0
    failed = {
        "last_polled_at": now,
        "next_poll_at": _later(now, wait_s, chance),
        "wait_until": _wait_until(error, now),
        "failures": failures,
        "last_error": error.message,
        "retired": error.kind == "gone",
        # A feed that moved to where nothing is: its configured URL is asked again.
        "url": None if error.kind in {"not-found", "gone", "url"} else state.url,
    }
    return state.model_copy(update=failed)


def state_after_refusal(state: PollState, error: FeedError, now: datetime) -> PollState:
    """Return the state after something else of a feed's host was refused: its wish for rest, no failure."""
    until = _wait_until(error, now)
    return state.model_copy(update={"wait_until": until}) if until else state


def _wait_until(error: FeedError, now: datetime) -> datetime | None:
    asked = error.context.get("retry_after_s")
    if isinstance(asked, float) and error.kind in _RESTING:
        return now + timedelta(seconds=min(asked, _LONGEST_S))
    return now + timedelta(seconds=_BUSY_S) if error.kind == "rate-limited" else None


def _between(feed: FeedConfig, wait_s: float) -> float:
    shortest, longest = feed.poll_minutes
    return min(max(wait_s, shortest * 60), longest * 60)


def _later(now: datetime, wait_s: float, chance: float) -> datetime:
    return now + timedelta(seconds=wait_s * (1 + JITTER * chance))
