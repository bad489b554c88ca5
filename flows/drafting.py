"""The flow that drafts what waits, beside other runs and on any machine: `drafting`."""

from typing import Any

from prefect import flow

from flows.runtime import ports
from flows.zombie_runs import crash_zombie_runs
from pipeline.services import ingest as services


@flow(name="drafting", persist_result=False)
async def drafting() -> dict[str, Any]:
    """Draft what waits in the queues; polls nothing. Returns a RunReport as JSON.

    Any number may run at once: each takes a few items at a time, and none that another has.
    """
    await crash_zombie_runs()
    return (await services.drafting(ports())).model_dump(mode="json")
