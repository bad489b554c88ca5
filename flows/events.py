"""Sends what happens in a run to Prefect as events, which automations can use.

docs/operations.md lists them.
"""

import logging
from collections.abc import Callable

from prefect.events import emit_event
from prefect.settings import PREFECT_API_URL

from pipeline.domain.run_events import RunEvent

log = logging.getLogger("copydesk.run")


def emit(event: RunEvent, send: Callable[..., object] = emit_event) -> None:
    """Send an event, with the flow run as a related resource; an error is logged, not raised.

    Prefect sends it in a thread of its own, so the run does not wait.
    """
    if not PREFECT_API_URL.value():  # Prefect would start a server for it
        return
    try:
        send(event.name, resource(event), related=related(event), payload=payload(event))
    except Exception as error:  # noqa: BLE001 - an event that cannot be sent ends no run
        log.warning("the event %s could not be sent to Prefect: %s", event.name, error)


def resource(event: RunEvent) -> dict[str, str]:
    """Return what the event is about, with the labels that an automation can match. Pure."""
    labels = {
        "prefect.resource.id": f"copydesk.{event.subject}",
        "prefect.resource.name": event.title,
        "copydesk.feed": event.feed,
    }
    return {label: value for label, value in labels.items() if value}


def related(event: RunEvent) -> list[dict[str, str]]:
    """Return the feed as a related resource. Pure."""
    if not event.feed:
        return []
    return [{"prefect.resource.id": f"copydesk.feed.{event.feed}", "prefect.resource.role": "feed"}]


def payload(event: RunEvent) -> dict[str, str]:
    """Return what an automation can show. Pure."""
    values = {"title": event.title, "feed": event.feed, **event.details}
    return {key: value for key, value in values.items() if value}
