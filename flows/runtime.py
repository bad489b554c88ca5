"""Opens what a flow needs and closes it again, whatever happens in between.

Steps as Prefect tasks: visible in its UI.

Publishes what was approved, as a task a target, at the end of a run.
"""

import asyncio
import contextlib
import logging
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextvars import ContextVar
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TypeVar

from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.runtime import deployment

from flows.shutdown import graceful_shutdown, interrupted, unless_stopped
from pipeline.articles.files import remove_temp_files
from pipeline.checks.pool import CheckPool
from pipeline.config import Settings, Subscriptions, Target, load_feeds, load_settings, user_agent
from pipeline.config.logging import configure_logging
from pipeline.covers import UnsplashClient
from pipeline.domain.errors import ConfigError, CopydeskError, LedgerError, OutputError, PublishError
from pipeline.feeds.pages.fetch import PageFetcher
from pipeline.feeds.poll_schedule import host_cooldowns
from pipeline.feeds.pool import ParsePool
from pipeline.http_client import HttpClient
from pipeline.llm.capabilities import KnownCapability
from pipeline.llm.client import OPENAI_URL, LLMClient, build_client
from pipeline.llm.pricing import Price, Rates
from pipeline.publishing import PublishContext, TargetResult, publish_pending
from pipeline.rewrite.prompt import Prompt, load_prompt
from pipeline.services import KEPT, PollStateCache, ProgressCallback, RunContext, UsageStats
from pipeline.storage import Ledger

log = logging.getLogger("copydesk.run")

Listener = Callable[[str, str, int], None]
"""Told what Notify is, and the millionths of a US dollar that the run has cost so far."""
listener: ContextVar[Listener | None] = ContextVar("listener", default=None)
"""Who is told about each finished item, for a progress bar; none in a worker."""
teller: ContextVar[Callable[[str], None]] = ContextVar("teller", default=log.info)
"""Takes what somebody who stops a run is to read; the log in a worker."""


@contextlib.asynccontextmanager
async def open_run(kind: str = "") -> AsyncIterator[tuple[RunContext, Subscriptions]]:
    """Read the settings, open ledger, client and model; `kind` begins the run's name in the books.

    Raises ConfigError, LedgerError.
    """
    settings = load_settings()
    configure_logging(settings)
    subscriptions = load_feeds(settings.feeds_file)
    prompts, price = _prompts(settings, subscriptions), price_of(settings)
    async with contextlib.AsyncExitStack() as stack:
        if settings.writes_drafts:
            await asyncio.to_thread(remove_temp_files, settings.output)
        ledger = stack.enter_context(await asyncio.to_thread(Ledger.open, settings.database_url))
        await asyncio.to_thread(ledger.sync_feeds, subscriptions.feeds)
        net = await stack.enter_async_context(HttpClient(user_agent(settings), allowed=settings.allow_hosts))
        stop, over = list[CopydeskError](), asyncio.Event()
        model = await stack.enter_async_context(_model(settings, ledger, stop)) if settings.model else None
        parsers = await stack.enter_async_context(ParsePool())
        checkers = await stack.enter_async_context(CheckPool())
        now = datetime.now(UTC)
        await asyncio.to_thread(ledger.prune, now - KEPT)
        book = PollStateCache(ledger, await asyncio.to_thread(ledger.poll_states))
        stack.push_async_callback(book.flush)
        seen = UsageStats(price)
        # Who runs a deployment passes on what it is told to end.
        relayed = deployment.id is not None
        await stack.enter_async_context(
            graceful_shutdown(stop, over, settings.stop_grace_s, teller.get(), relayed=relayed)
        )
        yield (
            RunContext(
                settings=settings,
                beats=subscriptions.beats,
                feeds=subscriptions.feeds,
                ledger=ledger,
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
                notify=_notify(seen),
            ),
            subscriptions,
        )


def _notify(seen: UsageStats) -> ProgressCallback:
    told = listener.get()
    return (lambda feed, what: told(feed, what, seen.micros)) if told else (lambda _feed, _what: None)


def _covers(settings: Settings, subscriptions: Subscriptions, net: HttpClient) -> UnsplashClient | None:
    """Return where covers are searched for at drafting, where a feed wants that and there is a key."""
    wanted = any(feed.covers == "unsplash" and feed.cover_choice == "first" for feed in subscriptions.feeds)
    key = settings.unsplash_key
    return UnsplashClient(net, key.get_secret_value()) if wanted and key else None


def _model(settings: Settings, ledger: Ledger, stop: list[CopydeskError]) -> LLMClient:
    url, name = settings.base_url or OPENAI_URL, settings.model or ""
    known = ledger.learned(url, name)

    async def save(capability: KnownCapability) -> None:
        await asyncio.to_thread(ledger.learn, url, name, capability.model_dump_json())

    learned = KnownCapability.model_validate_json(known) if known else None
    sleep, ended = partial(unless_stopped, stop), partial(interrupted, stop)
    return build_client(settings, learned, save, sleep=sleep, should_stop=ended)


def price_of(settings: Settings) -> Price | None:
    """Return what the model costs. Raises ConfigError where a cap is set and nobody knows the price."""
    if settings.model is None:
        return None
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


T = TypeVar("T")


async def as_task(name: str, step: Callable[[], Awaitable[T]]) -> T:
    """Run a step as a Prefect task of that name: visible in its UI, and failed there if it raises."""

    @task(name=name.split()[0], task_run_name=name, cache_policy=NO_CACHE, persist_result=False)
    async def run() -> T:
        return await step()

    return await run()


async def publish_after_run(ctx: RunContext, targets: Sequence[Target]) -> list[TargetResult]:
    """Carry out what waits at targets; a target that fails is a failed task, and the run goes on."""
    if not ctx.settings.writes_drafts:
        return []
    press = PublishContext(ctx.ledger, ctx.settings.output, targets, ctx.net, ctx.settings.hooks)
    try:
        return await publish_pending(press, datetime.now(UTC), each=as_task)
    except (LedgerError, OutputError, PublishError) as error:
        return [TargetResult(target="all", error=error.message)]
