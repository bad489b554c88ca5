"""Open the dependencies of a run and close them at its end; publish approved articles after a run."""

import asyncio
import contextlib
import logging
import secrets
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

from pipeline.articles.files import remove_temp_files
from pipeline.checks.pool import CheckPool
from pipeline.config import (
    Settings,
    Subscriptions,
    Target,
    feed_credentials,
    has_writer,
    load_settings,
    user_agent,
    verifier_of,
)
from pipeline.config.logging import configure_logging, secrets_named
from pipeline.covers import UnsplashClient
from pipeline.domain.errors import CopydeskError, DatabaseError, OutputError, PublishError
from pipeline.domain.run_events import Emit, ignore_event
from pipeline.feeds.pages.fetch import PageFetcher
from pipeline.feeds.pages.turns import PagesAhead
from pipeline.feeds.poll_schedule import host_cooldowns, without_future_times
from pipeline.feeds.pool import ParsePool
from pipeline.http_client import HttpClient
from pipeline.publishing import PublishContext, TargetResult, publish_pending
from pipeline.rewrite.prompt import Prompt, load_prompt
from pipeline.rewrite.sentence_repair import PROMPT as REPAIR_PROMPT
from pipeline.services.archive import BackfillPreview
from pipeline.services.context import (
    AsTask,
    PollStateCache,
    ProgressCallback,
    RunContext,
    run_untracked,
)
from pipeline.services.cost_question import CostLimit
from pipeline.services.report import Plan, Publish, RunReport
from pipeline.services.run_record import recorded
from pipeline.services.shutdown import StopSwitch, graceful_shutdown, sleep_unless_stopped
from pipeline.services.site_file_store import DatabaseSiteFiles
from pipeline.services.source import PAGE_CACHE_AGE
from pipeline.services.subscriptions import load_subscriptions
from pipeline.services.writers import WriterPool, open_client
from pipeline.storage import Database
from pipeline.verifier.request import PROMPT as VERIFY_PROMPT

log = logging.getLogger("copydesk.run")

Listener = Callable[[str, str, str], None]
"""Called with a ProgressCallback's arguments and the run's cost so far, for people; empty: no cost."""


async def _discard(_report: RunReport) -> None:
    """Publish no report: the caller of the run gets it."""


@dataclass(frozen=True)
class Ports:
    """What the caller of a run provides; by default nothing is tracked or published."""

    as_task: AsTask = run_untracked
    """Runs a tracked step."""
    emit: Emit = ignore_event
    """Tells others what happens, as it happens."""
    publish: Publish = _discard
    scheduled: datetime | None = None
    """The scheduled time of the run, aware; None: now."""
    page: str = ""
    """URL of the run's page in Prefect; empty without one."""
    relayed: bool = False
    """Whether a parent process forwards signals, so that each may arrive twice."""
    switch: StopSwitch | None = None
    """Ends the run; None: signals to this process do."""
    checks: CheckPool | None = None
    """Open pool that checks the drafts; None: the run has its own."""
    listener: Listener | None = None
    """Called for each item, for a progress bar."""
    say: Callable[[str], object] = log.info
    """Called with messages for the user who stops a run."""
    on_plan: Callable[[Plan], object] | None = None
    """Called with a backfill's plan before drafting."""
    previews: dict[str, BackfillPreview] | None = None
    """By feed key, what a backfill's dry run read; a later run in this process does not read it again. None:
    it is not kept."""
    cost_limit: CostLimit | None = None
    """What a backfill may cost; None: it was asked about before."""


DEFAULT_PORTS = Ports()
"""The ports of a run that is not tracked."""


@contextlib.asynccontextmanager
async def open_run(
    flow: str, ports: Ports = DEFAULT_PORTS, *, is_recorded: bool = True
) -> AsyncIterator[tuple[RunContext, Subscriptions]]:
    """Load the settings and open database, HTTP client and model; the run's name begins with its flow's.

    With `is_recorded`, the run is in the database's list of runs. Raises ConfigError, DatabaseError.
    """
    settings, subscriptions = _load()
    run = f"{flow}-{secrets.token_hex(8)}"
    prompts = _prompts(settings, subscriptions)
    async with contextlib.AsyncExitStack() as stack:
        if settings.writes_drafts:
            await asyncio.to_thread(remove_temp_files, settings.output)
        db = await _open_database(stack, settings, subscriptions)
        net = await stack.enter_async_context(_http_client(settings, subscriptions))
        fatal_errors, grace_expired = list[CopydeskError](), asyncio.Event()
        pool = WriterPool(settings, subscriptions.models, partial(open_client, db, fatal_errors), stack)
        pool.require(subscriptions.beats, subscriptions.feeds)
        parsers = await stack.enter_async_context(ParsePool())
        checkers = ports.checks if ports.checks else await stack.enter_async_context(CheckPool())
        poll_states = await _open_poll_states(stack, db)
        await stack.enter_async_context(_shutdown(settings, ports, fatal_errors, grace_expired))
        ctx = RunContext(
            settings=settings,
            beats=subscriptions.beats,
            feeds=subscriptions.feeds,
            db=db,
            net=net,
            poll_states=poll_states,
            pages=_page_fetcher(net, parsers, db, fatal_errors),
            parse=parsers.parse,
            check=checkers.check,
            host_cooldowns=host_cooldowns((feed, poll_states.state(feed)) for feed in subscriptions.feeds),
            writers=pool.writers,
            spending=pool.spending,
            prompts=prompts,
            verifier=pool.verifier,
            verify_prompt=_verify_prompt(settings, subscriptions),
            repair_prompt=_repair_prompt(settings, subscriptions),
            covers=_cover_search(settings, subscriptions, net),
            flow=flow,
            run=run,
            fatal_errors=fatal_errors,
            grace_expired=grace_expired,
            item_slots=asyncio.Semaphore(2 * settings.max_in_flight),
            pages_ahead=PagesAhead(2 * settings.max_in_flight),
            longest_call_s=_longest_call_s(settings, subscriptions),
            notify=_notify(ports.listener, pool),
            as_task=ports.as_task,
            emit=ports.emit,
            warnings=subscriptions.warnings,
        )
        if is_recorded:
            await stack.enter_async_context(recorded(db, run, flow, ports.page))
        yield ctx, subscriptions


def _longest_call_s(settings: Settings, subscriptions: Subscriptions) -> float:
    return max([settings.deadline_s, *(each.deadline or 0 for each in subscriptions.models.values())])


def _http_client(settings: Settings, subscriptions: Subscriptions) -> HttpClient:
    credentials = feed_credentials(settings, subscriptions.feeds, subscriptions.logins)
    return HttpClient(user_agent(settings), allowed=settings.allow_hosts, credentials=credentials)


def _shutdown(
    settings: Settings, ports: Ports, fatal_errors: list[CopydeskError], grace_expired: asyncio.Event
) -> contextlib.AbstractAsyncContextManager[None]:
    return graceful_shutdown(
        fatal_errors,
        grace_expired,
        settings.stop_grace_s,
        ports.say,
        relayed=ports.relayed,
        switch=ports.switch,
    )


def _load() -> tuple[Settings, Subscriptions]:
    settings = load_settings()
    subscriptions = load_subscriptions(settings)
    configure_logging(settings, secrets=secrets_named(settings, subscriptions))
    return settings, subscriptions


def _page_fetcher(
    net: HttpClient, parsers: ParsePool, db: Database, fatal_errors: list[CopydeskError]
) -> PageFetcher:
    """Return the fetcher of pages, which requests no page once there is an error that ends the run."""
    return PageFetcher(
        net,
        parsers.extract,
        store=DatabaseSiteFiles(db),
        sleep=partial(sleep_unless_stopped, fatal_errors),
        should_stop=partial(bool, fatal_errors),
    )


async def _open_database(
    stack: contextlib.AsyncExitStack, settings: Settings, subscriptions: Subscriptions
) -> Database:
    db = stack.enter_context(await asyncio.to_thread(Database.open, settings.database_url))
    await asyncio.to_thread(db.feeds.sync, subscriptions.feeds)
    return db


async def _open_poll_states(stack: contextlib.AsyncExitStack, db: Database) -> PollStateCache:
    """Delete old cached pages and return the poll states, which are written when `stack` closes."""
    now = datetime.now(UTC)
    await asyncio.to_thread(db.caches.prune, now - PAGE_CACHE_AGE)
    states = await asyncio.to_thread(db.feeds.poll_states)
    poll_states = PollStateCache(db, {key: without_future_times(state, now) for key, state in states.items()})
    stack.push_async_callback(poll_states.flush)
    return poll_states


def _notify(listener: Listener | None, pool: WriterPool) -> ProgressCallback:
    if listener is None:
        return lambda _feed, _what: None
    return lambda feed, what: listener(feed, what, pool.spending().text)


def _cover_search(settings: Settings, subscriptions: Subscriptions, net: HttpClient) -> UnsplashClient | None:
    """Return the client of the cover search; None if no feed uses it at drafting or no key is set."""
    is_used = any(feed.covers == "unsplash" and feed.cover_choice == "first" for feed in subscriptions.feeds)
    key = settings.unsplash_key
    return UnsplashClient(net, key.get_secret_value()) if is_used and key else None


def _prompts(settings: Settings, subscriptions: Subscriptions) -> dict[str, Prompt]:
    if not _is_model_set(settings, subscriptions):
        return {}
    return {key: load_prompt(settings.prompts, beat.prompt) for key, beat in subscriptions.beats.items()}


def _repair_prompt(settings: Settings, subscriptions: Subscriptions) -> Prompt | None:
    """Return the prompt of the sentence repair; None if no model is set or no beat uses it."""
    is_used = any(beat.repair_sentences for beat in subscriptions.beats.values())
    is_set = _is_model_set(settings, subscriptions)
    return load_prompt(settings.prompts, REPAIR_PROMPT) if is_used and is_set else None


def _verify_prompt(settings: Settings, subscriptions: Subscriptions) -> Prompt | None:
    """Return the prompt of the second reader; None if no beat has one. Raises ConfigError."""
    # Of all beats: a feed that is not enabled is drafted where it is named.
    readers = [verifier_of(settings, subscriptions.models, beat) for beat in subscriptions.beats.values()]
    return load_prompt(settings.prompts, VERIFY_PROMPT) if any(readers) else None


def _is_model_set(settings: Settings, subscriptions: Subscriptions) -> bool:
    return any(has_writer(settings, feed) for feed in subscriptions.feeds)


async def publish_after_run(ctx: RunContext, targets: Sequence[Target]) -> list[TargetResult]:
    """Publish pending articles, one tracked step per target; a failed target does not end the run."""
    if not ctx.settings.writes_drafts:
        return []
    context = PublishContext(ctx.db, ctx.settings.output, targets, ctx.net, ctx.settings.hooks, ctx.emit)
    try:
        return await publish_pending(context, datetime.now(UTC), runner=ctx.as_task)
    except (DatabaseError, OutputError, PublishError) as error:
        return [TargetResult(target="all", error=error.message)]
