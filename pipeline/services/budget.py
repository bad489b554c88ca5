"""Spending: reserve the most a model call may cost before it, record its cost after it."""

import asyncio
import itertools
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from pipeline.config import Settings, day_end, day_start, month_end, month_start
from pipeline.domain.errors import BudgetExceeded, RateLimited
from pipeline.domain.model_calls import LLMResponse, TokenUsage
from pipeline.services.context import ModelContext, Writer
from pipeline.services.spending import Spending
from pipeline.storage import CallCost, CallDetails, CallLimits, CallSubject, SpendingCap

_WAIT_S = 0.1
"""Seconds between two attempts to reserve, while other calls hold reservations."""
BACKFILL_FLOW = "backfill"
BACKFILL = f"{BACKFILL_FLOW}-"
"""Prefix of the names of backfill runs, which have a cap of their own."""
_RECLAIM_EVERY = 100
"""Attempts between two checks whether the processes that hold reservations are dead."""


class ItemBudget:
    """Reserves and records the cost of every model call about one item."""

    def __init__(self, ctx: ModelContext, about: CallSubject) -> None:
        self.spending = Spending()
        self.answers = 0
        """Answers recorded that arrived, usable or not."""
        self.notes: list[str] = []
        """Which writers were asked instead of others, and why."""
        self._writer: Writer | None = None
        self._prompt_estimate = 0
        self._purpose = "draft"
        self._ctx = ctx
        self._about = about

    @property
    def writer(self) -> Writer:
        """The model that is asked: its price and limits count."""
        if self._writer is None:
            raise AssertionError("ask() names the writer before each conversation")
        return self._writer

    def ask(self, writer: Writer) -> None:
        """Account the following calls to a writer."""
        self._writer = writer

    def note(self, text: str) -> None:
        """Keep a remark for the report."""
        self.notes.append(text)

    async def reserve(self, prompt_tokens: int, answer_tokens: int) -> tuple[int | None, int]:
        """Reserve the most that a request may cost, as far as the caps allow.

        Returns the reservation's id, None if there are no caps or limits, and the answer tokens to ask for.
        Raises BudgetExceeded, RateLimited.
        """
        ctx, writer, price = self._ctx, self.writer, self.writer.price
        caps, limits = active_caps(ctx.settings, ctx.run, ctx.clock()), writer.limits
        if not has_limits(limits) and (not caps or price is None):
            return None, answer_tokens
        max_prompt_tokens = writer.usage.max_prompt_tokens(prompt_tokens)
        self._prompt_estimate = prompt_tokens
        max_micros, min_micros, prompt_micros = (
            (
                price.micros(TokenUsage(prompt_tokens=max_prompt_tokens, completion_tokens=tokens))
                if price
                else 0
            )
            or 0
            for tokens in (answer_tokens, min(answer_tokens, writer.usage.min_answer_tokens()), 0)
        )
        if not has_limits(limits):
            number, granted = await self._wait_for_reservation(max_micros, min_micros, caps)
        else:
            async with writer.limit_lock:  # one task of this process waits for the limits, not all of them
                number, granted = await self._wait_for_reservation(max_micros, min_micros, caps)
        share = (
            (granted - prompt_micros) / (max_micros - prompt_micros) if max_micros > prompt_micros else 1.0
        )
        return number, max(1, int(answer_tokens * share))

    async def _wait_for_reservation(
        self, max_micros: int, min_micros: int, caps: Sequence[SpendingCap]
    ) -> tuple[int, int]:
        """Wait until caps and limits allow a call; return the reservation's id and its micros.

        Raises BudgetExceeded; RateLimited at the run's end.
        """
        ctx = self._ctx
        for look in itertools.count():
            stale = ctx.clock() - timedelta(seconds=ctx.longest_call_s)
            try:
                return await asyncio.to_thread(
                    ctx.db.budget.reserve,
                    ctx.run,
                    CallCost(max_micros, min_micros),
                    caps,
                    ctx.clock(),
                    stale=stale,
                    limits=self.writer.limits,
                )
            except (BudgetExceeded, RateLimited) as error:
                if ctx.fatal_errors or not error.context.get("pending", True):
                    raise
            if look % _RECLAIM_EVERY == 0:
                await asyncio.to_thread(ctx.db.budget.reclaim_dead)
            await asyncio.sleep(_WAIT_S)
        raise AssertionError  # unreachable: the counter is infinite

    async def release(self, reservation: int | None) -> None:
        """Release a reservation whose request was not answered."""
        if reservation is not None:
            await asyncio.to_thread(self._ctx.db.budget.release, reservation)

    def record(self, answer: LLMResponse, purpose: str, reservation: int | None) -> "asyncio.Future[None]":
        """Record an answer and its cost before it is parsed; the future raises LeaseLost."""
        ctx, writer, now = self._ctx, self.writer, self._ctx.clock()
        self._purpose = purpose
        micros = writer.price.micros(answer.usage, now) if writer.price else None
        self.answers += answer.arrived
        call = Spending.of(answer, micros)
        self.spending += call
        writer.usage.record(self._prompt_estimate, call)
        details = CallDetails(
            purpose=purpose,
            at=now,
            run=ctx.run,
            micros=micros,
            reservation=reservation,
            profile=writer.profile,
        )
        return asyncio.wrap_future(ctx.db.budget.submit(self._about, answer, details))

    async def annotate(self, notes: Sequence[str]) -> None:
        """Add notes to the last recorded answer."""
        if notes:
            await asyncio.wrap_future(self._ctx.db.budget.annotate(self._about, notes))

    async def discard(self, reason: str) -> None:
        """Mark the recorded answer as unusable. Raises LeaseLost."""
        await asyncio.to_thread(self._ctx.db.budget.mark_unusable, self._about, reason, self._purpose)


def has_limits(limits: CallLimits) -> bool:
    """Return whether any limit on calls is set."""
    counts = (limits.at_once, limits.a_minute, limits.profile_a_minute)
    return any(limit is not None for limit in counts)


class ConfiguredCap(NamedTuple):
    """A cap that can be set, and its limit."""

    micros: int | None
    """Millionths of a US dollar; None: it is not set."""
    cap: SpendingCap


def configured_caps(settings: Settings, now: datetime) -> list[ConfiguredCap]:
    """Return all caps that can be set, with the times from which they count."""
    zone = settings.timezone
    day, month = (day_start(now, zone), day_end(now, zone)), (month_start(now, zone), month_end(now, zone))
    every = [
        ("run", settings.cap_run, (None, None), "", "COPYDESK_CAP_RUN"),
        ("day", settings.cap_day, day, "", "COPYDESK_CAP_DAY"),
        ("month", settings.cap_month, month, "", "COPYDESK_CAP_MONTH"),
        ("day's backfills", settings.cap_backfill, day, BACKFILL, "COPYDESK_CAP_BACKFILL"),
    ]
    limits = (None if limit is None else int(limit * 1_000_000) for _, limit, *_ in every)
    return [
        ConfiguredCap(micros, SpendingCap(name, micros or 0, since, runs, variable, until))
        for micros, (name, _, (since, until), runs, variable) in zip(limits, every, strict=True)
    ]


def active_caps(settings: Settings, run: str, now: datetime) -> list[SpendingCap]:
    """Return the caps that are set for the run of this name."""
    configured = configured_caps(settings, now)
    return [cap for micros, cap in configured if micros is not None and run.startswith(cap.runs)]
