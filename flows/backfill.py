"""The flow `backfill`: drafts one feed's items of a date range. Idempotent: no item is paid for twice."""

from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any

from prefect import flow
from prefect.runtime import deployment, flow_run
from pydantic import Field

from flows.run_labels import backfill_name
from flows.runtime import carried_out, ports
from pipeline.config import Settings, load_settings, parse_day
from pipeline.services import backfill as services
from pipeline.services.cost_question import CostLimit
from pipeline.services.report import Plan, RunReport


def _name() -> str:
    return backfill_name(flow_run.parameters)


@flow(name="backfill", flow_run_name=_name, persist_result=False)
async def backfill(
    feed: str,
    since: datetime | None = None,
    until: datetime | None = None,
    limit: Annotated[int, Field(ge=1, le=100_000)] = 100,
    dry_run: bool = False,
    confirm_cost: Annotated[Decimal, Field(ge=0)] | None = None,
) -> dict[str, Any]:
    """Draft a feed's items published in [since, until), newest first, at most `limit` of them.

    Queued items of the range are included; other items of the feed do not change.

    The archive is read page by page, back to `since`, or until `limit` items are found. Times without an
    offset are in COPYDESK_TIMEZONE. A dry run writes nothing and returns a Plan as JSON; otherwise returns a
    RunReport as JSON. `confirm_cost`: US dollars that the run may cost; without it, the run of a deployment
    does nothing if the estimated cost is above COPYDESK_CONFIRM.
    Raises ConfigError for an unknown feed, an empty range or a cost that is too high, FeedError when a dry
    run cannot fetch the feed.
    """

    async def run() -> RunReport | Plan:
        settings = load_settings()
        span = _in_utc(since, settings.timezone), _in_utc(until, settings.timezone)
        allowed = cost_limit(settings, confirm_cost, by_deployment=deployment.id is not None)
        run_ports = replace(ports(), cost_limit=allowed)
        return await services.backfill(feed, *span, limit, dry_run, run_ports)

    return await carried_out(run())


def cost_limit(settings: Settings, confirm_cost: Decimal | None, *, by_deployment: bool) -> CostLimit | None:
    """Return what a backfill may cost; None if the command that started it has asked. Pure."""
    if confirm_cost is not None:
        return CostLimit(confirm_cost, is_confirmed=True)
    return CostLimit(settings.confirm, is_confirmed=False) if by_deployment else None


def _in_utc(moment: datetime | None, timezone: str) -> datetime | None:
    """Return a time in UTC; one without an offset is in `timezone`. Raises ConfigError as `parse_day`."""
    return parse_day(moment.isoformat(), timezone) if moment else None
