"""Prefect and nothing else: each flow reads like the picture in docs/architecture.md."""

import os

from pipeline.config import disable_telemetry

# Read when prefect is first imported, so they must stand before that; an operator's own value wins.
disable_telemetry()
for _name, _value in {
    # Seconds between signs of life: the flow `requests` ends runs that give none.
    "PREFECT_FLOWS_HEARTBEAT_FREQUENCY": "30",
    # A cold start of the embedded server was measured at 22 to 26 s; Prefect allows it 20.
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "120",
}.items():
    os.environ.setdefault(_name, _value)
