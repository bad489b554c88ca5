"""Money: what model calls cost by day, model and feed, and how far the caps are used."""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import NamedTuple

from fastapi import APIRouter, Request
from markupsafe import Markup
from starlette.responses import Response

from desk.charts import Series, bar, columns
from desk.operations import frame, show
from desk.periods import Period, tick_dollars
from pipeline.config import Settings, Subscriptions
from pipeline.domain.days import Day
from pipeline.domain.errors import ConfigError
from pipeline.services.budget import configured_caps
from pipeline.services.estimate import next_call_micros
from pipeline.storage import Database, DayCost, dollars

router = APIRouter()
_TONES = ("a", "b", "c", "d")
"""Models with a colour of their own: the most expensive ones. The others share one."""


class Cap(NamedTuple):
    """A spending cap and how far it is used."""

    name: str
    variable: str
    limit: int | None
    """Millionths of a US dollar; None: no cap is set."""
    spent: int | None = None
    """None: it is of each run."""
    reserved: int = 0
    """For calls under way, and calls of killed processes, which may have been billed."""
    next_call: int = 0
    """What the next call costs at least."""
    resets: datetime | None = None

    @property
    def left(self) -> int:
        """What is neither spent nor reserved."""
        return max(0, (self.limit or 0) - (self.spent or 0) - self.reserved)

    @property
    def is_reached(self) -> bool:
        """Whether it does not allow the next call."""
        return self.limit is not None and self.spent is not None and self.left < max(1, self.next_call)


class Sum(NamedTuple):
    """What calls with one thing in common cost."""

    name: str
    calls: int
    unpriced: int
    micros: int

    @property
    def text(self) -> str:
        """The cost for people, without the calls whose price is not known."""
        return dollars(self.micros) if self.micros or not self.unpriced else "price unknown"


@router.get("/operations/money")
async def money(request: Request) -> Response:
    """Show the costs of a period, and the caps."""
    page = await frame(request)
    ctx, period = page.ctx, page.period
    model, feed = (request.query_params.get(name, "")[:300] for name in ("model", "feed"))
    every = await asyncio.to_thread(ctx.db.daily.costs, period.days)
    costs = [cost for cost in every if model in ("", cost.model) and feed in ("", cost.feed)]
    caps = await asyncio.to_thread(read_caps, ctx.db, ctx.settings, page.subscriptions, ctx.now)
    models = sums(costs, lambda cost: cost.model)
    return show(
        request,
        page,
        "money",
        "money",
        total=_total("", costs),
        caps=caps,
        models=models,
        tones=tones(models),
        legend=legend(models),
        feeds=sums(costs, lambda cost: cost.feed),
        days=sorted(sums(costs, lambda cost: f"{cost.day.date}"), reverse=True),
        chart=cost_columns(period, costs, models),
        model=model,
        feed=feed,
        bar=bar,
        dollars=dollars,
    )


def sums(costs: Sequence[DayCost], key: Callable[[DayCost], str]) -> list[Sum]:
    """Return the costs by a key, the highest first. Pure."""
    groups: dict[str, list[DayCost]] = {}
    for cost in costs:
        groups.setdefault(key(cost), []).append(cost)
    every = [_total(name, group) for name, group in groups.items()]
    return sorted(every, key=lambda each: (-each.micros, -each.calls, each.name))


def _total(name: str, costs: Sequence[DayCost]) -> Sum:
    calls, unpriced = sum(cost.calls for cost in costs), sum(cost.unpriced for cost in costs)
    return Sum(name, calls, unpriced, sum(cost.micros for cost in costs))


def tones(models: Sequence[Sum]) -> dict[str, str]:
    """Return the colours of models, which are sorted by cost. Pure."""
    return {each.name: _TONES[at] if at < len(_TONES) else "idle" for at, each in enumerate(models)}


def legend(models: Sequence[Sum]) -> list[tuple[str, str]]:
    """Return pairs of a name and a colour, for models that are sorted by cost. Pure."""
    others = [("other models", "idle")] if len(models) > len(_TONES) else []
    return list(zip((each.name for each in models), _TONES, strict=False)) + others


def cost_columns(period: Period, costs: Sequence[DayCost], models: Sequence[Sum]) -> Markup:
    """Return the chart of costs by day, stacked by model. Pure."""
    amounts: Counter[tuple[Day, str]] = Counter()
    for cost in costs:
        amounts[cost.day, cost.model] += cost.micros
    colours = tones(models)
    series = [
        Series(each.name, colours[each.name], [amounts[day, each.name] for day in period.days])
        for each in models
        if each.micros
    ]
    days = [day.date for day in period.days]
    return columns(
        "Cost by day, in US dollars",
        days,
        series,
        lambda micros: dollars(round(micros)),
        tick_text=tick_dollars,
    )


def read_caps(db: Database, settings: Settings, subscriptions: Subscriptions, now: datetime) -> list[Cap]:
    """Return the caps with what is spent and reserved of each. Does I/O: call it in a thread."""
    try:
        next_call = next_call_micros(settings, subscriptions)
    except ConfigError:  # `copydesk doctor` tells it
        next_call = 0
    caps = []
    for micros, cap in configured_caps(settings, now):
        use = (db.budget.spent(cap), db.budget.reserved(cap), next_call, cap.until) if cap.since else ()
        caps.append(Cap(f"a {cap.name}", cap.variable, micros, *use))
    return caps
