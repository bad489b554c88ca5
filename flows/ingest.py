"""The flow that polls feeds and drafts what is new: `ingest`, all feeds or some."""

from typing import Any

from prefect import flow

from flows.runtime import ports
from pipeline.services import ingest as services


@flow(name="ingest", persist_result=False, validate_parameters=True)
async def ingest(feeds: list[str] | None = None, due: bool = False) -> dict[str, Any]:
    """Poll the enabled feeds that are due, or those named by key, and draft what is new in them.

    Those named are polled now; where `due`, only if they are due and were not polled since this run was: of
    several late runs one catches up.

    Returns a RunReport as JSON. Raises ConfigError or DatabaseError before anything is done; a feed that
    fails, or a model that refuses, is part of the report.
    """
    return (await services.ingest(feeds, due, ports())).model_dump(mode="json")
