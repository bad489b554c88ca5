"""`copydesk publish`, `unpublish`, `correct`, `retract`, `forget`: what happens to published articles."""

import asyncio
import sys
from collections.abc import Iterable
from datetime import UTC, datetime

from copydesk.console import err, pluralize, print_json, print_line, printable
from pipeline.config import Settings, Subscriptions, desk_settings, load_feeds, user_agent
from pipeline.domain.errors import ConfigError, CopydeskError, OutputError, PublishError, ReviewError
from pipeline.domain.urls import normalize_feed_url
from pipeline.http_client import HttpClient
from pipeline.publishing import PublishContext, TargetResult, publish_pending, queue_all
from pipeline.services import review, takedown
from pipeline.services.corrections import start_correction
from pipeline.services.draft_file import EditorContext
from pipeline.services.subscriptions import load_subscriptions
from pipeline.storage import Database


def publish(drafts: list[str], *, everything: bool, as_json: bool) -> None:
    """Run the pending publications; first queue the named drafts, or with `everything` all approved ones."""
    settings = desk_settings()
    subscriptions = _load_targets(settings)
    with Database.open(settings.database_url) as db:
        review.resume_interrupted(db, settings.output)
        refused = _queue(db, subscriptions, drafts, everything=everything)
        outcomes = send(db, settings, subscriptions)
    if not (outcomes or refused or as_json):
        print_line("Nothing to publish.")
    _print_and_exit(outcomes, refused, [], as_json=as_json)


def _load_targets(settings: Settings) -> Subscriptions:
    subscriptions = load_feeds(settings.feeds_file)
    if not subscriptions.publish:
        raise ConfigError(
            f"{settings.feeds_file.name} has no targets; add a section `publish:`, "
            "such as `publish: {site: {kind: folder, path: ../site/content/news}}`"
        )
    return subscriptions


def _queue(
    db: Database, subscriptions: Subscriptions, drafts: list[str], *, everything: bool
) -> list[CopydeskError]:
    """Queue publications of the named drafts, or of all approved ones; returns and prints the errors."""
    names, now = [target.name for target in subscriptions.publish], datetime.now(UTC)
    if everything:
        queue_all(db, subscriptions.publish, now)
    refused: list[CopydeskError] = []
    for ref in drafts:
        try:
            row = db.drafts.get(ref)
            if not db.publications.requeue(row.item_id, names, now):
                message = f"{row.path} is not approved; approve it: `copydesk approve {row.short_id}`"
                raise ReviewError(message, draft=ref)
        except ReviewError as error:
            refused.append(error)
            err.print(f"not published: {printable(error.message)}")
    return refused


def unpublish(drafts: list[str], note: str | None, *, as_json: bool) -> None:
    """End publications: each article is a draft again and is removed from every target."""
    settings = desk_settings()
    subscriptions = load_feeds(settings.feeds_file)
    editor = _signing_editor(settings)
    refused: list[CopydeskError] = []
    paths: list[str] = []
    with Database.open(settings.database_url) as db:
        review.resume_interrupted(db, settings.output)
        ctx = EditorContext(db, settings.output, subscriptions, editor, review_times=settings.review_times)
        for ref in drafts:
            try:
                paths.append(takedown.unpublish(ctx, ref, note))
                _print_text(f"unpublished: {paths[-1]}", as_json=as_json)
            except (ReviewError, OutputError) as error:
                refused.append(error)
                err.print(f"not unpublished: {printable(error.message)}")
        outcomes = send(db, settings, subscriptions)
    _print_and_exit(outcomes, refused, paths, as_json=as_json)


def _print_text(line: str, *, as_json: bool) -> None:
    if not as_json:
        print_line(printable(line))


def retract(draft: str, note: str, *, as_json: bool) -> None:
    """Replace a published article by a notice with the reason `note`, also at every target."""
    settings = desk_settings()
    subscriptions = load_feeds(settings.feeds_file)
    editor = _signing_editor(settings)
    with Database.open(settings.database_url) as db:
        review.resume_interrupted(db, settings.output)
        ctx = EditorContext(db, settings.output, subscriptions, editor)
        path = takedown.retract(ctx, draft, note)
        _print_text(f"retracted: {path}", as_json=as_json)
        outcomes = send(db, settings, subscriptions)
    _print_and_exit(outcomes, [], [path], as_json=as_json)


def correct(draft: str, note: str, *, minor: bool, as_json: bool) -> None:
    """Start the correction of a published article; `note` says to readers what was wrong."""
    settings = desk_settings()
    subscriptions = load_subscriptions(settings)
    editor = _signing_editor(settings)
    with Database.open(settings.database_url) as db:
        review.resume_interrupted(db, settings.output)
        ctx = EditorContext(db, settings.output, subscriptions, editor)
        path = start_correction(ctx, draft, note, minor=minor)
    if as_json:
        print_json({"draft": path})
        return
    print_line(f"correct it: {printable(path)}")
    print_line("It stays published as it is until this draft is approved.")


def _signing_editor(settings: Settings) -> str:
    """Return who signs what happens to a published article. Raises ConfigError where no person is named."""
    if settings.editor in (None, "root"):
        raise ConfigError(
            "say who you are: set COPYDESK_EDITOR to your name, which is recorded with what you do to a "
            "published article",
            variable="COPYDESK_EDITOR",
        )
    return str(settings.editor)


def send(db: Database, settings: Settings, subscriptions: Subscriptions) -> list[TargetResult]:
    """Run the pending publications, also failed ones before their next attempt is due."""

    async def publish_all() -> list[TargetResult]:
        async with HttpClient(user_agent(settings), allowed=settings.allow_hosts) as net:
            context = PublishContext(db, settings.output, subscriptions.publish, net, settings.hooks)
            return await publish_pending(context, datetime.now(UTC), patient=False)

    return asyncio.run(publish_all()) if subscriptions.publish else []


def print_results(outcomes: Iterable[TargetResult]) -> None:
    """Print one line for each target; errors go to stderr."""
    for outcome in outcomes:
        (err.print if outcome.error else print_line)(printable(outcome.summary))


def _print_and_exit(
    outcomes: list[TargetResult], refused: list[CopydeskError], paths: list[str], *, as_json: bool
) -> None:
    """Print what was sent; as JSON also the articles that are no longer published as they were."""
    failed = sum(outcome.failed for outcome in outcomes)
    if as_json:
        print_json(
            {
                "articles": paths,
                "targets": [outcome.model_dump(mode="json") for outcome in outcomes],
                "errors": [error.message for error in refused],
            }
        )
    else:
        print_results(outcomes)
    if failed and not as_json:
        print_line(f"The next run tries {pluralize(failed, 'failed publication')} again.")
    if refused:
        sys.exit(refused[0].exit_code)
    if any(outcome.error for outcome in outcomes):
        sys.exit(PublishError.exit_code)


def forget(url: str, *, as_json: bool) -> None:
    """Erase the item at a URL. Raises ConfigError if it is no URL, ReviewError while a run has its lease."""
    if normalize_feed_url(url) is None:
        raise ConfigError(
            f"{printable(url)} is not an http(s) URL; use the item's link, which `drafts show` prints"
        )
    settings = desk_settings()
    subscriptions = load_feeds(settings.feeds_file)
    with Database.open(settings.database_url) as db:
        review.resume_interrupted(db, settings.output)
        removed = review.erase_item(db, settings.output, url, datetime.now(UTC))
        for path in removed:
            _print_text(f"removed: {path}", as_json=as_json)
        count = pluralize(len(removed), "file")
        _print_text(f"Forgotten: {count} removed. The item is never drafted again.", as_json=as_json)
        outcomes = send(db, settings, subscriptions)
    if any(path.startswith("published/") for path in removed) and not outcomes:
        _print_text("It was published: rebuild your site to remove it there.", as_json=as_json)
    _print_and_exit(outcomes, [], list(removed), as_json=as_json)
