"""Whether the cost of a backfill has to be confirmed before it begins, by a command or by a deployment."""

from dataclasses import replace
from decimal import Decimal
from typing import NamedTuple

from pipeline.domain.errors import ConfigError
from pipeline.services.context import RunContext
from pipeline.services.estimate import Estimate
from pipeline.storage import dollars

MAX_UNPRICED = 20
"""Items that are drafted without a question when the price of the model is unknown. Chosen, not measured."""


class CostLimit(NamedTuple):
    """What a backfill may cost that nobody can be asked about."""

    usd: Decimal
    is_confirmed: bool
    """Whether the operator named it for this run; else it is COPYDESK_CONFIRM."""


def needs_confirmation(items: int, likely: int | None, limit_usd: Decimal, *, model: bool) -> bool:
    """Return whether the cost must be confirmed: the likely one is above `limit_usd`, or unknown. Pure.

    `likely` is in millionths of a US dollar; None: the price is not known, and any number of items needs it
    where `limit_usd` is 0. `model`: whether one writes.
    """
    if likely is None:
        return model and items > (MAX_UNPRICED if limit_usd else 0)
    return likely > limit_usd * 1_000_000


def require_confirmed(estimate: Estimate, limit: CostLimit, *, model: bool) -> None:
    """Raise ConfigError if a backfill's estimated cost is above the limit, or not known."""
    if not needs_confirmation(estimate.items, estimate.likely, limit.usd, model=model):
        return
    if estimate.likely is None:
        raise ConfigError(
            f"this would draft {estimate.items} items at a price that is not known, which no cap can limit; "
            "set COPYDESK_PRICE (0/0 for a model that costs nothing), or a lower limit"
        )
    named = "confirm_cost" if limit.is_confirmed else "COPYDESK_CONFIRM"
    highest = "" if estimate.most is None else f", at most {dollars(estimate.most)}"
    raise ConfigError(
        f"this would draft {estimate.items} items for about {dollars(estimate.likely)}{highest}: more than "
        f"{named} allows (${limit.usd}); set the parameter confirm_cost to the US dollars that the run may "
        "cost, or a lower limit"
    )


def capped(ctx: RunContext, limit: CostLimit) -> RunContext:
    """Return the context with a confirmed limit as a cap of the run, if it has no lower one."""
    if not limit.is_confirmed:
        return ctx
    usd = limit.usd if ctx.settings.cap_run is None else min(limit.usd, ctx.settings.cap_run)
    return replace(ctx, settings=ctx.settings.model_copy(update={"cap_run": usd}))
