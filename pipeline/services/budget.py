"""The books of one item: what a call may cost is put aside before, what it cost is written down after.

What drafting some items would cost, told before anything is asked.
"""

import asyncio
import itertools
from collections.abc import Sequence
from datetime import datetime, timedelta

from pipeline.config import day_start, month_start
from pipeline.domain.errors import BudgetExceeded, RateLimited
from pipeline.domain.models import FeedConfig, FrozenModel, Item, LLMResponse, TokenUsage, build_source
from pipeline.llm.chat import Attempt, build_request, estimate_prompt_tokens
from pipeline.rewrite.article_schema import WireArticle
from pipeline.services.context import RunContext
from pipeline.storage import CallCost, CallDetails, CallLimits, Lease, SpendingCap

_WAIT_S = 0.1
"""Seconds between two looks at what other calls hold, and may give back."""
BACKFILL = "backfill-"
"""Begins the names of runs that are backfills: they have a cap of their own."""
_LOOKS = 100
"""After so many looks, those who hold it are looked at: they may be dead."""


class ItemBudget:
    """Accounts for every call about one claimed item."""

    def __init__(self, ctx: RunContext, lease: Lease) -> None:
        self.usage = TokenUsage()
        self.micros = 0
        self._asked = 0
        self._ctx = ctx
        self._lease = lease

    async def reserve(self, prompt_tokens: int, answer_tokens: int) -> tuple[int | None, int]:
        """Put down the most that a request may cost, as far as the caps allow. Raises BudgetSpent."""
        ctx, price = self._ctx, self._ctx.price
        caps, limits = active_caps(ctx, ctx.clock()), ctx.limits
        if not has_limits(limits) and (not caps or price is None):
            return None, answer_tokens
        prompt = ctx.seen.prompt(prompt_tokens)
        self._asked = prompt_tokens
        most, least, asked = (
            (price.micros(TokenUsage(prompt_tokens=prompt, completion_tokens=tokens)) if price else 0) or 0
            for tokens in (answer_tokens, min(answer_tokens, ctx.seen.answer()), 0)
        )
        if not has_limits(limits):
            number, granted = await self._put_aside(most, least, caps)
        else:
            async with ctx.turn:  # one of this process looks for its turn, not all of them
                number, granted = await self._put_aside(most, least, caps)
        share = (granted - asked) / (most - asked) if most > asked else 1.0
        return number, max(1, int(answer_tokens * share))

    async def _put_aside(self, most: int, least: int, caps: Sequence[SpendingCap]) -> tuple[int, int]:
        """Wait until the caps and limits allow a call. Raises BudgetSpent; LimitReached at the run's end."""
        ctx = self._ctx
        for look in itertools.count():
            stale = ctx.clock() - timedelta(seconds=ctx.settings.deadline_s)
            try:
                return await asyncio.to_thread(
                    ctx.db.budget.reserve,
                    ctx.run,
                    CallCost(most, least),
                    caps,
                    ctx.clock(),
                    stale=stale,
                    limits=ctx.limits,
                )
            except (BudgetExceeded, RateLimited) as error:
                if ctx.stop or not error.context.get("pending", True):
                    raise
            if look % _LOOKS == 0:
                await asyncio.to_thread(ctx.db.budget.reclaim_dead)
            await asyncio.sleep(_WAIT_S)
        raise AssertionError  # nobody counts that far

    async def release(self, reservation: int | None) -> None:
        """Take that back: the request was not answered."""
        if reservation is not None:
            await asyncio.to_thread(self._ctx.db.budget.release, reservation)

    async def record(self, answer: LLMResponse, purpose: str, reservation: int | None) -> None:
        """Write down an answer before it is read. Raises LeaseLost."""
        ctx, now = self._ctx, self._ctx.clock()
        micros = ctx.price.micros(answer.usage, now) if ctx.price else None
        self.usage += answer.usage
        ctx.seen.note(self._asked, answer.usage)
        self.micros += micros or 0
        await asyncio.to_thread(
            ctx.db.budget.record,
            self._lease,
            answer,
            CallDetails(purpose=purpose, at=now, run=ctx.run, micros=micros, reservation=reservation),
        )

    async def discard(self, reason: str) -> None:
        """Mark what was kept as of no use. Raises LeaseLost."""
        await asyncio.to_thread(self._ctx.db.budget.mark_unusable, self._lease, reason)


def has_limits(limits: CallLimits) -> bool:
    """Tell whether calls wait for each other at all."""
    return any(limit is not None for limit in limits)


def active_caps(ctx: RunContext, now: datetime) -> list[SpendingCap]:
    """Return the caps that are set, with the moments from which they count."""
    settings = ctx.settings
    today = day_start(now, settings.timezone)
    every = [
        ("run", settings.cap_run, None, ""),
        ("day", settings.cap_day, today, ""),
        ("month", settings.cap_month, month_start(now, settings.timezone), ""),
    ]
    if ctx.run.startswith(BACKFILL):
        every.append(("day's backfills", settings.cap_backfill, today, BACKFILL))
    return [
        SpendingCap(name, int(dollars * 1_000_000), since, runs)
        for name, dollars, since, runs in every
        if dollars is not None
    ]


_REAL = 0.75
"""Of a prompt's upper bound, about what is billed."""
_SHAPE = 250
"""Tokens of an answer beside its text: names of fields, opinion, impact."""
_CHARACTERS = 4
"""Of a text, a token."""


class Estimate(FrozenModel):
    """Millionths of a US dollar; None where no model is set or nobody knows its price."""

    items: int
    likely: int | None = None
    most: int | None = None
    """Where each answer is as long as it may be, and right at once."""


def estimate_cost(ctx: RunContext, feed: FeedConfig, items: Sequence[Item]) -> Estimate:
    """Return what drafting items would cost. Raises ConfigError where a prompt cannot be rendered."""
    if ctx.model is None or ctx.price is None or not ctx.price.is_known:
        return Estimate(items=len(items))
    options = ctx.model.options
    prompt, turn = ctx.prompts[feed.beat], Attempt(ctx.model.mode, options.max_tokens)
    likely, most = 0, 0
    for item in items:
        messages = prompt.messages(build_source(feed, item), ctx.beats[feed.beat])
        tokens = estimate_prompt_tokens(build_request(messages, WireArticle, turn, options))
        answer = min(options.max_tokens, _SHAPE + len(item.text) // _CHARACTERS)
        likely += ctx.price.micros(_used(int(tokens * _REAL), answer)) or 0
        most += ctx.price.micros(_used(tokens, options.max_tokens)) or 0
    return Estimate(items=len(items), likely=likely, most=most)


def _used(prompt: int, completion: int) -> TokenUsage:
    return TokenUsage(prompt_tokens=prompt, completion_tokens=completion)
