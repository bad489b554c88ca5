"""What a run tells others while it works: records for events that an automation can use. Pure."""

from collections.abc import Callable
from typing import Literal

from pydantic import Field

from pipeline.domain.models import FrozenModel

EventName = Literal["draft.ready", "draft.held", "source.changed", "article.published", "cap.reached"]
_MAX_TITLE = 200
"""Characters of a title. Chosen, not measured."""


class RunEvent(FrozenModel):
    """Something that happened; it holds ids, names and public titles, and nothing that is secret."""

    name: EventName
    subject: str
    """`draft.` and the external id of its item, or `cap.` and the name of a cap."""
    title: str = ""
    """Of the item, cut; text of a feed, so hostile."""
    feed: str = ""
    """Key; empty for a cap."""
    details: dict[str, str] = Field(default_factory=dict)


Emit = Callable[[RunEvent], object]
"""Takes an event; it returns at once and raises nothing."""


def ignore_event(_event: RunEvent) -> None:
    """Take an event that nobody waits for."""


def item_event(name: EventName, ref: str, title: str, feed: str, **details: str) -> RunEvent:
    """Return an event about the draft or article of the item with the external id `ref`."""
    return RunEvent(name=name, subject=f"draft.{ref}", title=title[:_MAX_TITLE], feed=feed, details=details)


def cap_event(cap: str, message: str) -> RunEvent:
    """Return the event of a spending cap that ends a run."""
    return RunEvent(name="cap.reached", subject=f"cap.{cap.replace(' ', '-')}", details={"message": message})
