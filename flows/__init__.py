"""The Prefect flows; no other package but the command line imports them."""

import os

from pipeline.config import disable_telemetry

# Prefect reads these when it is first imported; a value that the operator has set wins.
disable_telemetry()
for _name, _value in {
    # Seconds between heartbeats; flows/zombie_runs marks runs without them as crashed.
    "PREFECT_FLOWS_HEARTBEAT_FREQUENCY": "30",
    # A cold start of the embedded server was measured at 22 to 26 s; Prefect allows it 20.
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "120",
}.items():
    os.environ.setdefault(_name, _value)
