"""Names and tags of flow runs, by which they are told apart in Prefect's pages."""

from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from pipeline.services.feed_report import FeedReport
from pipeline.services.report import RunReport

_MAX_FEEDS = 20
"""Feeds that are tags of a run; of more, only those that had something to do. Chosen, not measured."""


def ingest_name(parameters: Mapping[str, Any], scheduled: datetime | None) -> str:
    """Return a name such as `ingest-decrypt-2026-11-29T10:00Z` or `ingest-12-feeds-2026-11-29T10:00Z`."""
    feeds = parameters.get("feeds") or []
    what = feeds[0] if len(feeds) == 1 else f"{len(feeds)}-feeds" if feeds else "all-feeds"
    return timed_name(f"ingest-{what}", scheduled)


def backfill_name(parameters: Mapping[str, Any]) -> str:
    """Return a name such as `backfill-decrypt-2026-01-01..2026-02-01`; no bound is `first` or `now`."""
    since, until = _bound(parameters.get("since"), "first"), _bound(parameters.get("until"), "now")
    dry = "-dry-run" if parameters.get("dry_run") else ""
    return f"backfill-{parameters.get('feed')}-{since}..{until}{dry}"


def timed_name(what: str, scheduled: datetime | None) -> str:
    """Return a name with the minute for which the run was scheduled, else with this minute, in UTC."""
    return f"{what}-{(scheduled or datetime.now(UTC)).astimezone(UTC):%Y-%m-%dT%H:%MZ}"


def _bound(moment: datetime | str | None, absent: str) -> str:
    """Return a bound as a day, or with its time; Prefect names a run before it reads its parameters."""
    text = moment.isoformat() if isinstance(moment, datetime) else str(moment or absent)
    day, _, time = text.partition("T")
    return day if time.startswith("00:00") or not time else f"{day}T{time[:5]}"


def feed_tags(feeds: Collection[str], beats: Iterable[str]) -> list[str]:
    """Return the tags of a run over feeds, by key; too many feeds are no tags."""
    keys = feeds if len(feeds) <= _MAX_FEEDS else ()
    return [*(f"feed:{key}" for key in keys), *(f"beat:{beat}" for beat in dict.fromkeys(beats))]


def report_tags(report: RunReport) -> list[str]:
    """Return the tags of a run that has ended."""
    feeds = report.feeds
    if len(feeds) > _MAX_FEEDS:
        feeds = tuple(feed for feed in feeds if _is_active(feed))[:_MAX_FEEDS]
    models = (f"model:{model}" for model in report.models)
    return [*feed_tags([feed.feed for feed in feeds], report.beats), *models]


def _is_active(feed: FeedReport) -> bool:
    return bool(feed.new or feed.updated or feed.drafts or feed.failed or feed.error)
