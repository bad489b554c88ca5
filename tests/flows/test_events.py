"""Events for automations: what they are about, what they show, and that none ends a run."""

import logging
from typing import Any

import pytest
from prefect.settings import PREFECT_API_URL, temporary_settings

from flows.events import emit, payload, related, resource
from pipeline.domain.run_events import RunEvent, cap_event, item_event

HELD = item_event("draft.held", "00aa11", "A title " * 50, "decrypt", path="drafts/2026/02/a.md")
CAP = cap_event("day's backfills", "the cap of the day's backfills is reached")


def test_a_draft_is_a_resource_with_its_feed() -> None:
    assert resource(HELD) == {
        "prefect.resource.id": "copydesk.draft.00aa11",
        "prefect.resource.name": HELD.title,
        "copydesk.feed": "decrypt",
    }
    assert related(HELD) == [
        {"prefect.resource.id": "copydesk.feed.decrypt", "prefect.resource.role": "feed"}
    ]
    assert payload(HELD) == {"title": HELD.title, "feed": "decrypt", "path": "drafts/2026/02/a.md"}
    assert len(HELD.title) == 200


def test_a_cap_has_no_feed() -> None:
    assert resource(CAP) == {"prefect.resource.id": "copydesk.cap.day's-backfills"}
    assert (related(CAP), payload(CAP)) == ([], {"message": "the cap of the day's backfills is reached"})


def test_an_event_that_cannot_be_sent_is_a_log_line(caplog: pytest.LogCaptureFixture) -> None:
    def refuse(*_arguments: object, **_fields: object) -> None:
        raise ValueError("too large")

    with (
        caplog.at_level(logging.WARNING, "copydesk.run"),
        temporary_settings({PREFECT_API_URL: "http://x/api"}),
    ):
        emit(HELD, refuse)
    assert caplog.messages == ["the event draft.held could not be sent to Prefect: too large"]


def test_nothing_is_sent_without_a_server() -> None:
    sent: list[Any] = []
    events: list[RunEvent] = [HELD, CAP]
    with temporary_settings({PREFECT_API_URL: None}):
        for event in events:
            emit(event, lambda *arguments, **_fields: sent.append(arguments))
    assert sent == []
    with temporary_settings({PREFECT_API_URL: "http://x/api"}):
        for event in events:
            emit(event, lambda *arguments, **_fields: sent.append(arguments[0]))
    assert sent == ["draft.held", "cap.reached"]
