"""The flow `ingest`: polls feeds and drafts their new items."""

from typing import Any

from prefect import flow
from prefect.runtime import flow_run

from flows.run_labels import ingest_name
from flows.runtime import carried_out, ports
from pipeline.services import ingest as services


def _name() -> str:
    return ingest_name(flow_run.parameters, flow_run.scheduled_start_time)


@flow(name="ingest", flow_run_name=_name, persist_result=False, validate_parameters=True)
async def ingest(feeds: list[str] | None = None, due: bool = False) -> dict[str, Any]:
    """Poll the enabled feeds that are due, or the named ones, and draft their new items.

    `feeds`: keys of feeds to poll now. With `due`, only those are polled that are due and that no run has
    polled since this run's scheduled time, so that late runs poll a feed once.

    Returns a RunReport as JSON. Raises ConfigError or DatabaseError before any work. Failed feeds and
    rejected model calls are part of the report.
    """
    return await carried_out(services.ingest(feeds, due, ports()))
