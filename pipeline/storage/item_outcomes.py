"""What became of a feed's items that are no drafts of their own, or whose source changed, by reason."""

from collections import defaultdict

import sqlalchemy as sa

from pipeline.domain.models import FrozenModel
from pipeline.domain.skip_causes import MAX_TITLES, NO_REASON, skip_cause
from pipeline.domain.withdrawals import notice_cause
from pipeline.storage.schema import items

SAME_LINK = "the link of another item"
"""Why an item is merged: its canonical URL is drafted already."""
SAME_ENTRY = "another item of this feed under a new guid"
"""Why an item is merged: its feed had the same title and text under another guid."""
SAME_TEXT = "the same text as an item of another feed"
"""Why an item is merged: its beat drafts near-duplicates once."""
CORRECTION = "a correction or withdrawal of another item of this feed"
"""Why an item is merged: its title names the other item."""


class OutcomeCount(FrozenModel):
    """How many items of a feed had one outcome, for one reason."""

    outcome: str
    """updated, noticed, merged or skipped."""
    reason: str
    count: int
    titles: tuple[str, ...]
    """The latest ones."""


def count_outcomes(connection: sa.Connection, feed_id: int) -> list[OutcomeCount]:
    """Return a feed's outcomes by reason, the most frequent reason of each outcome first."""
    aside = items.c.state.in_(("merged", "skipped"))
    columns = (items.c.state, items.c.reason, items.c.title, items.c.updates, items.c.notice)
    changed = sa.or_(items.c.updates > 0, items.c.notice.is_not(None))
    query = sa.select(*columns).where(items.c.feed_id == feed_id, sa.or_(aside, changed))
    titles: dict[tuple[str, str], list[str]] = defaultdict(list)
    for row in connection.execute(query.order_by(items.c.id.desc())):
        if row.state in ("merged", "skipped"):
            titles[row.state, skip_cause(row.reason or NO_REASON)].append(row.title)
        if row.updates:
            titles["updated", "its title or text changed"].append(row.title)
        if row.notice and row.state != "skipped":
            titles["noticed", notice_cause(row.notice)].append(row.title)
    counts = [
        OutcomeCount(outcome=outcome, reason=reason, count=len(every), titles=tuple(every[:MAX_TITLES]))
        for (outcome, reason), every in titles.items()
    ]
    order = ("updated", "noticed", "merged", "skipped")
    return sorted(counts, key=lambda each: (order.index(each.outcome), -each.count, each.reason))
