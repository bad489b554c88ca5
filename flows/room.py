"""Opens what a flow needs and closes it again, whatever happens in between."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextvars import ContextVar
from datetime import UTC, datetime
from pathlib import Path

from pipeline.ingest.pages import Pages
from pipeline.ingest.schedule import resting
from pipeline.ingest.workers import ParsePool
from pipeline.ledger import Ledger
from pipeline.net import Net
from pipeline.output.files import sweep
from pipeline.rewrite.model import Model
from pipeline.rewrite.prompt import Prompt, load_prompt
from pipeline.settings import Settings, Subscriptions, load_feeds, load_settings, user_agent
from pipeline.work import KEPT, Newsroom, Notify, PollBook

listener: ContextVar[Notify | None] = ContextVar("listener", default=None)
"""Who is told about each finished item, for a progress bar; none in a worker."""


@contextlib.asynccontextmanager
async def newsroom() -> AsyncIterator[tuple[Newsroom, Subscriptions]]:
    """Read the settings, open ledger, client and model. Raises ConfigError, LedgerError."""
    settings = load_settings()
    subscriptions = load_feeds(settings.feeds_file)
    prompts = _prompts(settings, subscriptions)
    async with contextlib.AsyncExitStack() as stack:
        await asyncio.to_thread(sweep, settings.output)
        ledger = stack.enter_context(await asyncio.to_thread(Ledger.open, settings.database_url))
        await asyncio.to_thread(ledger.sync_feeds, subscriptions.feeds)
        net = await stack.enter_async_context(Net(user_agent(settings), allowed=settings.allow_hosts))
        model = await stack.enter_async_context(_model(settings)) if settings.model else None
        parsers = await stack.enter_async_context(ParsePool())
        now = datetime.now(UTC)
        await asyncio.to_thread(ledger.prune, now - KEPT)
        book = PollBook(ledger, await asyncio.to_thread(ledger.poll_states))
        stack.push_async_callback(book.flush)
        yield (
            Newsroom(
                settings=settings,
                beats=subscriptions.beats,
                feeds=subscriptions.feeds,
                ledger=ledger,
                net=net,
                book=book,
                pages=Pages(net, parsers.extract),
                parse=parsers.parse,
                hosts=resting((feed, book.state(feed)) for feed in subscriptions.feeds),
                model=model,
                prompts=prompts,
                in_flight=asyncio.Semaphore(settings.max_in_flight),
                notify=listener.get() or (lambda _feed, _outcome: None),
            ),
            subscriptions,
        )


def _model(settings: Settings) -> Model:
    return Model(
        model=settings.model or "",
        base_url=settings.base_url,
        api_key=settings.api_key.get_secret_value() if settings.api_key else None,
        timeout_s=settings.model_timeout_s,
        deadline_s=settings.deadline_s,
    )


def _prompts(settings: Settings, subscriptions: Subscriptions) -> dict[str, Prompt]:
    if settings.model is None:
        return {}
    folder = prompt_folder(settings)
    return {key: load_prompt(folder, beat.prompt) for key, beat in subscriptions.beats.items()}


def prompt_folder(settings: Settings) -> Path:
    """Return where the templates stand: beside feeds.yaml's project."""
    return settings.base / "prompts"
