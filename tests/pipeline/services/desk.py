"""A run context with a scripted model and a fixed clock."""

import json
from collections.abc import Collection, Mapping
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, cast

from pipeline.checks.runner import run_checks
from pipeline.config import ConnectionNames, Settings
from pipeline.domain.model_calls import TokenUsage
from pipeline.domain.models import Beat, CheckLevels, FeedConfig, Source
from pipeline.domain.reviews import Finding, Front
from pipeline.feeds.pages.fetch import PageFetcher
from pipeline.feeds.parsing.parse import ParsedFeed, parse_feed
from pipeline.feeds.poll_schedule import host_cooldowns
from pipeline.http_client import HttpClient
from pipeline.llm.breaker import Breaker
from pipeline.llm.capabilities import RequestMode
from pipeline.llm.chat import ChatResponse, FinishReason, ModelOptions
from pipeline.llm.client import LLMClient
from pipeline.llm.deadline import Deadline
from pipeline.llm.pricing import Price
from pipeline.rewrite.prompt import Prompt, load_prompt
from pipeline.rewrite.prompt_files import PACKAGED
from pipeline.services.context import PollStateCache, RunContext, Writer
from pipeline.storage import CallLimits, Database
from tests.fakes.model_server import article
from tests.pipeline.storage.records import NOW, feed

# What the model says has nothing to do with the items: here that is nobody's business.
BEAT = Beat(key="b", market="market", vocabulary=(), checks=CheckLevels(figure="off", date="off", name="off"))
GOOD = json.dumps(article(category="NEWS", tags=["NEWS"]))


@cache
def _prompt() -> Prompt:
    return load_prompt(PACKAGED, "article")


async def parse_here(*document: Any, boilerplate: Collection[str] = ()) -> ParsedFeed:
    """Parse as workers do, in this process."""
    return parse_feed(*document, boilerplate=boilerplate)


async def check_here(
    source: Source | None, body: str, beat: Beat, front: Front | None
) -> tuple[Finding, ...]:
    return run_checks(source, body, beat, front=front)


class Scripted:
    """A model that answers, request by request, with a text, a reply or an error."""

    model = "m"
    options = ModelOptions()
    mode = RequestMode()
    timeout_s = 30.0
    names = ConnectionNames()

    def __init__(self, *script: str | ChatResponse | Exception) -> None:
        self.script = list(script)
        self.breaker = Breaker()
        self.call_count = 0
        self.bodies: list[dict[str, Any]] = []

    def deadline(self) -> Deadline:
        return Deadline(3600.0)

    async def remember_mode(self, mode: RequestMode, *, after_misfit: bool = False) -> None:
        """Ask as before: nothing is refused here."""

    async def send(self, body: dict[str, Any], **_limits: object) -> ChatResponse:
        self.call_count += 1
        self.bodies.append(body)
        reply = self.script.pop(0) if self.script else GOOD
        if isinstance(reply, Exception):
            raise reply
        if isinstance(reply, ChatResponse):
            return reply
        return ChatResponse(
            text=reply,
            finish_reason=FinishReason.STOP,
            usage=TokenUsage(prompt_tokens=100, completion_tokens=50),
        )


def run_context(
    db: Database,
    net: HttpClient,
    folder: Path,
    model: Scripted | LLMClient | None = None,
    *,
    beat: Beat = BEAT,
    feeds: tuple[FeedConfig, ...] = (feed(),),
    now: datetime = NOW,
    price: Price | None = None,
    writers: Mapping[str, tuple[Writer, ...]] | None = None,
    **settings: Any,
) -> RunContext:
    """Return a run context whose feeds are written by `model`, or by the `writers` under their keys."""
    poll_states = PollStateCache(db, db.feeds.poll_states())
    configured = Settings(
        base=folder, feeds_file=folder, output=folder / "output", database_url="", **settings
    )
    limits = CallLimits(configured.max_in_flight_total, configured.calls_per_minute)
    of_model = (Writer("default", cast(Any, model), price, limits),) if model else ()
    return RunContext(
        flow="ingest",
        settings=configured,
        beats={"b": beat},
        feeds=feeds,
        db=db,
        net=net,
        poll_states=poll_states,
        pages=PageFetcher(net),
        parse=parse_here,
        check=check_here,
        host_cooldowns=host_cooldowns((config, poll_states.state(config)) for config in feeds),
        writers=lambda feed: of_model if writers is None else writers[feed.key],
        prompts={"b": _prompt()},
        clock=lambda: now,
        chance=lambda: 0.0,
    )
