"""`copydesk status`, `drafts`, `retry` and `cost`: feeds, drafts and model costs from the database."""

import time
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from copydesk.console import (
    format_time,
    out,
    pluralize,
    print_json,
    print_line,
    printable,
    table,
    usage_note,
    without_feed_key,
)
from pipeline.articles import files
from pipeline.config import day_start, load_feeds, load_settings, month_start, parse_day
from pipeline.domain.errors import ConfigError
from pipeline.domain.models import FrozenModel, Item
from pipeline.feeds.poll_schedule import is_paused
from pipeline.http_client import redact_url
from pipeline.storage import Database, DraftRow, FeedStatus, LLMCall, TargetBacklog, cost_text, dollars

_REFRESH_S = 2.0
STATES = ("seen", "answered", "drafted", "approved", "rejected", "merged", "skipped", "failed", "forgotten")


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
        feeds, failures, backlog = db.feeds.status(), db.items.failures(50), db.publications.backlog()
    if as_json:
        records: dict[str, Sequence[FrozenModel]] = {
            "feeds": feeds,
            "failures": failures,
            "publications": backlog,
        }
        print_json({name: [record.model_dump() for record in every] for name, every in records.items()})
        return
    rows = ((f.key, format_time(f.poll.last_polled_at), *_counts(f.counts), _feed_message(f)) for f in feeds)
    table("Feeds", ("feed", "last polled", *STATES, "message"), rows)
    for failure in failures:
        print_line(
            f"{failure.state} {printable(failure.feed_key)} · {printable(failure.title)}: "
            f"{printable(failure.reason)}"
        )
    if any(failure.state == "failed" for failure in failures):
        print_line("\n`copydesk retry` queues failed items again.")
    _print_backlog(backlog, {target.name for target in subscriptions.publish})


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


def _counts(counts: dict[str, int]) -> list[int]:
    return [counts.get(state, 0) for state in STATES]


def retry(feed: str | None) -> None:
    """Queue failed items again, of one feed or of all."""
    settings = load_settings()
    with Database.open(settings.database_url) as db:
        count = db.items.retry_failed(feed)
    print_line(f"{pluralize(count, 'item')} queued again for the next `copydesk run`.")


def drafts(state: str, *, as_json: bool) -> None:
    """Print a list of drafts, newest first."""
    states = ("drafted", "approved", "rejected") if state == "all" else (state,)
    if not set(states) <= {"drafted", "approved", "rejected"}:
        raise ConfigError(f"--state {state!r} must be one of: drafted, approved, rejected, all")
    settings = load_settings()
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
    settings = load_settings()
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


GROUPS = ("day", "feed", "profile", "model", "purpose")


def cost(by: str | None, since: str | None, *, as_json: bool) -> None:
    """Print the cost of model calls by groups, then the total and the use of the spending caps.

    Without `by`: by day, and by profile and model where there are several, and purpose with a second reader.
    """
    groups = [name.strip() for name in (by or "day").split(",") if name.strip()]
    if not groups or not set(groups) <= set(GROUPS):
        raise ConfigError(f"--by {by!r}: use one or more of {', '.join(GROUPS)}, separated by commas")
    settings = load_settings()
    start = parse_day(since, settings.timezone) if since else None
    now = datetime.now(UTC)
    month = month_start(now, settings.timezone)
    with Database.open(settings.database_url) as db:
        calls, recent = db.budget.calls_since(start), db.budget.calls_since(month)
    if by is None:
        groups += _several(calls)
    rows = grouped(calls, groups, settings.timezone)
    if as_json:
        print_json(rows)
        return
    table("Cost", (*groups, *_COST_COLUMNS), (tuple(_cell(name, row[name]) for name in row) for row in rows))
    unknown = sum(call.micros is None for call in calls)
    print_line(f"\nTotal: {pluralize(len(calls), 'answer')}: {shown_cost(calls)}.")
    if unknown:
        print_line(
            f"The price of {pluralize(unknown, 'answer')} is unknown; "
            "set COPYDESK_PRICE, or `price` of a profile in feeds.yaml, for the price of later answers."
        )
    if estimated := sum(call.estimated for call in calls):
        print_line(usage_note(estimated))
    spans = (
        ("Today", settings.cap_day, day_start(now, settings.timezone)),
        ("This month", settings.cap_month, month),
    )
    for name, cap, begun in spans:
        spent = shown_cost([call for call in recent if call.at >= begun])
        of = f" of {dollars(int(cap * 1_000_000))}" if cap is not None else ""
        print_line(f"{name}: {spent}{of}.")


_COST_COLUMNS = ("answers", "prompt", "cached", "completion", "reasoning", "estimated", "cost")


def _several(calls: Sequence[LLMCall]) -> list[str]:
    """Return the groups that tell calls apart: models, where there are several, and the second reader's."""
    profiles, models = {call.profile for call in calls}, {call.model for call in calls}
    groups = [name for name, values in (("profile", profiles), ("model", models)) if len(values) > 1]
    return [*groups, *(["purpose"] if any(call.purpose.startswith("verify") for call in calls) else [])]


def grouped(calls: Iterable[LLMCall], by: list[str], timezone: str) -> list[dict[str, object]]:
    """Return one row for each group of calls, sorted by group."""
    zone = UTC if timezone == "UTC" else ZoneInfo(timezone)
    keys: dict[str, Callable[[LLMCall], str]] = {
        "day": lambda call: call.at.astimezone(zone).date().isoformat(),
        "feed": lambda call: call.feed_key,
        "profile": lambda call: call.profile,
        "model": lambda call: call.model,
        "purpose": lambda call: call.purpose,
    }
    groups: dict[tuple[str, ...], list[LLMCall]] = defaultdict(list)
    for call in calls:
        groups[tuple(keys[name](call) for name in by)].append(call)
    return [dict(zip(by, key, strict=True)) | _cost_row(some) for key, some in sorted(groups.items())]


def _cost_row(calls: list[LLMCall]) -> dict[str, object]:
    return {
        "answers": len(calls),
        "prompt": sum(call.prompt_tokens for call in calls),
        "cached": sum(call.cached_tokens for call in calls),
        "completion": sum(call.completion_tokens for call in calls),
        "reasoning": sum(call.reasoning_tokens for call in calls),
        "estimated": sum(call.estimated for call in calls),
        "cost": None if all(call.micros is None for call in calls) else total(calls),
    }


def total(calls: Iterable[LLMCall]) -> int:
    """Return the cost of calls, in millionths of a US dollar."""
    return sum(call.micros or 0 for call in calls)


def shown_cost(calls: Sequence[LLMCall]) -> str:
    """Return the cost of calls for people."""
    return cost_text(total(calls), sum(call.micros is None for call in calls))


def _cell(name: str, value: object) -> object:
    if name != "cost":
        return f"{value:,}" if isinstance(value, int) else value
    return dollars(value) if isinstance(value, int) else "unknown"
