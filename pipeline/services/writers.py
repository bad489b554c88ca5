"""The models that write: opened when a feed first needs them, asked in order until one answers."""

import asyncio
import contextlib
import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Protocol, TypeVar

from pipeline.config import (
    ModelConnection,
    ModelProfile,
    Settings,
    connection_named,
    has_writer,
    require_secrets,
    used_profiles,
    used_verifiers,
    verifier_of,
)
from pipeline.domain.errors import ConfigError, CopydeskError, FailureCause, LLMError, LLMRejected
from pipeline.domain.model_calls import LLMResponse
from pipeline.domain.models import Beat, FeedConfig
from pipeline.llm.breaker import AT_START
from pipeline.llm.capabilities import KnownCapability
from pipeline.llm.pricing import Price, Rates
from pipeline.llm.structured_output import CallBudget, StructuredRequest, request_in_turn, turn
from pipeline.services.context import Writer
from pipeline.services.shutdown import interrupted, sleep_unless_stopped
from pipeline.services.spending import Spending
from pipeline.storage import CallLimits, Database

if TYPE_CHECKING:
    from pipeline.llm.client import LLMClient

FALLBACK_CAUSES = frozenset((FailureCause.OVERLOAD, FailureCause.OUTAGE, FailureCause.MODEL))
"""Failures after which another model may write. A wrong key or an empty account ends the run; what fails
because of an item would fail elsewhere too."""
_USELESS = frozenset((FailureCause.LENGTH, FailureCause.FILTER, FailureCause.FORMAT, FailureCause.OUTAGE))
"""Failures of a second reader that it has with the next draft too."""
REST = timedelta(minutes=2)
"""How long a model that was overloaded or unreachable is asked last. Chosen, not measured."""

T = TypeVar("T")


class WriterPool:
    """The writers of a run. A profile that no feed uses opens nothing."""

    def __init__(
        self,
        settings: Settings,
        profiles: Mapping[str, ModelProfile],
        open_client: Callable[[ModelConnection], "LLMClient"],
        stack: contextlib.AsyncExitStack,
    ) -> None:
        self._settings, self._profiles = settings, profiles
        self._open_client, self._stack = open_client, stack
        self._opened: dict[str, Writer] = {}
        self._readers: dict[str, Writer] = {}
        self._opening = threading.Lock()  # a backfill estimates its cost in a thread

    def writers(self, feed: FeedConfig) -> tuple[Writer, ...]:
        """Return a feed's writer and fallbacks. Raises ConfigError where one is not set up."""
        if not has_writer(self._settings, feed):
            return ()
        with self._opening:
            return tuple(self._writer(name) for name in feed.profiles)

    def verifier(self, beat: Beat) -> Writer | None:
        """Return the second reader of a beat; None where none reads. Raises ConfigError.

        It shares the client of a writer with the same profile, and keeps its own count of tokens: its answers
        are far shorter.
        """
        name = verifier_of(self._settings, self._profiles, beat)
        if name is None:
            return None
        with self._opening:
            if name not in self._readers:
                writer = self._writer(name)
                self._readers[name] = Writer(
                    name, writer.client, writer.price, writer.limits, failures_at_start=0
                )
            return self._readers[name]

    def require(self, beats: Mapping[str, Beat], feeds: Sequence[FeedConfig]) -> None:
        """Raise ConfigError where a model of an enabled feed has no key, or no price and there is a cap."""
        readers = used_verifiers(self._settings, self._profiles, beats, feeds)
        for name in dict.fromkeys((*used_profiles(self._settings, feeds), *readers)):
            priced(self._settings, connection_named(self._settings, self._profiles, name))

    def spending(self) -> Spending:
        """Return what all calls so far cost."""
        writers = (*self._opened.values(), *self._readers.values())  # a thread may open one meanwhile
        return sum((writer.usage.spending for writer in writers), Spending())

    def _writer(self, name: str) -> Writer:
        if name not in self._opened:
            connection = connection_named(self._settings, self._profiles, name)
            price = priced(self._settings, connection)
            client = self._open_client(connection)
            self._stack.push_async_exit(client)
            self._opened[name] = Writer(
                name, client, price, call_limits(self._settings, connection), 2 * connection.max_in_flight
            )
        return self._opened[name]


def open_client(db: Database, fatal_errors: list[CopydeskError], connection: ModelConnection) -> "LLMClient":
    """Return a client that knows, and stores, what its server is capable of; it stops with the run."""
    # Imported here: saves a run without a model 0.25 s (benchmarks/startup.py).
    from pipeline.llm.client import build_client

    place = (connection.cache_key, connection.model)
    payload = db.caches.capabilities(*place)

    async def save(capability: KnownCapability) -> None:
        await asyncio.to_thread(db.caches.save_capabilities, *place, capability.model_dump_json())

    capability = KnownCapability.model_validate_json(payload) if payload else None
    sleep, should_stop = partial(sleep_unless_stopped, fatal_errors), partial(interrupted, fatal_errors)
    return build_client(connection, capability, save, sleep=sleep, should_stop=should_stop)


def call_limits(settings: Settings, connection: ModelConnection) -> CallLimits:
    """Return the limits on calls of all runs together, and on those of one profile."""
    return CallLimits(
        settings.max_in_flight_total,
        settings.calls_per_minute,
        connection.profile,
        connection.calls_per_minute,
    )


def price_of(connection: ModelConnection) -> Price:
    """Return the price of a model's answers, which may be unknown."""
    rates = Rates(*connection.price) if connection.price else None
    return Price(connection.model, connection.base_url, rates)


def priced(settings: Settings, connection: ModelConnection) -> Price:
    """Return the price of a connection that is set up.

    Raises ConfigError if a secret is not set, or a cap is and the price is not known.
    """
    require_secrets(connection)
    price = price_of(connection)
    caps = (settings.cap_run, settings.cap_day, settings.cap_month, settings.cap_backfill)
    if any(cap is not None for cap in caps) and not price.is_known:
        raise ConfigError(
            f"a cap on spending is set, and the price of {connection.model!r} is not known: set "
            f"{connection.names.price}, such as 0.4/1.6 (US dollars for a million tokens, prompt/completion; "
            "0/0 for a server of your own)",
            variable=connection.names.price,
        )
    return price


def in_order(writers: Sequence[Writer], now: datetime) -> list[Writer]:
    """Return the writers in the order in which they are asked now.

    Those that rest come last. A model that is gone is asked only where no other is left.
    """
    left = [writer for writer in writers if not writer.is_gone] or writers
    return sorted(left, key=lambda writer: writer.rests_until is not None and writer.rests_until > now)


class WriterBudget(CallBudget, Protocol):
    """Accounts for the calls of whichever writer is asked."""

    @property
    def answers(self) -> int:
        """Number of answers recorded that arrived."""

    def ask(self, writer: Writer) -> None:
        """Account the following calls to a writer."""

    def note(self, text: str) -> None:
        """Keep a remark for the report."""


async def ask_writers(
    writers: Sequence[Writer],
    request: StructuredRequest[T],
    budget: WriterBudget,
    clock: Callable[[], datetime],
) -> tuple[LLMResponse, T]:
    """Return the answer of the first writer that gives one, and the value parsed from it.

    The next one is asked only after FALLBACK_CAUSES, and never once an answer was paid for. Raises LLMError,
    LLMRejected where every other item would fail too, BudgetExceeded.
    """
    tried: list[Writer] = []
    answers_before = budget.answers
    while writer := next_writer(writers, tried, clock()):
        budget.ask(writer)
        try:
            async with turn(writer.client, request) as deadline:
                if next_writer(writers, tried, clock()) is not writer:  # changed while the item waited
                    continue
                result = await request_in_turn(writer.client, request, budget, deadline)
            writer.failures_at_start = None
            return result
        except LLMError as error:
            _count_at_start(writer, error)
            if error.cause not in FALLBACK_CAUSES:
                raise
            tried.append(writer)
            _rest(writer, error, clock())
            following = next_writer(writers, tried, clock())
            if following is None or budget.answers > answers_before:
                if (final := _of_the_item(error, writers)) is error:
                    raise
                raise final from error
            budget.note(f"{following.profile} was asked instead of {writer.profile}: {error.message}")
    raise AssertionError  # unreachable: there is a writer, and the last one raises


def next_writer(writers: Sequence[Writer], tried: Collection[Writer], now: datetime) -> Writer | None:
    """Return the writer that is asked next; None where each was asked about the item, or is gone."""
    return next((writer for writer in in_order(writers, now) if writer not in tried), None)


def _count_at_start(writer: Writer, error: LLMError) -> None:
    """Ask a second reader no more after AT_START requests from the start without a usable answer."""
    if writer.failures_at_start is not None and error.cause in _USELESS:
        writer.failures_at_start += 1
        writer.is_gone |= writer.failures_at_start >= AT_START


def _rest(writer: Writer, error: LLMError, now: datetime) -> None:
    """Ask a writer that failed last from now on, or no more."""
    if isinstance(error, LLMRejected) or error.cause is FailureCause.MODEL:
        writer.is_gone = True
    else:
        writer.rests_until = now + REST


def _of_the_item(error: LLMError, writers: Sequence[Writer]) -> LLMError:
    """Return the error of an item; the run does not end with one writer while it has another."""
    if isinstance(error, LLMRejected) and not all(writer.is_gone for writer in writers):
        final = LLMError(error.message, cause=error.cause)
        final.row = error.row
        return final
    return error
