"""Opens what a run needs and closes it again, whatever happens in between.

Publishes what was approved, a step a target, at the end of a run.
"""

import asyncio
import contextlib
import logging
import secrets
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.articles.files import remove_temp_files
from pipeline.checks.pool import CheckPool
from pipeline.config import Settings, Subscriptions, Target, load_feeds, load_settings, user_agent
from pipeline.config.logging import configure_logging
from pipeline.covers import UnsplashClient
from pipeline.domain.errors import ConfigError, CopydeskError, DatabaseError, OutputError, PublishError
from pipeline.feeds.pages.fetch import PageFetcher
from pipeline.feeds.poll_schedule import host_cooldowns
from pipeline.feeds.pool import ParsePool
from pipeline.http_client import HttpClient
from pipeline.llm.capabilities import KnownCapability
from pipeline.llm.pricing import Price, Rates
from pipeline.publishing import PublishContext, TargetResult, publish_pending
from pipeline.rewrite.prompt import Prompt, load_prompt
from pipeline.services.archive import BackfillPreview
from pipeline.services.context import (
    AsTask,
    PollStateCache,
    ProgressCallback,
    RunContext,
    UsageStats,
    plainly,
)
from pipeline.services.draft import KEPT
from pipeline.services.report import Plan, Publish, RunReport
from pipeline.services.shutdown import graceful_shutdown, interrupted, unless_stopped
from pipeline.storage import Database

if TYPE_CHECKING:
    from pipeline.llm.client import LLMClient

log = logging.getLogger("copydesk.run")

Listener = Callable[[str, str, int], None]
"""Told what Notify is, and the millionths of a US dollar that the run has cost so far."""


async def _nowhere(_report: RunReport) -> None:
    """Publish a report nowhere: who began the run has it."""


@dataclass(frozen=True)
class Ports:
    """What a run leaves to who begins it; the defaults are for a run that nobody watches."""

    as_task: AsTask = plainly
    """How a step of the run is run."""
    publish: Publish = _nowhere
    scheduled: datetime | None = None
    """When the run was to begin, aware; None: now."""
    relayed: bool = False
    """Whether signals are passed on to this process, so that each may come twice."""
    listener: Listener | None = None
    """Is told about each item, for a progress bar."""
    teller: Callable[[str], object] = log.info
    """Takes what somebody who stops a run is to read."""
    planner: Callable[[Plan], object] | None = None
    """Is told what a backfill is going to draft, before it is."""
    found: dict[str, BackfillPreview] | None = None
    """Where a backfill's dry run leaves what it read, by feed key, so that a run after it in the same process
    does not read it again; nowhere if None."""


UNWATCHED = Ports()
"""Those of a run that nobody watches."""


@contextlib.asynccontextmanager
async def open_run(
    kind: str = "", ports: Ports = UNWATCHED
) -> AsyncIterator[tuple[RunContext, Subscriptions]]:
    """Read the settings, open ledger, client and model; `kind` begins the run's name in the books.

    Raises ConfigError, DatabaseError.
    """
    settings = load_settings()
    configure_logging(settings)
    subscriptions = load_feeds(settings.feeds_file)
    prompts, price = _prompts(settings, subscriptions), price_of(settings)
    async with contextlib.AsyncExitStack() as stack:
        if settings.writes_drafts:
            await asyncio.to_thread(remove_temp_files, settings.output)
        db = stack.enter_context(await asyncio.to_thread(Database.open, settings.database_url))
        await asyncio.to_thread(db.feeds.sync, subscriptions.feeds)
        net = await stack.enter_async_context(HttpClient(user_agent(settings), allowed=settings.allow_hosts))
        stop, over = list[CopydeskError](), asyncio.Event()
        model = await stack.enter_async_context(_model(settings, db, stop)) if settings.model else None
        parsers = await stack.enter_async_context(ParsePool())
        checkers = await stack.enter_async_context(CheckPool())
        now = datetime.now(UTC)
        await asyncio.to_thread(db.caches.prune, now - KEPT)
        book = PollStateCache(db, await asyncio.to_thread(db.feeds.poll_states))
        stack.push_async_callback(book.flush)
        seen = UsageStats(price)
        await stack.enter_async_context(
            graceful_shutdown(stop, over, settings.stop_grace_s, ports.teller, relayed=ports.relayed)
        )
        yield (
            RunContext(
                settings=settings,
                beats=subscriptions.beats,
                feeds=subscriptions.feeds,
                db=db,
                net=net,
                book=book,
                pages=PageFetcher(net, parsers.extract),
                parse=parsers.parse,
                check=checkers.check,
                hosts=host_cooldowns((feed, book.state(feed)) for feed in subscriptions.feeds),
                model=model,
                price=price,
                prompts=prompts,
                mender=_repair_prompt(settings, subscriptions),
                covers=_covers(settings, subscriptions, net),
                seen=seen,
                run=f"{kind}{secrets.token_hex(8)}",
                stop=stop,
                over=over,
                in_flight=asyncio.Semaphore(2 * settings.max_in_flight),
                notify=_notify(ports.listener, seen),
                as_task=ports.as_task,
            ),
            subscriptions,
        )


def _notify(told: Listener | None, seen: UsageStats) -> ProgressCallback:
    return (lambda feed, what: told(feed, what, seen.micros)) if told else (lambda _feed, _what: None)


def _covers(settings: Settings, subscriptions: Subscriptions, net: HttpClient) -> UnsplashClient | None:
    """Return where covers are searched for at drafting, where a feed wants that and there is a key."""
    wanted = any(feed.covers == "unsplash" and feed.cover_choice == "first" for feed in subscriptions.feeds)
    key = settings.unsplash_key
    return UnsplashClient(net, key.get_secret_value()) if wanted and key else None


def _model(settings: Settings, db: Database, stop: list[CopydeskError]) -> "LLMClient":
    # Imported here: 0.25 s that a run without a model saves (benchmarks/startup.py).
    from pipeline.llm.client import OPENAI_URL, build_client

    url, name = settings.base_url or OPENAI_URL, settings.model or ""
    payload = db.caches.capabilities(url, name)

    async def save(capability: KnownCapability) -> None:
        await asyncio.to_thread(db.caches.save_capabilities, url, name, capability.model_dump_json())

    capability = KnownCapability.model_validate_json(payload) if payload else None
    sleep, should_stop = partial(unless_stopped, stop), partial(interrupted, stop)
    return build_client(settings, capability, save, sleep=sleep, should_stop=should_stop)


def price_of(settings: Settings) -> Price | None:
    """Return what the model costs. Raises ConfigError where a cap is set and nobody knows the price."""
    if settings.model is None:
        return None
    from pipeline.llm.client import OPENAI_URL

    rates = Rates(*settings.price) if settings.price else None
    price = Price(settings.model, settings.base_url or OPENAI_URL, rates)
    caps = (settings.cap_run, settings.cap_day, settings.cap_month, settings.cap_backfill)
    if any(cap is not None for cap in caps) and not price.is_known:
        raise ConfigError(
            f"a cap on spending is set, and nobody publishes the price of {settings.model!r}: set "
            "COPYDESK_PRICE, such as 0.4/1.6 (US dollars for a million tokens, prompt/completion; 0/0 for a "
            "server of your own)",
            variable="COPYDESK_PRICE",
        )
    return price


def _prompts(settings: Settings, subscriptions: Subscriptions) -> dict[str, Prompt]:
    if settings.model is None:
        return {}
    folder = prompt_folder(settings)
    return {key: load_prompt(folder, beat.prompt) for key, beat in subscriptions.beats.items()}


def _repair_prompt(settings: Settings, subscriptions: Subscriptions) -> Prompt | None:
    """Return what mends sentences, where a model is set and a beat wants that."""
    wanted = settings.model and any(beat.verify for beat in subscriptions.beats.values())
    return load_prompt(prompt_folder(settings), "mend") if wanted else None


def prompt_folder(settings: Settings) -> Path:
    """Return where the templates stand: beside feeds.yaml's project."""
    return settings.base / "prompts"


async def publish_after_run(ctx: RunContext, targets: Sequence[Target]) -> list[TargetResult]:
    """Carry out what waits at targets; a target that fails is a failed step, and the run goes on."""
    if not ctx.settings.writes_drafts:
        return []
    press = PublishContext(ctx.db, ctx.settings.output, targets, ctx.net, ctx.settings.hooks)
    try:
        return await publish_pending(press, datetime.now(UTC), each=ctx.as_task)
    except (DatabaseError, OutputError, PublishError) as error:
        return [TargetResult(target="all", error=error.message)]
