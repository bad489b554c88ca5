"""Alerts to a webhook about problems that a person has to fix, each at most once a day."""

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
"""Time after which an alert about a lasting problem is sent again. Chosen, not measured."""

_KEY_NAMES = {"LLMRejected": "ModelRefused", "DatabaseError": "DatabaseError"}
"""Programs behind COPYDESK_ALERT_URL read alert keys: a key keeps its name when a class gets another one."""


class Alert(NamedTuple):
    """A problem that a person has to fix."""

    key: str
    """Identifies the problem: constant while it lasts, used for deduplication."""
    text: str


def active_alerts(
    feeds: Iterable[FeedStatus],
    subscribed: Iterable[FeedConfig],
    metrics: Metrics,
    fatal_errors: Sequence[CopydeskError],
    now: datetime,
    patience: timedelta,
) -> Iterator[Alert]:
    """Yield alerts: retired or paused feeds, spent budgets, errors that ended a run, overdue drafts. Pure."""
    polled = {feed.key for feed in subscribed if feed.enabled}
    for feed in feeds:
        if feed.key in polled and feed.poll.retired:
            yield Alert(f"retired {feed.key}", f"{feed.key} is gone for good, says its publisher")
        elif feed.key in polled and is_paused(feed.poll):
            last = (feed.poll.last_error or "").removeprefix(f"{feed.key}: ")
            text = f"{feed.key} is paused after {feed.poll.failures} failures in a row: {last}"
            yield Alert(f"paused {feed.key}", text)
    for error in fatal_errors:
        if isinstance(error, BudgetExceeded):
            yield Alert(f"budget {error.context.get('cap')}", error.message)
        elif not isinstance(error, ShutdownRequested):
            name = type(error).__name__
            yield Alert(f"stopped {_KEY_NAMES.get(name, name)}", f"a run ended early: {error.message}")
    yield from _waiting_alerts(metrics, now, patience)


def _waiting_alerts(metrics: Metrics, now: datetime, patience: timedelta) -> Iterator[Alert]:
    hours = int(patience.total_seconds() // 3600)
    if metrics.oldest_draft and now - metrics.oldest_draft > patience:
        text = f"drafts wait for an editor for more than {hours} hours: {metrics.drafts}"
        yield Alert("drafts wait", text)
    if metrics.oldest_request and now - metrics.oldest_request > timedelta(hours=1):
        text = (
            "nobody carries out what editors ask for: is `copydesk serve`, or the flow `requests`, running?"
        )
        yield Alert("requests wait", text)


async def send_alerts(
    db: Database,
    net: HttpClient,
    settings: Settings,
    subscribed: Iterable[FeedConfig],
    fatal_errors: Sequence[CopydeskError],
    now: datetime,
) -> str | None:
    """Send the alerts that were not sent in the last day to the webhook COPYDESK_ALERT_URL.

    Returns an error message if that failed, in which case the next run tries again. Raises DatabaseError.
    """
    if settings.alert_url is None:
        return None
    feeds, metrics = await asyncio.to_thread(lambda: (db.feeds.status(), db.metrics.snapshot(now)))
    patience = timedelta(hours=settings.alert_hours)
    alerts = {
        alert.key: alert for alert in active_alerts(feeds, subscribed, metrics, fatal_errors, now, patience)
    }
    unsent = (
        await asyncio.to_thread(db.caches.take_unsent_alerts, list(alerts), now, now - REPEAT_AFTER)
        if alerts
        else []
    )
    if not unsent:
        return None
    error = await post_alerts(net, settings.alert_url.get_secret_value(), [alerts[key] for key in unsent])
    if error:
        await asyncio.to_thread(db.caches.return_alerts, unsent)
    return error


async def post_alerts(net: HttpClient, url: str, alerts: Sequence[Alert]) -> str | None:
    """Post alerts as chat messages (`text`, `content`) and as a list; return an error message or None."""
    text = "\n".join(f"Copydesk: {alert.text}" for alert in alerts)
    body = {"text": text, "content": text[:2000], "alerts": [alert._asdict() for alert in alerts]}
    host = url_host(url)
    try:
        response = await net.post(url, json.dumps(body).encode())
    except FeedError as error:
        hidden = error.kind in {"url", "redirects"}  # their messages contain the URL, which is a secret
        return f"{host} was not told; check COPYDESK_ALERT_URL" if hidden else _advised(error.message)
    if 200 <= response.status < 300:
        return None
    return _advised(f"{host} takes no alert (status {response.status})")


def _advised(message: str) -> str:
    return f"{message.partition('; ')[0]}; check COPYDESK_ALERT_URL"
