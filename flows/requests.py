"""The flow `requests`: redrafts, draft files and publications, on the machine that writes the drafts."""

from typing import Any

from prefect import flow
from prefect.runtime import flow_run

from flows.run_labels import timed_name
from flows.runtime import carried_out, ports
from flows.zombie_runs import crash_zombie_runs
from pipeline.services import ingest as services


def _name() -> str:
    return timed_name("requests", flow_run.scheduled_start_time)


@flow(name="requests", flow_run_name=_name, persist_result=False)
async def requests() -> dict[str, Any]:
    """Carry out redraft requests, write drafts of other machines to disk, publish approved articles.

    Polls no feed. Returns a RunReport as JSON. Raises ConfigError on a machine that writes no drafts.
    """
    await crash_zombie_runs()
    return await carried_out(services.requests(ports()))
