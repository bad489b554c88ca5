"""`copydesk status`, `drafts` and `retry`: feeds, drafts and failures from the database."""

import time
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from copydesk.console import (
    format_time,
    out,
    pluralize,
    print_json,
    print_line,
    printable,
    table,
    without_feed_key,
)
from copydesk.eval_field import summary
from pipeline.articles import files
from pipeline.config import folder_settings, load_feeds, load_settings
from pipeline.domain.errors import ConfigError
from pipeline.domain.models import FrozenModel, Item
from pipeline.domain.skip_causes import CauseKind
from pipeline.feeds.poll_schedule import is_paused
from pipeline.http_client import redact_url
from pipeline.services.causes import causes_of, causes_of_run
from pipeline.storage import (
    NO_BACKLOG,
    RECENT,
    Database,
    DraftRow,
    Failure,
    FeedBacklog,
    FeedStatus,
    TargetBacklog,
)

_REFRESH_S = 2.0
_COUNTS = (
    "queued", "waiting", "failed", "drafted", "approved", "rejected", "merged", "skipped", "forgotten",
)  # fmt: skip
"""The words of a run's report, in which each item is in one count, and then the other states."""
_MAX_FAILURES = 1_000
"""Items whose reasons are read: the latest. Chosen, not measured."""


def watch() -> None:
    """Show the status and refresh it until Ctrl-C."""
    try:
        while True:
            out.clear()
            status(as_json=False)
            print_line(f"\n[dim]{datetime.now(UTC):%H:%M:%S} UTC · Ctrl-C stops[/dim]")
            time.sleep(_REFRESH_S)
    except KeyboardInterrupt:
        print_line("")


def status(*, as_json: bool) -> None:
    """Print feeds with their item counts by state, failures with reasons, and waiting publications."""
    settings = load_settings()
    subscriptions = load_feeds(settings.feeds_file)
    with Database.open(settings.database_url) as db:
        db.feeds.sync(subscriptions.feeds)
        now = datetime.now(UTC)
        feeds, failures = db.feeds.status(), db.items.failures(_MAX_FAILURES)
        backlogs, targets = db.items.backlogs(now), db.publications.backlog()
        outcomes = db.findings.outcomes(now - RECENT)
    counts = {feed.key: item_counts(feed.counts, backlogs.get(feed.key, NO_BACKLOG)) for feed in feeds}
    if as_json:
        records: dict[str, Sequence[FrozenModel]] = {
            "feeds": feeds,
            "failures": failures,
            "publications": targets,
            "finding_outcomes": outcomes,
        }
        printed = {name: [record.model_dump() for record in every] for name, every in records.items()}
        print_json(printed | {"feeds": [f.model_dump() | {"items": counts[f.key]} for f in feeds]})
        return
    rows = (
        (f.key, format_time(f.poll.last_polled_at), *counts[f.key].values(), _feed_message(f)) for f in feeds
    )
    print_line(f"Folder: {printable(settings.base)}")
    table("Feeds", ("feed", "last polled", *_COUNTS, "message"), rows)
    _print_failures(failures, now)
    if any(failure.state == "failed" for failure in failures):
        print_line("\n`copydesk retry` queues failed items again.")
    _print_backlog(targets, {target.name for target in subscriptions.publish})
    if alarms := summary(outcomes):
        print_line(f"\nIn the last {RECENT.days} days: {alarms} `copydesk eval --field` counts all by check.")


def item_counts(states: Mapping[str, int], backlog: FeedBacklog) -> dict[str, int]:
    """Return the numbers of a feed's items in the words of a run's report, by count. Pure.

    Redrafts that editors requested are in `queued`, too.
    """
    failed = states.get("failed", 0) + backlog.failed
    counts = {"queued": backlog.queued, "waiting": backlog.waiting, "failed": failed}
    return {name: counts.get(name, states.get(name, 0)) for name in _COUNTS}


def _print_failures(failures: Sequence[Failure], now: datetime) -> None:
    """Print a line a cause, over all feeds."""
    groups: defaultdict[tuple[str, CauseKind], list[tuple[str, str]]] = defaultdict(list)
    for failure in failures:
        if kind := failure.kind(now):
            groups[failure.feed_key, kind].append((failure.title, failure.reason))
    causes = ((feed, causes_of(kind, reasons)) for (feed, kind), reasons in groups.items())
    for cause in causes_of_run(causes):
        print_line(printable(cause.line))
    if len(failures) == _MAX_FAILURES:
        print_line(f"These are the causes of the latest {_MAX_FAILURES} items without a draft.")


def _print_backlog(backlog: Sequence[TargetBacklog], names: Collection[str]) -> None:
    for target in backlog:
        waiting = pluralize(target.waiting, "publication")
        failed = f", {target.failed} of them failed: {printable(target.error)}" if target.failed else ""
        gone = (
            ""
            if target.target in names
            else "; this target is no longer in feeds.yaml: add it again to send them"
        )
        print_line(f"waiting for {printable(target.target)}: {waiting}{failed}{gone}")
    if any(target.failed for target in backlog):
        print_line("\n`copydesk publish` tries failed publications again now.")


def _feed_message(feed: FeedStatus) -> str:
    """Return the last error of a feed, and whether it is paused, retired or moved."""
    poll = feed.poll
    parts = [without_feed_key(feed.key, poll.last_error)]
    if poll.retired:
        parts.append(f"no longer polled; `copydesk run {feed.key}` polls it again")
    elif is_paused(poll):
        parts.append(
            f"paused after {poll.failures} failures in a row; `copydesk run {feed.key}` polls it now"
        )
    elif poll.failures > 1:
        parts.append(f"{poll.failures} failures in a row, next try {format_time(poll.next_poll_at)}")
    if poll.url:
        parts.append(f"moved permanently to {redact_url(poll.url)}; change its url in feeds.yaml")
    return "; ".join(filter(None, parts))


def retry(feed: str | None, *, as_json: bool) -> None:
    """Queue failed items again, of one feed or of all."""
    settings = folder_settings()
    with Database.open(settings.database_url) as db:
        count = db.items.retry_failed(feed)
    if as_json:
        print_json({"queued": count})
        return
    print_line(f"{pluralize(count, 'item')} queued again for the next `copydesk run`.")


def drafts(state: str, *, as_json: bool) -> None:
    """Print a list of drafts, newest first."""
    states = ("drafted", "approved", "rejected") if state == "all" else (state,)
    if not set(states) <= {"drafted", "approved", "rejected"}:
        raise ConfigError(f"--state {state!r} must be one of: drafted, approved, rejected, all")
    settings = folder_settings()
    with Database.open(settings.database_url) as db:
        rows = db.drafts.list(states)
    if as_json:
        print_json([row.model_dump() | {"short_id": row.short_id} for row in rows])
        return
    if not rows:
        print_line(f"No drafts are {state}. `copydesk run` polls the feeds.")
        return
    listed = (
        (row.short_id, row.state, row.feed_key, f"{row.published_at:%Y-%m-%d}", row.open_findings, row.title)
        for row in rows
    )
    table("Drafts", ("draft", "state", "feed", "published", "open", "title"), listed)
    out.print(f"\n{pluralize(len(rows), 'draft')} in {settings.output}", markup=False)


def show(ref: str, *, as_json: bool) -> None:
    """Print a draft's text on disk, its findings and its source."""
    settings = folder_settings()
    with Database.open(settings.database_url) as db:
        row = db.drafts.get(ref)
    data = files.read_bytes(settings.output, row.path)
    text = data.decode("utf-8", "replace") if data is not None else row.version_text
    if as_json:
        print_json(row.model_dump() | {"short_id": row.short_id, "text": text, "on_disk": data is not None})
        return
    _print_draft(row, text, on_disk=data is not None)


def _print_draft(row: Any, text: str, *, on_disk: bool) -> None:  # noqa: ANN401
    print_line(
        f"[bold]{printable(row.path)}[/bold] ({row.state}{'' if on_disk else '; the file is missing'})"
    )
    for line in text.splitlines():
        print_line(printable(line))
    print_line("\n[bold]Findings[/bold]")
    for finding in row.findings:
        where = "" if finding.field == "body" else f" ({finding.field})"
        print_line(f"  {finding.severity} · {finding.kind}{where}: {printable(finding.message)}")
    for sibling in row.siblings:
        print_line(
            f"  duplicate · {printable(sibling.feed_name)}: {printable(sibling.title)} ({sibling.state})"
        )
    print_line(f"\n[bold]Source[/bold] {printable(row.source.link or '')}")
    print_source(row)


def print_source(row: DraftRow) -> None:
    """Print a draft's source; if the source has changed, also the one that the draft was written from."""
    _print_item(row.source)
    if row.updated:
        print_line("\n[bold]Source before the change[/bold]")
        _print_item(row.item)


def _print_item(item: Item) -> None:
    print_line(f"[bold]{printable(item.title)}[/bold]")
    for line in item.text.splitlines():
        print_line(printable(line))
