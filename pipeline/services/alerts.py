"""Alerts: trouble that somebody has to look at, told to a webhook once, and again only after a day."""

import asyncio
import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from pipeline.config import Settings
from pipeline.domain.errors import BudgetExceeded, CopydeskError, FeedError, ShutdownRequested
from pipeline.domain.models import FeedConfig
from pipeline.domain.text import url_host
from pipeline.feeds.poll_schedule import is_paused
from pipeline.http_client import HttpClient
from pipeline.storage import Database, FeedStatus, Metrics

REPEAT_AFTER = timedelta(days=1)
"""After which trouble that still stands is told again."""


_KEY_NAMES = {"LLMRejected": "ModelRefused", "DatabaseError": "DatabaseError"}
"""Programs behind COPYDESK_ALERT_URL read alert keys: a key keeps its name when a class gets another one."""


class Alert(NamedTuple):
    """Something that somebody has to look at."""

    key: str
    """The same as long as it is the same trouble."""
    text: str


def active_alerts(
    feeds: Iterable[FeedStatus],
    subscribed: Iterable[FeedConfig],
    figures: Metrics,
    stop: Sequence[CopydeskError],
    now: datetime,
    patience: timedelta,
) -> Iterator[Alert]:
    """Yield what somebody has to look at: feeds, money, refusals, drafts and requests that wait. Pure."""
    polled = {feed.key for feed in subscribed if feed.enabled}
    for feed in feeds:
        if feed.key in polled and feed.poll.retired:
            yield Alert(f"retired {feed.key}", f"{feed.key} is gone for good, says its publisher")
        elif feed.key in polled and is_paused(feed.poll):
            last = (feed.poll.last_error or "").removeprefix(f"{feed.key}: ")
            said = f"{feed.key} is paused after {feed.poll.failures} failures in a row: {last}"
            yield Alert(f"paused {feed.key}", said)
    for error in stop:
        if isinstance(error, BudgetExceeded):
            yield Alert(f"budget {error.context.get('cap')}", error.message)
        elif not isinstance(error, ShutdownRequested):
            name = type(error).__name__
            yield Alert(f"stopped {_KEY_NAMES.get(name, name)}", f"a run ended early: {error.message}")
    yield from _late(figures, now, patience)


def _late(figures: Metrics, now: datetime, patience: timedelta) -> Iterator[Alert]:
    hours = int(patience.total_seconds() // 3600)
    if figures.oldest_draft and now - figures.oldest_draft > patience:
        count = figures.items.get("drafted", 0)
        yield Alert("drafts wait", f"drafts wait for an editor for more than {hours} hours: {count}")
    if figures.oldest_request and now - figures.oldest_request > timedelta(hours=1):
        said = (
            "nobody carries out what editors ask for: is `copydesk serve`, or the flow `requests`, running?"
        )
        yield Alert("requests wait", said)


async def send_alerts(
    db: Database,
    net: HttpClient,
    settings: Settings,
    subscribed: Iterable[FeedConfig],
    stop: Sequence[CopydeskError],
    now: datetime,
) -> str | None:
    """Tell the webhook of the settings what it was not told in the last day.

    Returns why that failed; it is tried again at the next run. Raises DatabaseError.
    """
    if settings.alert_url is None:
        return None
    feeds, figures = await asyncio.to_thread(lambda: (db.feeds.status(), db.metrics.snapshot()))
    patience = timedelta(hours=settings.alert_hours)
    found = {one.key: one for one in active_alerts(feeds, subscribed, figures, stop, now, patience)}
    fresh = (
        await asyncio.to_thread(db.caches.claim_unsent_alerts, list(found), now, now - REPEAT_AFTER)
        if found
        else []
    )
    if not fresh:
        return None
    trouble = await _posted(net, settings.alert_url.get_secret_value(), [found[key] for key in fresh])
    if trouble:
        await asyncio.to_thread(db.caches.unclaim_alerts, fresh)
    return trouble


async def _posted(net: HttpClient, url: str, found: Sequence[Alert]) -> str | None:
    """Send alerts as chat programs take them (`text`), and one by one for others; returns what failed."""
    text = "\n".join(f"Copydesk: {one.text}" for one in found)
    body = {"text": text, "content": text[:2000], "alerts": [one._asdict() for one in found]}
    host = url_host(url)
    try:
        answer = await net.post(url, json.dumps(body).encode())
    except FeedError as error:
        hidden = error.kind in {"url", "redirects"}  # their words have the URL, which is a secret
        return f"{host} was not told" if hidden else error.message
    if 200 <= answer.status < 300:
        return None
    return f"{host} takes no alert (status {answer.status}): look at COPYDESK_ALERT_URL"
