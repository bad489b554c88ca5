"""What a run did with one feed, and how the items of its report are counted. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from pydantic import Field

from pipeline.domain.models import Window
from pipeline.services.causes import Cause, causes_of
from pipeline.services.context import ItemOutcome, PollReport
from pipeline.services.skip_notes import skip_notes
from pipeline.services.spending import Spending
from pipeline.storage import FeedBacklog


class FailedItem(NamedTuple):
    """An item that was tried and has no draft."""

    id: int | None
    title: str
    reason: str


class FeedReport(PollReport, Spending):
    """What a run did with one feed: the result of the poll and of drafting.

    `before` and `new` items are, at the end, drafted, merged, skipped, failed (`failed` and
    `failed_before`), waiting or queued.
    """

    new: int = 0
    """Items that were not stored before, skipped and merged ones included."""
    error: str | None = None
    """Why the feed could not be read; the run continues with other feeds."""
    drafts: tuple[str, ...] = ()
    """Paths of the drafts written, relative to the output folder."""
    refs: tuple[str, ...] = ()
    """Their external ids, in the same order."""
    blocked: int = 0
    """Number of drafts with a blocking finding."""
    models: dict[str, int] = Field(default_factory=dict)
    """Number of drafts by the model that wrote them."""
    before: int = 0
    """Items that waited for their drafts before this run, redrafts among them."""
    failed: tuple[str, ...] = ()
    """One line per item that this run tried in vain: title and reason."""
    failed_before: int = 0
    """Items that failed in an earlier run and were not tried in this one."""
    to_retry: int = 0
    """Failed items, of this run and before, that the next run tries again."""
    waiting: int = 0
    """Items whose page could not be had: no run tries them before a time."""
    queued: int = 0
    """Items left for the next run; failed and waiting ones are not among them."""
    causes: tuple[Cause, ...] = ()
    """Why items of this run failed or wait."""
    seconds: float = 0.0
    left_out: int = Field(default=0, exclude=True)
    """Items that were tried, and then skipped or merged."""
    failures: tuple[FailedItem, ...] = Field(default=(), exclude=True)
    window: Window | None = Field(default=None, exclude=True)
    """Only what was published in it is counted; None: everything."""

    def with_failures(self, failures: Sequence[FailedItem]) -> "FeedReport":
        """Return the report with these failed items and their causes in place of others."""
        waits = (cause for cause in self.causes if cause.kind == "waits")
        return self.model_copy(
            update={
                "failures": tuple(failures),
                "failed": tuple(f"{each.title}: {each.reason}" for each in failures),
                "causes": (*waits, *causes_of("failed", [each[1:] for each in failures])),
            }
        )

    def counted(self, backlog: FeedBacklog, left: Mapping[int, str]) -> "FeedReport":
        """Return the report with the database's counts.

        `left`: of the failed items those that wait again, with `queued` where they were put back since their
        model's server was to blame: they did not fail.
        """
        failures = [each for each in self.failures if left.get(each.id or 0) != "queued"]
        again = sum(left.get(each.id or 0) == "failed" for each in failures)
        counts = {"waiting": backlog.waiting, "queued": backlog.queued, "to_retry": backlog.failed}
        counts["failed_before"] = max(0, backlog.failed - again)
        return self.with_failures(failures).model_copy(update=counts)


def feed_report(
    key: str,
    polled: PollReport | None,
    error: str | None,
    outcomes: Sequence[ItemOutcome],
    backlog: int = 0,
    window: Window | None = None,
) -> FeedReport:
    """Return the report of one feed from its poll result and the outcomes of its items.

    `backlog` is the number of items that waited when drafting began, new ones included.
    """
    polled = polled or PollReport(feed=key)
    drafted = [outcome for outcome in outcomes if outcome.path]
    merged = _reasons(outcome for outcome in outcomes if outcome.merged)
    skipped = _reasons(outcome for outcome in outcomes if outcome.skipped and not outcome.merged)
    waiting = _reasons(outcome for outcome in outcomes if outcome.waits)
    superseded = _reasons(outcome for outcome in outcomes if outcome.superseded)
    failures = tuple(
        FailedItem(outcome.item_id, outcome.title, outcome.reason or "")
        for outcome in outcomes
        if outcome.failed
    )
    switches = dict.fromkeys(note for outcome in outcomes for note in outcome.notes)
    counts = polled.model_dump(exclude={"feed"}) | {
        "new": polled.new + polled.merged + polled.skipped - polled.reserved,
        "merged": polled.merged + len(merged),
        "skipped": polled.skipped + len(skipped),
        "notes": (
            *polled.notes,
            *skip_notes(skipped),
            *skip_notes(merged, "merged"),
            *skip_notes(superseded, "not replaced"),
            *switches,
        ),
    }
    return FeedReport(
        feed=key,
        error=error,
        **counts,
        drafts=tuple(outcome.path for outcome in drafted if outcome.path),
        refs=tuple(outcome.ref or "" for outcome in drafted),
        blocked=sum(outcome.held for outcome in drafted),
        models=Counter(outcome.model for outcome in drafted if outcome.model),
        before=max(0, backlog - polled.new) + polled.reserved,
        waiting=len(waiting),
        queued=max(0, backlog - len(outcomes)),
        causes=causes_of("waits", waiting),
        left_out=len(skipped) + len(merged),
        window=window,
        **dict(sum(outcomes, Spending())),
    ).with_failures(failures)


def _reasons(outcomes: Iterable[ItemOutcome]) -> list[tuple[str, str]]:
    """Return titles, with the reasons why there is no draft."""
    return [(outcome.title, outcome.reason or "") for outcome in outcomes]
