"""RunContext, the dependencies of a run's steps, and the records that the steps share."""

import asyncio
import functools
import random
import secrets
from collections.abc import Awaitable, Callable, Collection, Coroutine
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from pipeline.config import Settings
from pipeline.covers import UnsplashClient
from pipeline.domain.errors import CopydeskError, FailureRow
from pipeline.domain.models import Beat, FeedConfig, FrozenModel, PollState, Source
from pipeline.domain.reviews import Finding, Front
from pipeline.domain.run_events import Emit, ignore_event
from pipeline.feeds.pages.fetch import PageFetcher
from pipeline.feeds.pages.turns import PagesAhead
from pipeline.feeds.parsing.parse import ParsedFeed
from pipeline.feeds.reader import READER
from pipeline.http_client import HttpClient
from pipeline.llm.pricing import Price
from pipeline.rewrite.prompt import Prompt
from pipeline.services.spending import Spending, UsageStats
from pipeline.storage import UNLIMITED, CallLimits, Database, Lease

if TYPE_CHECKING:
    from pipeline.llm.client import LLMClient

ProgressCallback = Callable[[str, str], None]
"""Called with feed key and event: a page of a feed's archive was `read`, an item is `claimed` (leased),
`drafted` or has `failed`."""


class Parse(Protocol):
    """Parses a feed: body, content type, URL, current time, version of the reader, known boilerplate."""

    def __call__(
        self,
        body: bytes,
        content_type: str | None,
        url: str,
        now: datetime,
        reader: int = READER,
        /,
        *,
        boilerplate: Collection[str] = (),
    ) -> Awaitable[ParsedFeed]:
        """Return the feed. Raises FeedError."""


Check = Callable[[Source | None, str, Beat, Front | None], Awaitable[tuple[Finding, ...]]]
"""Checks a draft: source, body, beat, front matter."""

T = TypeVar("T")


class AsTask(Protocol):
    """Runs a step under a name, for example as a Prefect task."""

    def __call__(self, name: str, step: Callable[[], Awaitable[T]], /) -> Coroutine[Any, Any, T]:
        """Return what the step returns; raise what it raises."""


async def run_untracked(_name: str, step: Callable[[], Awaitable[T]], /) -> T:
    """Run a step without tracking it."""
    return await step()


FLUSH_S = 1.0
"""Seconds after which pending poll states are written."""


class PollReport(FrozenModel):
    """The result of one poll of a feed."""

    feed: str
    held: str | None = None
    """Why it was not polled: not due, or a cooldown."""
    unchanged: bool = False
    new: int = 0
    """New items to draft; skipped and merged ones are not among them."""
    updated: int = 0
    skipped: int = 0
    merged: int = 0
    reserved: int = 0
    """Skipped items that waited for their drafts before."""
    left: int = 0
    """Items of a backfill's span over its limit."""
    notes: tuple[str, ...] = ()


class ItemOutcome(Spending):
    """The outcome of one leased item, and what its model calls cost."""

    title: str
    path: str | None = None
    """The draft's file; None if none was written."""
    reason: str | None = None
    """Why there is no draft."""
    skipped: bool = False
    """There is no draft because the item is not to be drafted."""
    merged: bool = False
    """It is skipped as another item is drafted from its page."""
    waits: bool = False
    """There is no draft as its page could not be had: the item stays queued, and is tried again later."""
    superseded: bool = False
    """There is no draft as another run or an editor was faster: nothing is left to do."""
    unasked: bool = False
    """Its page was not requested, as the site's rules or an earlier failure forbid it."""
    ref: str | None = None
    """The draft's external id."""
    held: bool = False
    """The draft has a blocking finding."""
    model: str | None = None
    """Name of the model that wrote it; None for an offline brief."""
    item_id: int | None = None
    """The item's row; None: it is not known which."""
    notes: tuple[str, ...] = ()
    """Which writers were asked instead of others, and why."""

    @property
    def failed(self) -> bool:
        """Whether there should be a draft: the item is not left out, does not wait and was not superseded."""
        return self.reason is not None and not (self.skipped or self.waits or self.superseded)


class PollStateCache:
    """The poll states of this run; written in batches, so that an unchanged feed costs no transaction.

    A killed run loses the states of the last second: those feeds are polled once more.
    """

    def __init__(self, db: Database, states: dict[str, PollState]) -> None:
        self.states = states
        self._db = db
        self._pending: dict[str, PollState] = {}
        self._written = asyncio.get_running_loop().time()

    def state(self, feed: FeedConfig) -> PollState:
        """Return the poll state of a feed."""
        return self.states.get(feed.key, PollState())

    async def update(self, feed: FeedConfig, state: PollState) -> None:
        """Set a state and write it soon."""
        self.set(feed, state)
        self._pending[feed.key] = state
        if asyncio.get_running_loop().time() - self._written > FLUSH_S:
            await self.flush()

    def set(self, feed: FeedConfig, state: PollState) -> None:
        """Set a state that the database has already."""
        self.states[feed.key] = state

    async def flush(self) -> None:
        """Write the pending states."""
        pending, self._pending = self._pending, {}
        self._written = asyncio.get_running_loop().time()
        if pending:
            await asyncio.to_thread(self._db.feeds.record_polls, pending)


@dataclass(eq=False)
class Writer:
    """A model profile in use: its client, its price, and its limits, which no other profile shares."""

    profile: str
    client: "LLMClient"
    price: Price | None = None
    limits: CallLimits = UNLIMITED
    lanes: int = 16
    """Items of it drafted at one time: more than model calls, since checks and files take time too."""
    usage: UsageStats = field(default_factory=UsageStats)
    item_slots: asyncio.Semaphore = field(init=False)
    pages_ahead: PagesAhead = field(init=False)
    """As many as there are slots: if all items in slots end at once, each slot has a text to go on with."""
    limit_lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held by the task that waits for a limit shared by all machines."""
    rests_until: datetime | None = None
    """Until then other writers are asked first: it was overloaded or unreachable."""
    is_gone: bool = False
    """Whether it is asked no more in this run: the server does not have the model, or leaves too many items
    in a row without an answer."""
    failures_at_start: int | None = None
    """Requests of a second reader that had no usable answer; None once one had, and for a writer."""

    def __post_init__(self) -> None:
        self.item_slots = asyncio.Semaphore(self.lanes)
        self.pages_ahead = PagesAhead(self.lanes)


Writers = Callable[[FeedConfig], tuple[Writer, ...]]
"""Returns a feed's writer and its fallbacks, in order; none where its drafts are offline briefs."""


def no_writers(_feed: FeedConfig) -> tuple[Writer, ...]:
    """Return no writer: every draft is an offline brief."""
    return ()


@dataclass(frozen=True, kw_only=True)
class ModelContext:
    """What model calls need: the settings, the accounts of a run, the second reader."""

    settings: Settings
    db: Database
    verifier: Callable[[Beat], Writer | None] = lambda _beat: None
    """Returns the second reader of a beat's drafts; None where none reads."""
    verify_prompt: Prompt | None = None
    """Prompt of the second reader; None if no beat has one."""
    run: str = field(default_factory=lambda: secrets.token_hex(8))
    """Name of this run in the records of model calls."""
    longest_call_s: float = 600.0
    """Deadline of the slowest profile: a reservation that is older belongs to no call under way."""
    fatal_errors: list[CopydeskError] = field(default_factory=list)
    """Errors that end the run: nothing new is started once there is one."""
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)


@dataclass(frozen=True, kw_only=True)
class RunContext(ModelContext):
    """The dependencies of a run's steps, opened once per run."""

    flow: str
    """Which flow runs: ingest, drafting, requests or backfill."""
    beats: dict[str, Beat]
    feeds: tuple[FeedConfig, ...]
    """All subscriptions, also those that this run does not poll."""
    net: HttpClient
    poll_states: PollStateCache
    pages: PageFetcher
    parse: Parse
    check: Check
    host_cooldowns: dict[str, datetime] = field(default_factory=dict)
    """End of each host's cooldown."""
    writers: Writers = no_writers
    spending: Callable[[], Spending] = Spending
    prompts: dict[str, Prompt] = field(default_factory=dict)
    """By beat; empty if no model is set."""
    repair_prompt: Prompt | None = None
    """Prompt of the sentence repair; None if no beat uses it."""
    covers: UnsplashClient | None = None
    """Client of the cover search; None if no feed uses it or no key is set."""
    item_slots: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(8))
    """Offline briefs drafted at one time; a writer has slots of its own."""
    pages_ahead: PagesAhead = field(default_factory=lambda: PagesAhead(8))
    """Pages fetched ahead of offline briefs."""
    poll_slots: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(64))
    """Feed documents held in memory at one time."""
    notify: ProgressCallback = lambda _feed, _outcome: None
    as_task: AsTask = run_untracked
    """Runs a step that is to be tracked."""
    emit: Emit = ignore_event
    """Tells others what happened."""
    warnings: tuple[str, ...] = ()
    """What feeds.yaml should have otherwise, a line each."""
    suspects: list[tuple[FailureRow, Lease]] = field(default_factory=list)
    """Items that failed in a row, for which the model's server may be to blame."""
    grace_expired: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when a shutdown no longer waits for pending model calls."""
    chance: Callable[[], float] = random.random
    """Returns a random number in [0, 1), for jitter."""

    @functools.cached_property
    def keys_by_beat(self) -> dict[str, frozenset[str]]:
        """The keys of the feeds of each beat."""
        keys: dict[str, set[str]] = {beat: set() for beat in self.beats}
        for feed in self.feeds:
            keys[feed.beat].add(feed.key)
        return {beat: frozenset(feeds) for beat, feeds in keys.items()}
