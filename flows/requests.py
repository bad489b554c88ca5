"""The flow that carries out what waits on the machine with the drafts, beside the schedule: `requests`."""

from typing import Any

from prefect import flow

from flows.runtime import ports
from flows.zombie_runs import crash_zombie_runs
from pipeline.services import ingest as services


@flow(name="requests", persist_result=False)
async def requests() -> dict[str, Any]:
    """Write anew what is asked for, write what other machines drafted, publish what was approved.

    Polls nothing. Returns a RunReport as JSON. Raises ConfigError on a machine that writes no drafts.
    """
    await crash_zombie_runs()
    return (await services.requests(ports())).model_dump(mode="json")
