"""What the ledger tells of many items at once: the queue's pages, and the whole in numbers."""

from datetime import datetime
from typing import Literal, NamedTuple

from pipeline.domain.models import FrozenModel


class Wanted(FrozenModel):
    """Which drafts are wanted, in which order."""

    state: str = "drafted"
    feeds: tuple[str, ...] | None = None
    """Keys; None: of any feed."""
    words: tuple[str, ...] = ()
    """That a title must have, all of them."""
    findings: Literal["held", "warned", "clean"] | None = None
    """With something open that blocks; with warnings alone; with nothing."""
    asked: bool = False
    """That wait to be written anew."""
    changed: bool = False
    """Whose source says something else now."""
    order: Literal["newest", "oldest", "findings"] = "newest"


class QueueRow(FrozenModel):
    """A draft in the queue."""

    item_id: int
    external_id: str
    feed_key: str
    title: str
    state: str
    published_at: datetime
    drafted_at: datetime
    """When its text was written last."""
    cause: str
    version: int
    by: str | None
    """The editor who wrote it last."""
    sha256: str
    """Of that text."""
    blocks: int
    warns: int
    """Findings that nobody answers for."""
    asked: bool
    changed: bool


class QueueCounts(NamedTuple):
    """How many drafts there are."""

    states: dict[str, int]
    feeds: dict[str, int]
    """That wait for an editor."""


class QueuePage(NamedTuple):
    """A page of the queue."""

    rows: tuple[QueueRow, ...]
    total: int
    """Of what is wanted, on all pages."""
    counts: QueueCounts


class Spent(NamedTuple):
    """What a model was asked for one purpose, ever."""

    model: str
    purpose: str
    calls: int
    prompt_tokens: int
    completion_tokens: int
    micros: int
    """Millionths of a US dollar, where the price is known."""


class Latency(NamedTuple):
    """How long a model took to answer, ever, repeated attempts included."""

    model: str
    calls: int
    seconds: float
    """The sum."""
    within: tuple[tuple[float, int], ...]
    """Seconds, and how many answers took no longer."""


class Figures(NamedTuple):
    """The whole ledger in numbers."""

    items: dict[str, int]
    """By state."""
    spent: tuple[Spent, ...]
    oldest_draft: datetime | None
    """When the draft that waits longest was written."""
    requests: int
    oldest_request: datetime | None
    blocks: int
    warns: int
    """Open findings of waiting drafts."""
    latencies: tuple[Latency, ...] = ()
