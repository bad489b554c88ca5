"""The flow `drafting`: drafts queued items, in parallel with other runs and on any machine."""

from typing import Any

from prefect import flow
from prefect.runtime import flow_run

from flows.run_labels import timed_name
from flows.runtime import carried_out, ports
from flows.zombie_runs import crash_zombie_runs
from pipeline.services import ingest as services


def _name() -> str:
    return timed_name("drafting", flow_run.scheduled_start_time)


@flow(name="drafting", flow_run_name=_name, persist_result=False)
async def drafting() -> dict[str, Any]:
    """Draft the queued items without polling feeds; returns a RunReport as JSON.

    Several runs may work at the same time: each leases a few items, so no item is drafted twice.
    """
    await crash_zombie_runs()
    return await carried_out(services.drafting(ports()))
