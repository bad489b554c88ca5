"""`copydesk publish` and `unpublish`: approved articles to their targets, and back.

`copydesk forget`: unpublish an item, remove every text about it, and never take it again.
"""

import asyncio
import sys
from collections.abc import Iterable
from datetime import UTC, datetime

from copydesk.console import err, pluralize, print_line, printable
from pipeline.config import Settings, Subscriptions, desk_settings, load_feeds, user_agent
from pipeline.domain.errors import ConfigError, CopydeskError, OutputError, PublishError, ReviewError
from pipeline.domain.models import normalize_feed_url
from pipeline.http_client import HttpClient
from pipeline.publishing import PublishContext, TargetResult, publish_pending, queue_all
from pipeline.services import review
from pipeline.services.draft_file import EditorContext
from pipeline.storage import Database


def publish(drafts: list[str], *, everything: bool) -> None:
    """Send what waits now; drafts that are named, or all that are approved, are queued before."""
    settings = desk_settings()
    subscriptions = _with_targets(settings)
    with Database.open(settings.database_url) as db:
        review.resume_interrupted(db, settings.output)
        refused = _queue(db, subscriptions, drafts, everything=everything)
        outcomes = send(db, settings, subscriptions)
    if not outcomes and not refused:
        print_line("Nothing waits to be published.")
    _end(outcomes, refused)


def _with_targets(settings: Settings) -> Subscriptions:
    subscriptions = load_feeds(settings.feeds_file)
    if not subscriptions.publish:
        raise ConfigError(
            f"{settings.feeds_file.name} names no target; add a section `publish:`, "
            "such as `publish: {site: {kind: folder, path: ../site/content/news}}`"
        )
    return subscriptions


def _queue(
    db: Database, subscriptions: Subscriptions, drafts: list[str], *, everything: bool
) -> list[CopydeskError]:
    """Queue what is asked for; returns what was refused."""
    names, now = [target.name for target in subscriptions.publish], datetime.now(UTC)
    if everything:
        queue_all(db, subscriptions.publish, now)
    refused: list[CopydeskError] = []
    for ref in drafts:
        try:
            row = db.drafts.get(ref)
            if not db.publications.requeue(row.item_id, names, now):
                said = f"{row.path} is not approved; `copydesk approve {row.short_id}` publishes it"
                raise ReviewError(said, draft=ref)
        except ReviewError as error:
            refused.append(error)
            err.print(f"not published: {printable(error.message)}")
    return refused


def unpublish(drafts: list[str], note: str | None) -> None:
    """Take approvals back: each article is a draft again, and leaves every target."""
    settings = desk_settings()
    subscriptions = load_feeds(settings.feeds_file)
    refused: list[CopydeskError] = []
    with Database.open(settings.database_url) as db:
        review.resume_interrupted(db, settings.output)
        ctx = EditorContext(db, settings.output, subscriptions, settings.editor)
        for ref in drafts:
            try:
                print_line(f"unpublished: {printable(_undone(ctx, ref, note))}")
            except (ReviewError, OutputError) as error:
                refused.append(error)
                err.print(f"not unpublished: {printable(error.message)}")
        outcomes = send(db, settings, subscriptions)
    _end(outcomes, refused)


def _undone(ctx: EditorContext, ref: str, note: str | None) -> str:
    row = ctx.db.drafts.get(ref)
    if row.state == "rejected":
        raise ReviewError(f"{row.path} is rejected, not published; nothing was changed", draft=ref)
    path = review.undo_review(ctx, ref, note=note)
    rows = ctx.db.publications.of_item(row.item_id)
    if rows and rows[-1].action == "publish":
        print_line("It was a revision: the article before it is published again. To take that down as well,")
        print_line(f"`copydesk reject {row.short_id}`, then `copydesk unpublish {row.short_id}`.")
    return path


def send(db: Database, settings: Settings, subscriptions: Subscriptions) -> list[TargetResult]:
    """Carry out what waits, also what failed a moment ago: whoever calls this has mended something."""

    async def sent() -> list[TargetResult]:
        async with HttpClient(user_agent(settings), allowed=settings.allow_hosts) as net:
            press = PublishContext(db, settings.output, subscriptions.publish, net, settings.hooks)
            return await publish_pending(press, datetime.now(UTC), patient=False)

    return asyncio.run(sent()) if subscriptions.publish else []


def published(outcomes: Iterable[TargetResult]) -> None:
    """Say what became of articles, a line a target."""
    for outcome in outcomes:
        (err.print if outcome.error else print_line)(printable(outcome.summary))


def _end(outcomes: list[TargetResult], refused: list[CopydeskError]) -> None:
    published(outcomes)
    failed = sum(outcome.failed for outcome in outcomes)
    if failed:
        print_line(f"{pluralize(failed, 'publication')} will be tried again by the next run.")
    if refused:
        sys.exit(refused[0].exit_code)
    if any(outcome.error for outcome in outcomes):
        sys.exit(PublishError.exit_code)


def forget(url: str) -> None:
    """Forget the item at a URL. Raises ConfigError for what is none, ReviewError while a run works on it."""
    if normalize_feed_url(url) is None:
        raise ConfigError(
            f"{printable(url)} is no http(s) URL; give the item's link as `drafts show` prints it"
        )
    settings = desk_settings()
    subscriptions = load_feeds(settings.feeds_file)
    with Database.open(settings.database_url) as db:
        review.resume_interrupted(db, settings.output)
        removed = review.erase_item(db, settings.output, url, datetime.now(UTC))
        for path in removed:
            print_line(f"removed: {printable(path)}")
        print_line(f"Forgotten; {pluralize(len(removed), 'file')} removed. It is never taken again.")
        outcomes = send(db, settings, subscriptions)
    published(outcomes)
    if any(path.startswith("published/") for path in removed) and not outcomes:
        print_line("It was published: build the site again to take it down.")
    if any(outcome.error for outcome in outcomes):
        sys.exit(PublishError.exit_code)
