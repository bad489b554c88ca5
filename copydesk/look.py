"""`copydesk status`, `drafts` and `retry`: what the ledger knows."""

import time
from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from typing import Any

from copydesk.console import counted, machine, moment, out, plain, say, table, trouble
from pipeline.errors import ConfigError
from pipeline.ingest.schedule import is_paused
from pipeline.ledger import Backlog, DraftRow, FeedStatus, Ledger
from pipeline.models import Item, Record
from pipeline.net import shown_url
from pipeline.output import files
from pipeline.settings import load_feeds, load_settings

_AGAIN_S = 2.0
STATES = ("seen", "answered", "drafted", "approved", "rejected", "merged", "skipped", "failed", "forgotten")


def watch() -> None:
    """Show the status again and again until Ctrl-C."""
    try:
        while True:
            out.clear()
            status(as_json=False)
            say(f"\n[dim]{datetime.now(UTC):%H:%M:%S} UTC · Ctrl-C ends this[/dim]")
            time.sleep(_AGAIN_S)
    except KeyboardInterrupt:
        say("")


def status(*, as_json: bool) -> None:
    """Show feeds with their counts by state, then failures with reasons."""
    settings = load_settings()
    subscriptions = load_feeds(settings.feeds_file)
    with Ledger.open(settings.database_url) as ledger:
        ledger.sync_feeds(subscriptions.feeds)
        feeds, failures, backlog = ledger.feed_status(), ledger.failures(50), ledger.backlog()
    if as_json:
        told: dict[str, Sequence[Record]] = {"feeds": feeds, "failures": failures, "publications": backlog}
        machine({name: [one.model_dump() for one in every] for name, every in told.items()})
        return
    rows = ((f.key, moment(f.poll.last_polled_at), *_counts(f.counts), _standing(f)) for f in feeds)
    table("Feeds", ("feed", "last polled", *STATES, "standing"), rows)
    for failure in failures:
        say(f"{failure.state} {plain(failure.feed_key)} · {plain(failure.title)}: {plain(failure.reason)}")
    if any(failure.state == "failed" for failure in failures):
        say("\n`copydesk retry` queues the failed ones again.")
    _print_backlog(backlog, {target.name for target in subscriptions.publish})


def _print_backlog(backlog: Sequence[Backlog], names: Collection[str]) -> None:
    for one in backlog:
        failed = f", {one.failed} of them failed: {plain(one.error)}" if one.failed else ""
        gone = (
            ""
            if one.target in names
            else "; feeds.yaml has no such target any more: put it back to send them"
        )
        say(f"waiting for {plain(one.target)}: {counted(one.waiting, 'publication')}{failed}{gone}")
    if any(one.failed for one in backlog):
        say("\n`copydesk publish` tries them again now.")


def _standing(feed: FeedStatus) -> str:
    """Say what a feed's polls taught that its operator should know."""
    poll = feed.poll
    said = [trouble(feed.key, poll.last_error)]
    if poll.retired:
        said.append(f"retired; `copydesk run {feed.key}` tries it again")
    elif is_paused(poll):
        said.append(f"paused after {poll.failures} failures in a row; `copydesk run {feed.key}` tries it now")
    elif poll.failures > 1:
        said.append(f"{poll.failures} failures in a row, next try {moment(poll.next_poll_at)}")
    if poll.url:
        said.append(f"moved for good to {shown_url(poll.url)}; change its url in feeds.yaml")
    return "; ".join(filter(None, said))


def _counts(counts: dict[str, int]) -> list[int]:
    return [counts.get(state, 0) for state in STATES]


def retry(feed: str | None) -> None:
    """Queue failed items again."""
    settings = load_settings()
    with Ledger.open(settings.database_url) as ledger:
        count = ledger.retry_failed(feed)
    say(f"{counted(count, 'item')} queued again; `copydesk run` takes them up.")


def drafts(state: str, *, as_json: bool) -> None:
    """List drafts, newest first."""
    states = ("drafted", "approved", "rejected") if state == "all" else (state,)
    if not set(states) <= {"drafted", "approved", "rejected"}:
        raise ConfigError(f"--state {state!r} is none of: drafted, approved, rejected, all")
    settings = load_settings()
    with Ledger.open(settings.database_url) as ledger:
        rows = ledger.drafts(states)
    if as_json:
        machine([row.model_dump() | {"short_id": row.short_id} for row in rows])
        return
    if not rows:
        say(f"No drafts are {state}. `copydesk run` polls the feeds.")
        return
    listed = (
        (row.short_id, row.state, row.feed_key, f"{row.published_at:%Y-%m-%d}", row.open_findings, row.title)
        for row in rows
    )
    table("Drafts", ("draft", "state", "feed", "published", "open", "title"), listed)
    out.print(f"\n{len(rows)} in {settings.output}", markup=False)


def show(ref: str, *, as_json: bool) -> None:
    """Show the text on disk, its findings and the source beside it."""
    settings = load_settings()
    with Ledger.open(settings.database_url) as ledger:
        row = ledger.draft(ref)
    data = files.read_bytes(settings.output, row.path)
    text = data.decode("utf-8", "replace") if data is not None else row.version_text
    if as_json:
        machine(row.model_dump() | {"short_id": row.short_id, "text": text, "on_disk": data is not None})
        return
    _print_draft(row, text, on_disk=data is not None)


def _print_draft(row: Any, text: str, *, on_disk: bool) -> None:  # noqa: ANN401
    say(f"[bold]{plain(row.path)}[/bold] ({row.state}{'' if on_disk else '; the file is missing'})")
    for line in text.splitlines():
        say(plain(line))
    say("\n[bold]Findings[/bold]")
    for finding in row.findings:
        where = "" if finding.field == "body" else f" ({finding.field})"
        say(f"  {finding.severity} · {finding.kind}{where}: {plain(finding.message)}")
    for sibling in row.siblings:
        say(f"  same story · {plain(sibling.feed_name)}: {plain(sibling.title)} ({sibling.state})")
    say(f"\n[bold]Source[/bold] {plain(row.source.link or '')}")
    say_source(row)


def say_source(row: DraftRow) -> None:
    """Print a draft's source as it is now, and as it was before where it changed."""
    _say_item(row.source)
    if row.updated:
        say("\n[bold]The source as it was before[/bold]")
        _say_item(row.item)


def _say_item(item: Item) -> None:
    say(f"[bold]{plain(item.title)}[/bold]")
    for line in item.text.splitlines():
        say(plain(line))
