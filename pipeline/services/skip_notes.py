"""Says in a line a cause why items are not drafted. Pure."""

from collections import Counter, defaultdict
from collections.abc import Iterable

from pipeline.domain.skip_causes import skip_cause
from pipeline.domain.withdrawals import OTHER_TEXT, notice_cause
from pipeline.storage import SourceNotice

_NOTICES = 5
"""Published articles that a report names. Chosen, not measured."""


def skip_notes(skipped: Iterable[tuple[str, str]], done: str = "skipped") -> list[str]:
    """Return a note a cause; `skipped` are pairs of an item's title and the reason why it is not drafted."""
    groups: defaultdict[str, list[str]] = defaultdict(list)
    for title, reason in skipped:
        groups[skip_cause(reason)].append(f"{done} {title}: {reason}")
    return [
        notes[0] if len(notes) == 1 else f"{len(notes)} {done}: {cause}" for cause, notes in groups.items()
    ]


def _is_counted(notice: SourceNotice) -> bool:
    """Return whether notices like this are counted; other texts of drafts are among the report's updates."""
    return not notice.published and notice.notice != OTHER_TEXT


def notice_notes(notices: Iterable[SourceNotice]) -> list[str]:
    """Return a note for each published article whose source changed or went, and one a cause for drafts."""
    every = list(notices)
    lines = [f"source of a published article {each.notice}: {each.title}" for each in every if each.published]
    counts = Counter(notice_cause(each.notice) for each in every if _is_counted(each))
    more = [f"{len(lines) - _NOTICES} more published articles"] if len(lines) > _NOTICES else []
    return [
        *lines[:_NOTICES],
        *more,
        *(f"{n} {'source' if n == 1 else 'sources'} {notice}" for notice, n in counts.items()),
    ]
