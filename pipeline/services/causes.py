"""Says in a line a cause, over all feeds, why items have no draft: they failed, or wait. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from pipeline.domain.models import FrozenModel
from pipeline.domain.skip_causes import CauseKind, failure_cause, wait_cause


class Cause(FrozenModel):
    """Why some items of a feed have no draft."""

    kind: CauseKind
    cause: str
    """Without what differs from item to item: a host instead of a page."""
    count: int
    example: str
    """Title and reason of one of them."""


class RunCause(Cause):
    """Why some items of a run have no draft."""

    feeds: tuple[str, ...]

    @property
    def line(self) -> str:
        """The cause as a line of a report."""
        where = ", ".join(self.feeds[:_FEEDS]) + (", …" if len(self.feeds) > _FEEDS else "")
        if self.count > 1:
            done = "items failed" if self.kind == "failed" else "items wait"
            return f"{self.count} {done}: {self.cause} ({where})"
        done = "item failed" if self.kind == "failed" else "item waits"
        return f"1 {done}: {self.example} ({where})"


_FEEDS = 5
"""Feeds that a line names. Chosen, not measured."""


def causes_of(kind: CauseKind, reasons: Iterable[tuple[str, str]]) -> tuple[Cause, ...]:
    """Return a cause for all items alike; `reasons` are pairs of an item's title and its reason."""
    groups: defaultdict[str, list[str]] = defaultdict(list)
    for title, reason in reasons:
        cause = failure_cause(reason) if kind == "failed" else wait_cause(reason)
        groups[cause].append(f"{title}: {reason}")
    return tuple(
        Cause(kind=kind, cause=cause, count=len(alike), example=alike[0]) for cause, alike in groups.items()
    )


def causes_of_run(feeds: Iterable[tuple[str, Sequence[Cause]]]) -> tuple[RunCause, ...]:
    """Return the causes of all feeds, given by key, each once; those of most items first."""
    groups: defaultdict[tuple[CauseKind, str], list[tuple[str, Cause]]] = defaultdict(list)
    for key, causes in feeds:
        for cause in causes:
            groups[cause.kind, cause.cause].append((key, cause))
    merged = [
        RunCause(
            kind=kind,
            cause=text,
            count=sum(cause.count for _, cause in alike),
            example=alike[0][1].example,
            feeds=tuple(sorted(key for key, _ in alike)),
        )
        for (kind, text), alike in groups.items()
    ]
    return tuple(sorted(merged, key=lambda cause: -cause.count))
