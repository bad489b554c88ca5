"""What every step of a run needs, opened once."""

import asyncio
import functools
import math
import random
import secrets
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from pipeline.config import Settings
from pipeline.covers import UnsplashClient
from pipeline.domain.errors import CopydeskError
from pipeline.domain.models import Beat, FeedConfig, FrozenModel, PollState, Source, TokenUsage
from pipeline.domain.reviews import Finding, Front
from pipeline.feeds.pages.fetch import PageFetcher
from pipeline.feeds.parsing.parse import ParsedFeed
from pipeline.http_client import HttpClient
from pipeline.llm.pricing import Price
from pipeline.rewrite.prompt import Prompt
from pipeline.storage import CallLimits, Database

if TYPE_CHECKING:
    from pipeline.llm.client import LLMClient

ProgressCallback = Callable[[str, str], None]
"""Told (feed key, what) whenever a page of a feed's archive was `read`, whenever an item is `claimed`, and
whenever one is `drafted` or has `failed`."""
Parse = Callable[[bytes, str | None, str, datetime], Awaitable[ParsedFeed]]
"""Body, content type, URL and time to what the feed says."""
Check = Callable[[Source | None, str, Beat, Front | None], Awaitable[tuple[Finding, ...]]]
"""Source, a draft's body, beat and front matter to the findings about it."""

T = TypeVar("T")


class AsTask(Protocol):
    """Runs a step under a name, for whoever watches: as a task of a flow, for example."""

    def __call__(self, name: str, step: Callable[[], Awaitable[T]], /) -> Coroutine[Any, Any, T]:
        """Return what the step returns; raise what it raises."""


async def plainly(_name: str, step: Callable[[], Awaitable[T]], /) -> T:
    """Run a step that nobody watches."""
    return await step()


_UNKNOWN_ANSWER = 1500
"""Tokens that the first answer of a run is to have at least."""
FLUSH_S = 1.0
"""Seconds after which what polls taught is written, though more of it is coming."""


class PollReport(FrozenModel):
    """What one poll of a feed brought."""

    feed: str
    held: str | None = None
    """Why it was not polled: nobody expects anything of it yet."""
    unchanged: bool = False
    new: int = 0
    updated: int = 0
    skipped: int = 0
    merged: int = 0
    left: int = 0
    """Items of a backfill's span that were met, and are more than its limit."""
    notes: tuple[str, ...] = ()


class ItemOutcome(FrozenModel):
    """What became of one claimed item."""

    title: str
    path: str | None = None
    """The draft's file, where one was written."""
    reason: str | None = None
    """Why there is none."""
    skipped: bool = False
    """There is none because the item is not to be drafted."""
    rewritten: bool = False
    ref: str | None = None
    """The draft's external id."""
    held: bool = False
    """A finding keeps the draft from being approved as it is."""
    prompt_tokens: int = 0
    completion_tokens: int = 0
    micros: int = 0
    """What its calls cost, in millionths of a US dollar; 0 also where the price is not known."""


class PollStateCache:
    """What the polls of this run taught; written in batches, so that a quiet feed costs no transaction.

    A run that is killed loses what a second brought: those feeds are polled once more.
    """

    def __init__(self, db: Database, states: dict[str, PollState]) -> None:
        self.states = states
        self._db = db
        self._waiting: dict[str, PollState] = {}
        self._written = asyncio.get_running_loop().time()

    def state(self, feed: FeedConfig) -> PollState:
        """Return what the polls of a feed taught so far."""
        return self.states.get(feed.key, PollState())

    async def keep(self, feed: FeedConfig, state: PollState) -> None:
        """Note a state, to be written soon."""
        self.note(feed, state)
        self._waiting[feed.key] = state
        if asyncio.get_running_loop().time() - self._written > FLUSH_S:
            await self.flush()

    def note(self, feed: FeedConfig, state: PollState) -> None:
        """Note a state that the ledger knows already."""
        self.states[feed.key] = state

    async def flush(self) -> None:
        """Write what is waiting."""
        waiting, self._waiting = self._waiting, {}
        self._written = asyncio.get_running_loop().time()
        if waiting:
            await asyncio.to_thread(self._db.feeds.record_polls, waiting)


@dataclass
class UsageStats:
    """What the answers of this run took, by which the next one's price is told better."""

    price: Price | None = None
    micros: int = 0
    """What they cost, in millionths of a US dollar; 0 also where the price is not known."""
    share: float = 0.0
    """Of an estimate of a prompt's tokens, the most that was billed."""
    longest: int = 0
    """Tokens of an answer."""

    def prompt(self, estimate: int) -> int:
        """Return the tokens that a prompt takes at most."""
        return min(estimate, math.ceil(estimate * self.share * 1.3)) if self.share else estimate

    def answer(self) -> int:
        """Return the tokens without which an answer is not begun."""
        return 2 * self.longest if self.longest else _UNKNOWN_ANSWER

    def note(self, estimate: int, usage: TokenUsage) -> None:
        """Learn from an answer."""
        self.micros += (self.price.micros(usage) if self.price else None) or 0
        if estimate:
            self.share = max(self.share, usage.prompt_tokens / estimate)
            self.longest = max(self.longest, usage.completion_tokens)


@dataclass(frozen=True)
class RunContext:
    """What every step needs, opened once a run."""

    settings: Settings
    beats: dict[str, Beat]
    feeds: tuple[FeedConfig, ...]
    """Every subscription, polled in this run or not."""
    db: Database
    net: HttpClient
    book: PollStateCache
    pages: PageFetcher
    parse: Parse
    check: Check
    hosts: dict[str, datetime] = field(default_factory=dict)
    """Until when each host asked to be left alone."""
    model: "LLMClient | None" = None
    price: Price | None = None
    prompts: dict[str, Prompt] = field(default_factory=dict)
    """By beat; empty where no model is set."""
    mender: Prompt | None = None
    """What a model is told that mends sentences; where a beat wants that."""
    covers: UnsplashClient | None = None
    """Where covers are searched for, where a feed wants that and there is a key."""
    seen: UsageStats = field(default_factory=UsageStats)
    run: str = field(default_factory=lambda: secrets.token_hex(8))
    """Names this run in the books."""
    in_flight: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(8))
    """Items worked on at one time: more than calls, so that a server waits for nobody's checks and files."""
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held by who waits for a limit of all machines."""
    polls: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(64))
    """Feeds whose bytes are held at one time."""
    notify: ProgressCallback = lambda _feed, _outcome: None
    as_task: AsTask = plainly
    """How a step that is worth showing is run."""
    stop: list[CopydeskError] = field(default_factory=list)
    """Errors after which no other item would fare better: nothing new is begun."""
    over: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when what is under way is not waited for any longer."""
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    chance: Callable[[], float] = random.random
    """Spreads polls: a number in [0, 1)."""

    @property
    def limits(self) -> CallLimits:
        """Return the limits on calls of all runs together."""
        return CallLimits(self.settings.max_in_flight_total, self.settings.calls_per_minute)

    @functools.cached_property
    def peers(self) -> dict[str, frozenset[str]]:
        """Return the keys of the feeds of each beat."""
        keys: dict[str, set[str]] = {beat: set() for beat in self.beats}
        for feed in self.feeds:
            keys[feed.beat].add(feed.key)
        return {beat: frozenset(those) for beat, those in keys.items()}
